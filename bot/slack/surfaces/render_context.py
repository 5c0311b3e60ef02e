"""What a message needs to know besides the incident, and the incident seen through it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType

from bot.domain.desired_message import DesiredMessage
from bot.domain.incident import Incident
from bot.domain.policy import Policy, Severity
from bot.domain.time_text import clock_time
from bot.slack.surfaces import block_kit, text
from bot.slack.surfaces.button_values import IncidentValue, encode
from bot.slack.surfaces.message_cache import IncidentMessageCache

_NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class RenderEnvironment:
    """The team's decisions and the workspace's names."""

    policy: Policy
    bot_name: str = "incident"
    #: user id, or user group id -> the name that people read
    names: Mapping[str, str] = field(default_factory=lambda: _NONE)
    #: runbook slug -> title, for what is offered
    runbooks: Mapping[str, str] = field(default_factory=lambda: _NONE)
    command: str = "/incident"


@dataclass(frozen=True)
class RenderContext:
    """One incident at one moment: what every message asks for again and again.

    Times are told seen from the incident's latest entry, not from `now`: a message that nobody touched does not
    change at midnight. `now` is only for what folds by itself after some seconds.
    """

    incident: Incident
    now: datetime
    environment: RenderEnvironment
    cache: IncidentMessageCache = field(default_factory=IncidentMessageCache, compare=False)

    @property
    def policy(self) -> Policy:
        """The team's decisions."""
        return self.environment.policy

    @property
    def severity(self) -> Severity:
        """The incident's severity."""
        return self.policy.severity(self.incident.severity)

    @property
    def reference_time(self) -> datetime:
        """The moment from which living messages look at times."""
        return self.incident.last_at or self.now

    def cached(self, key: str, inputs: tuple[object, ...], make: Callable[[], DesiredMessage]) -> DesiredMessage:
        """The message that `make` makes; not made again as long as `inputs` is the same. For messages of which an
        incident may have thousands: all that they say follows from `inputs`, the incident's id, number and policy.
        """
        return self.cache.get_or_render(key, inputs, make)

    def known_name(self, user: str) -> str:
        """What the person is called, as it stands in the directory; empty for somebody it does not know."""
        return self.environment.names.get(user, "")

    def person_name(self, user: str) -> str:
        """The person's name: notifies nobody."""
        return text.person_name(user, self.environment.names)

    def person_names(self, users: tuple[str, ...], word: str = "and") -> str:
        """Several names: notifies nobody."""
        return text.join_names([self.person_name(user) for user in users], word)

    def when(self, at: datetime, seen_from: datetime | None = None) -> str:
        """ "14:32 UTC (15:32 yours)"."""
        return text.when(at, seen_from or self.reference_time)

    def clock(self, at: datetime, seen_from: datetime | None = None) -> str:
        """ "14:32 UTC"."""
        return clock_time(at, seen_from or self.reference_time)

    def value(self, value: IncidentValue | None = None) -> str:
        """What a button about this incident carries."""
        return encode(replace(value or IncidentValue(), incident=self.incident.id))

    def button(
        self, label: str, action: str, value: IncidentValue | None = None, *, style: str = ""
    ) -> block_kit.Element:
        """A button whose action id is `inc:<action>`."""
        return block_kit.button(label, f"inc:{action}", self.value(value), style=style)
