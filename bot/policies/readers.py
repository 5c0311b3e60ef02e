"""Readers of single values: what TOML gave -> what Policy holds, or Wrong with what to write instead."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from datetime import time, timedelta
from typing import Any, TypeVar

T = TypeVar("T")

NOTHING = timedelta(0)
WEEK = timedelta(days=7)
#: a group of checkboxes holds 10 options (https://docs.slack.dev/reference/block-kit/block-elements/checkboxes-element)
MAX_OPTIONS = 10
#: and the text of an option 75 characters (https://docs.slack.dev/reference/block-kit/composition-objects/option-object)
MAX_SENTENCE_CHARS = 75
MAX_LIST_ITEMS = 200

_DURATION = re.compile(r"(?P<minus>-)?(?:(?P<h>\d{1,4})h)?(?:(?P<m>\d{1,5})m)?(?:(?P<s>\d{1,6})s)?")
_KEY = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
#: a name of a channel: https://docs.slack.dev/reference/methods/conversations.create
_CHANNEL = re.compile(r"[a-z0-9_-]{1,80}")
_ID = re.compile(r"[UWS][A-Z0-9]{2,20}")
_HANDLE = re.compile(r"@[a-z0-9][a-z0-9._-]{0,79}")


class InvalidValue(Exception):
    """What does not read: pairs of the rest of the key ("" for the key itself) and a sentence."""

    def __init__(self, *found: str | tuple[str, str]) -> None:
        super().__init__(found)
        self.found = tuple(("", one) if isinstance(one, str) else one for one in found)


def _quoted(value: Any) -> str:
    text = str(value) if isinstance(value, str) else repr(value)
    return f"“{' '.join(text.split())[:40]}”"


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise InvalidValue(f"{_quoted(value)} has to be a text in quotes")
    text = " ".join(value.split())
    if not text:
        raise InvalidValue("is empty")
    if not text.isprintable():
        raise InvalidValue("contains characters that cannot be shown")
    return text


def line(limit: int) -> Callable[[Any], str]:
    """A reader of one line of at most `limit` characters."""

    def read(value: Any) -> str:
        text = _text(value)
        if len(text) > limit:
            raise InvalidValue(f"is {len(text) - limit} characters too long; {limit} fit")
        return text

    return read


def key(value: Any) -> str:
    """One short word in small letters: `sev1`."""
    text = _text(value)
    if not _KEY.fullmatch(text) or len(text) > 20:
        raise InvalidValue(
            f"{_quoted(value)} has to be one short word of small letters, digits and dashes, such as sev1"
        )
    return text


def word(value: Any) -> str:
    """What somebody may type for a severity; case does not count."""
    text = _text(value).lower()
    if " " in text or len(text) > 20:
        raise InvalidValue(f"{_quoted(value)} has to be one short word, such as p1")
    return text


def phrase(value: Any) -> str:
    """Words looked for in titles, in the form in which titles are compared: small letters and digits."""
    text = " ".join("".join(c.lower() if c.isalnum() else " " for c in _text(value)).split())
    if not text:
        raise InvalidValue(f"{_quoted(value)} holds no letters or digits")
    return text


def duration(value: Any) -> timedelta:
    """`30m`, `2h`, `1h30m`, `45s`; more than nothing, a week at most."""
    span = _span(value)
    if not NOTHING < span <= WEEK:
        raise InvalidValue(f"{_quoted(value)} has to be more than nothing and at most a week")
    return span


def offset(value: Any) -> timedelta:
    """Like `duration`, and also `0m` and `-5m`: before."""
    span = _span(value)
    if abs(span) > WEEK:
        raise InvalidValue(f"{_quoted(value)} has to be a week at most")
    return span


def _span(value: Any) -> timedelta:
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None or not (match["h"] or match["m"] or match["s"]):
        raise InvalidValue(f"{_quoted(value)} is not a duration; write 30m, 2h, 1h30m or 45s, in quotes")
    hours, minutes, seconds = (int(match[unit] or 0) for unit in ("h", "m", "s"))
    span = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return -span if match["minus"] else span


def time_of_day(value: Any) -> time | None:
    """`08:00`, in UTC; an empty text is never."""
    if value == "":
        return None
    match = re.fullmatch(r"(\d{1,2}):(\d{2})", value) if isinstance(value, str) else None
    if match is None or int(match[1]) > 23 or int(match[2]) > 59:
        raise InvalidValue(f"{_quoted(value)} is not a time of the day; write 08:00, which is UTC, or “” for never")
    return time(int(match[1]), int(match[2]))


def count(least: int, most: int) -> Callable[[Any], int]:
    """A reader of whole numbers from `least` to `most`."""

    def read(value: Any) -> int:
        # True is an int in Python
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise InvalidValue(f"{_quoted(value)} has to be a whole number from {least} to {most}")
        return value

    return read


def yes_or_no(value: Any) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        raise InvalidValue(f"{_quoted(value)} has to be true or false, without quotes")
    return value


def choice(known: tuple[str, ...]) -> Callable[[Any], str]:
    """A reader of one of these texts."""

    def read(value: Any) -> str:
        text = _text(value)
        if text not in known:
            raise InvalidValue(f"{_quoted(value)} has to be one of: {', '.join(f'“{one}”' for one in known)}")
        return text

    return read


def channel(value: Any) -> str:
    """The name of a channel; a # before it is dropped."""
    text = _text(value).removeprefix("#")
    if not _CHANNEL.fullmatch(text):
        raise InvalidValue(f"{_quoted(value)} is not the name of a channel: small letters, digits, - and _, at most 80")
    return text


def who(value: Any) -> str:
    """Somebody or a group: an id (U…, W…, S…) or a handle (@payments-oncall)."""
    text = _text(value)
    if not _ID.fullmatch(text) and not _HANDLE.fullmatch(text):
        raise InvalidValue(f"{_quoted(value)} has to be a handle such as @payments-oncall, or an id such as U… or S…")
    return text


def each(read: Callable[[Any], T]) -> Callable[[Any], tuple[T, ...]]:
    """A reader of lists whose every entry `read` reads."""

    def read_all(value: Any) -> tuple[T, ...]:
        if not isinstance(value, list):
            raise InvalidValue(f"{_quoted(value)} has to be a list: […]")
        if len(value) > MAX_LIST_ITEMS:
            raise InvalidValue(f"has {len(value)} entries; {MAX_LIST_ITEMS} at most are read")
        found: list[T] = []
        problems: list[tuple[str, str]] = []
        for number, one in enumerate(value, 1):
            try:
                found.append(read(one))
            except InvalidValue as wrong:
                problems += [(f"[{number}]{more}", sentence) for more, sentence in wrong.found]
        if problems:
            raise InvalidValue(*problems)
        return tuple(found)

    return read_all


def each_once(read: Callable[[Any], str]) -> Callable[[Any], tuple[str, ...]]:
    """Like `each`, and nothing is there twice."""

    def read_all(value: Any) -> tuple[str, ...]:
        found = each(read)(value)
        again = [one for one, times in Counter(found).items() if times > 1]
        if again:
            raise InvalidValue(*(f"{_quoted(one)} is there twice" for one in again))
        return found

    return read_all


def some(read: Callable[[Any], str]) -> Callable[[Any], tuple[str, ...]]:
    """Like `each_once`, and not empty."""

    def read_all(value: Any) -> tuple[str, ...]:
        found = each_once(read)(value)
        if not found:
            raise InvalidValue("is empty, so nobody would be asked")
        return found

    return read_all
