"""Events to text and back. What is written is read for ever: new fields take their defaults, unknown ones are
ignored, an event of a type unknown here becomes `Unknown`.

A body is JSON with sorted keys and no spaces, moments in UTC; `by` and `at` have columns of their own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from bot.domain import events as e
from bot.store import timestamps
from bot.store.errors import Damaged

#: types of which a later release has added fields; every other is at 1
VERSIONS: dict[str, int] = {"OverrideAsked": 2, "PostmortemShared": 2}

_HALF = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class EncodedEvent:
    """An event as its row holds it."""

    type: str
    v: int
    at: str
    by: str
    body: str


@cache
def _adapter(type: str) -> TypeAdapter[e.Event]:
    return TypeAdapter(e.EVENTS[type])


def encode(event: e.Event) -> tuple[EncodedEvent, e.Event]:
    """The row's text, and the event as it will be read back.

    The two differ only where a text holds half a character (a lone surrogate), which no database takes: it
    becomes U+FFFD. Raises ValueError for a moment without a time zone, and for an event that has no place in EVENTS.
    """
    type = event.__class__.__name__
    if e.EVENTS.get(type) is not event.__class__:
        raise ValueError(f"{type} is not an event that can be stored")
    body = _body(_plain(event, type))
    row = EncodedEvent(type, VERSIONS.get(type, 1), timestamps.to_text(event.at), event.by, body)
    if not (_HALF.search(body) or _HALF.search(event.by)):
        return row, event
    row = replace(row, by=_whole(row.by), body=_whole(row.body))
    return row, decode(row.type, row.at, row.by, row.body)


def decode(type: str, at: str, by: str, body: str) -> e.Event:
    """The event of a row. Raises Damaged for what this program cannot have written."""
    try:
        if type not in e.EVENTS:
            return e.Unknown(by=by, at=timestamps.from_text(at), type=type)
        own = f'{{"at":{json.dumps(at)},"by":{json.dumps(by)}'
        return _adapter(type).validate_json(own + ("}" if body == "{}" else "," + body[1:]))
    except (ValidationError, ValueError) as error:
        # the cause holds what people wrote, so it stays out of the message
        raise Damaged(f"an event of type {type} cannot be read") from error


def _plain(event: e.Event, type: str) -> dict[str, Any]:
    plain = _adapter(type).dump_python(event, warnings="error")
    del plain["by"], plain["at"]
    return plain  # type: ignore[no-any-return]


def _text(value: object) -> str:
    match value:
        case datetime():
            return timestamps.to_text(value)
        case date():
            return value.isoformat()
    raise ValueError(f"a {value.__class__.__name__} cannot be stored")


_body = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_text).encode


def _whole(text: str) -> str:
    return _HALF.sub("\ufffd", text)


def plain_text(body: Mapping[str, Any]) -> str:
    """Anything made of JSON's own types, as text."""
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def read_plain(text: str) -> dict[str, Any]:
    """What `plain_text` wrote."""
    return json.loads(text)  # type: ignore[no-any-return]
