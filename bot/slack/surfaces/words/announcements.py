"""The sentences of the announcement: one line for each public incident, edited in place, and what follows it."""

from __future__ import annotations

from bot.slack.surfaces.text import with_full_stop

RECORDED_AFTERWARDS = "recorded afterwards"


def announced(status: str, lead: str, next: str, where: str) -> str:
    return " · ".join(part for part in (status, lead, next, where) if part)


def now_worst(name: str, severity: str, title: str, who: str, reason: str) -> str:
    return with_full_stop(f"{name} is {severity} now, by {who}: {title}" + (f". {reason}" if reason else ""))


def reopened_since(when: str, status: str) -> str:
    return f"Reopened {when}, {status[:1].lower()}{status[1:]}"


def announced_resolved(name: str, title: str, took: str) -> str:
    return f"Resolved: {name}, {title}" + (f"; {took}." if took else ".")


def announced_reopened(name: str, title: str, when: str, ended: str) -> str:
    return f"Reopened {when}: {name}, {title}. It had been resolved {ended}."
