"""The time that internal clocks count: from the declaration or the last reopening on, permitted waits left out.

A promise to people outside is no internal clock: it stands at its own moment, whatever the incident does meanwhile.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.domain.incident import Incident


def clock_start(incident: Incident, since: datetime) -> datetime:
    """The moment from which an internal clock counts that was set at `since`."""
    running = incident.running_since
    return max(since, running) if running else since


def deadline(incident: Incident, since: datetime, length: timedelta) -> datetime:
    """When `length` of counted time has passed since `since`.

    A wait that is over moves the deadline by as long as it lasted; one that goes on, by as long as it may last.
    """
    begin = clock_start(incident, since)
    return begin + length + waited(incident, begin)


def waited(incident: Incident, since: datetime) -> timedelta:
    """How long people waited for somebody else since then, the wait that goes on counted to its permitted end."""
    return sum((until - max(began, since) for began, until in _waits(incident) if until > since), timedelta())


def postponed(incident: Incident, said: datetime, due: datetime) -> datetime:
    """A time that somebody named at `said` for people inside: it moves by as long as anybody has waited since."""
    return due + waited(incident, said)


def _waits(incident: Incident) -> list[tuple[datetime, datetime]]:
    waits = list(incident.waits)
    if incident.waiting_since and incident.look_again:
        waits.append((incident.waiting_since, incident.look_again))
    return waits
