"""What a message needs to know besides the incident, and the incident seen through it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from bot.domain.incident import Incident
from bot.domain.policy import Policy, Severity
from bot.domain.times import clock_time
from bot.slack import kit, text

_NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Setup:
    """The team's decisions and the workspace's names."""

    policy: Policy
    bot_name: str = "incident"
    #: user id, or user group id -> the name that people read
    names: Mapping[str, str] = field(default_factory=lambda: _NONE)
    #: runbook slug -> title, for what is offered
    runbooks: Mapping[str, str] = field(default_factory=lambda: _NONE)
    command: str = "/incident"


@dataclass(frozen=True)
class Scene:
    """One incident at one moment: what every message asks for again and again.

    Times are told seen from the incident's latest entry, not from `now`: a message that nobody touched does not
    change at midnight. `now` is only for what folds by itself after some seconds.
    """

    incident: Incident
    now: datetime
    setup: Setup

    @property
    def policy(self) -> Policy:
        """The team's decisions."""
        return self.setup.policy

    @property
    def severity(self) -> Severity:
        """The incident's severity."""
        return self.policy.severity(self.incident.severity)

    @property
    def today(self) -> datetime:
        """The moment from which living messages look at times."""
        return self.incident.last_at or self.now

    def who(self, user: str) -> str:
        """The person's name: notifies nobody."""
        return text.person(user, self.setup.names)

    def whos(self, users: tuple[str, ...], word: str = "and") -> str:
        """Several names: notifies nobody."""
        return text.listed([self.who(user) for user in users], word)

    def when(self, at: datetime, seen_from: datetime | None = None) -> str:
        """ "14:32 UTC (15:32 yours)"."""
        return text.when(at, seen_from or self.today)

    def clock(self, at: datetime, seen_from: datetime | None = None) -> str:
        """ "14:32 UTC"."""
        return clock_time(at, seen_from or self.today)

    def value(self, **keys: Any) -> str:
        """A button's value: the incident's id and these keys."""
        return kit.value(i=self.incident.id, **keys)

    def button(self, label: str, verb: str, *, style: str = "", **keys: Any) -> kit.Element:
        """A button that does `verb` to this incident."""
        return kit.button(label, f"inc:{verb}", self.value(**keys), style=style)
