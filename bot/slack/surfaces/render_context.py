"""What a message needs to know besides the incident, and the incident seen through it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from bot.domain.desired_message import Message
from bot.domain.incident import Incident
from bot.domain.policy import Policy, Severity
from bot.domain.times import clock_time
from bot.slack.surfaces import block_kit, text
from bot.slack.surfaces.message_cache import Made

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
    made: Made = field(default_factory=Made, compare=False)

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

    def once(self, key: str, made_from: tuple[object, ...], make: Callable[[], Message]) -> Message:
        """The message that `make` makes; not made again as long as `made_from` is the same. For messages of which an
        incident may have thousands: all that they say follows from `made_from`, the incident's id, number and policy.
        """
        return self.made.message(key, made_from, make)

    def name(self, user: str) -> str:
        """What the person is called, as it stands in the directory; empty for somebody it does not know."""
        return self.setup.names.get(user, "")

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
        return block_kit.value(i=self.incident.id, **keys)

    def button(self, label: str, verb: str, *, style: str = "", **keys: Any) -> block_kit.Element:
        """A button that does `verb` to this incident."""
        return block_kit.button(label, f"inc:{verb}", self.value(**keys), style=style)
