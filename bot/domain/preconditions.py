"""Whether an incident can be worked on at all: the first question of nearly every rule."""

from __future__ import annotations

from bot.domain.errors import NewerThanThisProgram, Refused
from bot.domain.incident import Incident
from bot.domain.statuses import predicate


def require_known(incident: Incident) -> None:
    """Raise Refused where there is no incident, or where its timeline holds what only a newer program knows.

    For what is welcome after the end too: notes, tasks, reviews, what came of a text that was being sent.
    """
    if incident.seq == 0:
        raise Refused(
            "There is no such incident, so nothing was done. "
            "`{command} list` shows what is open; `{command} declare` begins one."
        )
    if incident.unknown_event_type:
        raise NewerThanThisProgram(
            "{part} holds an entry ({unknown_event_type}) of a newer version of this bot, so this version "
            "writes nothing to it. Reading works; update the bot to go on.",
            part=incident.name or "This incident",
            unknown_event_type=incident.unknown_event_type[:40],
        )


def require_open(incident: Incident) -> None:
    """Raise Refused unless people still work on the incident; the sentence says what would work."""
    require_known(incident)
    if not incident.open:
        raise Refused(
            "{name} {predicate}, so nothing was changed. To work on it again, reopen it first: `{command} reopen`.",
            name=incident.name,
            predicate=predicate(incident.status),
        )
