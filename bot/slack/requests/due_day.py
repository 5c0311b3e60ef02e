"""The day at the end of an action item: "by Friday", "by 2026-12-04", "by 4 Dec". Days are UTC's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

from bot.domain.errors import Refused
from bot.slack.requests.arguments import closest_word

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WEEKDAY_SHORT = {
    "mon": 0, "tue": 1, "tues": 1, "wed": 2, "thu": 3, "thur": 3, "thurs": 3, "fri": 4, "sat": 5, "sun": 6,
}  # fmt: skip
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_MONTH_SHORT = {one[:3]: number for number, one in enumerate(_MONTHS, 1)} | {"sept": 9}
#: words that mean a time, but no day that everybody would take for the same
_VAGUE = frozenset({
    "eod", "eow", "eom", "noon", "midnight", "tonight", "morning", "afternoon", "evening", "night", "weekend", "week",
    "weeks", "month", "months", "quarter", "sprint", "year", "day", "days", "hour", "hours", "yesterday", "next", "end",
    "soon", "later",
})  # fmt: skip
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_DAY_NUMBER = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?", re.IGNORECASE)
#: what may follow "by" and be a day at all: "the end of next week"
_MAX_WORDS = 5


def split_due(text: str, today: date) -> tuple[str, str, date | None]:
    """What is to be done, the words that name its day, and the day; without a day all is what is to be done.

    Raises Refused for words that look like a day and cannot be read: they are asked for again, not kept as text.
    """
    body, sep, words = text.rpartition(" by ")
    if not sep or not body.strip() or len(words.split()) > _MAX_WORDS:
        return text, "", None
    said = words.strip().rstrip(".!")
    day = _day(said.lower(), today)
    if day is not None:
        if day < today:
            raise Refused(f"“{said}” is in the past. Write a day from today on, such as `by {today:%Y-%m-%d}`.")
        return body.strip(), said, day
    if any(_looks_like_a_day(one) for one in _tokens(said)):
        raise Refused(_asked_again(said, today))
    return text, "", None


def _day(words: str, today: date) -> date | None:
    """The day that these words name; None where they name none that everybody would read in the same way."""
    words = re.sub(r"^(?:on|the) ", "", words)
    if words in ("today", "tomorrow"):
        return today + timedelta(days=words == "tomorrow")
    weekday = _WEEKDAYS.index(words) if words in _WEEKDAYS else _WEEKDAY_SHORT.get(words)
    if weekday is not None:
        return today + timedelta(days=(weekday - today.weekday() - 1) % 7 + 1)
    try:
        if iso := _ISO.fullmatch(words):
            return date(*map(int, iso.groups()))
        return _day_of_month(words.replace(",", " ").split(), today)
    except ValueError:  # the 31st of February
        return None


def _day_of_month(words: list[str], today: date) -> date | None:
    """ "4 Dec", "December 4th", "4 December 2026"; without a year the next such day."""
    words = [one for one in words if one != "of"]
    if len(words) not in (2, 3) or (len(words) == 3 and not re.fullmatch(r"\d{4}", words[2])):
        return None
    first, second = words[:2]
    name, number = (second, first) if _DAY_NUMBER.fullmatch(first) else (first, second)
    month, day = _month(name), _DAY_NUMBER.fullmatch(number)
    if month is None or day is None:
        return None
    if len(words) == 3:
        return date(int(words[2]), month, int(day.group(1)))
    for year in range(today.year, today.year + 9):  # the 29th of February is not in every year
        try:
            found = date(year, month, int(day.group(1)))
        except ValueError:
            continue
        if found >= today:
            return found
    return None


def _month(word: str) -> int | None:
    return _MONTHS.index(word) + 1 if word in _MONTHS else _MONTH_SHORT.get(word)


def _tokens(words: str) -> Iterator[str]:
    yield from re.findall(r"[\w./:-]+", words.lower())


def _looks_like_a_day(word: str) -> bool:
    """Whether somebody may have meant a day by it: also one slip away from one."""
    if (
        word in _VAGUE
        or word in _WEEKDAY_SHORT
        or _month(word) is not None
        or word in ("today", "tomorrow", *_WEEKDAYS)
    ):
        return True
    if re.search(r"\d[-/.:]\d", word) or _DAY_NUMBER.fullmatch(word) or re.fullmatch(r"\d{4}", word):
        return True
    return len(word) >= 5 and closest_word(word, ("today", "tomorrow", *_WEEKDAYS)) is not None


def _asked_again(said: str, today: date) -> str:
    meant = next((near for one in _tokens(said) if (near := closest_word(one, ("tomorrow", *_WEEKDAYS)))), "")
    guess = f" Did you mean {meant.capitalize() if meant in _WEEKDAYS else meant}?" if meant else ""
    example = today + timedelta(days=7)
    return (
        f"I cannot read “{said}” as a day, so nothing was written down.{guess} "
        f"Write `by Friday`, `by tomorrow` or `by {example:%Y-%m-%d}`."
    )
