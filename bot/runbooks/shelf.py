"""All runbooks that can be served, and the ways to find one."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bot.domain.runbook import Runbook
from bot.runbooks.problems import Problem

MAX_GUESSES = 2
MAX_SUGGESTIONS = 3


@dataclass(frozen=True)
class RunbookSource:
    """Where a runbook was read: its file, and the line of each step."""

    path: Path
    lines: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Shelf:
    """`problems` are the files that are not among `runbooks`, and what else the folder's owner should see."""

    runbooks: Mapping[str, Runbook]
    problems: tuple[Problem, ...] = ()
    #: slug -> the slugs that its file calls related
    related: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sources: Mapping[str, RunbookSource] = field(default_factory=dict)

    def find(self, word: str) -> Runbook | None:
        """The runbook of exactly this slug or title, or of the one slug that begins so; None where none or several."""
        wanted = _slug(word)
        if not wanted:
            return None
        if wanted in self.runbooks:
            return self.runbooks[wanted]
        titled = [one for one in self.runbooks.values() if _slug(one.title) == wanted]
        begun = titled or [one for slug, one in self.runbooks.items() if slug.startswith(wanted)]
        return begun[0] if len(begun) == 1 else None

    def close_matches(self, word: str) -> list[str]:
        """Slugs to offer for a word that found nothing: those that hold it first, then those that look like it."""
        wanted = _slug(word)
        if not wanted:
            return sorted(self.runbooks)[:MAX_SUGGESTIONS]
        holding = sorted((slug for slug in self.runbooks if wanted in slug), key=lambda slug: (slug.find(wanted), slug))
        # a typo in one part of a name should find the name
        parts = {part: slug for slug in sorted(self.runbooks, reverse=True) for part in (slug, *slug.split("-"))}
        alike = [parts[part] for part in difflib.get_close_matches(wanted, parts, MAX_SUGGESTIONS, 0.6)]
        return list(dict.fromkeys([*holding, *alike]))[:MAX_SUGGESTIONS]

    def for_alert(self, name: str) -> Runbook | None:
        """The runbook whose front matter names this alert."""
        wanted = name.strip().casefold()
        for runbook in self.runbooks.values():
            if any(alert.casefold() == wanted for alert in runbook.alerts):
                return runbook
        return None

    def guess(self, title: str) -> list[Runbook]:
        """At most two runbooks whose words stand in the title, best first: a question, never an answer."""
        text = f" {_plain(title[:1000])} "
        scored = [
            (sum(len(word.split()) for word in map(_plain, runbook.words) if word and f" {word} " in text), runbook)
            for runbook in self.runbooks.values()
        ]
        fitting = sorted((one for one in scored if one[0]), key=lambda one: (-one[0], one[1].slug))
        return [runbook for _, runbook in fitting[:MAX_GUESSES]]


def _plain(text: str) -> str:
    """Lower case, words only, one space between them."""
    return " ".join("".join(c.lower() if c.isalnum() else " " for c in text).split())


def _slug(word: str) -> str:
    return _plain(word[:200]).replace(" ", "-")
