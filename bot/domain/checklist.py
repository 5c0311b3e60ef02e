"""The checklist: runbooks attached to an incident, what people do with their steps, and where it takes two of them.

Two marks of a runbook: `two-people: before` (it cannot be taken back: ask -> go -> done) and `two-people: after`
(stopping is safe: act, then a second person reviews). Neither can be ticked, and neither is ever un-ticked.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from datetime import datetime

from bot.domain import events as e
from bot.domain.actor import Actor
from bot.domain.errors import Refused
from bot.domain.incident import Ask, Checklist, Incident, Mark, StepState
from bot.domain.policy import Policy
from bot.domain.runbook import Runbook, Step, TwoPeople
from bot.domain.standing import known, live
from bot.domain.times import clock_time
from bot.domain.two_people import done_once, others, pending, person, somebody_else, stopped_already

TEXT_LIMIT = 2000

# -- which runbook, which step --------------------------------------------------------------------


def attach(incident: Incident, *, runbook: Runbook, how: str = "choice", by: Actor, at: datetime) -> list[e.Event]:
    """Attach a runbook whole, at its revision. `how`: choice, alert or guess (a guess that a person accepted)."""
    live(incident)
    if there := incident.checklist(runbook.slug):
        raise Refused(
            f"“{runbook.title}” is attached already, at revision {there.runbook.revision}. Nothing changed.",
            field="runbook",
        )
    return [e.RunbookAttached(by=by.user, at=at, runbook=runbook, how=how)]


def guess(incident: Incident, *, runbooks: Sequence[Runbook], by: Actor, at: datetime) -> list[e.Event]:
    """Ask the lead whether one of these fits. Words in a title attach nothing by themselves, and ask only once."""
    if not incident.open or incident.newer or incident.checklists or incident.guess_seq or not runbooks:
        return []
    return [
        e.RunbookGuessed(
            by=by.user,
            at=at,
            slugs=tuple(one.slug for one in runbooks),
            titles=tuple(one.title for one in runbooks),
        )
    ]


def decline(incident: Incident, *, by: Actor, at: datetime) -> list[e.Event]:
    """None of the guessed runbooks fits; saying so twice changes nothing."""
    live(incident)
    return [e.RunbookDeclined(by=by.user, at=at)] if incident.guess else []


def resolve_step(incident: Incident, words: str) -> tuple[str, str]:
    """(slug, step id) for what somebody typed: `2.3`, or `db 2.3` where two runbooks have a step 2.3.

    Before the id stands a runbook's slug, the beginning of it, or the beginning of one of its words.
    """
    if not incident.checklists:
        raise Refused("No runbook is attached, so there are no steps. `/incident runbook` shows what can be attached.")
    parts = re.split(r"[\s:/#]+", words.strip().lower().removeprefix("step").strip(" .:#"))
    wanted, name = parts[-1].strip("."), "-".join(parts[:-1])
    lists = [one for one in incident.checklists if _called(one, name)]
    attached = ", ".join(f"`{one.runbook.slug}`" for one in incident.checklists)
    if not lists:
        raise Refused(f"No attached runbook is called “{name[:40]}”. Attached: {attached}.", field="step")
    if not wanted:
        raise Refused(f"Which step? `/incident step {_example(lists[0])} done`.", field="step")
    found = [(one.runbook.slug, step.id) for one in lists for step in one.runbook.steps if step.id.lower() == wanted]
    if len(found) == 1:
        return found[0]
    if found:
        choices = " or ".join(f"`{slug} {step}`" for slug, step in found)
        raise Refused(f"More than one runbook has a step {found[0][1]}. Say which: {choices}.", field="step")
    ids = list(dict.fromkeys(step.id for one in lists for step in one.runbook.steps))
    if not ids:
        raise Refused(f"“{lists[0].runbook.title}” has no steps.", field="step")
    near = difflib.get_close_matches(wanted, ids, n=3, cutoff=0.3) or ids[:3]
    raise Refused(f"There is no step {wanted[:20]}. Nearest: {', '.join(near)}.", field="step")


def _called(checklist: Checklist, name: str) -> bool:
    slug = checklist.runbook.slug.lower()
    return not name or slug.startswith(name) or any(word.startswith(name) for word in slug.split("-"))


def _example(checklist: Checklist) -> str:
    return checklist.runbook.steps[0].id if checklist.runbook.steps else "1.1"


def locate(incident: Incident, runbook: str, step: str) -> tuple[Checklist, Step, StepState]:
    """The attached runbook, the step and how it stands; raises Refused where there is none."""
    checklist = incident.checklist(runbook)
    if checklist is None:
        raise Refused(f"The runbook `{runbook[:60]}` is not attached to {incident.name}.")
    found = next((one for one in checklist.runbook.steps if one.id == step), None)
    if found is None:
        raise Refused(f"There is no step {step[:20]} in “{checklist.runbook.title}”.", field="step")
    return checklist, found, checklist.state(step)


def open_ask(incident: Incident, state: StepState) -> Ask | None:
    """The ask that waits on a step, if one does."""
    ask = incident.asks.get(state.ask)
    return ask if ask is not None and ask.open else None


# -- ordinary steps -------------------------------------------------------------------------------


def tick(incident: Incident, *, runbook: str, step: str, by: Actor, at: datetime) -> list[e.Event]:
    """A step is done. Refused where a second person belongs to it, and where somebody else did it already."""
    live(incident)
    _, found, state = locate(incident, runbook, step)
    if found.two_people is TwoPeople.BEFORE:
        if state.mark in (Mark.DONE, Mark.REVIEW):
            raise Refused(done_once(state, at))
        if ask := open_ask(incident, state):
            raise Refused(pending(ask, by.user, at))
        raise Refused(
            f"Step {step} needs a second person before it is done, so it was not ticked. "
            f"Ask for one: [Ask] beside it, or `/incident step {step} ask`."
        )
    if found.two_people is TwoPeople.AFTER:
        if state.mark in (Mark.DONE, Mark.REVIEW):
            raise Refused(stopped_already(state, at))
        raise Refused(
            f"Step {step} is looked at by a second person afterwards, so it is not simply ticked. "
            f"Do it now, then press [Stopped], or `/incident step {step} done what you saw`."
        )
    if state.mark is Mark.DONE:
        if state.by == by.user:
            return []
        raise Refused(f"<@{state.by}> did that already, {clock_time(state.at or at, at)}. Nothing changed.")
    return [e.StepTicked(by=by.user, at=at, runbook=runbook, step=step)]


def untick(incident: Incident, *, runbook: str, step: str, by: Actor, at: datetime) -> list[e.Event]:
    """A step is not done, or not skipped, after all. What two people did is corrected, never un-ticked."""
    live(incident)
    _, _, state = locate(incident, runbook, step)
    if state.mark is Mark.OPEN:
        return []
    if ask := open_ask(incident, state):
        raise Refused(pending(ask, by.user, at))
    if _lasting(incident, runbook, step, state):
        raise Refused(f"{done_once(state, at)} To put something right: `/incident step {step} correct what is so`.")
    return [e.StepUnticked(by=by.user, at=at, runbook=runbook, step=step)]


def _lasting(incident: Incident, runbook: str, step: str, state: StepState) -> bool:
    """Whether the step's mark is a fact that a second person stands for, or has still to look at."""
    _, found, _ = locate(incident, runbook, step)
    return state.mark is Mark.REVIEW or (state.mark is Mark.DONE and found.two_people is not None)


