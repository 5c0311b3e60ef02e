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
            "There is no such incident, so nothing was done. `/incident list` shows what is open; "
            "`/incident declare` begins one."
        )
    if incident.unknown_event_type:
        raise NewerThanThisProgram(
            f"{incident.name or 'This incident'} holds an entry ({incident.unknown_event_type[:40]}) of a "
            f"newer version of this "
            "bot, so this version writes nothing to it. Reading works; update the bot to go on."
        )


def require_open(incident: Incident) -> None:
    """Raise Refused unless people still work on the incident; the sentence says what would work."""
    require_known(incident)
    if not incident.open:
        raise Refused(
            f"{incident.name} {predicate(incident.status)}, so nothing was changed. "
            "To work on it again, reopen it first: `/incident reopen`."
        )
