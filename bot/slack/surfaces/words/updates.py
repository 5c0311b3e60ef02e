"""The sentences of updates, of reminders of them, of waiting, and of a changed severity."""

from __future__ import annotations

from bot.slack.surfaces.text import with_full_stop


def severity_changed(old: str, new: str, who: str, reason: str, rhythm: str) -> str:
    return f"{old} → {new} by {who}" + (f": {with_full_stop(reason)}" if reason else ".") + f" {rhythm}"


def update_interval(every: str) -> str:
    return f"Updates every {every}." if every else "One update is enough, when it is resolved."


PROMISES_STAND = "Times that were promised stay."


def waiting(who: str, what: str, again: str) -> str:
    return f"{who} waits for somebody else: {what}. Reminders pause; look again {again}."


def waited(what: str, since: str, until: str) -> str:
    return f"Waited for {what}, {since} to {until}."


def look_again(lead: str, what: str) -> str:
    return f"{lead}Time to look again: {what}."


def update_head(who: str, when: str) -> str:
    return f"*Update* by {who}, {when}"


def update_foot(impact: str, next: str) -> str:
    return " · ".join([*([f"Impact: {impact}"] if impact else []), *([f"next update by {next}"] if next else [])])


def nothing_new(who: str, when: str, text: str, next: str) -> str:
    return f"{who}, {when}: {text}" + (f" Next update by {next}." if next else "")


def update_due(when: str, late: str) -> str:
    return f"The update was due {when}; it is {late}." if late else f"The update is due {when}."


def promise_due(audience: str, when: str, late: str) -> str:
    return f"{audience or 'Customers'} were promised a text by {when}" + (f"; it is {late}." if late else ".")


def remind(to: str, name: str, dues: str) -> str:
    return f"{to}: {dues}" if to else f"{dues} Nobody holds the lead of {name}."


def remind_direct(name: str, dues: str) -> str:
    return f"{name}: {dues}"


def sent_late(what: str, when: str, late: str) -> str:
    return f"{what} sent {when}, {late}."
