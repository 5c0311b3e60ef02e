"""The workspace's clock: real time plus an offset, or frozen until somebody moves it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import datetime


class WorkspaceClock:
    """Epoch seconds that tests and the page can move forward.

    With `frozen_at` (an aware datetime) time stands still except for `advance`; without it, it is real time
    plus the offset. Listeners are called after each move.
    """

    def __init__(self, frozen_at: datetime | None = None) -> None:
        if frozen_at is not None and frozen_at.tzinfo is None:
            raise ValueError("frozen_at needs a time zone")
        self._base = None if frozen_at is None else frozen_at.timestamp()
        self.offset = 0.0
        self.on_move: list[Callable[[], None]] = []
        self._sleepers: dict[asyncio.Future[None], float] = {}

    @property
    def frozen(self) -> bool:
        return self._base is not None

    def now(self) -> float:
        return (time.time() if self._base is None else self._base) + self.offset

    def advance(self, seconds: float) -> None:
        """Move time forward by `seconds` (never back) and wake whoever slept until then."""
        if seconds < 0:
            raise ValueError("time only moves forward")
        self.offset += seconds
        now = self.now()
        for sleeper, when in self._sleepers.items():
            if when <= now and not sleeper.done():
                sleeper.set_result(None)
        for listener in list(self.on_move):
            listener()

    async def until(self, when: float) -> None:
        """Return once `now() >= when`, by the passing of real time or by a move."""
        while (left := when - self.now()) > 0:
            sleeper: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._sleepers[sleeper] = when
            try:
                async with asyncio.timeout(None if self.frozen else left):
                    await sleeper
            except TimeoutError:
                pass
            finally:
                del self._sleepers[sleeper]
