"""Where it takes two people: asking before what cannot be taken back, reviewing after what was safe to stop."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from bot.domain import events as e
from bot.domain.actor import Actor, ActorKind, is_program
from bot.domain.errors import Refused
from bot.domain.incident import Ask, AskState, Checklist, Incident, Mark, StepState
from bot.domain.policy import Policy
from bot.domain.preconditions import require_known, require_open
from bot.domain.runbook import Step, TwoPeople
from bot.domain.running_time import deadline
from bot.domain.sentences import Fact, Moment, People, Person, Sentence
from bot.domain.steps import MAX_TEXT_CHARS, find_step, open_ask


def require_person(by: Actor) -> None:
    """Raise Refused unless `by` is somebody whom Slack knows as a person.

    A shell's user name cannot be matched with a Slack account, so the same human could be both
    `cli:ana` and <@ANA>: the command line takes neither part.
    """
    if by.kind is ActorKind.CLI or by.user.startswith("cli:"):
        raise Refused(
            "The command line cannot take part where two people are needed, so nothing was done. "
            "Do it in Slack, under your own name."
        )
    if by.kind in (ActorKind.SELF, ActorKind.BOT, ActorKind.ALERT) or not by.user or is_program(by.user):
        raise Refused("A bot cannot be one of two people, so nothing was done. A person has to do it, in Slack.")


def without(people: Iterable[str], by: str) -> tuple[str, ...]:
    """Those people, once each and in order, without `by`."""
    return tuple(dict.fromkeys(user for user in people if user and user != by))


def needs_somebody_else(why: str, what: str, people: Iterable[str], by: str) -> Refused:
    """ "You asked for this, so somebody else has to agree: <@B> or <@C> are in this channel." """
    rest = without(people, by)
    if not rest:
        return Refused("{why}, so somebody else has to {what}. Invite one: `{command} add @name`.", why=why, what=what)
    verb = "is" if len(rest) == 1 else "are"
    return Refused(
        "{why}, so somebody else has to {what}: {people} {verb} in this channel.",
        why=why, what=what, people=People.of(rest), verb=verb,
    )  # fmt: skip


def open_ask_text(ask: Ask, viewer: str, at: datetime) -> Sentence:
    """What an open ask waits for, told to `viewer`."""
    mine, asker = ask.asked.by == viewer, Person(ask.asked.by)
    who = Sentence("You have") if mine else Sentence("{asker} has", asker=asker)
    if ask.state is AskState.GO:
        do = Sentence("Do it, then press [Done]") if mine else Sentence("{asker} does it", asker=asker)
        ends: Fact = Moment(ask.until, at) if ask.until else "it expires"
        return Sentence(
            "{who} the go-ahead of {second}. {do} before {ends}.", who=who, second=Person(ask.second), do=do, ends=ends
        )
    return Sentence(
        "{who} asked for this and nobody has agreed yet. {to} can, until {expires}.",
        who=who, to=People.of(without(ask.asked.to, ask.asked.by)), expires=Moment(ask.asked.lapses, at),
    )  # fmt: skip


def earlier_done_text(state: StepState, at: datetime) -> Sentence:
    """ "Done once, 14:13 UTC by <@A> with <@B>, hash …. Asking again may pay twice." The latest time it was done."""
    if state.done_with and state.mark is not Mark.REVIEW:
        when, by, second, result = state.done_with[-1]
        times = "once" if len(state.done_with) == 1 else f"{len(state.done_with)} times, last"
        return Sentence(
            "Done {times}, {when} by {by} with {second}, {result}. Asking again may pay twice.",
            times=times, when=Moment(when, at), by=Person(by), second=Person(second), result=result.rstrip(" ."),
        )  # fmt: skip
    reviewer = Person(state.reviewed_by)
    if state.alone and state.mark not in (Mark.DONE, Mark.REVIEW):
        return Sentence("Done alone before; reviewed by {reviewer}. Asking again may pay twice.", reviewer=reviewer)
    if state.alone:
        return Sentence(
            "Done {when} by {by} alone; {reviewed}. Asking again may pay twice.",
            when=Moment(state.at or at, at), by=Person(state.by), reviewed=_reviewed(state),
        )  # fmt: skip
    return stopped_text(state, at)


def _reviewed(state: StepState) -> Sentence:
    if state.mark is Mark.REVIEW:
        return Sentence("not yet reviewed")
    return Sentence("reviewed by {reviewer}", reviewer=Person(state.reviewed_by))


def stopped_text(state: StepState, at: datetime) -> Sentence:
    """ "Stopped 02:19 UTC by <@A>; not yet reviewed." """
    return Sentence(
        "Stopped {when} by {by}; {reviewed}.",
        when=Moment(state.at or at, at), by=Person(state.by), reviewed=_reviewed(state),
    )  # fmt: skip


def was_done_before(state: StepState) -> bool:
    """Whether the act was done at some time, however the step is marked now."""
    return bool(state.done_with) or state.alone


# -- two people, before the act -------------------------------------------------------------------


def ask_second_person(
    incident: Incident,
    *,
    runbook: str,
    step: str,
    evidence: str = "",
    count: str = "",
    amount: str = "",
    confirmers: tuple[str, ...],
    repeat: bool = False,
    by: Actor,
    at: datetime,
    policy: Policy,
) -> list[e.Event]:
    """Ask a second person to agree before the act. `confirmers`: who may, as user ids; the asker is left out.

    What was done once is asked for again only with `repeat`: the person has read that it may pay twice.
    """
    require_open(incident)
    require_person(by)
    checklist, found, state = find_step(incident, runbook, step)
    if found.two_people is not TwoPeople.BEFORE:
        raise Refused("Step {step} needs no second person: do it, then tick it.", step=step)
    if state.mark is Mark.REVIEW or (was_done_before(state) and not repeat):
        raise Refused(earlier_done_text(state, at), field="again")
    to = without(confirmers, by.user)
    if not to:
        raise Refused(
            "Nobody else here may agree, so nothing was asked. Held money is safe. "
            "Wait, and invite somebody: `{command} add @name`."
        )
    earlier: list[e.Event] = []
    if waiting := open_ask(incident, state):
        if not is_expired(waiting, at):
            raise Refused(open_ask_text(waiting, by.user, at))
        earlier = [e.AskLapsed(by=by.user, at=at, ask=waiting.seq)]
    return [
        *earlier,
        e.Asked(
            by=by.user,
            at=at,
            runbook=checklist.runbook.slug,
            step=step,
            action=found.text,
            evidence=evidence.strip()[:MAX_TEXT_CHARS],
            count=count.strip()[:100],
            amount=amount.strip()[:100],
            to=to,
            lapses=at + policy.ask_stands,
        ),
    ]


def is_expired(ask: Ask, at: datetime) -> bool:
    """Whether the time of an open ask, or of the go it was given, has run out."""
    ends = ask.until if ask.state is AskState.GO else ask.asked.lapses
    return ask.open and ends is not None and ends <= at


def _require_open_ask(incident: Incident, seq: int, at: datetime) -> Ask:
    """The open ask of that seq; raises Refused with what became of it."""
    require_open(incident)
    ask = incident.asks.get(seq)
    if ask is None:
        raise Refused("{name} has no such request. Nothing was done.", name=incident.name)
    if ask.open:
        return ask
    when = Sentence(", {at}", at=Moment(ask.ended_at, at)) if ask.ended_at else ""
    became = {
        "done": "That was done{when}, by {asker} with {second}. Nothing more to do.",
        "not_done": "{asker} took that back{when}. If it is needed after all, ask again.",
        "refused": "{second} refused that{when}: {result}",
        "lapsed": "That request expired{when}. If it is still needed, ask again.",
    }
    asker, second = Person(ask.asked.by), Person(ask.second)
    raise Refused(became[ask.state], when=when, asker=asker, second=second, result=ask.result)


def give_go(incident: Incident, *, ask: int, by: Actor, at: datetime, policy: Policy) -> list[e.Event]:
    """A second person agrees. Refused for whoever asked, for programs, and once the ask has expired."""
    waiting = _require_open_ask(incident, ask, at)
    require_person(by)
    if by.user == waiting.asked.by:
        raise needs_somebody_else("You asked for this", "agree", waiting.asked.to, by.user)
    policy.require_right("go", by)
    if waiting.state is AskState.GO and not is_expired(waiting, at):
        if waiting.second == by.user:
            return []
        raise Refused(open_ask_text(waiting, by.user, at))
    if is_expired(waiting, at):
        raise Refused(
            "That request expired {time}. If it is still needed, {who} asks again.",
            time=Moment(waiting.until or waiting.asked.lapses, at),
            who=Person(waiting.asked.by),
        )
    return [e.GoGiven(by=by.user, at=at, ask=ask, until=at + policy.go_stands)]


def refuse_ask(incident: Incident, *, ask: int, reason: str, by: Actor, at: datetime) -> list[e.Event]:
    """A second person does not agree, or takes a go back; needs a reason."""
    waiting = _require_open_ask(incident, ask, at)
    require_person(by)
    if by.user == waiting.asked.by:
        raise Refused("You asked for this. To take it back, press [Not done].")
    if not reason.strip():
        raise Refused("Say why, so that {who} knows what would help.", who=Person(waiting.asked.by), field="reason")
    return [e.AskRefused(by=by.user, at=at, ask=ask, reason=reason.strip()[:MAX_TEXT_CHARS])]


def record_done(incident: Incident, *, ask: int, result: str, by: Actor, at: datetime) -> list[e.Event]:
    """The asker did what two people agreed on. `result`: what came of it, or the hash; never empty."""
    waiting = _require_open_ask(incident, ask, at)
    if waiting.state is not AskState.GO:
        raise Refused(open_ask_text(waiting, by.user, at))
    if by.user != waiting.asked.by:
        raise Refused(
            "{who} asked for this and does it, so only they can say that it is done.", who=Person(waiting.asked.by)
        )
    if is_expired(waiting, at):
        raise Refused(
            "The go-ahead expired {time}. Not done yet: ask again. "
            "Done already: record it as done alone, with why; somebody else then reviews it.",
            time=Moment(waiting.until or at, at),
        )
    if not result.strip():
        raise Refused("Write what came of it, or the transaction's hash.", field="result")
    return [e.AskDone(by=by.user, at=at, ask=ask, result=result.strip()[:MAX_TEXT_CHARS])]


def record_not_done(incident: Incident, *, ask: int, reason: str = "", by: Actor, at: datetime) -> list[e.Event]:
    """The asker takes the ask back, or did not do it after all."""
    waiting = _require_open_ask(incident, ask, at)
    if by.user != waiting.asked.by:
        raise Refused(
            "{who} asked for this, so only they can take it back. If it must not happen: [Refuse].",
            who=Person(waiting.asked.by),
        )
    return [e.AskNotDone(by=by.user, at=at, ask=ask, reason=reason.strip()[:MAX_TEXT_CHARS])]


def expire_ask(incident: Incident, *, ask: int, by: Actor, at: datetime, policy: Policy) -> list[e.Event]:
    """For the bot: the ask's time, or that of the go it was given, has run out. Before that, nothing.

    The times were stored with the events, so a policy that changed since does not move them.
    """
    waiting = incident.asks.get(ask)
    if not incident.open or incident.unknown_event_type or waiting is None or not is_expired(waiting, at):
        return []
    return [e.AskLapsed(by=by.user, at=at, ask=ask)]


def record_done_alone(
    incident: Incident,
    *,
    runbook: str,
    step: str,
    reason: str,
    confirmers: tuple[str, ...],
    by: Actor,
    at: datetime,
    policy: Policy,
) -> list[e.Event]:
    """Record that what needs two people was done by one all the same: an exception that a second person reviews."""
    require_open(incident)
    require_person(by)
    checklist, found, state = find_step(incident, runbook, step)
    if found.two_people is not TwoPeople.BEFORE:
        raise Refused(
            "Step {step} may be done by one person. Say that it is done: `{command} step {step} done`.", step=step
        )
    if not reason.strip():
        raise Refused("Say why it was done alone. It is recorded as an exception, and reviewed.", field="reason")
    if state.mark is Mark.REVIEW:
        raise Refused(
            "{earlier_done_text} It is recorded, and waits for its review.",
            earlier_done_text=earlier_done_text(state, at),
        )
    earlier: list[e.Event] = []
    if waiting := open_ask(incident, state):
        if waiting.state is AskState.GO and waiting.asked.by == by.user and not is_expired(waiting, at):
            raise Refused(
                "{second} gave you the go-ahead, so you were not alone: press [Done].", second=Person(waiting.second)
            )
        earlier = [e.AskLapsed(by=by.user, at=at, ask=waiting.seq)]
    return [
        *earlier,
        e.DoneAlone(
            by=by.user,
            at=at,
            runbook=checklist.runbook.slug,
            step=step,
            reason=reason.strip()[:MAX_TEXT_CHARS],
            review_by=at + policy.review_within,
            to=without(confirmers, by.user),
        ),
    ]


# -- two people, after the act --------------------------------------------------------------------


def record_stopped(
    incident: Incident,
    checklist: Checklist,
    found: Step,
    state: StepState,
    *,
    note: str,
    confirmers: tuple[str, ...],
    by: Actor,
    at: datetime,
    policy: Policy,
) -> list[e.Event]:
    """One person stopped something, as they may. A second one reviews it within policy's time.

    For `checklist.finish`, which has looked the step up.
    """
    require_person(by)
    if state.mark in (Mark.REVIEW, Mark.DONE):
        raise Refused(stopped_text(state, at))
    return [
        e.StoppedFirst(
            by=by.user,
            at=at,
            runbook=checklist.runbook.slug,
            step=found.id,
            review_by=at + policy.review_within,
            to=without(confirmers, by.user),
            note=note.strip()[:MAX_TEXT_CHARS],
        )
    ]


def record_review(
    incident: Incident, *, runbook: str, step: str, note: str = "", by: Actor, at: datetime, policy: Policy
) -> list[e.Event]:
    """A second person has looked at what one did; never the one who did it. Late, even after the end, beats never."""
    require_known(incident)
    checklist, _, state = find_step(incident, runbook, step)
    if state.mark is not Mark.REVIEW:
        if state.reviewed_by:
            raise Refused(
                "{reviewed_by} has reviewed that already. Nothing more to do.", reviewed_by=Person(state.reviewed_by)
            )
        raise Refused("Step {step} needs no review.", step=step)
    require_person(by)
    if by.user == state.by:
        raise needs_somebody_else("You did this yourself", "look at it", state.review_to, by.user)
    policy.require_right("review", by)
    return [
        e.Reviewed(by=by.user, at=at, runbook=checklist.runbook.slug, step=step, note=note.strip()[:MAX_TEXT_CHARS])
    ]


def review_due(incident: Incident, state: StepState) -> datetime | None:
    """When the review that is missing becomes overdue; None where none is missing, or people were told already."""
    if state.mark is not Mark.REVIEW or state.review_by is None or state.at is None or state.review_nagged:
        return None
    return deadline(incident, state.at, state.review_by - state.at)


def remind_of_review(incident: Incident, *, runbook: str, step: str, by: Actor, at: datetime) -> list[e.Event]:
    """For the bot: a review whose time has run out, told once to those who may review and to the lead."""
    checklist = incident.checklist(runbook)
    if not incident.open or incident.unknown_event_type or checklist is None:
        return []
    state = checklist.state(step)
    due = review_due(incident, state)
    if due is None or at < due:
        return []
    to = without((*state.review_to, incident.lead), state.by)
    return [e.ReviewOverdue(by=by.user, at=at, runbook=runbook, step=step, to=to)]
