"""What makes the calls of one kind: a table says for each kind which effector that is.

Slack, publishers and whatever comes later fill the table of a workspace (`workspace_factory`); the executor looks the
kind up and knows none of them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.domain.effect import Effect, EffectKind
from bot.domain.incident import Incident
from bot.domain.subject import Subject
from bot.reconciler.plan import Call, PlannedEffect
from bot.service import Rule


@dataclass(frozen=True)
class Execution:
    """One call under way: what it is about, what is to be done, and how to write down what comes of it."""

    subject: Subject
    planned: PlannedEffect
    now: Callable[[], datetime]
    record: Callable[[str, Rule], Awaitable[None]]

    @property
    def incident(self) -> Incident:
        """The incident that this is about."""
        assert isinstance(self.subject, Incident)
        return self.subject

    @property
    def effect(self) -> Effect:
        """How the call stands."""
        return self.planned.effect

    @property
    def hash(self) -> str:
        """Names what it will have shown."""
        return self.planned.hash


Perform = Callable[[Execution], Awaitable[Effect]]


@dataclass(frozen=True)
class Effector:
    """What makes the calls of one kind. Each ends in how it stands, or raises what `ports` names.

    `outside`: it reaches people or systems outside the workspace. Then no call of it is made for a drill: `in_drill`
    says what is written down in its place.
    """

    calls: Mapping[Call, Perform]
    outside: bool = False
    in_drill: Perform | None = None


#: which effector makes the calls of a kind
Effectors = Mapping[EffectKind, Effector]
