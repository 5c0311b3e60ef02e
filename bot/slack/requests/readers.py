"""Readers of typed words that several acts share: nothing, any text, one person."""

from __future__ import annotations

from typing import Any

from bot.slack.requests.arguments import Arguments, MissingArguments, ParseResult, person_in
from bot.slack.requests.context import Request


def read_nothing(text: str, call: Request) -> ParseResult:
    """Nothing may follow."""
    return None if text else Arguments({})


def read_person(text: str, call: Request) -> ParseResult:
    """@who or me, and nothing after it."""
    if not text:
        return MissingArguments()
    found = person_in(text, call.actor.user)
    if found is None or found[1]:
        return None
    return Arguments({"who": found[0]})


def read_optional_person(text: str, call: Request) -> ParseResult:
    """@who or me, or nothing."""
    return read_person(text, call) if text else Arguments({})


def read_text(text: str, name: str) -> ParseResult:
    """Some text, any text, as the argument of this name."""
    return Arguments({name: text}) if text else MissingArguments()


def read_optional_text(text: str, name: str) -> ParseResult:
    """Some text or none, as the argument of this name."""
    return Arguments({name: text})


def with_arguments(found: ParseResult, **more: Any) -> ParseResult:
    """What was understood, with further arguments."""
    return Arguments({**found.values, **more}) if isinstance(found, Arguments) else found
