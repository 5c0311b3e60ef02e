"""Readers of typed words that several subcommands share: nothing, any text, one person."""

from __future__ import annotations

from bot.slack.requests.arguments import Arguments, MissingArguments, ParseResult, person_in
from bot.slack.requests.context import Request


def read_person(text: str, call: Request) -> ParseResult:
    """@who or me, and nothing after it."""
    if not text:
        return MissingArguments()
    found = person_in(text, call.actor.user)
    if found is None or found[1]:
        return None
    return Arguments({"who": found[0]})


def read_reason(text: str, call: Request) -> ParseResult:
    """Any text, also none."""
    return Arguments({"reason": text})


def read_nothing(text: str, call: Request) -> ParseResult:
    """Nothing may follow."""
    return None if text else Arguments({})


def read_text(text: str, call: Request) -> ParseResult:
    """Some text, any text."""
    return Arguments({"text": text}) if text else MissingArguments()


def read_optional_text(text: str, call: Request) -> ParseResult:
    """Some text or none."""
    return Arguments({"text": text})
