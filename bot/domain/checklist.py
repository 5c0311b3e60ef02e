"""The checklist: runbooks attached to an incident, and what people do with their steps.

Steps that take two people are in dual_control.py; here they can neither be ticked nor un-ticked.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection
from datetime import datetime

from bot.domain import events as e
from bot.domain.actor import Actor
from bot.domain.dual_control import (
    earlier_done_text,
    open_ask_text,
    record_done,
    record_stopped,
    was_done_before,
)
from bot.domain.errors import Refused
from bot.domain.incident import Checklist, Incident, Mark, StepReading, StepState
from bot.domain.policy import Policy
from bot.domain.preconditions import require_open
from bot.domain.probe_reading import ReadingState
from bot.domain.runbook import Runbook, Step, TwoPeople
from bot.domain.sentences import Moment, Person
from bot.domain.steps import MAX_TEXT_CHARS, find_step, open_ask

# -- which runbook, which step --------------------------------------------------------------------


def attach(incident: Incident, *, runbook: Runbook, how: str = "choice", by: Actor, at: datetime) -> list[e.Event]:
    """Attach a runbook whole, at its revision. `how`: choice, alert or guess (a guess that a person accepted)."""
    require_open(incident)
    if there := incident.checklist(runbook.slug):
        raise Refused(
            "“{title}” is attached already, at revision {revision}. Nothing changed.",
            title=runbook.title,
            revision=there.runbook.revision,
            field="runbook",
        )
    return [e.RunbookAttached(by=by.user, at=at, runbook=runbook, how=how)]


def decline(incident: Incident, *, by: Actor, at: datetime) -> list[e.Event]:
    """None of the guessed runbooks fits; saying so twice changes nothing."""
    require_open(incident)
    return [e.RunbookDeclined(by=by.user, at=at)] if incident.guess else []


def resolve_step(incident: Incident, words: str) -> tuple[str, str]:
    """(slug, step id) for what somebody typed: `2.3`, or `db 2.3` where two runbooks have a step 2.3.

    Before the id stands a runbook's slug, the beginning of it, or the beginning of one of its words.
    """
    if not incident.checklists:
        raise Refused("No runbook is attached, so there are no steps. `{command} runbook` shows what can be attached.")
    parts = re.split(r"[\s:/#]+", words.strip().lower().removeprefix("step").strip(" .:#"))
    wanted, name = parts[-1].strip("."), "-".join(parts[:-1])
    lists = [one for one in incident.checklists if _called(one, name)]
    attached = ", ".join(f"`{one.runbook.slug}`" for one in incident.checklists)
    if not lists:
        raise Refused(
            "No attached runbook is called “{name}”. Attached: {attached}.",
            name=name[:40],
            attached=attached,
            field="step",
        )
    if not wanted:
        raise Refused("Which step? `{command} step {example} done`.", example=_example(lists[0]), field="step")
    found = [(one.runbook.slug, step.id) for one in lists for step in one.runbook.steps if step.id.lower() == wanted]
    if len(found) == 1:
        return found[0]
    if found:
        choices = " or ".join(f"`{slug} {step}`" for slug, step in found)
        raise Refused(
            "More than one runbook has a step {found}. Say which: {choices}.",
            found=found[0][1],
            choices=choices,
            field="step",
        )
    ids = list(dict.fromkeys(step.id for one in lists for step in one.runbook.steps))
    if not ids:
        raise Refused("“{title}” has no steps.", title=lists[0].runbook.title, field="step")
    near = difflib.get_close_matches(wanted, ids, n=3, cutoff=0.3) or ids[:3]
    raise Refused("There is no step {wanted}. Nearest: {list}.", wanted=wanted[:20], list=", ".join(near), field="step")


def resolve_runbook(incident: Incident, name: str = "") -> Runbook:
    """The attached runbook that somebody named as for `resolve_step`; without a name the only one."""
    found = [one.runbook for one in incident.checklists if _called(one, name)]
    if len(found) == 1:
        return found[0]
    attached = ", ".join(f"`{one.runbook.slug}`" for one in incident.checklists)
    if not attached:
        raise Refused("No runbook is attached, so there are no steps. `{command} runbook` shows what can be attached.")
    raise Refused("Say which runbook. Attached: {attached}.", attached=attached, field="runbook")


def _called(checklist: Checklist, name: str) -> bool:
    slug = checklist.runbook.slug.lower()
    return (
        not name
        or name == checklist.runbook.ref.lower()
        or slug.startswith(name)
        or any(word.startswith(name) for word in slug.split("-"))
    )


def _example(checklist: Checklist) -> str:
    return checklist.runbook.steps[0].id if checklist.runbook.steps else "1.1"


# -- ordinary steps -------------------------------------------------------------------------------


#: what policy calls it to finish a step of this kind
_RIGHT = {None: "tick", TwoPeople.BEFORE: "done", TwoPeople.AFTER: "stop"}


class ReadingNeeded(Refused):
    """The step names a probe: somebody looks with it first, and then says again that the step is done."""

    def __init__(self, found: Step) -> None:
        super().__init__(
            "Step {step} is done once {probe} has been looked at. Nothing was ticked yet.",
            step=found.id,
            probe=found.probe or "",
        )
        self.probe, self.target = found.probe or "", found.target


class ReadingNotOk(Refused):
    """The step's probe says that not all is well: the step is done only if a person says so all the same."""

    def __init__(self, step: str, reading: StepReading) -> None:
        super().__init__(
            "Step {step} is open still. {probe} reads {state}: {said} Shall the step count as done all the same?",
            step=step,
            probe=reading.probe,
            state=reading.state.value,
            said=reading.sentence,
        )
        self.reading = reading


