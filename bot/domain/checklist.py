"""The checklist: runbooks attached to an incident, and what people do with their steps.

Steps that take two people are in dual_control.py; here they can neither be ticked nor un-ticked.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from datetime import datetime

from bot.domain import events as e
from bot.domain.actor import Actor
from bot.domain.dual_control import earlier_done_text, open_ask_text, stopped_text, was_done_before
from bot.domain.errors import Refused
from bot.domain.incident import Checklist, Incident, Mark, StepState
from bot.domain.preconditions import require_open
from bot.domain.runbook import Runbook, TwoPeople
from bot.domain.steps import MAX_TEXT_CHARS, find_step, open_ask
from bot.domain.time_text import clock_time

# -- which runbook, which step --------------------------------------------------------------------


def attach(incident: Incident, *, runbook: Runbook, how: str = "choice", by: Actor, at: datetime) -> list[e.Event]:
    """Attach a runbook whole, at its revision. `how`: choice, alert or guess (a guess that a person accepted)."""
    require_open(incident)
    if there := incident.checklist(runbook.slug):
        raise Refused(
            f"“{runbook.title}” is attached already, at revision {there.runbook.revision}. Nothing changed.",
            field="runbook",
        )
    return [e.RunbookAttached(by=by.user, at=at, runbook=runbook, how=how)]


def suggest_runbooks(incident: Incident, *, runbooks: Sequence[Runbook], by: Actor, at: datetime) -> list[e.Event]:
    """Ask the lead whether one of these fits. Words in a title attach nothing by themselves, and ask only once."""
    if not incident.open or incident.unknown_event_type or incident.checklists or incident.guess_seq or not runbooks:
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
    require_open(incident)
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


# -- ordinary steps -------------------------------------------------------------------------------


def tick(incident: Incident, *, runbook: str, step: str, by: Actor, at: datetime) -> list[e.Event]:
    """A step is done. Refused where a second person belongs to it, and where somebody else did it already."""
    require_open(incident)
    _, found, state = find_step(incident, runbook, step)
    if found.two_people is TwoPeople.BEFORE:
        if state.mark in (Mark.DONE, Mark.REVIEW):
            raise Refused(earlier_done_text(state, at))
        if ask := open_ask(incident, state):
            raise Refused(open_ask_text(ask, by.user, at))
        raise Refused(
            f"Step {step} needs a second person before it is done, so it was not ticked. "
            f"Ask for one: [Ask] beside it, or `/incident step {step} ask`."
        )
    if found.two_people is TwoPeople.AFTER:
        if state.mark in (Mark.DONE, Mark.REVIEW):
            raise Refused(stopped_text(state, at))
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
    require_open(incident)
    _, _, state = find_step(incident, runbook, step)
    if state.mark is Mark.OPEN:
        return []
    if ask := open_ask(incident, state):
        raise Refused(open_ask_text(ask, by.user, at))
    if _lasting(incident, runbook, step, state):
        raise Refused(
            f"{earlier_done_text(state, at)} To put something right: `/incident step {step} correct what is so`."
        )
    return [e.StepUnticked(by=by.user, at=at, runbook=runbook, step=step)]


def _lasting(incident: Incident, runbook: str, step: str, state: StepState) -> bool:
    """Whether the step's mark is a fact that a second person stands for, or has still to look at."""
    _, found, _ = find_step(incident, runbook, step)
    return state.mark is Mark.REVIEW or (state.mark is Mark.DONE and found.two_people is not None)


def skip(incident: Incident, *, runbook: str, step: str, reason: str, by: Actor, at: datetime) -> list[e.Event]:
    """A step is left out, and why."""
    require_open(incident)
    _, _, state = find_step(incident, runbook, step)
    words = reason.strip()
    if not words:
        raise Refused(f"Say why it is left out: `/incident step {step} skip not our network`.", field="reason")
    if ask := open_ask(incident, state):
        raise Refused(open_ask_text(ask, by.user, at))
    if state.mark in (Mark.DONE, Mark.REVIEW) or was_done_before(state):
        raise Refused(
            f"<@{state.by}> did that already, {clock_time(state.at or at, at)}, so it cannot be skipped. "
            f"A remark on it: `/incident step {step} note …`."
        )
    if state.mark is Mark.SKIPPED and state.reason == words:
        return []
    return [e.StepSkipped(by=by.user, at=at, runbook=runbook, step=step, reason=words[:MAX_TEXT_CHARS])]


def note_step(incident: Incident, *, runbook: str, step: str, text: str, by: Actor, at: datetime) -> list[e.Event]:
    """A remark on a step, in any state of it."""
    require_open(incident)
    find_step(incident, runbook, step)
    return [e.StepNoted(by=by.user, at=at, runbook=runbook, step=step, text=_words(text, step, "note"))]


def correct(incident: Incident, *, runbook: str, step: str, text: str, by: Actor, at: datetime) -> list[e.Event]:
    """Put right what is recorded of a step that a second person stands for. The record itself stays."""
    require_open(incident)
    _, found, state = find_step(incident, runbook, step)
    if not (_lasting(incident, runbook, step, state) or state.done_with):
        how = "ask for a second person first" if found.two_people is TwoPeople.BEFORE else "tick, untick or note it"
        raise Refused(f"Step {step} holds nothing to correct: {how}.")
    words = _words(text, step, "correct")
    return [e.StepNoted(by=by.user, at=at, runbook=runbook, step=step, text=words, correction=True)]


def _words(text: str, step: str, verb: str) -> str:
    words = text.strip()
    if not words:
        raise Refused(f"Write what is so: `/incident step {step} {verb} queue was empty by then`.", field="text")
    if len(words) > MAX_TEXT_CHARS:
        raise Refused(f"That has {len(words)} characters; at most {MAX_TEXT_CHARS} fit.", field="text")
    return words


def open_section(incident: Incident, *, runbook: str, section: int, by: Actor, at: datetime) -> list[e.Event]:
    """Show a section in the thread, or again once it is complete and folded to one line."""
    require_open(incident)
    checklist = incident.checklist(runbook)
    if checklist is None:
        raise Refused(f"The runbook `{runbook[:60]}` is not attached to {incident.name}.")
    numbers = [one.number for one in checklist.runbook.sections]
    if section not in numbers:
        raise Refused(f"“{checklist.runbook.title}” has the sections {', '.join(map(str, numbers)) or '(none)'}.")
    if section in checklist.opened and section not in checklist.completed_at:
        return []
    return [e.SectionOpened(by=by.user, at=at, runbook=runbook, section=section)]
