"""Reading JSON that nobody here wrote: strictly where it could be meant in two ways, and never more than is shown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NoReturn
from urllib.parse import urlsplit

from bot.domain.errors import InvalidPayload

#: characters that an alert keeps of each part
MAX_NAME_CHARS, MAX_TITLE_CHARS, MAX_WORD_CHARS, MAX_LABEL_CHARS, MAX_LINK_CHARS = 100, 300, 40, 200, 1000
MAX_LABELS = 20

#: control characters, marks that turn the direction of the text around them, halves of characters
_HARMFUL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def parse_json(body: bytes) -> Any:
    """The JSON of a body. What may be meant in two ways (a key twice, NaN) is refused like what is no JSON."""
    try:
        return json.loads(body.decode(), object_pairs_hook=_once, parse_constant=_no_number)
    except InvalidPayload:
        raise
    except (ValueError, RecursionError):  # no UTF-8, no JSON, a number of 5,000 digits, brackets without end
        raise InvalidPayload("it is not JSON") from None


def _once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise InvalidPayload("a key stands there twice")
        found[key] = value
    return found


def _no_number(_: str) -> NoReturn:
    raise InvalidPayload("it holds what is no number")


def mapping(value: Any, what: str) -> Mapping[str, Any]:
    """An object; nothing at all is an empty one. Raises Unreadable for anything else."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InvalidPayload(f"{what} is not an object")
    return value


def line(value: Any, most: int) -> str:
    """One line of at most so many characters, “…” where something was cut; a number is text, too, all else nothing."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    text = " ".join(_HARMFUL.sub(" ", str(value)[: 4 * most]).split())
    return text if len(text) <= most else text[: most - 1] + "…"


def link(value: Any) -> str:
    """An address that may be shown as a link; empty for one that is none, or that would have to be cut."""
    if (
        not isinstance(value, str)
        or len(value) > MAX_LINK_CHARS
        or re.search(r"[\s<>|]", value)
        or _HARMFUL.search(value)
    ):
        return ""
    try:
        parts = urlsplit(value)
        return value if parts.scheme in ("http", "https") and parts.hostname else ""
    except ValueError:
        return ""


def labels(found: Mapping[str, Any], but: Iterable[str] = ()) -> tuple[tuple[str, str], ...]:
    """The first labels, none of `but`, as far as they say something."""
    left_out = set(but)
    pairs = (
        (line(name, MAX_NAME_CHARS), line(value, MAX_LABEL_CHARS))
        for name, value in found.items()
        if name not in left_out
    )
    return tuple([(name, value) for name, value in pairs if name and value][:MAX_LABELS])


def parse_time(value: Any) -> datetime | None:
    """A time with its zone as senders write it (RFC 3339), in UTC; None for anything else, and for Go's zero time."""
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
        return at.astimezone(UTC) if at is not None and at.tzinfo is not None and at.year > 1970 else None
    except (ValueError, OverflowError):
        return None
