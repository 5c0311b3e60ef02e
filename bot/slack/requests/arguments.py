"""What somebody typed: a verb with its arguments, something near one, or free text. Never a guess.

A first word is a verb only if the rest parses as its arguments. `inbound/dispatch.py` names each verb's reader; how
each kind of argument reads is a function here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.errors import Refused

MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>")
CHANNEL = re.compile(r"<#(C[A-Z0-9]+)(?:\|[^>]*)?>")
_SEVERITY = re.compile(r"sev-?\d+|p-?\d", re.IGNORECASE)
_HANDLE = re.compile(r"@([a-z0-9][a-z0-9._-]{0,79})", re.IGNORECASE)
_INCIDENT = re.compile(r"(?:inc[- ]?)?#?(\d{1,7})", re.IGNORECASE)
_CLOCK = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2}[ T])?(?P<hour>\d{1,2})[:.h](?P<minute>\d{2})(?P<zone>\s*(?:utc|z|gmt))?\b", re.I
)
_LENGTH = re.compile(r"(?:in\s+)?(?P<n>\d{1,4})\s*(?P<unit>m|min|mins|minutes?|h|hours?|d|days?)\b", re.IGNORECASE)

#: words after a number that make it a length or a share, not a severity: "sev 2 hours stuck"
UNITS = frozenset(
    {
        "h", "hr", "hrs", "hour", "hours", "m", "min", "mins", "minute", "minutes", "s", "sec", "secs", "second",
        "seconds", "d", "day", "days", "week", "weeks", "month", "months", "of", "x", "times", "more", "percent", "%",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Arguments:
    """Arguments that a verb understood, by name."""

    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class MissingArguments:
    """The verb is clear and something is missing: one line of usage answers."""


@dataclass(frozen=True)
class TimeWithoutZone:
    """A time without a zone: asked back with two buttons. `before` and `after` are the words around it."""

    hour: int
    minute: int
    day: str = ""  # 2026-11-20, where a day was given
    before: str = ""
    after: str = ""


class Tense(StrEnum):
    """Which moment a clock time without a date means: the nearest one, one that has been, or the next one."""

    NEAREST = "nearest"
    PAST = "past"
    FUTURE = "future"


#: a verb's own reading of what follows it; None: these are not its arguments
ParseResult = Arguments | MissingArguments | TimeWithoutZone | None


def severity_like(word: str) -> bool:
    """Whether a word can only be meant as a severity: sev9, sev-4, p7. "p99" is a latency, not a slip."""
    return _SEVERITY.fullmatch(word) is not None


def person_in(text: str, me: str) -> tuple[str, str] | None:
    """The first person named ("me", a mention, or @handle kept as it is) and the rest of the text."""
    words = text.strip()
    if words.lower() == "me" or words.lower().startswith("me "):
        return me, words[2:].strip()
    if (mention := MENTION.match(words)) is not None:
        return mention.group(1), words[mention.end() :].strip()
    if (handle := _HANDLE.match(words)) is not None:
        return f"@{handle.group(1)}", words[handle.end() :].strip()
    return None


def incident_in(text: str) -> int | None:
    """INC-40, inc40, #40 or 40 as a number."""
    match = _INCIDENT.fullmatch(text.strip())
    return int(match.group(1)) if match else None


def time_in(text: str, now: datetime, tense: Tense = Tense.NEAREST) -> tuple[datetime, str] | TimeWithoutZone | None:
    """A leading time ("13:40 UTC", "2026-11-20 13:40 UTC", "in 20 min", "20 min ago") as a moment, and the rest.

    A clock time without a date is the nearest such moment, so that "23:50" said at 00:10 was yesterday. In the past
    tense one that lies more than an hour ahead was the day before; in the future tense one that is over is tomorrow's.
    """
    words = text.strip()
    if (length := _LENGTH.match(words)) is not None:
        unit = length.group("unit")[0].lower()
        amount = int(length.group("n"))
        delta = {"m": timedelta(minutes=amount), "h": timedelta(hours=amount), "d": timedelta(days=amount)}[unit]
        rest = words[length.end() :].strip()
        first, after = split_first_word(rest)
        return (now - delta, after) if first.lower() == "ago" else (now + delta, rest)
    clock = _CLOCK.match(words)
    if clock is None:
        return None
    hour, minute = int(clock.group("hour")), int(clock.group("minute"))
    if hour > 23 or minute > 59:
        return None
    rest = words[clock.end() :].strip()
    day = (clock.group("day") or "").strip(" T")
    try:
        date = datetime.fromisoformat(day) if day else now
    except ValueError:
        return None
    if not clock.group("zone"):
        return TimeWithoutZone(hour, minute, day, after=rest)
    if day:
        return now.replace(
            year=date.year, month=date.month, day=date.day, hour=hour, minute=minute, second=0, microsecond=0
        ), rest
    at = nearest_clock_time(hour, minute, now)
    if tense is Tense.PAST and at - now > timedelta(hours=1):
        at -= timedelta(days=1)
    elif tense is Tense.FUTURE and at <= now:
        at += timedelta(days=1)
    return at, rest


def exact_time(text: str, now: datetime, tense: Tense, field: str) -> datetime:
    """A time that was typed into a form's field and nothing else. Raises Refused, which names the field."""
    found = time_in(text, now, tense)
    if not isinstance(found, tuple) or found[1]:
        raise Refused("Write a time with its zone, such as 13:40 UTC or 2026-03-02 13:40 UTC.", field=field)
    return found[0]


def nearest_clock_time(hour: int, minute: int, now: datetime) -> datetime:
    """The moment with this clock time (UTC) that is nearest to now."""
    today = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return min((today + timedelta(days=d) for d in (-1, 0, 1)), key=lambda at: abs(at - now))


def closest_word(word: str, known: Iterable[str]) -> str | None:
    """The known word that somebody may have meant: one slip away, two for words of six letters and more."""
    word = word.lower()
    best = min(((_edit_distance(word, one), one) for one in known), default=(99, ""))
    allowed = 0 if len(word) < 3 else 1 if len(word) < 6 else 2
    return best[1] if 0 < best[0] <= allowed else None


def _edit_distance(a: str, b: str) -> int:
    """Insertions, deletions, replacements and swaps of neighbours between two words."""
    if abs(len(a) - len(b)) > 2:
        return 99
    rows: list[list[int]] = [list(range(len(b) + 1))]
    for i, x in enumerate(a, 1):
        row = [i]
        for j, y in enumerate(b, 1):
            cost = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, rows[-2][j - 2] + 1)
            row.append(cost)
        rows.append(row)
    return rows[-1][-1]


def split_first_word(text: str) -> tuple[str, str]:
    """The first word and the rest."""
    first, _, rest = text.strip().partition(" ")
    return first, rest.strip()
