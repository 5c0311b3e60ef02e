"""The conditions under which an incident may be resolved: what the bot sees of them, and what people say."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain import events as e
from bot.domain.incident import Incident, Mark
from bot.domain.policy import Policy


def observed_checks(incident: Incident) -> dict[str, tuple[str, str]]:
    """What the bot can see itself of the conditions: name -> (yes | no | unknown, why). Unknown is not a pass."""
    known: dict[str, tuple[str, str]] = {}
    open_asks = len(incident.open_asks)
    reviews = [
        (one.runbook.slug, step)
        for one in incident.checklists
        for step, state in one.steps.items()
        if state.mark is Mark.REVIEW
    ]
    if open_asks or reviews:
        known["asks"] = ("no", f"{open_asks} asks and {len(reviews)} reviews are open")
    else:
        known["asks"] = ("yes", "none is open")
    if not incident.drafts:
        known["told"] = ("unknown", "nothing was sent from here")
    elif (said := incident.last_published_draft) is None:
        known["told"] = ("no", "no draft was sent")
    elif said.drafted.stage == "resolved":
        known["told"] = ("yes", "the last text says resolved")
    else:
        known["told"] = ("no", f"the last text says {said.drafted.stage}")
    return known


def resolve_checklist(incident: Incident, answers: Sequence[e.Check], policy: Policy) -> tuple[e.Check, ...]:
    """The conditions as they stand: what the bot sees wins over what a person ticks."""
    said = {check.name: check for check in answers}
    known = observed_checks(incident)
    checks = []
    for name, _ in policy.resolve_checks:
        met, note = known.get(name, ("unknown", ""))
        person = said.get(name)
        if met == "unknown" and person is not None:
            met, note = person.met, person.note or note
        checks.append(e.Check(name=name, met=met, note=note))
    return tuple(checks)
