"""The only place that reads the clock. Tests move theirs; the demo's bot follows another program's."""

from __future__ import annotations

import asyncio
import contextlib
import json
from datetime import UTC, datetime, timedelta

import aiohttp


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present moment, aware, UTC."""
        return datetime.now(UTC)  # noqa: TID251  (the one place)

    async def sleep_until(self, at: datetime) -> None:
        """Return when `at` has come."""
        await asyncio.sleep(max(0.0, (at - self.now()).total_seconds()))


class OffsetClock:
    """The machine's clock plus an offset that can be moved while people sleep by it."""

    def __init__(self, offset: timedelta = timedelta()) -> None:
        self._offset = offset
        self._moved = asyncio.Event()

    def now(self) -> datetime:
        """The present moment on this clock, aware, UTC."""
        return datetime.now(UTC) + self._offset  # noqa: TID251  (the one place)

    def move(self, offset: timedelta) -> None:
        """Set the offset; who sleeps wakes and looks again."""
        self._offset = offset
        self._moved.set()
        self._moved = asyncio.Event()

    async def sleep_until(self, at: datetime) -> None:
        """Return when `at` has come, however the clock was moved meanwhile."""
        while (left := (at - self.now()).total_seconds()) > 0:
            moved = self._moved
            # Not wait_for: in Python 3.11 it can swallow a cancellation.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await moved.wait()


class FollowedClock(OffsetClock):
    """A development setting: follow the clock that a local Slack tells over server-sent events.

    Each event's data is JSON with `now` (epoch seconds) and `offset` (seconds from real time).
    """

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self._heard = asyncio.Event()

    async def wait_until_synced(self, within: float = 2.0) -> None:
        """Return once the other clock has been heard, or after so many seconds: it may be away."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._heard.wait()

    async def follow(self) -> None:
        """Stay connected for ever; while the other side is away the last offset stays in force."""
        async with aiohttp.ClientSession() as session:
            while True:
                try:
                    async with session.get(self._url, timeout=aiohttp.ClientTimeout(total=None)) as answer:
                        async for line in answer.content:
                            if line.startswith(b"data:"):
                                self.move(timedelta(seconds=float(json.loads(line[5:])["offset"])))
                                self._heard.set()
                except (aiohttp.ClientError, ValueError, KeyError, TypeError):
                    pass
                await asyncio.sleep(0.5)
