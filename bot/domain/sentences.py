"""Sentences with typed blanks: a rule names whom and what it means, and a surface says that to its reader.

A rule knows neither what the command is called nor how a person is named where the sentence is read. The blank
`{command}` is always there: the slash command.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.domain.names import join_names
from bot.domain.time_text import clock_time, lasted

_BLANK = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Person:
    """Somebody, by the id."""

    id: str


@dataclass(frozen=True)
class People:
    """Several people, by their ids; `word` joins the last two."""

    ids: tuple[str, ...]
    word: str = "or"

    @classmethod
    def of(cls, ids: Iterable[str], word: str = "or") -> People:
        """These people, in their order."""
        return cls(tuple(ids), word)


@dataclass(frozen=True)
class SeverityName:
    """A severity, by its key."""

    key: str


@dataclass(frozen=True)
class Moment:
    """A time of day, seen from another moment: with its day where that is not the same."""

    at: datetime
    seen_from: datetime


@dataclass(frozen=True)
class Length:
    """How long something takes."""

    of: timedelta


@dataclass(frozen=True, init=False)
class Sentence:
    """A template and what stands in its blanks, by their names."""

    template: str
    facts: tuple[tuple[str, Fact], ...]

    def __init__(self, template: str, **facts: Fact) -> None:
        object.__setattr__(self, "template", template)
        object.__setattr__(self, "facts", tuple(facts.items()))

    def __str__(self) -> str:
        """For logs: people and severities by their ids."""
        return say(self, LOG)


#: what may stand in a blank; text and numbers stand there as they are
Fact = str | int | Person | People | SeverityName | Moment | Length | Sentence


@dataclass(frozen=True)
class Vocabulary:
    """How a surface names what stands in blanks: people and severities by their ids, and the command."""

    command: str
    person: Callable[[str], str]
    severity: Callable[[str], str]


def say(sentence: Sentence, vocabulary: Vocabulary) -> str:
    """The sentence in the words of a surface. Braces in what people wrote stay braces."""
    facts = dict(sentence.facts)

    def blank(match: re.Match[str]) -> str:
        name = match[1]
        if name in facts:
            return _said(facts[name], vocabulary)
        return vocabulary.command if name == "command" else match[0]

    return _BLANK.sub(blank, sentence.template)


def _said(fact: Any, vocabulary: Vocabulary) -> str:
    match fact:
        case Sentence():
            return say(fact, vocabulary)
        case Person(id):
            return vocabulary.person(id)
        case People(ids, word):
            return join_names((vocabulary.person(id) for id in ids), word)
        case SeverityName(key):
            return vocabulary.severity(key)
        case Moment(at, seen_from):
            return clock_time(at, seen_from)
        case Length(of):
            return lasted(of)
    return str(fact)


LOG = Vocabulary("the command", lambda id: id, lambda key: key)
