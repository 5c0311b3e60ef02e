"""A runbook as the rest of the bot sees it: sections of steps, pinned to a revision."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

#: how much of a slug stands in the value of a button, which Slack limits
MAX_REF_CHARS = 60


def runbook_ref(slug: str) -> str:
    """A slug as buttons and forms carry it: itself, or, where it is very long, its beginning and a hash."""
    if len(slug) <= MAX_REF_CHARS:
        return slug
    return f"{slug[: MAX_REF_CHARS - 9]}~{hashlib.sha256(slug.encode()).hexdigest()[:8]}"


class TwoPeople(StrEnum):
    """When the second person comes: before the act (it cannot be taken back) or after (stopping is safe)."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True)
class Step:
    """One thing to do. `id` is stable within a revision, "2.3" = third step of the second section."""

    id: str
    text: str
    commands: tuple[str, ...] = ()
    two_people: TwoPeople | None = None
    probe: str | None = None
    #: the probe's target, where the runbook names one ("probe: horizon backup")
    target: str = ""


@dataclass(frozen=True)
class Section:
    """A heading of the runbook, the text under it, and its steps (possibly none)."""

    number: int
    title: str
    text: str = ""
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True)
class Runbook:
    """A runbook at one revision. `revision` names the content: a git commit's short hash, or "file <sha256 prefix>"."""

    slug: str
    title: str
    summary: str
    revision: str
    sections: tuple[Section, ...]
    #: names of alerts that attach this runbook by themselves
    alerts: tuple[str, ...] = ()
    #: words whose appearance in a title makes this runbook a question, never an answer
    words: tuple[str, ...] = ()
    severity: str | None = None
    owner: str = ""
    reviewed: date | None = None

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps in order."""
        return tuple(step for section in self.sections for step in section.steps)

    @property
    def ref(self) -> str:
        """The slug as buttons and forms carry it."""
        return runbook_ref(self.slug)

    def step(self, id: str) -> Step | None:
        """The step of this id."""
        return next((step for section in self.sections for step in section.steps if step.id == id), None)
