"""Checks that Block Kit's tables are made of: each takes (value, path, out) and adds sentences with JSON pointers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

Json = dict[str, Any]
Out = list[str]
Check = Callable[[Any, Any, Out], None]
"""A path is nested pairs (path of the parent, key), None at the root: nothing is joined where all is well."""


def say(out: Out, path: Any, problem: str) -> None:
    keys: list[str] = []
    while path is not None:
        path, key = path
        keys.append(str(key))
    out.append(f"{problem} [json-pointer:/{'/'.join(reversed(keys))}]")


def anything(value: Any, path: Any, out: Out) -> None:
    if value is None:
        say(out, path, "must provide a value")


def https(most: int | None = None) -> Check:
    """An https:// address."""
    words = string(most)

    def check(value: Any, path: Any, out: Out) -> None:
        words(value, path, out)
        if isinstance(value, str) and value and not value.lower().startswith("https://"):
            say(out, path, "must be a valid HTTPS URL")

    return check


def flag(value: Any, path: Any, out: Out) -> None:
    if not isinstance(value, bool):
        say(out, path, "must be a boolean")


def number(value: Any, path: Any, out: Out) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        say(out, path, "must be a number")


def whole(least: int, most: int | None = None) -> Check:
    """A whole number between two others, both included; without `most` Slack documents no upper one."""

    def check(value: Any, path: Any, out: Out) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            say(out, path, "must be an integer")
        elif value < least:
            say(out, path, f"must be more than {least - 1}")
        elif most is not None and value > most:
            say(out, path, f"must be less than {most + 1}")

    return check


def matching(shape: re.Pattern[str], described: str) -> Check:
    """A string of one shape; `described` is how the problem names it."""

    def check(value: Any, path: Any, out: Out) -> None:
        if not isinstance(value, str) or not shape.fullmatch(value):
            say(out, path, f"must be {described}")

    return check


def string(most: int | None = None, least: int = 1) -> Check:
    """A string of `least` to `most` characters; without `most` Slack documents no limit."""

    def check(value: Any, path: Any, out: Out) -> None:
        if not isinstance(value, str):
            say(out, path, "must provide a string")
        elif most is not None and len(value) > most:
            say(out, path, f"must be less than {most + 1} characters")
        elif len(value) < least:
            say(out, path, f"must be more than {least - 1} characters")

    return check


def one_of(*allowed: str) -> Check:
    def check(value: Any, path: Any, out: Out) -> None:
        if not isinstance(value, str):
            say(out, path, "must provide a string")
        elif value not in allowed:
            say(out, path, "must be a valid enum value")

    return check


def list_of(each: Check, most: int | None = None, least: int = 1) -> Check:
    """A list of `least` to `most` items, each of them checked; without `most` Slack documents no limit."""

    def check(value: Any, path: Any, out: Out) -> None:
        if not isinstance(value, list):
            say(out, path, "must provide an array")
            return
        if most is not None and len(value) > most:
            say(out, path, f"no more than {most} items allowed")
        if len(value) < least:
            say(out, path, f"must provide at least {least} items")
        for index, item in enumerate(value):
            each(item, (path, index), out)

    return check


def text_object(most: int, mrkdwn: bool = False) -> Check:
    """A text object of 1 to `most` characters (SR-BLK-48); `mrkdwn`: that type is allowed besides plain_text."""

    def check(value: Any, path: Any, out: Out) -> None:
        if not isinstance(value, dict):
            say(out, path, "must provide an object")
            return
        kind = value.get("type")
        if kind not in (("plain_text", "mrkdwn") if mrkdwn else ("plain_text",)):
            say(out, (path, "type"), f"must be one of: {'plain_text, mrkdwn' if mrkdwn else 'plain_text'}")
        text = value.get("text")
        if not isinstance(text, str):
            if "text" in value:
                say(out, (path, "text"), "must provide a string")
            else:
                say(out, path, "missing required field: text")
        elif len(text) > most:
            say(out, (path, "text"), f"must be less than {most + 1} characters")
        elif not text:
            say(out, (path, "text"), "must be more than 0 characters")
        for key in value:
            if key not in _TEXT_KEYS.get(str(kind), _TEXT_KEYS["plain_text"]):
                say(out, path, f"invalid additional property: {key}")
            elif key in ("emoji", "verbatim"):
                flag(value[key], (path, key), out)

    return check


_TEXT_KEYS = {"plain_text": {"type", "text", "emoji"}, "mrkdwn": {"type", "text", "verbatim"}}


def record(required: tuple[str, ...], keys: dict[str, Check]) -> Check:
    """An object with these keys and no others (SR-BLK-47), none of them null (SR-BLK-54)."""

    def check(value: Any, path: Any, out: Out) -> None:
        if not isinstance(value, dict):
            say(out, path, "must provide an object")
            return
        for key in required:
            if key not in value:
                say(out, path, f"missing required field: {key}")
        for key, item in value.items():
            rule = keys.get(key)
            if rule is None:
                say(out, path, f"invalid additional property: {key}")
            else:
                rule(item, (path, key), out)

    return check


def typed(table: dict[str, Check], allowed: frozenset[str] | None = None) -> Check:
    """An object that is checked by its `type`; `allowed` narrows the table for this place."""

    def check(value: Any, path: Any, out: Out) -> None:
        kind = value.get("type") if isinstance(value, dict) else None
        rule = table.get(kind) if isinstance(kind, str) else None
        if rule is None or (allowed is not None and kind not in allowed):
            say(out, (path, "type"), f"unsupported type: {kind}")
        else:
            rule(value, path, out)

    return check
