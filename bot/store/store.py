"""The store: one way to write, many to read. Reads see everything that a `write` has returned for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Engine, Executable, RowMapping
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.domain.effect import Effect
from bot.domain.errors import StoreUnavailable
from bot.domain.events import Entry
from bot.domain.incident import Incident
from bot.store import audit, engines, reads, schema
from bot.store.folded import FoldedCache
from bot.store.refused import StoreRefused
from bot.store.rows import IncidentRow, Person
from bot.store.transaction import Transaction
from bot.store.writer import Writer

T = TypeVar("T")

#: bytes of the chain's key at least: a shorter one could be guessed from any event
SHORTEST_KEY = 16


class Store:
    """Everything the bot remembers. Made by `open`, ended by `close`."""

    def __init__(self, writing: Engine, reading: AsyncEngine, looking: Engine, key: bytes) -> None:
        self._key = key
        self._cache = FoldedCache()
        self._reading = reading
        self._looking = looking
        self._writing = writing
        self._writer = Writer(writing, key, self._cache)

    @classmethod
    def open(cls, url: str, key: bytes) -> Store:
        """Open the database at `url`, which was migrated before. `key` makes the chain; it lives elsewhere.

        Raises StoreRefused with what to do when the file, its shape or the key is not as it has to be.
        """
        if len(key) < SHORTEST_KEY:
            raise StoreRefused(f"The timeline's key has to be {SHORTEST_KEY} bytes or longer.")
        address = engines.address(url)
        file = engines.file(address)
        if file is not None and not file.exists():
            raise StoreRefused(f"There is no database at {file}. Run `python -m bot migrate` first.")
        writing = engines.writing(address)
        with engines.opening(address):
            schema.check(writing)
        return cls(writing, engines.reading(address), engines.looking(address), key)

    async def close(self) -> None:
        """Finish what waits to be written, then let go of the file."""
        await self._writer.close()
        await self._reading.dispose()
        self._looking.dispose()
        self._writing.dispose()

    async def write(self, job: Callable[[Transaction], T]) -> T:
        """Run `job`, synchronous and quick, in one transaction; its value, once that is on the disk.

        Whatever it raises is raised here, and nothing of it is written. Raises StoreUnavailable when the database
        could not be written; then nothing of it was acknowledged either.
        """
        return await self._writer.write(job)

    async def _rows(self, statement: Executable, values: dict[str, Any] | None = None) -> Sequence[RowMapping]:
        try:
            async with self._reading.connect() as connection:
                return (await connection.execute(statement, values)).mappings().all()
        except DBAPIError as error:
            raise StoreUnavailable("The database cannot be read right now.") from error

    # -- incidents ------------------------------------------------------------------------------------

    async def incident(self, id: str) -> Incident | None:
        """The incident as it stands. Raises Damaged when its timeline cannot be read."""
        found = await self._rows(reads.STATE, {"id": id})
        if not found:
            return None
        state = found[0]
        known = self._cache.latest(id)
        if known and known.incident.seq > state["seq"] and known.redactions >= state["redactions"]:
            return known.incident  # written and committed here since the row was read
        one = self._cache.get(id, state["head"], state["redactions"])
        if one is None:
            one = reads.folded(id, state, await self._rows(reads.TIMELINE, {"id": id}))
            self._cache.put([one])
        return one.incident

    async def glance(self, id: str) -> Incident | None:
        """The incident as this process last knew it, without a look at the database where it knows one.

        For looking around before an act, which decides on the incident as it stands then. What this process has
        written is in it; what another wrote since may not be.
        """
        known = self._cache.latest(id)
        return known.incident if known else await self.incident(id)

    async def entries(self, id: str) -> list[Entry]:
        """The whole timeline, in order; empty for an incident that is not there."""
        return [reads.entry(row) for row in await self._rows(reads.TIMELINE, {"id": id})]

    async def find(self, team: str, number: int) -> str | None:
        """The id of INC-`number`."""
        return _id(await self._rows(reads.FIND, {"team": team, "number": number}))

    async def by_channel(self, team: str, channel: str) -> str | None:
        """The id of the incident whose channel that is."""
        if not channel:
            return None
        known = self._cache.in_channel(team, channel)
        return known or _id(await self._rows(reads.BY_CHANNEL, {"team": team, "channel": channel}))

    async def listing(self, team: str, *, open_only: bool = True, limit: int = 100) -> list[IncidentRow]:
        """Incidents, the latest first. Private ones are among them: who may see them is the caller's to ask."""
        statement = reads.LISTING_OPEN if open_only else reads.LISTING
        return [reads.listed(row) for row in await self._rows(statement, {"team": team, "limit": limit})]

    # -- what is owed ---------------------------------------------------------------------------------

    async def due(self, now: datetime, limit: int) -> list[str]:
        """The ids of incidents that were to be looked at by now, the longest overdue first."""
        return [str(row["id"]) for row in await self._rows(reads.DUE, {"now": now, "limit": limit})]

    async def next_due(self) -> datetime | None:
        """The earliest moment at which any incident is to be looked at; it may have passed."""
        found = await self._rows(reads.NEXT_DUE)
        return found[0]["due_at"] if found else None

    async def oldest_overdue(self, now: datetime) -> datetime | None:
        """Since when the longest overdue incident waits; None when nothing is overdue."""
        at = await self.next_due()
        return at if at is not None and at <= now else None

    async def effects(self, id: str) -> tuple[Effect, ...]:
        """Every call of this incident that was begun, oldest first."""
        return tuple(map(reads.effect, await self._rows(reads.EFFECTS, {"id": id})))

    async def parked(self) -> list[Effect]:
        """Calls that were given up and wait for somebody, oldest first."""
        return [reads.effect(row) for row in await self._rows(reads.PARKED)]

    # -- people ---------------------------------------------------------------------------------------

    async def person(self, team: str, user: str) -> Person | None:
        """What the directory said about a person, last time; None for somebody not yet asked about."""
        found = await self._rows(reads.PERSON, {"team": team, "user": user})
        return reads.person(found[0]) if found else None

    async def people(self, team: str) -> list[Person]:
        """Everybody of a team whom the directory was asked about."""
        return [reads.person(row) for row in await self._rows(reads.PEOPLE, {"team": team})]

    async def save_people(self, people: Sequence[Person]) -> None:
        """Keep what the directory says now."""

        def job(tx: Transaction) -> None:
            for one in people:
                tx.save_person(one.team, one.user, one.body, one.at)

        await self.write(job)

    # -- is it as it was written ----------------------------------------------------------------------

    async def verify(self, team: str | None = None) -> list[str]:
        """What is wrong with the timelines, a sentence each; empty when all is as written. Reads everything."""

        def look() -> list[str]:
            with self._looking.begin() as connection:
                return audit.verify(connection, self._key, team)

        return await asyncio.to_thread(look)


def _id(rows: Sequence[RowMapping]) -> str | None:
    return str(rows[0]["id"]) if rows else None
