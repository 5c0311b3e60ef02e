"""Where it takes two people: asking before what cannot be taken back, reviewing after what was safe to stop."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from bot.domain import events as e
from bot.domain.actor import Actor, ActorKind, is_program
from bot.domain.errors import Refused
from bot.domain.incident import Ask, Checklist, Incident, Mark, StepState
from bot.domain.policy import Policy
from bot.domain.preconditions import require_known, require_open
from bot.domain.runbook import Step, TwoPeople
from bot.domain.running_time import deadline
from bot.domain.steps import MAX_TEXT_CHARS, find_step, open_ask
from bot.domain.time_text import clock_time


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


def or_list(people: Iterable[str]) -> str:
    """ "<@A>, <@B> or <@C>"; empty when there is nobody."""
    mentions = [f"<@{user}>" for user in people]
    if len(mentions) < 2:
        return "".join(mentions)
    return f"{', '.join(mentions[:-1])} or {mentions[-1]}"


def needs_somebody_else(why: str, what: str, people: Iterable[str], by: str) -> Refused:
    """ "You asked for this, so somebody else has to agree: <@B> or <@C> are in this channel." """
    rest = without(people, by)
    if not rest:
        return Refused(f"{why}, so somebody else has to {what}. Invite one: `/incident add @name`.")
    verb = "is" if len(rest) == 1 else "are"
    return Refused(f"{why}, so somebody else has to {what}: {or_list(rest)} {verb} in this channel.")


def open_ask_text(ask: Ask, viewer: str, at: datetime) -> str:
    """What an open ask waits for, told to `viewer`."""
    who = "You have" if ask.asked.by == viewer else f"<@{ask.asked.by}> has"
    if ask.state == "go":
        ends = clock_time(ask.until, at) if ask.until else "it lapses"
        do = "Do it, then press [Done]" if ask.asked.by == viewer else f"<@{ask.asked.by}> does it"
        return f"{who} the go of <@{ask.second}>. {do} before {ends}."
    to = or_list(without(ask.asked.to, ask.asked.by))
    return f"{who} asked for this and nobody has agreed yet. {to} can, until {clock_time(ask.asked.lapses, at)}."


def earlier_done_text(state: StepState, at: datetime) -> str:
    """ "Done once, 14:13 UTC by <@A> with <@B>, hash …. Asking again may pay twice." The latest time it was done."""
    if state.done_with and state.mark is not Mark.REVIEW:
        when, by, second, result = state.done_with[-1]
        times = "once" if len(state.done_with) == 1 else f"{len(state.done_with)} times, last"
        said = result.rstrip(" .")
        return f"Done {times}, {clock_time(when, at)} by <@{by}> with <@{second}>, {said}. Asking again may pay twice."
    if state.alone and state.mark not in (Mark.DONE, Mark.REVIEW):
        return f"Done alone before; reviewed by <@{state.reviewed_by}>. Asking again may pay twice."
    if state.alone:
        reviewed = f"reviewed by <@{state.reviewed_by}>" if state.mark is not Mark.REVIEW else "not yet reviewed"
        return f"Done {clock_time(state.at or at, at)} by <@{state.by}> alone; {reviewed}. Asking again may pay twice."
    return stopped_text(state, at)


def stopped_text(state: StepState, at: datetime) -> str:
    """ "Stopped 02:19 UTC by <@A>; not yet reviewed." """
    reviewed = "not yet reviewed" if state.mark is Mark.REVIEW else f"reviewed by <@{state.reviewed_by}>"
    return f"Stopped {clock_time(state.at or at, at)} by <@{state.by}>; {reviewed}."


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
        raise Refused(f"Step {step} needs nobody's go: do it, then tick it.")
    if state.mark is Mark.REVIEW or (was_done_before(state) and not repeat):
        raise Refused(earlier_done_text(state, at), field="again")
    to = without(confirmers, by.user)
    if not to:
        raise Refused(
            "Nobody else here may agree, so nothing was asked. Held money is safe. Wait, and invite somebody: "
            "`/incident add @name`."
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
    ends = ask.until if ask.state == "go" else ask.asked.lapses
    return ask.open and ends is not None and ends <= at


def _require_open_ask(incident: Incident, seq: int, at: datetime) -> Ask:
    """The open ask of that seq; raises Refused with what became of it."""
    require_open(incident)
    ask = incident.asks.get(seq)
    if ask is None:
        raise Refused(f"{incident.name} holds no such ask. Nothing was done.")
    if ask.open:
        return ask
    when = f", {clock_time(ask.ended_at, at)}" if ask.ended_at else ""
    became = {
        "done": f"That was done{when}, by <@{ask.asked.by}> with <@{ask.second}>. Nothing more to do.",
        "not_done": f"<@{ask.asked.by}> took that back{when}. If it is needed after all, ask again.",
        "refused": f"<@{ask.second}> refused that{when}: {ask.result}",
        "lapsed": f"That ask lapsed{when}. If it is still needed, ask again.",
    }
    raise Refused(became[ask.state])


def give_go(incident: Incident, *, ask: int, by: Actor, at: datetime, policy: Policy) -> list[e.Event]:
    """A second person agrees. Refused for whoever asked, for programs, and once the ask has lapsed."""
    waiting = _require_open_ask(incident, ask, at)
    require_person(by)
    if by.user == waiting.asked.by:
        raise needs_somebody_else("You asked for this", "agree", waiting.asked.to, by.user)
    policy.require_right("go", by)
    if waiting.state == "go" and not is_expired(waiting, at):
        if waiting.second == by.user:
            return []
        raise Refused(open_ask_text(waiting, by.user, at))
    if is_expired(waiting, at):
        raise Refused(
            f"That ask lapsed {clock_time(waiting.until or waiting.asked.lapses, at)}. "
            f"If it is still needed, <@{waiting.asked.by}> asks again."
        )
    return [e.GoGiven(by=by.user, at=at, ask=ask, until=at + policy.go_stands)]


def refuse_ask(incident: Incident, *, ask: int, reason: str, by: Actor, at: datetime) -> list[e.Event]:
    """A second person does not agree, or takes a go back; needs a reason."""
    waiting = _require_open_ask(incident, ask, at)
    require_person(by)
    if by.user == waiting.asked.by:
        raise Refused("You asked for this. To take it back, press [Not done].")
    if not reason.strip():
        raise Refused(f"Say why, so that <@{waiting.asked.by}> knows what would help.", field="reason")
    return [e.AskRefused(by=by.user, at=at, ask=ask, reason=reason.strip()[:MAX_TEXT_CHARS])]


def record_done(incident: Incident, *, ask: int, result: str, by: Actor, at: datetime) -> list[e.Event]:
    """The asker did what two people agreed on. `result`: what came of it, or the hash; never empty."""
    waiting = _require_open_ask(incident, ask, at)
    if waiting.state != "go":
        raise Refused(open_ask_text(waiting, by.user, at))
    if by.user != waiting.asked.by:
        raise Refused(f"<@{waiting.asked.by}> asked for this and does it, so only they can say that it is done.")
    if is_expired(waiting, at):
        raise Refused(
            f"The go lapsed {clock_time(waiting.until or at, at)}. Not done yet: ask again. "
            "Done already: record it as done alone, with why; somebody else then reviews it."
        )
    if not result.strip():
        raise Refused("Write what came of it, or the transaction's hash.", field="result")
    return [e.AskDone(by=by.user, at=at, ask=ask, result=result.strip()[:MAX_TEXT_CHARS])]


def record_not_done(incident: Incident, *, ask: int, reason: str = "", by: Actor, at: datetime) -> list[e.Event]:
    """The asker takes the ask back, or did not do it after all."""
    waiting = _require_open_ask(incident, ask, at)
    if by.user != waiting.asked.by:
        raise Refused(
            f"<@{waiting.asked.by}> asked for this, so only they can take it back. If it must not happen: [Refuse]."
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
    """Record that what needs two people was done by one all the same: an exception that owes a review."""
    require_open(incident)
    require_person(by)
    checklist, found, state = find_step(incident, runbook, step)
    if found.two_people is not TwoPeople.BEFORE:
        raise Refused(f"Step {step} may be done by one person. Say that it is done: `/incident step {step} done`.")
    if not reason.strip():
        raise Refused("Say why it was done alone. It is recorded as an exception, and reviewed.", field="reason")
    if state.mark is Mark.REVIEW:
        raise Refused(f"{earlier_done_text(state, at)} It is recorded, and waits for its review.")
    earlier: list[e.Event] = []
    if waiting := open_ask(incident, state):
        if waiting.state == "go" and waiting.asked.by == by.user and not is_expired(waiting, at):
            raise Refused(f"You have <@{waiting.second}>'s go, so you were not alone: press [Done].")
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
            raise Refused(f"<@{state.reviewed_by}> has reviewed that already. Nothing more to do.")
        raise Refused(f"Step {step} owes no review.")
    require_person(by)
    if by.user == state.by:
        raise needs_somebody_else("You did this yourself", "look at it", state.review_to, by.user)
    policy.require_right("review", by)
    return [
        e.Reviewed(by=by.user, at=at, runbook=checklist.runbook.slug, step=step, note=note.strip()[:MAX_TEXT_CHARS])
    ]


def review_due(incident: Incident, state: StepState) -> datetime | None:
    """When a review that is owed is overdue; None where none is owed, or people were told already."""
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
