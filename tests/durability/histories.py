"""What may happen in a simulated history, as data that prints as the script it is, and how such scripts are drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from hypothesis import strategies as st

from bot.domain import cadence, checklist, customer_messages, dual_control, escalation, lifecycle, notes, roles
from bot.domain import events as e
from bot.domain.actor import Actor
from bot.domain.customer_template import text_hash
from bot.domain.incident import Draft, Incident, Mark
from tests.domain.story import DATABASE, PAYOUTS
from tests.durability.simulated_slack import Trouble
from tests.durability.stories import ANA, BEN, CARLA, POLICY, TEMPLATE, TEXT

PEOPLE = (ANA, BEN, CARLA)
TEAM = "T1"


@dataclass(frozen=True)
class Do:
    """A person does something, by way of the bot of that number; `twice`: Slack delivers it to another one, too."""

    what: str
    who: int = 0
    which: int = 0
    bot: int = 0
    twice: bool = False


@dataclass(frozen=True)
class Pass:
    """Time goes by."""

    seconds: float


@dataclass(frozen=True)
class Lag:
    """From now on a message is found so many seconds after it was sent."""

    seconds: float


@dataclass(frozen=True)
class Crash:
    """A bot dies so many points from now (before or after a call or a commit), and another starts `down` later."""

    bot: int = 0
    points: int = 1
    down: float = 1.0


@dataclass(frozen=True)
class Freeze:
    """So many points from now a bot stands still for a while, and then goes on as if nothing had been."""

    bot: int = 0
    points: int = 1
    seconds: float = 15.0


@dataclass(frozen=True)
class Clock:
    """A bot's machine sets its clock: so far from Slack's, forward or back."""

    bot: int
    seconds: float


@dataclass(frozen=True)
class Away:
    """The database refuses so many writes."""

    count: int


Step = Do | Pass | Lag | Crash | Freeze | Clock | Away | Trouble


@dataclass(frozen=True)
class History:
    """One script. `bots`: two live on one PostgreSQL; `taken`: people have channels of the names already."""

    steps: tuple[Step, ...]
    bots: int = 1
    taken: bool = False

    def __repr__(self) -> str:
        steps = "".join(f"\n        {step!r}," for step in self.steps)
        return f"History(\n    bots={self.bots}, taken={self.taken}, steps=({steps}\n    ),\n)"


# -- what people do: from the incident as it is when the rule runs, to the rule ----------------------------------------

Rule = Callable[..., list[e.Event]]
#: (incident, step, the delivery's key, now) -> the rule with its arguments
Choice = Callable[[Incident, Do, str, Any], Rule]


def _step(i: Incident, do: Do) -> dict[str, Any]:
    steps = [(c.runbook.slug, s.id) for c in i.checklists for s in c.runbook.steps]
    slug, step = steps[do.which % len(steps)] if steps else ("payouts-stuck", "1.1")
    return {"runbook": slug, "step": step}


def _marked(i: Incident, do: Do, *marks: Mark) -> dict[str, Any]:
    for c in i.checklists:
        for step, state in c.steps.items():
            if state.mark in marks:
                return {"runbook": c.runbook.slug, "step": step}
    return _step(i, do)


def _ask(i: Incident) -> int:
    return max(i.asks, default=0)


def _draft(i: Incident) -> Draft | None:
    return list(i.drafts.values())[-1] if i.drafts else None


def _write(i: Incident, do: Do, key: str, now: Any) -> Rule:
    return partial(
        customer_messages.draft, draft=f"d{key}", template=TEMPLATE, text=f"{TEXT} ({key})", approvers=PEOPLE,
        promised=now + timedelta(minutes=40) if do.which % 2 else None, policy=POLICY,
    )  # fmt: skip


def _approve(i: Incident, do: Do, key: str, now: Any) -> Rule:
    one = _draft(i)
    text = one.drafted.text if one else TEXT
    return partial(
        customer_messages.approve, draft=one.name if one else "none", text_hash=text_hash(text), policy=POLICY
    )


def _postmortem(i: Incident, do: Do, key: str, now: Any) -> Rule:
    def rule(incident: Incident, *, by: Actor, at: Any) -> list[e.Event]:
        return [e.PostmortemWritten(by=by.user, at=at, name=f"{key}.md", through=incident.seq)]

    return rule


def _severity(to: str) -> Choice:
    return lambda i, do, key, now: partial(
        lifecycle.change_severity, severity=to, reason=f"so it is ({key})", responders=(CARLA, "U01DIPOADEY"),
        policy=POLICY,
    )  # fmt: skip


_TWO: dict[str, Any] = {"confirmers": PEOPLE, "policy": POLICY}
ACTS: dict[str, Choice] = {
    "note": lambda i, do, key, now: partial(notes.note, text=f"note {key}"),
    "impact": lambda i, do, key, now: partial(lifecycle.state_impact, impact=f"impact {key}"),
    "title": lambda i, do, key, now: partial(lifecycle.retitle, title=f"title {key}"),
    "ack": lambda i, do, key, now: lifecycle.acknowledge,
    "update": lambda i, do, key, now: partial(
        cadence.post_update, text=f"update {key}", next_by=None, policy=POLICY, timeless=bool(do.which % 2)
    ),
    "nothing new": lambda i, do, key, now: partial(cadence.nothing_new, tried=f"tried {key}", policy=POLICY),
    "snooze": lambda i, do, key, now: partial(cadence.snooze, policy=POLICY),
    "undo": lambda i, do, key, now: partial(
        cadence.undo_update, seq=i.updates[-1].seq if i.updates else 0, policy=POLICY
    ),
    "attach": lambda i, do, key, now: partial(checklist.attach, runbook=DATABASE if do.which % 2 else PAYOUTS),
    "tick": lambda i, do, key, now: partial(checklist.finish, policy=POLICY, **_step(i, do)),
    "untick": lambda i, do, key, now: partial(checklist.untick, **_step(i, do)),
    "skip": lambda i, do, key, now: partial(checklist.skip, **_step(i, do), reason=f"skipped {key}"),
    "ask": lambda i, do, key, now: partial(
        dual_control.ask_second_person, runbook="payouts-stuck", step="2.2", evidence="queue empty", repeat=True, **_TWO
    ),
    "go": lambda i, do, key, now: partial(dual_control.give_go, ask=_ask(i), policy=POLICY),
    "done": lambda i, do, key, now: partial(dual_control.record_done, ask=_ask(i), result=f"batch {key}"),
    "not done": lambda i, do, key, now: partial(dual_control.record_not_done, ask=_ask(i), reason=f"no ({key})"),
    "refuse": lambda i, do, key, now: partial(dual_control.refuse_ask, ask=_ask(i), reason=f"no ({key})"),
    "stopped": lambda i, do, key, now: partial(
        checklist.finish, runbook="payouts-stuck", step="2.1", **_TWO
    ),
    "review": lambda i, do, key, now: partial(dual_control.record_review, **_marked(i, do, Mark.REVIEW), policy=POLICY),
    "worse": _severity("sev1"),
    "better": _severity("sev3"),
    "lead": lambda i, do, key, now: partial(roles.take, role="lead", user=PEOPLE[do.who], policy=POLICY),
    "scribe": lambda i, do, key, now: partial(roles.take, role="scribe", user=PEOPLE[do.who], policy=POLICY),
    "accept": lambda i, do, key, now: partial(roles.accept, role="lead"),
    "escalate": lambda i, do, key, now: partial(escalation.escalate, reason=f"nobody knows ({key})", policy=POLICY),
    "follow": lambda i, do, key, now: notes.follow,
    "task": lambda i, do, key, now: partial(notes.add_task, text=f"task {key}", assignee=BEN),
    "wait": lambda i, do, key, now: partial(
        notes.wait_for, what=f"them ({key})", look_again=now + timedelta(minutes=7)
    ),
    "draft": _write,
    "approve": _approve,
    "discard": lambda i, do, key, now: partial(
        customer_messages.discard, draft=one.name if (one := _draft(i)) else "none"
    ),
    "mitigate": lambda i, do, key, now: partial(lifecycle.mitigate, note=f"mitigated {key}"),
    "resolve": lambda i, do, key, now: partial(
        lifecycle.resolve, note=f"resolved {key}", override=f"asleep {key}", confirmers=PEOPLE, policy=POLICY
    ),
    "agree": lambda i, do, key, now: partial(lifecycle.confirm_override, policy=POLICY),
    "false alarm": lambda i, do, key, now: partial(lifecycle.call_false_alarm, reason=f"a test {key}"),
    "reopen": lambda i, do, key, now: partial(lifecycle.reopen, reason=f"again {key}"),
    "stand down": lambda i, do, key, now: lifecycle.stand_down,
    "close": lambda i, do, key, now: partial(lifecycle.close, note=f"closed {key}"),
    "postmortem": _postmortem,
}  # fmt: skip
#: verbs of policy; all else is asked by its own name
VERBS = {"worse": "sev", "better": "sev", "false alarm": "false-alarm", "agree": "resolve", "stopped": "stop"}


# -- how scripts are drawn ---------------------------------------------------------------------------------------------

WHO, WHICH, BOT = st.integers(0, 2), st.integers(0, 5), st.integers(0, 1)
SHORT = st.sampled_from((0.01, 0.1, 1, 3, 8, 20))
LONG = st.sampled_from((60, 6 * 60, 26 * 60, 31 * 60, 47 * 60, 2 * 3600, 24 * 3600))
TWICE = st.sampled_from((False, False, True))

_DECLARES = st.builds(Do, st.sampled_from(("declare", "declare", "declare privately", "declare small")), bot=BOT,
                      twice=TWICE, who=WHO)  # fmt: skip
_ACT = st.builds(Do, st.sampled_from(sorted(ACTS)), WHO, WHICH, BOT, TWICE)
_CRASH = st.builds(Crash, BOT, st.integers(1, 40), st.sampled_from((0.1, 1, 12, 70, 3600)))
_FREEZE = st.builds(Freeze, BOT, st.integers(1, 40), st.sampled_from((1, 12, 15, 40)))
_METHOD = st.sampled_from((
    "", "", "post", "post", "post", "open_channel", "find", "find_channel", "edit", "invite", "pin", "bookmark",
    "share", "upload", "find_file", "set_topic", "direct", "delete",
))  # fmt: skip
_HANG = st.sampled_from((0, 0, 0.05, 0.5, 9))
_NEEDED = ("", "find", "find_channel", "delete")
_TROUBLE = st.one_of(
    st.builds(Trouble, st.just("later"), _METHOD, _HANG, st.sampled_from((0, 1, 30)), st.integers(1, 4)),
    st.builds(Trouble, st.just("done"), _METHOD, st.sampled_from((0.5, 9)), count=st.integers(1, 3)),
    st.builds(Trouble, st.sampled_from(("unsure, done", "unsure, not done")), _METHOD, _HANG, count=st.integers(1, 3)),
    st.builds(Trouble, st.just("unsure, done late"), _METHOD, _HANG, st.sampled_from((1, 5, 14, 30))),
    # Not looks and deletions: whom Slack does not let see or take away its own message can do no more.
    st.builds(Trouble, st.just("refused"), _METHOD.filter(lambda one: one not in _NEEDED), _HANG),
)
_STEPS = st.one_of(
    _ACT, _ACT, _ACT, _ACT, st.builds(Pass, SHORT), st.builds(Pass, SHORT), st.builds(Pass, LONG), _CRASH,
    _FREEZE, _TROUBLE, _TROUBLE, st.builds(Lag, st.sampled_from((0, 1.5, 6, 12))),
    st.builds(Clock, BOT, st.sampled_from((-45, -5, 0, 5, 45))), st.builds(Away, st.integers(1, 3)), _DECLARES,
).map(lambda one: (one,))  # fmt: skip


def _woven(*acts: str) -> st.SearchStrategy[tuple[Step, ...]]:
    """A way that single steps seldom walk: these acts by different people, with something between."""
    between = st.one_of(st.builds(Pass, SHORT), _CRASH, _FREEZE, _TROUBLE, st.builds(Pass, st.just(60)))
    parts: list[Any] = []
    for number, what in enumerate(acts):
        parts += [between, st.builds(Do, st.just(what), st.just(number % 2), st.just(1), BOT, TWICE)]
    return st.tuples(*parts, between)


_WAYS: st.SearchStrategy[tuple[Step, ...]] = st.one_of(
    _woven("draft", "approve"), _woven("draft", "approve"), _woven("ask", "go", "done"), _woven("resolve", "agree"),
    _woven("resolve", "agree", "postmortem"), _woven("stopped", "review"), _woven("false alarm", "reopen"),
    st.tuples(
        st.just(Do("draft")), st.just(Pass(3)),
        st.builds(Trouble, st.sampled_from(("unsure, done", "unsure, not done", "unsure, done late")), st.just("post"),
                  _HANG, st.sampled_from((1, 14, 30)), st.integers(1, 4)),
        st.just(Do("approve", 1)), st.one_of(_CRASH, st.builds(Pass, SHORT)),
    ),
    _woven("lead", "update"), st.tuples(st.builds(Pass, st.just(26 * 60)), _CRASH, st.builds(Pass, st.just(10 * 60))),
    st.tuples(_FREEZE, _ACT, _ACT, st.builds(Pass, st.just(20)), _ACT),
    st.tuples(_CRASH, _TROUBLE, st.builds(Pass, st.just(26 * 60)), _ACT),
)  # fmt: skip


def _flat(first: Step, parts: list[tuple[Step, ...]], bots: int, taken: bool) -> History:
    return History((first, *(step for part in parts for step in part)), bots, taken)


def histories(bots: int) -> st.SearchStrategy[History]:
    """Scripts of some steps for so many bots, beginning with an incident, or with trouble and then one."""
    parts = st.lists(st.one_of(_STEPS, _STEPS, _STEPS, _WAYS), min_size=1, max_size=14)
    return st.builds(_flat, st.one_of(_DECLARES, _DECLARES, _TROUBLE), parts, st.just(bots), st.booleans())
