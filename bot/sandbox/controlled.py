"""What the control API needs of the sandbox that it shows, so that neither has to import the other."""

from __future__ import annotations

from typing import Protocol

from bot.sandbox.clock import SandboxClock
from bot.sandbox.clock_feed import ClockFeed
from bot.sandbox.faults import Faults
from bot.sandbox.journal import Journal
from bot.sandbox.sockets import Sockets
from bot.sandbox.stream import Stream
from bot.sandbox.switches import Switch
from bot.sandbox.tour import Tour
from bot.sandbox.workspace import Workspace


class Controlled(Protocol):
    """The sandbox, as the control API sees it."""

    clock: SandboxClock
    clock_feed: ClockFeed
    faults: Faults
    journal: Journal
    sockets: Sockets
    stream: Stream
    switches: list[Switch]
    tour: Tour | None
    workspaces: list[Workspace]

    @property
    def event_url(self) -> str | None: ...

    async def idle(self, timeout: float = ...) -> None: ...