def skip(incident: Incident, *, runbook: str, step: str, reason: str, by: Actor, at: datetime) -> list[e.Event]:
    """A step is left out, and why."""
    live(incident)
    _, _, state = locate(incident, runbook, step)
    words = reason.strip()
    if not words:
        raise Refused(f"Say why it is left out: `/incident step {step} skip not our network`.", field="reason")
    if ask := open_ask(incident, state):
        raise Refused(pending(ask, by.user, at))
    if state.mark in (Mark.DONE, Mark.REVIEW) or done_before(state):
        raise Refused(
            f"<@{state.by}> did that already, {clock_time(state.at or at, at)}, so it cannot be skipped. "
            f"A remark on it: `/incident step {step} note …`."
        )
    if state.mark is Mark.SKIPPED and state.reason == words:
        return []
    return [e.StepSkipped(by=by.user, at=at, runbook=runbook, step=step, reason=words[:TEXT_LIMIT])]


def note_step(incident: Incident, *, runbook: str, step: str, text: str, by: Actor, at: datetime) -> list[e.Event]:
    """A remark on a step, in any state of it."""
    live(incident)
    locate(incident, runbook, step)
    return [e.StepNoted(by=by.user, at=at, runbook=runbook, step=step, text=_words(text, step, "note"))]


