"""The words of statuses, in one table; and how an incident stands or ended, in a few words."""

from __future__ import annotations

from bot.domain import events as e
from bot.domain.incident import Incident, Status

#: status -> (as a heading, as it reads after "INC-42")
STATUS_WORDS: dict[Status, tuple[str, str]] = {
    Status.INVESTIGATING: ("Investigating", "is being investigated"),
    Status.MITIGATED: ("Mitigated", "is mitigated"),
    Status.RESOLVED: ("Resolved", "is resolved"),
    Status.FALSE_ALARM: ("False alarm", "ended as a false alarm"),
    Status.DUPLICATE: ("Duplicate", "ended as a duplicate"),
    Status.CLOSED: ("Closed", "is closed"),
}

#: what each turn leads to; a message that tells people to rest keeps the status of its moment
STATUS_AFTER: dict[type[e.Event], Status] = {
    e.Mitigated: Status.MITIGATED,
    e.Resolved: Status.RESOLVED,
    e.Reopened: Status.INVESTIGATING,
    e.FalseAlarm: Status.FALSE_ALARM,
    e.MarkedDuplicate: Status.DUPLICATE,
}


def heading(status: Status, duplicate_of: int = 0) -> str:
    """ "Resolved", "Duplicate of INC-40"."""
    word = STATUS_WORDS[status][0]
    return f"{word} of INC-{duplicate_of}" if status is Status.DUPLICATE and duplicate_of else word


def predicate(status: Status) -> str:
    """To go on with after the incident's name: "is resolved", "ended as a false alarm"."""
    return STATUS_WORDS[status][1]


def how_ended(incident: Incident) -> str:
    """ "Resolved", "False alarm", "Duplicate of INC-40": from the event that ended it; empty while it is open.

    A closed record still ended in one of these ways.
    """
    return heading(incident.ended_as, incident.duplicate_of) if incident.ended_as else ""


def standing(incident: Incident) -> str:
    """ "Investigating", "Resolved", "False alarm, closed"."""
    ended = how_ended(incident)
    if incident.status is Status.CLOSED and ended:
        return f"{ended}, {STATUS_WORDS[Status.CLOSED][0].lower()}"
    return ended or heading(incident.status)


def turned(event: e.Event) -> str:
    """What an event of STATUS_AFTER made of the incident: "Resolved", "Reopened", "Duplicate of INC-40"."""
    if isinstance(event, e.Reopened):
        return "Reopened"
    return heading(STATUS_AFTER[type(event)], event.of if isinstance(event, e.MarkedDuplicate) else 0)
