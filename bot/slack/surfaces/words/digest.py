"""Every sentence of the digest. Arguments are mrkdwn already; names notify nobody."""

from __future__ import annotations

from datetime import date

from bot.slack.surfaces.words.channel import day as day

NOBODY = "nobody yet"


def head(on: date) -> str:
    """The digest's title."""
    return f"How incidents stand, {day(on)}"


def summary(on: date, opened: int, postmortems: int, tasks: int, runbooks: int) -> str:
    """The digest in one sentence, for notifications."""
    counts = (
        (opened, "open incident"), (postmortems, "overdue postmortem"), (tasks, "overdue action item"),
        (runbooks, "runbook to review"),
    )  # fmt: skip
    told = [f"{count} {plural(noun, count)}" for count, noun in counts if count]
    return f"{head(on)}: {', '.join(told)}."


def plural(noun: str, count: int) -> str:
    """ "1 runbook to review", "2 runbooks to review"."""
    if count == 1:
        return noun
    first, _, rest = noun.partition(" to ")
    return f"{first}s to {rest}" if rest else f"{first}s"


OPEN = "Open incidents"
POSTMORTEMS = "Overdue postmortems"
TASKS = "Overdue action items"
RUNBOOKS = "Runbooks whose review is overdue"


def next_update(due: str, overdue: bool) -> str:
    """When people hear of it next, or should have."""
    return f"update overdue since {due}" if overdue else f"next update {due}"


def open_line(name: str, severity: str, stands: str, title: str, lead: str, due: str, channel: str) -> str:
    """One open incident."""
    parts = [f"*{name}* {severity} · {stands} · {title}", f"lead {lead or NOBODY}"]
    parts += [due] if due else []
    return "• " + " · ".join([*parts, *([channel] if channel else [])])


def postmortem_line(name: str, title: str, lead: str, due: date, channel: str) -> str:
    """One postmortem that is not shared yet."""
    return "• " + " · ".join(
        [f"*{name}* {title}", f"due {day(due)}", f"owner {lead or NOBODY}", *filter(None, [channel])]
    )


def task_line(name: str, text: str, owner: str, due: date) -> str:
    """One action item."""
    return f"• {text} · *{name}* · due {day(due)} · owner {owner or NOBODY}"


def runbook_line(title: str, reviewed: date | None, owner: str) -> str:
    """One runbook."""
    last = f"last reviewed {day(reviewed)}" if reviewed else "never reviewed"
    return f"• {title} · {last} · owner {owner or NOBODY}"


def more(count: int) -> str:
    """What is not shown."""
    return f"… and {count} more"
