"""The sentences of how an incident ends, and of how it is opened again."""

from __future__ import annotations

from bot.slack.surfaces.text import with_full_stop

MET = {"yes": "met", "no": "not met", "unknown": "unknown"}


def mitigated(who: str, when: str, note: str) -> str:
    return with_full_stop(f"Mitigated {when} by {who}" + (f": {note}" if note else ""))


MITIGATED_NEXT = "Updates come half as often from now on. When it is over: `{command} resolve`."


def resolved(title: str, took: str, mitigated: str) -> str:
    """`took`, `mitigated`: how long it took, in the words of reports/statistics.py."""
    lines = [f"*Resolved: {title}*{f': {took}.' if took else ''}", *([f"Mitigated: {mitigated}."] if mitigated else [])]
    return "\n".join(lines)


def resolution_note(who: str, note: str) -> str:
    return with_full_stop(f"Resolved by {who}" + (f": {note}" if note else ""))


def overridden(conditions: list[str], reason: str, second: str) -> str:
    agreed = f" {second} agreed." if second else ""
    return f"Open conditions: {'; '.join(conditions)}. Resolved anyway: {with_full_stop(reason)}{agreed}"


def postmortem(owner: str, due: str) -> str:
    return f"Postmortem: {owner or 'nobody yet'}, due {due}."


def reopened(who: str, when: str, reason: str) -> str:
    return with_full_stop(f"Reopened {when} by {who}" + (f": {reason}" if reason else ""))


def false_alarm(who: str, when: str, reason: str) -> str:
    return with_full_stop(f"False alarm {when}, by {who}" + (f": {reason}" if reason else ""))


def duplicate(who: str, when: str, of: str) -> str:
    return f"Duplicate of {of}, {when}, by {who}. Go on there."


def stood_down(name: str, title: str, status: str, who: str) -> str:
    return f"{name}{f', {title}' if title else ''}: {status}. You can rest; {who} has it."


def stood_down_groups(to: str, who: str) -> str:
    return f"{to}: you can rest; {who} has it."
