"""What the bot needs of the world outside, one Protocol each; each has a real thing and a fake today."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from bot.domain.reading import Reading


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> datetime:
        """The present moment, aware, UTC."""
        ...

    async def sleep_until(self, at: datetime) -> None:
        """Return when `at` (aware) has come; at once when it has passed."""
        ...


class Probe(Protocol):
    """Something that can be looked at. Looking changes nothing, anywhere."""

    @property
    def name(self) -> str:
        """The name that people and runbooks use: `horizon`."""
        ...

    async def read(self, target: str, at: datetime) -> Reading:
        """Look once. `target` is the probe's own ("" is everything it knows), `at` the present, aware, UTC.

        Never raises for what the other side does: what could not be read is a reading that says so.
        """
        ...