def correct(incident: Incident, *, runbook: str, step: str, text: str, by: Actor, at: datetime) -> list[e.Event]:
    """Put right what is recorded of a step that a second person stands for. The record itself stays."""
    live(incident)
    _, found, state = locate(incident, runbook, step)
    if not (_lasting(incident, runbook, step, state) or state.done_with):
        how = "ask for a second person first" if found.two_people is TwoPeople.BEFORE else "tick, untick or note it"
        raise Refused(f"Step {step} holds nothing to correct: {how}.")
    words = _words(text, step, "correct")
    return [e.StepNoted(by=by.user, at=at, runbook=runbook, step=step, text=words, correction=True)]


def _words(text: str, step: str, verb: str) -> str:
    words = text.strip()
    if not words:
        raise Refused(f"Write what is so: `/incident step {step} {verb} queue was empty by then`.", field="text")
    if len(words) > TEXT_LIMIT:
        raise Refused(f"That has {len(words)} characters; at most {TEXT_LIMIT} fit.", field="text")
    return words


def open_section(incident: Incident, *, runbook: str, section: int, by: Actor, at: datetime) -> list[e.Event]:
    """Show a section in the thread, or again once it is complete and folded to one line."""
    live(incident)
    checklist = incident.checklist(runbook)
    if checklist is None:
        raise Refused(f"The runbook `{runbook[:60]}` is not attached to {incident.name}.")
    numbers = [one.number for one in checklist.runbook.sections]
    if section not in numbers:
        raise Refused(f"“{checklist.runbook.title}” has the sections {', '.join(map(str, numbers)) or '(none)'}.")
    if section in checklist.opened and section not in checklist.completed_at:
        return []
    return [e.SectionOpened(by=by.user, at=at, runbook=runbook, section=section)]


# -- two people, before the act -------------------------------------------------------------------


def ask(
    incident: Incident,
    *,
    runbook: str,
    step: str,
    evidence: str = "",
    count: str = "",
    amount: str = "",
    confirmers: tuple[str, ...],
    again: bool = False,
    by: Actor,
    at: datetime,
    policy: Policy,
) -> list[e.Event]:
    """Ask a second person to agree before the act. `confirmers`: who may, as user ids; the asker is left out.

    What was done once is asked for again only with `again`: the person has read that it may pay twice.
    """
    live(incident)
    person(by)
    _, found, state = locate(incident, runbook, step)
    if found.two_people is not TwoPeople.BEFORE:
        raise Refused(f"Step {step} needs nobody's go: do it, then tick it.")
    if state.mark is Mark.REVIEW or (done_before(state) and not again):
        raise Refused(done_once(state, at), field="again")
    to = others(confirmers, by.user)
    if not to:
        raise Refused(
            "Nobody else here may agree, so nothing was asked. Held money is safe. Wait, and invite somebody: "
            "`/incident add @name`."
        )
    earlier: list[e.Event] = []
    if waiting := open_ask(incident, state):
        if not lapsed(waiting, at):
            raise Refused(pending(waiting, by.user, at))
        earlier = [e.AskLapsed(by=by.user, at=at, ask=waiting.seq)]
    return [
        *earlier,
        e.Asked(
            by=by.user,
            at=at,
            runbook=runbook,
            step=step,
            action=found.text,
            evidence=evidence.strip()[:TEXT_LIMIT],
            count=count.strip()[:100],
            amount=amount.strip()[:100],
            to=to,
            lapses=at + policy.ask_stands,
        ),
    ]


