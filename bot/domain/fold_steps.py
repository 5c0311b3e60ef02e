"""Checklists and what two people agree on, as a timeline changes them: what `fold` says of steps and asks."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from bot.domain.incident import Checklist, Incident, Mark, StepState


def state_of(i: Incident, slug: str, step: str) -> StepState:
    """How a step stands; untouched where the runbook's attachment has been redacted."""
    checklist = i.checklist(slug)
    return checklist.state(step) if checklist else StepState()


def changed_checklist(i: Incident, slug: str, change: Any) -> dict[str, Any]:
    """Change the checklist of that runbook."""
    return {"checklists": tuple(change(c) if c.runbook.slug == slug else c for c in i.checklists)}


def section_opened(checklist: Checklist, section: int, at: datetime) -> Checklist:
    """A section was asked for."""
    opened_at = MappingProxyType({**checklist.opened_at, section: at})
    return replace(checklist, opened=checklist.opened | {section}, opened_at=opened_at)


def changed_step(i: Incident, slug: str, step: str, now: datetime, **fields: Any) -> dict[str, Any]:
    """Change one step, raise its version, and note when its section became complete."""

    def change(checklist: Checklist) -> Checklist:
        was = checklist.state(step)
        steps = {**checklist.steps, step: replace(was, version=was.version + 1, **fields)}
        new = replace(checklist, steps=MappingProxyType(steps))
        section = checklist.section_of(step)
        completed = dict(checklist.completed_at)
        if all(new.finished(one.id) for one in section.steps):
            completed.setdefault(section.number, now)
        else:
            completed.pop(section.number, None)
        return replace(new, completed_at=MappingProxyType(completed))

    return changed_checklist(i, slug, change)


def changed_ask(i: Incident, seq: int, now: datetime, mark: Mark, **fields: Any) -> dict[str, Any]:
    """Change one ask, and the mark of its step; OPEN: as the step stood before it was asked for."""
    if seq not in i.asks:  # what was asked has been redacted
        return {}
    ask = i.asks[seq]
    asks = MappingProxyType({**i.asks, seq: replace(ask, **fields)})
    slug, step = ask.asked.runbook, ask.asked.step
    stands = {"mark": mark} if mark is not Mark.OPEN else without_ask(state_of(i, slug, step))
    return {"asks": asks} | changed_step(i, slug, step, now, **stands)


def without_ask(was: StepState) -> dict[str, Any]:
    """How a step stands that nobody asks for any more: open, or done as it was before it was asked for again."""
    if not was.done_with:
        return {"mark": Mark.OPEN}
    at, by, _, result = was.done_with[-1]
    return {"mark": Mark.DONE, "by": by, "at": at, "reason": result}
