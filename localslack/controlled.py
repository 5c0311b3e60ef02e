"""What the control API needs of the local Slack that it shows, so that neither has to import the other."""

from __future__ import annotations

from typing import Protocol

from localslack.clock import WorkspaceClock
from localslack.clock_feed import ClockFeed
from localslack.faults import Faults
from localslack.journal import Journal
from localslack.sockets import Sockets
from localslack.stream import Stream
from localslack.switches import Switch
from localslack.tour import Tour
from localslack.workspace import Workspace


class Controlled(Protocol):
    """The local Slack, as the control API sees it."""

    clock: WorkspaceClock
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
