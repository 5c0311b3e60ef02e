"""Which incidents this process may attend, where several processes share a database.

A lease is a column of the index row and lasts by the database's clock. This process keeps it by the loop's clock,
counted from before it asked the database. So it takes a lease for lost no later than the others do, also after it was
frozen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime, timedelta
from typing import Any

from bot.store.lease_sql import LeaseSql
from bot.store.transaction import SqlTransaction

#: seconds that a lease lasts without being renewed: after a crash somebody else goes on so much later
LEASE_SECONDS = 10.0
#: what is due so soon is claimed already, so that nothing but the work itself is between the moment and the call
CLAIM_AHEAD = timedelta(seconds=2)
#: a call is begun only while so much of the lease is left
SAFETY_MARGIN_SHARE = 0.1

Write = Callable[[Callable[[SqlTransaction], Any]], Awaitable[Any]]
Last = Callable[[], Awaitable[bool]]
Due = Callable[[datetime, int, tuple[str, ...]], Awaitable[list[str]]]


class SqlLeases:
    """The claims of a process among several (`ports.Leases`)."""

    def __init__(self, write: Write, holder: LeaseSql) -> None:
        self._write = write
        self._lasts = holder.lease_seconds
        self._until: dict[str, float] = {}
        #: being given back: claimed again only afterwards, or the giving back would end the new claim
        self._releasing: dict[str, asyncio.Event] = {}
        self.renew_every_seconds: float | None = holder.lease_seconds / 4
        self.claim_ahead = CLAIM_AHEAD

    def holds(self, id: str) -> bool:
        return self._until.get(id, 0.0) > asyncio.get_running_loop().time() + SAFETY_MARGIN_SHARE * self._lasts

    async def claim_due(
        self, due: datetime, limit: int, but: Collection[str], worst: tuple[str, ...] = ()
    ) -> list[str]:
        began = asyncio.get_running_loop().time()
        others = [*but, *self._releasing]
        ids = await self._write(lambda tx: tx.claim_due(due, limit, others, worst))
        return self._kept(ids, began)

    async def claim_upcoming(self, after: datetime, limit: int) -> dict[str, datetime]:
        began = asyncio.get_running_loop().time()
        moments: dict[str, datetime] = await self._write(
            lambda tx: tx.claim_upcoming(after, after + self.claim_ahead, limit)
        )
        self._kept([*moments], began)
        return moments

    async def claim(self, id: str) -> bool:
        while (going := self._releasing.get(id)) is not None:
            await going.wait()
        if self.holds(id):
            return True
        began = asyncio.get_running_loop().time()
        won = await self._write(lambda tx: tx.claim(id))
        return bool(self._kept([id] if won else [], began))

    async def renew(self) -> None:
        if not self._until:
            return
        began, known = asyncio.get_running_loop().time(), dict(self._until)
        ids = set(await self._write(lambda tx: tx.renew()))
        for id, until in known.items():
            if self._until.get(id) != until:
                continue  # given back, or claimed anew meanwhile: that is what stands
            if id in ids:
                self._until[id] = began + self._lasts
            else:
                del self._until[id]

    async def release(self, id: str, last: Last | None = None) -> None:
        until = self._until.pop(id, None)
        if until is None and last is None:
            return
        self._releasing[id] = going = asyncio.Event()
        try:
            if last is None:
                await self._write(lambda tx: tx.release(id))
            elif not await last() and until is not None:
                self._until[id] = until  # not given back: something has happened meanwhile
        finally:
            del self._releasing[id]
            going.set()

    async def release_all(self) -> None:
        self._until.clear()
        await self._write(lambda tx: tx.release_all())

    def _kept(self, ids: list[str], began: float) -> list[str]:
        self._until |= dict.fromkeys(ids, began + self._lasts)
        return ids


class SingleProcessLeases:
    """The claims of the only process that works on its database: all is its own, and nothing has to be written."""

    renew_every_seconds: float | None = None
    claim_ahead = timedelta()

    def __init__(self, due: Due) -> None:
        self._due = due

    def holds(self, id: str) -> bool:
        return True

    async def claim_due(
        self, due: datetime, limit: int, but: Collection[str], worst: tuple[str, ...] = ()
    ) -> list[str]:
        return [id for id in await self._due(due, limit + len(but), worst) if id not in but][:limit]

    async def claim_upcoming(self, after: datetime, limit: int) -> dict[str, datetime]:
        return {}

    async def claim(self, id: str) -> bool:
        return True

    async def renew(self) -> None:
        return

    async def release(self, id: str, last: Last | None = None) -> None:
        if last is not None:
            await last()

    async def release_all(self) -> None:
        return