def finish(
    incident: Incident,
    *,
    runbook: str,
    step: str,
    text: str = "",
    reading: int = 0,
    despite_reading: bool = False,
    probes: Collection[str] = (),
    confirmers: tuple[str, ...] = (),
    by: Actor,
    at: datetime,
    policy: Policy,
) -> list[e.Event]:
    """A step is done, as its kind asks for: ticked, stopped (a second person reviews it), or done with a go.

    `text`: what came of it. `probes`: those that can be asked here. A step that names one of them takes `reading`, the
    seq of its ReadingTaken. That reading is ok, or the person has read it (`despite_reading`). Raises ReadingNeeded and
    ReadingNotOk, and Refused where somebody else did it already.
    """
    require_open(incident)
    checklist, found, state = find_step(incident, runbook, step)
    slug = checklist.runbook.slug
    policy.require_right(_RIGHT[found.two_people], by)
    if found.two_people is TwoPeople.AFTER:
        return record_stopped(incident, checklist, found, state, note=text, confirmers=confirmers, by=by, at=at,
            policy=policy)  # fmt: skip
    if found.two_people is TwoPeople.BEFORE:
        if state.mark is Mark.GO:
            return record_done(incident, ask=state.ask, result=text, by=by, at=at)
        if state.mark in (Mark.DONE, Mark.REVIEW):
            raise Refused(earlier_done_text(state, at))
        if ask := open_ask(incident, state):
            raise Refused(open_ask_text(ask, by.user, at))
        raise Refused(
            "Step {step} needs a second person before it is done, so it was not ticked. "
            "Ask for one: [Ask] beside it, or `{command} step {step} ask`.",
            step=step,
        )
    if state.mark is Mark.DONE:
        if state.by == by.user:
            return []
        raise Refused(
            "{who} did that already, {time}. Nothing changed.", who=Person(state.by), time=Moment(state.at or at, at)
        )
    if found.probe and found.probe in probes:
        if state.reading is None or state.reading.seq != reading:
            raise ReadingNeeded(found)
        if state.reading.state is not ReadingState.OK and not despite_reading:
            raise ReadingNotOk(step, state.reading)
    return [e.StepTicked(by=by.user, at=at, runbook=slug, step=step)]


