"""Every sentence of the app's Home. Arguments are mrkdwn already; names notify nobody."""

from __future__ import annotations

from datetime import date

from bot.reports.overview import WaitingKind
from bot.slack.surfaces.words.channel import day

TITLE = "Incidents"
DECLARE = "Declare an incident"
WAITS = "Waits for you"
NOTHING_WAITS = "Nothing waits for you."
OPEN = "Open"
NONE_OPEN = "No incident is open."
ENDED = "Ended in the last two weeks"
FOOT = "This page changes when an incident does. Times are UTC, yours in brackets."

_WAITING = {
    WaitingKind.PAGE: "nobody has answered yet: {what}",
    WaitingKind.STEP: "{by} waits for you as the second person: {what}",
    WaitingKind.GO: "{by} gave you the go-ahead: {what}",
    WaitingKind.REVIEW: "look at what {by} did: {what}",
    WaitingKind.TEXT: "{by} asks you to approve a text ({what})",
    WaitingKind.HANDOVER: "{by} is taking over from you as {what}",
    WaitingKind.OVERRIDE: "{by} asks you to agree to resolve it with open conditions: {what}",
    WaitingKind.TASK: "your action item: {what}",
}


def waiting(kind: WaitingKind, name: str, what: str, by: str, until: str, due_on: date | None, channel: str) -> str:
    """One thing that waits for the reader, and where to do it."""
    parts = [f"*{name}* {_WAITING[kind].format(what=what, by=by)}"]
    parts += [f"until {until}"] if until else []
    parts += [f"due {day(due_on)}"] if due_on else []
    return "• " + " · ".join([*parts, *([channel] if channel else [])])


def opened(name: str, severity: str, stands: str, title: str, lead: str, due: str, channel: str) -> str:
    """One open incident, with what is due next."""
    parts = [f"*{name}* {severity} · {stands} · {title}", f"lead {lead or 'nobody yet'}"]
    return "• " + " · ".join([*parts, *filter(None, (due, channel))])


def due_next(update: str, overdue: bool, promise: str) -> str:
    """What is due next: an update, and what customers were promised."""
    told = [f"update overdue since {update}" if overdue else f"next update {update}"] if update else []
    told += [f"text to customers {promise}"] if promise else []
    return ", ".join(told)


def ended(name: str, title: str, how: str, when: str, postmortem: str, channel: str) -> str:
    """One incident that ended lately: how, and its postmortem."""
    parts = [f"*{name}* {title}", f"{how} {when}", postmortem]
    return "• " + " · ".join([*parts, *([channel] if channel else [])])


POSTMORTEM = "postmortem"
POSTMORTEM_WRITTEN = "postmortem drafted"
NO_POSTMORTEM = "no postmortem asked for"


def postmortem_shared(link: str) -> str:
    """`link`: to the file; empty where its address is not known."""
    return link or f"{POSTMORTEM} shared"


def postmortem_due(on: date) -> str:
    """The day by which the postmortem has to be shared."""
    return f"postmortem due {day(on)}"


def more(count: int, command: str) -> str:
    """What is not shown."""
    return f"… and {count} more: `{command} list`"