def done_before(state: StepState) -> bool:
    """Whether the act was done at some time, however the step is marked now."""
    return bool(state.done_with) or state.alone


def lapsed(ask: Ask, at: datetime) -> bool:
    """Whether the time of an open ask, or of the go it was given, has run out."""
    ends = ask.until if ask.state == "go" else ask.asked.lapses
    return ask.open and ends is not None and ends <= at


def _asked(incident: Incident, seq: int, at: datetime) -> Ask:
    """The open ask of that seq; raises Refused with what became of it."""
    live(incident)
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


def go(incident: Incident, *, ask: int, by: Actor, at: datetime, policy: Policy) -> list[e.Event]:
    """A second person agrees. Refused for whoever asked, for programs, and once the ask has lapsed."""
    waiting = _asked(incident, ask, at)
    person(by)
    if by.user == waiting.asked.by:
        raise somebody_else("You asked for this", "agree", waiting.asked.to, by.user)
    policy.allow("go", by)
    if waiting.state == "go" and not lapsed(waiting, at):
        if waiting.second == by.user:
            return []
        raise Refused(pending(waiting, by.user, at))
    if lapsed(waiting, at):
        raise Refused(
            f"That ask lapsed {clock_time(waiting.until or waiting.asked.lapses, at)}. "
            f"If it is still needed, <@{waiting.asked.by}> asks again."
        )
    return [e.GoGiven(by=by.user, at=at, ask=ask, until=at + policy.go_stands)]


def refuse(incident: Incident, *, ask: int, reason: str, by: Actor, at: datetime) -> list[e.Event]:
    """A second person does not agree, or takes a go back; needs a reason."""
    waiting = _asked(incident, ask, at)
    person(by)
    if by.user == waiting.asked.by:
        raise Refused("You asked for this. To take it back, press [Not done].")
    if not reason.strip():
        raise Refused(f"Say why, so that <@{waiting.asked.by}> knows what would help.", field="reason")
    return [e.AskRefused(by=by.user, at=at, ask=ask, reason=reason.strip()[:TEXT_LIMIT])]


def done(incident: Incident, *, ask: int, result: str, by: Actor, at: datetime) -> list[e.Event]:
    """The asker did what two people agreed on. `result`: what came of it, or the hash; never empty."""
    waiting = _asked(incident, ask, at)
    if waiting.state != "go":
        raise Refused(pending(waiting, by.user, at))
    if by.user != waiting.asked.by:
        raise Refused(f"<@{waiting.asked.by}> asked for this and does it, so only they can say that it is done.")
    if lapsed(waiting, at):
        raise Refused(
            f"The go lapsed {clock_time(waiting.until or at, at)}. Not done yet: ask again. "
            "Done already: record it as done alone, with why; somebody else then reviews it."
        )
    if not result.strip():
        raise Refused("Write what came of it, or the transaction's hash.", field="result")
    return [e.AskDone(by=by.user, at=at, ask=ask, result=result.strip()[:TEXT_LIMIT])]


def not_done(incident: Incident, *, ask: int, reason: str = "", by: Actor, at: datetime) -> list[e.Event]:
    """The asker takes the ask back, or did not do it after all."""
    waiting = _asked(incident, ask, at)
    if by.user != waiting.asked.by:
        raise Refused(
            f"<@{waiting.asked.by}> asked for this, so only they can take it back. If it must not happen: [Refuse]."
        )
    return [e.AskNotDone(by=by.user, at=at, ask=ask, reason=reason.strip()[:TEXT_LIMIT])]


