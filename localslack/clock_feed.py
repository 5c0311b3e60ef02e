"""The clock as server-sent events: a program under test may follow it."""

from __future__ import annotations

import asyncio
import contextlib
import json

from aiohttp import web

from localslack.clock import WorkspaceClock

BEAT_SECONDS = 5.0


class ClockFeed:
    """Sends {now, offset, frozen} at once, after each move, and every few seconds."""

    def __init__(self, clock: WorkspaceClock) -> None:
        self.clock = clock
        self._moved: set[asyncio.Event] = set()
        self._open = True
        clock.on_move.append(self._wake)

    def _wake(self) -> None:
        for event in self._moved:
            event.set()

    def close(self) -> None:
        self._open = False
        self._wake()

    async def serve(self, http: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await response.prepare(http)
        event = asyncio.Event()
        self._moved.add(event)
        try:
            with contextlib.suppress(ConnectionError):
                while self._open:
                    event.clear()
                    clock = self.clock
                    data = json.dumps({"now": clock.now(), "offset": clock.offset, "frozen": clock.frozen})
                    await response.write(f"event: clock\ndata: {data}\n\n".encode())
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(BEAT_SECONDS):
                            await event.wait()
        finally:
            self._moved.discard(event)
        return response
