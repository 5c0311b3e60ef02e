"""Whose turn it is: an incident that changes waits a moment for its next change, then for one of a few places."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime

from bot.domain.effect import Effect
from bot.domain.incident import Incident

#: seconds: what changed is shown so long after the last change, and so long after the first at the latest, so that
#: a burst of clicks is one edit and making it takes no time from the acknowledgements of the burst. Clicks that never
#: leave it quiet are many people's: an edit a second is then about what Slack takes of a channel
DEBOUNCE_SECONDS, MAX_DEBOUNCE_SECONDS = 0.03, 1.0
#: showing what changed takes at most about this part of the time, of all incidents together
MAX_RENDER_TIME_SHARE = 1 / 3

#: an incident and its calls by their keys, as they were read together
LoadedIncident = tuple[Incident, Mapping[str, Effect]]


class Debounce:
    """One incident's turn, while there is anything to do. `wake` is set when it should be looked at now."""

    def __init__(self, id: str, others: Callable[[], int]) -> None:
        self.id = id
        self._others = others
        self.task: asyncio.Task[None]
        self.wake = asyncio.Event()
        self.channel_ready = asyncio.Event()
        #: somebody waits for the answer
        self.urgent = False
        #: the incident and its calls, read before their moment
        self.preloaded: LoadedIncident | None = None
        #: its calls may stand otherwise in the database than this process knows
        self.effects_stale = True
        #: what changes is not shown before, by the loop's time: it was just shown
        self.not_before = 0.0
        #: when it wants to be looked at again while it is attended
        self.next_wake_at: Callable[[], datetime | None] = lambda: None
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._first = 0.0

    def trigger(self) -> None:
        """It changed: look at it as soon as it is quiet, and was not just looked at."""
        now = self._loop.time()
        if self._timer is None:
            self._first = now
        else:
            self._timer.cancel()
        self._timer = self._loop.call_at(
            min(max(now + DEBOUNCE_SECONDS, self.not_before), self._first + MAX_DEBOUNCE_SECONDS), self.trigger_now
        )

    def throttle_after(self, since: float) -> None:
        """It was looked at, which has taken from `since` until now; others want to be, too."""
        now = self._loop.time()
        self.not_before = now + (now - since) * (1 / MAX_RENDER_TIME_SHARE - 1) * (1 + self._others())

    def trigger_now(self) -> None:
        """Look at it now."""
        self.cancel_timer()
        self.wake.set()

    def cancel_timer(self) -> None:
        """Forget that it was stirred."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @property
    def is_pending(self) -> bool:
        """Whether it changed and nobody has looked yet."""
        return self._timer is not None

    @property
    def must_run(self) -> bool:
        """Whether somebody has to look, now or in a moment."""
        return self.is_pending or self.wake.is_set()


class PrioritySemaphore:
    """So many at once; who waits gets the next free place by rank, then in order."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    @contextlib.asynccontextmanager
    async def acquire(self, rank: int) -> AsyncIterator[None]:
        """Hold a place; a lower rank goes first."""
        if self._free:
            self._free -= 1
        else:
            place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            heapq.heappush(self._waiting, (rank, next(self._order), place))
            try:
                await place
            except asyncio.CancelledError:
                if place.done() and not place.cancelled():
                    self._pass_on()
                raise
        try:
            yield
        finally:
            self._pass_on()

    def _pass_on(self) -> None:
        while self._waiting:
            _, _, place = heapq.heappop(self._waiting)
            if not place.done():
                place.set_result(None)
                return
        self._free += 1