def lapse(incident: Incident, *, ask: int, by: Actor, at: datetime, policy: Policy) -> list[e.Event]:
    """For the bot: the ask's time, or that of the go it was given, has run out. Before that, nothing.

    The times were stored with the events, so a policy that changed since does not move them.
    """
    waiting = incident.asks.get(ask)
    if not incident.open or incident.newer or waiting is None or not lapsed(waiting, at):
        return []
    return [e.AskLapsed(by=by.user, at=at, ask=ask)]


def alone(
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
    live(incident)
    person(by)
    _, found, state = locate(incident, runbook, step)
    if found.two_people is not TwoPeople.BEFORE:
        raise Refused(f"Step {step} may be done by one person. Say that it is done: `/incident step {step} done`.")
    if not reason.strip():
        raise Refused("Say why it was done alone. It is recorded as an exception, and reviewed.", field="reason")
    if state.mark is Mark.REVIEW:
        raise Refused(f"{done_once(state, at)} It is recorded, and waits for its review.")
    earlier: list[e.Event] = []
    if waiting := open_ask(incident, state):
        if waiting.state == "go" and waiting.asked.by == by.user and not lapsed(waiting, at):
            raise Refused(f"You have <@{waiting.second}>'s go, so you were not alone: press [Done].")
        earlier = [e.AskLapsed(by=by.user, at=at, ask=waiting.seq)]
    return [
        *earlier,
        e.DoneAlone(
            by=by.user,
            at=at,
            runbook=runbook,
            step=step,
            reason=reason.strip()[:TEXT_LIMIT],
            review_by=at + policy.review_within,
            to=others(confirmers, by.user),
        ),
    ]


# -- two people, after the act --------------------------------------------------------------------


def stopped(
    incident: Incident,
    *,
    runbook: str,
    step: str,
    note: str = "",
    confirmers: tuple[str, ...],
    again: bool = False,
    by: Actor,
    at: datetime,
    policy: Policy,
) -> list[e.Event]:
    """One person stopped something, as they may. A second one reviews it within policy's time."""
    live(incident)
    person(by)
    _, found, state = locate(incident, runbook, step)
    if found.two_people is TwoPeople.BEFORE:
        raise Refused(f"Step {step} needs a second person before it is done: [Ask], or `/incident step {step} ask`.")
    if found.two_people is None:
        raise Refused(f"Step {step} needs no review: tick it.")
    if state.mark is Mark.REVIEW or (state.mark is Mark.DONE and not again):
        raise Refused(stopped_already(state, at), field="again")
    return [
        e.StoppedFirst(
            by=by.user,
            at=at,
            runbook=runbook,
            step=step,
            review_by=at + policy.review_within,
            to=others(confirmers, by.user),
            note=note.strip()[:TEXT_LIMIT],
        )
    ]


def review(
    incident: Incident, *, runbook: str, step: str, note: str = "", by: Actor, at: datetime, policy: Policy
) -> list[e.Event]:
    """A second person has looked at what one did; never the one who did it. Late, even after the end, beats never."""
    known(incident)
    _, _, state = locate(incident, runbook, step)
    if state.mark is not Mark.REVIEW:
        if state.reviewed_by:
            raise Refused(f"<@{state.reviewed_by}> has reviewed that already. Nothing more to do.")
        raise Refused(f"Step {step} owes no review.")
    person(by)
    if by.user == state.by:
        raise somebody_else("You did this yourself", "look at it", state.review_to, by.user)
    policy.allow("review", by)
    return [e.Reviewed(by=by.user, at=at, runbook=runbook, step=step, note=note.strip()[:TEXT_LIMIT])]


def review_overdue(incident: Incident, *, runbook: str, step: str, by: Actor, at: datetime) -> list[e.Event]:
    """For the bot: a review whose time has run out, told once to those who may review and to the lead."""
    checklist = incident.checklist(runbook)
    if not incident.open or incident.newer or checklist is None:
        return []
    state = checklist.state(step)
    if state.mark is not Mark.REVIEW or state.review_nagged or state.review_by is None or at < state.review_by:
        return []
    to = others((*state.review_to, incident.lead), state.by)
    return [e.ReviewOverdue(by=by.user, at=at, runbook=runbook, step=step, to=to)]
