"""The sentences of the card, which says how the incident stands."""

from __future__ import annotations

from bot.slack.surfaces.words.people import NOBODY

IMPACT_UNKNOWN = "Impact: not stated yet"
ONLY_AT_END = "an update when it is resolved"


def headline(severity: str, assumed: bool, title: str) -> str:
    return f"{severity}{' (assumed)' if assumed else ''} · {title}"


def card_sentence(name: str, severity: str, title: str, standing: str) -> str:
    return f"{name}, {severity}: {title}; {standing}."


def leads(who: str) -> str:
    return f"{who} leads" if who else "nobody leads yet"


def next_update(when: str) -> str:
    return f"next update {when}"


def impact(words: str, since: str) -> str:
    return f"Impact: {words}" + (f", since {since}" if since else "")


def began(since: str) -> str:
    return f"{IMPACT_UNKNOWN}; it began {since}"


def customers_told(told: str, promised: str) -> str:
    return f"customers told {told}" + (f", promised {promised}" if promised else "")


def roles(lead: str, comms: str, scribe: str, status: str) -> str:
    parts = [f"Lead {lead or NOBODY}", f"comms {comms or NOBODY}"]
    parts += [f"scribe {scribe}"] if scribe else []
    return " · ".join([*parts, f"status {status}"])


def declared(when: str, who: str) -> str:
    return f"declared {when} by {who}"


def recorded_afterwards(when: str, who: str) -> str:
    return f"recorded afterwards, {when}, by {who}"


def progress(title: str, done: int, of: int) -> str:
    return f"runbook {title} {done} of {of}"


def unanswered_since(since: str, count: int) -> str:
    return f"Nobody has answered since {since}; {count} tried." if count else f"Nobody has answered since {since}."


def not_here(whos: str) -> str:
    return f"could not be invited: {whos}"


def waiting_line(what: str, since: str, again: str) -> str:
    return f"Waiting: {what}, since {since}; look again {again}"


def held(until: str, watcher: str) -> str:
    return f"Held until {until}; {watcher} watches"


def ended(status: str, when: str, who: str, why: str) -> str:
    return f"{status} {when}" + (f" by {who}" if who else "") + (f": {why}" if why else "")