def untick(incident: Incident, *, runbook: str, step: str, by: Actor, at: datetime) -> list[e.Event]:
    """A step is not done, or not skipped, after all. What two people did is corrected, never un-ticked."""
    require_open(incident)
    checklist, found, state = find_step(incident, runbook, step)
    if state.mark is Mark.OPEN:
        return []
    if ask := open_ask(incident, state):
        raise Refused(open_ask_text(ask, by.user, at))
    if _lasting(found, state):
        raise Refused(
            "{earlier_done_text} To put something right: `{command} step {step} correct what is so`.",
            earlier_done_text=earlier_done_text(state, at),
            step=step,
        )
    return [e.StepUnticked(by=by.user, at=at, runbook=checklist.runbook.slug, step=step)]


def _lasting(found: Step, state: StepState) -> bool:
    """Whether the step's mark is a fact that a second person stands for, or has still to look at."""
    return state.mark is Mark.REVIEW or (state.mark is Mark.DONE and found.two_people is not None)


def skip(incident: Incident, *, runbook: str, step: str, reason: str, by: Actor, at: datetime) -> list[e.Event]:
    """A step is left out, and why."""
    require_open(incident)
    checklist, _, state = find_step(incident, runbook, step)
    words = reason.strip()
    if not words:
        raise Refused(
            "Say why it is left out: `{command} step {step} skip not our network`.", step=step, field="reason"
        )
    if ask := open_ask(incident, state):
        raise Refused(open_ask_text(ask, by.user, at))
    if state.mark in (Mark.DONE, Mark.REVIEW) or was_done_before(state):
        raise Refused(
            "{who} did that already, {time}, so it cannot be skipped. A remark on it: `{command} step {step} note …`.",
            who=Person(state.by),
            time=Moment(state.at or at, at),
            step=step,
        )
    if state.mark is Mark.SKIPPED and state.reason == words:
        return []
    return [e.StepSkipped(by=by.user, at=at, runbook=checklist.runbook.slug, step=step, reason=words[:MAX_TEXT_CHARS])]


def note_step(incident: Incident, *, runbook: str, step: str, text: str, by: Actor, at: datetime) -> list[e.Event]:
    """A remark on a step, in any state of it."""
    require_open(incident)
    checklist, _, _ = find_step(incident, runbook, step)
    words = _words(text, step, "note")
    return [e.StepNoted(by=by.user, at=at, runbook=checklist.runbook.slug, step=step, text=words)]


def correct(incident: Incident, *, runbook: str, step: str, text: str, by: Actor, at: datetime) -> list[e.Event]:
    """Put right what is recorded of a step that a second person stands for. The record itself stays."""
    require_open(incident)
    checklist, found, state = find_step(incident, runbook, step)
    if not (_lasting(found, state) or state.done_with):
        how = "ask for a second person first" if found.two_people is TwoPeople.BEFORE else "tick, untick or note it"
        raise Refused("Step {step} has nothing to correct: {how}.", step=step, how=how)
    words = _words(text, step, "correct")
    slug = checklist.runbook.slug
    return [e.StepNoted(by=by.user, at=at, runbook=slug, step=step, text=words, correction=True)]


def _words(text: str, step: str, verb: str) -> str:
    words = text.strip()
    if not words:
        raise Refused(
            "Write what is so: `{command} step {step} {verb} queue was empty by then`.",
            step=step,
            verb=verb,
            field="text",
        )
    if len(words) > MAX_TEXT_CHARS:
        raise Refused(
            "That has {count} characters; at most {max_text_chars} fit.",
            count=len(words),
            max_text_chars=MAX_TEXT_CHARS,
            field="text",
        )
    return words


def open_section(incident: Incident, *, runbook: str, section: int, by: Actor, at: datetime) -> list[e.Event]:
    """Show a section in the thread, or again once it is complete and folded to one line."""
    require_open(incident)
    checklist = incident.checklist(runbook)
    if checklist is None:
        raise Refused("The runbook `{runbook}` is not attached to {name}.", runbook=runbook[:60], name=incident.name)
    numbers = [one.number for one in checklist.runbook.sections]
    if section not in numbers:
        raise Refused(
            "“{title}” has the sections {part}.",
            title=checklist.runbook.title,
            part=", ".join(map(str, numbers)) or "(none)",
        )
    if section in checklist.opened and section not in checklist.completed_at:
        return []
    return [e.SectionOpened(by=by.user, at=at, runbook=checklist.runbook.slug, section=section)]
