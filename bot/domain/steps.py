"""A step of an attached runbook: where it is, and what waits on it."""

from __future__ import annotations

from bot.domain.errors import Refused
from bot.domain.incident import Ask, Checklist, Incident, StepState
from bot.domain.runbook import Step

MAX_TEXT_CHARS = 2000


def find_step(incident: Incident, runbook: str, step: str) -> tuple[Checklist, Step, StepState]:
    """The attached runbook, the step and how it stands; raises Refused where there is none."""
    checklist = incident.checklist(runbook)
    if checklist is None:
        raise Refused("The runbook `{runbook}` is not attached to {name}.", runbook=runbook[:60], name=incident.name)
    found = checklist.runbook.step(step)
    if found is None:
        raise Refused(
            "There is no step {step} in “{title}”.", step=step[:20], title=checklist.runbook.title, field="step"
        )
    return checklist, found, checklist.state(step)


def open_ask(incident: Incident, state: StepState) -> Ask | None:
    """The ask that waits on a step, if one does."""
    ask = incident.asks.get(state.ask)
    return ask if ask is not None and ask.open else None
