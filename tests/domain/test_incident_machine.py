"""Anybody may do anything at any time: what must hold all the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bot.domain import cadence, checklist, customer_messages, dual_control, escalation, lifecycle, notes, roles
from bot.domain import events as e
from bot.domain.actor import Actor
from bot.domain.customer_template import text_hash
from bot.domain.errors import Refused
from bot.domain.fold import fold
from bot.domain.incident import Mark
from bot.domain.pending import ended_without_answer
from bot.reports import postmortem
from bot.reports.statistics import scorecard
from tests.sentences import said
from tests.slack.surfaces import same_figures

from .story import ANA, BEN, BOT, CARLA, DATABASE, NAMES, PAYOUTS, PEOPLE, POLICY, SHELL, TEAM, TEMPLATE, Story

#: mostly people
WHO = st.sampled_from((*(ANA, BEN, CARLA) * 3, SHELL, BOT))
STEP = st.sampled_from([("payouts-stuck", one.id) for one in PAYOUTS.steps] + [("db-failover", "2.3")])
WORDS = st.sampled_from(("so it is", "queue empty", ""))
DRAFT = st.integers(0, 3)
TEXT = st.sampled_from(("Payouts are delayed.", "Payouts work again."))
ASK = st.integers(0, 1)
#: events after which the bot may see a condition of resolving differently
CONDITIONS = (
    e.Asked | e.AskRefused | e.AskLapsed | e.AskDone | e.AskNotDone | e.StoppedFirst | e.DoneAlone | e.Reviewed
    | e.CommsDrafted | e.CommsPublished
)  # fmt: skip
WAIT = st.sampled_from((0, 2, 11, 31, 61))


class Machine(RuleBasedStateMachine):
    """One incident, three people, a shell and the bot; time only goes forward."""

    def __init__(self) -> None:
        super().__init__()
        self.story = Story()
        self.attempt(checklist.attach, runbook=PAYOUTS, by=ANA)

    def attempt(self, act: Callable[..., list[e.Event]], **arguments: object) -> None:
        """Apply a rule; a refusal has a sentence and leaves the timeline untouched."""
        before, length = self.story.incident, len(self.story.entries)
        try:
            events = self.story.tell(act, **arguments)
        except Refused as refusal:
            assert " " in said(refusal)
            assert self.story.incident is before
            assert len(self.story.entries) == length
        else:
            assert all(event.at == self.story.now for event in events)
            by = arguments["by"]
            assert isinstance(by, Actor)
            self.story.keep(*ended_without_answer(before, events, by=by, at=self.story.now))

    def the_ask(self, choice: int) -> int:
        """One of the latest asks; 7 where there is none."""
        asks = list(self.story.incident.asks)
        return asks[-1 - choice] if choice < len(asks) else 7

    def the_draft(self, choice: int) -> str:
        """One of the latest drafts; "d0" where there is none."""
        known = list(self.story.incident.drafts)
        return known[-1 - choice] if choice < len(known) else "d0"

    @rule(minutes=st.sampled_from((0.5, 2, 9, 25, 40)))
    def time_passes(self, minutes: float) -> None:
        self.story.later(minutes)

    # -- the checklist

    @rule(by=WHO)
    def attach(self, by: object) -> None:
        self.attempt(checklist.attach, runbook=DATABASE, by=by)

    @rule(step=STEP, by=WHO, words=WORDS)
    def finish(self, step: tuple[str, str], by: object, words: str) -> None:
        self.attempt(
            checklist.finish, runbook=step[0], step=step[1], text=words, confirmers=PEOPLE, by=by, policy=POLICY
        )

    @rule(step=STEP, by=WHO)
    def untick(self, step: tuple[str, str], by: object) -> None:
        self.attempt(checklist.untick, runbook=step[0], step=step[1], by=by)

    @rule(step=STEP, by=WHO, words=WORDS)
    def skip(self, step: tuple[str, str], by: object, words: str) -> None:
        self.attempt(checklist.skip, runbook=step[0], step=step[1], reason=words, by=by)

    @rule(step=STEP, by=WHO, words=WORDS, which=st.sampled_from((checklist.note_step, checklist.correct)))
    def remark(self, step: tuple[str, str], by: object, words: str, which: Callable[..., list[e.Event]]) -> None:
        self.attempt(which, runbook=step[0], step=step[1], text=words, by=by)

    @rule(step=st.just(("payouts-stuck", "2.2")) | STEP, by=WHO, again=st.booleans())
    def ask(self, step: tuple[str, str], by: object, again: bool) -> None:
        self.attempt(
            dual_control.ask_second_person, runbook=step[0], step=step[1], confirmers=PEOPLE, repeat=again, by=by,
            policy=POLICY
        )  # fmt: skip

    @rule(choice=ASK, by=WHO)
    def go(self, choice: int, by: object) -> None:
        self.attempt(dual_control.give_go, ask=self.the_ask(choice), by=by, policy=POLICY)

    @rule(choice=ASK, by=WHO, words=WORDS, asker=st.booleans())
    def done(self, choice: int, by: Actor, words: str, asker: bool) -> None:
        ask = self.story.incident.asks.get(self.the_ask(choice))
        if ask and asker:
            by = next(one for one in (ANA, BEN, CARLA) if one.user == ask.asked.by)
        self.attempt(dual_control.record_done, ask=self.the_ask(choice), result=words, by=by)

    @rule(
        choice=ASK, by=WHO, words=WORDS, which=st.sampled_from((dual_control.refuse_ask, dual_control.record_not_done))
    )
    def refuse_or_take_back(self, choice: int, by: object, words: str, which: Callable[..., list[e.Event]]) -> None:
        self.attempt(which, ask=self.the_ask(choice), reason=words, by=by)

    @rule(by=WHO)
    def stopped(self, by: object) -> None:
        self.attempt(checklist.finish, runbook="payouts-stuck", step="2.1", confirmers=PEOPLE, by=by, policy=POLICY)

    @rule(step=STEP, by=WHO, words=WORDS)
    def alone(self, step: tuple[str, str], by: object, words: str) -> None:
        self.attempt(
            dual_control.record_done_alone, runbook=step[0], step=step[1], reason=words, confirmers=PEOPLE, by=by,
            policy=POLICY
        )  # fmt: skip

    @rule(step=STEP, by=WHO)
    def review(self, step: tuple[str, str], by: object) -> None:
        self.attempt(dual_control.record_review, runbook=step[0], step=step[1], by=by, policy=POLICY)

    @rule(asker=WHO, second=WHO, doer=WHO, agreed=WAIT, acted=WAIT, again=st.booleans())
    def ask_agree_act(
        self, asker: object, second: object, doer: object, agreed: float, acted: float, again: bool
    ) -> None:
        """The whole way in one step, which single steps seldom walk: whoever it is, however long it takes."""
        where = {"runbook": "payouts-stuck", "step": "2.2", "confirmers": PEOPLE, "policy": POLICY}
        self.attempt(dual_control.ask_second_person, **where, repeat=again, by=asker)
        self.story.later(agreed)
        self.attempt(dual_control.give_go, ask=self.the_ask(0), by=second, policy=POLICY)
        self.story.later(acted)
        self.attempt(dual_control.record_done, ask=self.the_ask(0), result="hash abc", by=doer)
        self.attempt(dual_control.record_done, ask=self.the_ask(0), result="hash abc", by=asker)

    # -- customer comms

    @rule(by=WHO, second=WHO, text=TEXT, read=TEXT, approved=WAIT, sent=WAIT)
    def write_approve_send(
        self, by: object, second: object, text: str, read: str, approved: float, sent: float
    ) -> None:
        """The whole way of a customer text in one step."""
        name = f"d{len(self.story.incident.drafts) + 1}"
        self.attempt(
            customer_messages.draft, draft=name, template=TEMPLATE, text=text, approvers=PEOPLE, by=by, policy=POLICY
        )  # fmt: skip
        self.story.later(approved)
        self.attempt(customer_messages.approve, draft=name, text_hash=text_hash(read), by=second, policy=POLICY)
        self.story.later(sent)
        self.attempt(customer_messages.record_sending, draft=name, by=BOT)
        self.attempt(customer_messages.record_published, draft=name, publisher="slack", where="C1", by=BOT)

    @rule(text=TEXT, by=WHO, edits=st.none() | DRAFT, promised=st.sampled_from((None, 20, 60)), known=st.booleans())
    def write(self, text: str, by: object, edits: int | None, promised: int | None, known: bool) -> None:
        until = self.story.now + timedelta(minutes=promised) if promised else None
        name = self.the_draft(0) if known else f"d{len(self.story.incident.drafts) + 1}"
        self.attempt(
            customer_messages.draft, draft=name, template=TEMPLATE, text=text, promised=until, approvers=PEOPLE, by=by,
            replaces="" if edits is None else self.the_draft(edits), policy=POLICY,
        )  # fmt: skip

    @rule(choice=DRAFT, text=st.none() | TEXT, by=WHO)
    def approve(self, choice: int, text: str | None, by: object) -> None:
        found = self.story.incident.drafts.get(self.the_draft(choice))
        read = text or (found.drafted.text if found else "")
        self.attempt(
            customer_messages.approve, draft=self.the_draft(choice), text_hash=text_hash(read), by=by, policy=POLICY
        )

    @rule(choice=DRAFT, by=WHO)
    def discard(self, choice: int, by: object) -> None:
        self.attempt(customer_messages.discard, draft=self.the_draft(choice), by=by)

    @rule(by=WHO, ends=st.booleans())
    def send(self, by: object, ends: bool) -> None:
        for name in list(self.story.incident.drafts):
            self.attempt(customer_messages.record_sending, draft=name, by=by)
            if ends:
                self.attempt(customer_messages.record_published, draft=name, publisher="slack", where="C1", by=by)

    @rule(choice=DRAFT, by=WHO, where=st.sampled_from(("C1", "C2")))
    def publish(self, choice: int, by: object, where: str) -> None:
        self.attempt(
            customer_messages.record_published, draft=self.the_draft(choice), publisher="slack", where=where, by=by
        )

    @rule(
        choice=DRAFT,
        by=WHO,
        which=st.sampled_from((customer_messages.record_uncertain, customer_messages.record_failed)),
    )
    def lose(self, choice: int, by: object, which: Callable[..., list[e.Event]]) -> None:
        self.attempt(which, draft=self.the_draft(choice), error="no answer", by=by)

    # -- the incident

    @rule(
        by=WHO,
        turn=st.sampled_from(
            (
                (lifecycle.mitigate, {"note": ""}),
                (lifecycle.reopen, {"reason": ""}),
                (lifecycle.change_severity, {"severity": "sev1", "reason": "", "responders": (), "policy": POLICY}),
                (lifecycle.change_severity, {"severity": "sev3", "reason": "so it is", "responders": (),
                                             "policy": POLICY}),
                (cadence.post_update, {"text": "so it is", "next_by": None, "policy": POLICY}),
                (cadence.nothing_new, {"policy": POLICY}),
                (cadence.snooze, {"policy": POLICY}),
                (notes.note, {"text": "so it is"}),
                (roles.take, {"role": "lead", "user": "UBEN", "policy": POLICY}),
            )
        ),
    )  # fmt: skip
    def turn(self, by: object, turn: tuple[Callable[..., list[e.Event]], dict[str, object]]) -> None:
        self.attempt(turn[0], **turn[1], by=by)

    @precondition(lambda self: len(self.story.entries) % 4 == 0)  # else nothing else has time to happen
    @rule(
        by=WHO,
        second=WHO,
        how=st.sampled_from(
            (
                (lifecycle.resolve, {"note": "queue empty", "override": "asleep", "confirmers": PEOPLE,
                                     "policy": POLICY}),
                (lifecycle.call_false_alarm, {"reason": ""}),
            )
        ),
        lasts=st.sampled_from((False, False, True)),
    )  # fmt: skip
    def end(
        self, by: object, second: object, how: tuple[Callable[..., list[e.Event]], dict[str, object]], lasts: bool
    ) -> None:
        self.attempt(how[0], **how[1], by=by)
        self.attempt(lifecycle.confirm_override, by=second, policy=POLICY)
        if not lasts:
            self.attempt(lifecycle.reopen, reason="", by=by)

    @rule(by=WHO, second=WHO, between=st.sampled_from((None, "sev2", "sev3", "note", "wait", "end")), minutes=WAIT)
    def ask_to_resolve_and_agree(self, by: object, second: object, between: str | None, minutes: float) -> None:
        """A request to resolve over open conditions; something or nothing happens, and somebody agrees."""
        self.attempt(lifecycle.reopen, reason="", by=ANA)
        self.attempt(
            lifecycle.change_severity, severity="sev1", reason="", responders=(), by=ANA, policy=POLICY
        )  # fmt: skip
        self.attempt(
            lifecycle.resolve, note="queue empty", override="asleep", confirmers=PEOPLE, by=by, policy=POLICY
        )  # fmt: skip
        self.story.later(minutes)
        if between in ("sev2", "sev3"):
            self.attempt(
                lifecycle.change_severity, severity=between, reason="so it is", responders=(), by=second, policy=POLICY
            )  # fmt: skip
        elif between == "note":
            self.attempt(notes.note, text="so it is", by=second)
        elif between == "wait":
            self.attempt(notes.wait_for, what="a partner", look_again=None, by=second)
        elif between == "end":
            self.attempt(lifecycle.call_false_alarm, reason="", by=by)
            self.attempt(lifecycle.reopen, reason="", by=by)
        self.attempt(lifecycle.confirm_override, by=second, policy=POLICY)

    @rule(by=WHO, before=WAIT, until=st.sampled_from((20, 45)), after=WAIT)
    def wait_and_be_reminded(self, by: object, before: float, until: float, after: float) -> None:
        """The whole way of a wait, whatever is due before, in and after it."""
        self.attempt(cadence.post_update, text="so it is", next_by=None, policy=POLICY, by=by)
        self.story.later(before)
        self.attempt(notes.wait_for, what="a partner", look_again=self.story.now + timedelta(minutes=until), by=by)
        self.story.later(until)
        self.the_bot_attends()
        self.story.later(after)
        self.the_bot_attends()

    @rule(by=WHO, until=st.sampled_from((None, 20, 45)), over=st.booleans())
    def wait_or_look_again(self, by: object, until: float | None, over: bool) -> None:
        if over:
            self.attempt(notes.stop_waiting, by=by)
        else:
            again = self.story.now + timedelta(minutes=until) if until else None
            self.attempt(notes.wait_for, what="a partner", look_again=again, by=by)

    @rule()
    def the_bot_attends(self) -> None:
        if (again := self.story.incident.look_again) and again <= self.story.now:
            self.attempt(notes.stop_waiting, by=BOT)
        self.attempt(lifecycle.expire_override, by=BOT)
        self.attempt(escalation.ask_lead, by=BOT, policy=POLICY)
        self.attempt(cadence.remind, by=BOT, policy=POLICY)
        for seq in list(self.story.incident.asks):
            self.attempt(dual_control.expire_ask, ask=seq, by=BOT, policy=POLICY)
        for one in self.story.incident.checklists:
            for step in one.steps:
                self.attempt(dual_control.remind_of_review, runbook=one.runbook.slug, step=step, by=BOT)
        for draft in list(self.story.incident.drafts):
            self.attempt(customer_messages.expire, draft=draft, by=BOT)

    # -- what holds

    @invariant()
    def the_state_is_the_fold_of_the_timeline(self) -> None:
        assert self.story.refold() == self.story.incident

    @invariant()
    def time_never_runs_back(self) -> None:
        moments = [one.event.at for one in self.story.entries if one.event]
        assert moments == sorted(moments)
        assert [one.seq for one in self.story.entries] == list(range(1, len(self.story.entries) + 1))

    @invariant()
    def what_cannot_be_taken_back_was_done_by_two(self) -> None:
        asked: dict[int, e.Asked] = {}
        agreed: dict[int, str] = {}
        for entry in self.story.entries:
            match entry.event:
                case e.Asked() as event:
                    asked[entry.seq] = event
                case e.GoGiven() as event:
                    assert event.by in PEOPLE and event.by != asked[event.ask].by
                    assert event.at < asked[event.ask].lapses
                    agreed[event.ask] = event.by
                case e.AskRefused() | e.AskLapsed() | e.AskNotDone() as event:
                    agreed.pop(event.ask, None)
                case e.AskDone() as event:
                    assert event.by == asked[event.ask].by != agreed.pop(event.ask)
                    assert event.result
                case e.StepTicked() | e.StepUnticked() as event:
                    assert (event.runbook, event.step) != ("payouts-stuck", "2.1") or type(event) is e.StepUnticked
                    assert (event.runbook, event.step) != ("payouts-stuck", "2.2") or type(event) is e.StepUnticked

    @invariant()
    def what_two_people_did_stays_done(self) -> None:
        done = {(self.asked(x.ask).runbook, self.asked(x.ask).step) for x in self.events(e.AskDone)}
        for slug, step in done:
            one = self.story.incident.checklist(slug)
            assert one is not None
            assert one.state(step).mark in (Mark.DONE, Mark.ASKED, Mark.GO, Mark.REVIEW)
            assert one.state(step).done_with

    @invariant()
    def one_ask_at_a_time_on_a_step(self) -> None:
        waiting = [(ask.asked.runbook, ask.asked.step) for ask in self.story.incident.open_asks]
        assert len(waiting) == len(set(waiting))
        marked = [
            (one.runbook.slug, step)
            for one in self.story.incident.checklists
            for step, state in one.steps.items()
            if state.mark in (Mark.ASKED, Mark.GO)
        ]
        assert sorted(marked) == sorted(waiting)

    @invariant()
    def nobody_reviews_what_they_did(self) -> None:
        owed: dict[str, str] = {}
        for entry in self.story.entries:
            match entry.event:
                case e.StoppedFirst() | e.DoneAlone() as event:
                    assert event.by in PEOPLE and event.step not in owed
                    owed[event.step] = event.by
                case e.Reviewed() as event:
                    assert event.by in PEOPLE and event.by != owed.pop(event.step)
        pending = {step for c in self.story.incident.checklists for step, s in c.steps.items() if s.mark is Mark.REVIEW}
        assert pending == set(owed)

    @invariant()
    def what_is_public_was_approved_by_another(self) -> None:
        written: dict[str, e.CommsDrafted] = {}
        approved: dict[str, str] = {}
        begun: set[str] = set()
        for entry in self.story.entries:
            match entry.event:
                case e.CommsDrafted() as event:
                    assert event.draft not in written
                    written[event.draft] = event
                    approved.pop(event.replaces, None)
                case e.CommsApproved() as event:
                    assert event.by in PEOPLE and event.by != written[event.draft].by
                    assert event.text_hash == text_hash(written[event.draft].text)
                    approved[event.draft] = event.by
                case e.CommsLapsed() | e.CommsDiscarded() as event:
                    assert event.draft not in begun or self.story.incident.drafts[event.draft].approved_by
                    approved.pop(event.draft, None)
                case e.SeverityChanged() | e.Mitigated() | e.Resolved() | e.Reopened() | e.FalseAlarm() as event:
                    # What was not on its way by then has to be approved anew.
                    if not isinstance(event, e.SeverityChanged) or event.old != event.new:
                        approved = {name: by for name, by in approved.items() if name in begun}
                case e.CommsSending() as event:
                    assert event.draft in approved
                    begun.add(event.draft)
                case e.CommsPublished() as event:
                    assert event.draft in begun and event.draft in approved

    @invariant()
    def nobody_agrees_to_what_a_change_has_ended(self) -> None:
        asked: e.OverrideAsked | None = None
        steps: set[int] = set()
        for entry in self.story.entries:
            match entry.event:
                case e.OverrideAsked() as event:
                    asked = event
                case e.SeverityChanged() as event if event.old != event.new:
                    asked = None
                case e.Asked():
                    steps.add(entry.seq)
                case e.GoGiven() | e.AskDone() as event:
                    assert event.ask in steps
                case e.Resolved() as event if event.second:
                    assert asked is not None and asked.by != event.second
                    assert asked.expires is None or event.at < asked.expires
            if isinstance(entry.event, e.Resolved | e.FalseAlarm | e.MarkedDuplicate | e.Reopened):
                asked, steps = None, set()

    @invariant()
    def whoever_asked_is_told_that_it_ended(self) -> None:
        """Unless they ended it themselves: what is not waited for any more was answered, or said to be over."""
        waiting: dict[int, e.OverrideAsked] = {}
        for entry in self.story.entries:
            event = entry.event
            assert event is not None
            if isinstance(event, e.PendingEnded):
                if event.kind == "override":
                    waiting.pop(int(event.ref), None)
                    asked = self.story.entries[int(event.ref) - 1].event
                    assert isinstance(asked, e.OverrideAsked) and asked.by == event.to != event.by
                continue
            if isinstance(event, e.Resolved):
                waiting.clear()
            ends = isinstance(event, e.FalseAlarm | e.MarkedDuplicate | e.Reopened)
            if ends or isinstance(event, e.OverrideAsked | e.SeverityChanged | CONDITIONS):
                waiting = {seq: one for seq, one in waiting.items() if one.by != event.by}  # they know
            if isinstance(event, e.OverrideAsked):
                waiting[entry.seq] = event
            ended_by_others = [one for one in waiting.values() if ends]
            told = [one.event for one in self.story.entries[entry.seq :] if isinstance(one.event, e.PendingEnded)]
            assert all(any(one.to == each.by for one in told) for each in ended_by_others)

    @invariant()
    def internal_clocks_count_running_time_only(self) -> None:
        told = seen = self.story.entries[0].event.at  # type: ignore[union-attr]
        lead, began, waits = "", None, list[tuple[datetime, datetime]]()

        def counted(since: datetime, until: datetime) -> timedelta:
            """The time between, permitted waits left out."""
            every = [*waits, (began, until)] if began else waits
            spans = [min(end, until) - max(start, since) for start, end in every]
            return until - since - sum((one for one in spans if one > timedelta()), timedelta())

        least = POLICY.severities[0].cadence
        assert least is not None
        for entry in self.story.entries:
            event = entry.event
            assert event is not None
            match event:
                case e.UpdatePosted():
                    told = event.at
                case e.Reopened():
                    told = seen = event.at
                case e.Reminded() if {item.kind for item in event.items} == {"update"}:
                    assert counted(told, event.at) >= least + POLICY.rungs[event.rung]
                case e.LeadSilent():
                    assert counted(seen, event.at) >= POLICY.lead_silent_after
                case e.RoleTaken() if event.role == "lead":
                    lead, seen = event.user, event.at
            if event.by == lead:
                seen = event.at
            if isinstance(event, e.WaitingBegan | e.WaitingEnded | e.Resolved | e.FalseAlarm | e.MarkedDuplicate):
                waits += [(began, event.at)] if began else []
                began = event.at if isinstance(event, e.WaitingBegan) else None

    @invariant()
    def a_promise_outside_stands(self) -> None:
        drafts = {x.draft: x.promised for x in self.events(e.CommsDrafted)}
        published = [drafts[x.draft] for x in self.events(e.CommsPublished)]
        if self.story.incident.open and len(published) == 1:
            assert cadence.promise_due(self.story.incident) == published[0]

    @invariant()
    def every_prefix_and_every_redaction_folds(self) -> None:
        entries = self.story.entries
        cut = len(entries) // 2
        fold(TEAM, "i1", entries[:cut])
        fold(TEAM, "i1", [*entries[: cut - 1], e.Entry(cut, None), *entries[cut:]])

    def teardown(self) -> None:
        """The whole story can be told, whatever it was; and so can each of its beginnings."""
        story = self.story
        for length in range(len(story.entries) + 1):
            fold(TEAM, "i1", story.entries[:length])
        assert postmortem.render_postmortem(story.incident, story.entries, NAMES, POLICY, story.now).startswith(
            "# INC-42"
        )
        card = scorecard(story.incident, POLICY, story.now)
        assert card.updates_on_time[0] <= card.updates_on_time[1]
        same_figures.check(story.incident, story.entries, POLICY, story.now)
        for gone in range(len(story.entries)):
            left = [*story.entries[:gone], e.Entry(gone + 1, None), *story.entries[gone + 1 :]]
            postmortem.render_postmortem(fold(TEAM, "i1", left), left, NAMES, POLICY, story.now)

    def events(self, kind: type[e.Event]) -> list[e.Event]:
        """All events of that type."""
        return [one.event for one in self.story.entries if isinstance(one.event, kind)]

    def asked(self, seq: int) -> e.Asked:
        """The ask of that seq."""
        return self.story.incident.asks[seq].asked


TestIncident = Machine.TestCase
TestIncident.settings = settings(
    max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
