"""Changes for the page, as server-sent events: one queue per open page."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterable

from aiohttp import web

from localslack.records import Json

MAX_EVENTS_BEHIND = 5_000
"""Changes a page may lag behind before it is cut off (it reconnects and loads afresh)."""

BEAT_SECONDS = 15.0


class Stream:
    """Open pages: of which workspace, and who looks at them. With none open, telling costs nothing."""

    def __init__(self) -> None:
        self._readers: list[tuple[str, str, asyncio.Queue[str | None]]] = []
        self.told = 0

    def tell(self, change: Json, whom: Iterable[str] | None, team: str | None = None) -> None:
        """Send a change to the pages of these people; None: to everybody's, of one workspace where it is named.

        Each carries its number `n`, so that a page can tell what a snapshot taken meanwhile already holds (`told`).
        """
        self.told += 1
        if not self._readers:
            return
        chosen = None if whom is None else set(whom)
        data: str | None = None
        for where, user, queue in self._readers:
            if team not in (None, where) or (chosen is not None and user not in chosen):
                continue
            if data is None:
                data = json.dumps({**change, "n": self.told})
            if queue.qsize() >= MAX_EVENTS_BEHIND:
                queue.put_nowait(None)
            else:
                queue.put_nowait(data)

    def watched(self) -> bool:
        return bool(self._readers)

    @property
    def readers(self) -> int:
        return len(self._readers)

    def close(self) -> None:
        for _, _, queue in self._readers:
            queue.put_nowait(None)

    async def serve(self, http: web.Request, team: str, user: str) -> web.StreamResponse:
        """Answer one page until it goes away."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await response.prepare(http)
        queue: asyncio.Queue[str | None] = asyncio.Queue()
        entry = (team, user, queue)
        self._readers.append(entry)
        with contextlib.suppress(ConnectionError):
            try:
                await response.write(b": hello\n\n")
                while True:
                    try:
                        async with asyncio.timeout(BEAT_SECONDS):
                            data = await queue.get()
                    except TimeoutError:
                        await response.write(b": still here\n\n")
                        continue
                    if data is None:
                        break
                    await response.write(f"event: change\ndata: {data}\n\n".encode())
            finally:
                self._readers.remove(entry)
        return response
