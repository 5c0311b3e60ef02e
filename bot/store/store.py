"""The store: one way to write, many to read. Reads see everything that a `write` has returned for."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import URL, Executable, RowMapping, Select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.domain.effect import Effect
from bot.domain.errors import StoreUnavailable
from bot.domain.events import Entry
from bot.domain.incident import Incident
from bot.domain.subject import WorkspaceSubject
from bot.ports import Leases
from bot.store import audit, engines, postgres, read_sql, schema, subjects_sql
from bot.store.errors import Damaged, StoreRefused
from bot.store.fold_cache import FoldCache
from bot.store.lease_sql import LeaseSql
from bot.store.leases import LEASE_SECONDS, SingleProcessLeases, SqlLeases
from bot.store.notify_listener import NotifyListener
from bot.store.process_lock import LOCK_TIMEOUT_SECONDS, ProcessLock
from bot.store.rows import IncidentRow, PersonRow
from bot.store.shared_writer import SharedWriter
from bot.store.transaction import SqlTransaction
from bot.store.writer import Writer

T = TypeVar("T")

#: seconds within which a read is answered or given up
READ_TIMEOUT_SECONDS = 2.5
#: incidents whose timelines are read in one statement, where many are shown
MAX_READ_TOGETHER = 50
#: bytes of the chain's key at least: a shorter one could be guessed from any event
MIN_KEY_BYTES = 16


class SqlStore:
    """Everything the bot remembers. Made by `open`, ended by `close`."""

    def __init__(
        self, address: URL, key: bytes, writer: Writer | SharedWriter, reading: AsyncEngine, cache: FoldCache,
        holder: LeaseSql | None = None,
    ) -> None:  # fmt: skip
        self._address = address
        self._key = key
        self._cache = cache
        self._reading = reading
        self._writer = writer
        #: which incidents this process may attend
        self.leases: Leases = SingleProcessLeases(self.due_ids)
        if holder is not None and isinstance(writer, SharedWriter):
            self.leases = SqlLeases(writer.single, holder)
        #: told the id of each incident that another process has changed
        self.on_change: Callable[[str], None] = lambda _id: None
        file = engines.sqlite_path(address)
        self._process_lock = ProcessLock(file) if file else None
        #: told the id of each team whose people or groups another process has learned anew; empty: perhaps of any
        self.on_people: Callable[[str], None] = lambda _team: None
        self._listener = (
            NotifyListener(address, holder.owner, self._heard, self._learned, self._deaf) if holder else None
        )

    @classmethod
    def open(cls, url: str, key: bytes, *, lease_seconds: float = LEASE_SECONDS) -> SqlStore:
        """Open the database at `url`, which was migrated before. `key` makes the chain; it lives elsewhere.

        `lease_seconds`: seconds after which a process of several that died is replaced. Raises StoreRefused with what
        to do when the database, its shape or the key is not as it has to be.
        """
        if len(key) < MIN_KEY_BYTES:
            raise StoreRefused(f"The timeline's key has to be {MIN_KEY_BYTES} bytes or longer.")
        address = engines.parse_url(url)
        with engines.explained_errors(address):
            schema.check(address)
        cache = FoldCache()
        if engines.is_shared(address):
            holder = LeaseSql(uuid.uuid4().hex, lease_seconds)
            shared = SharedWriter(postgres.write_engine(address), key, cache, holder)
            return cls(address, key, shared, postgres.read_engine(address), cache, holder)
        return cls(address, key, Writer(engines.write_engine(address), key, cache), engines.read_engine(address), cache)

    async def start_serving(self, patience: float = LOCK_TIMEOUT_SECONDS) -> None:
        """Begin to work on what is due: alone on a SQLite file, or hearing what others change (`on_change`).

        Raises StoreRefused while another bot works on the file, after `patience` seconds.
        """
        if self._process_lock is not None:
            await self._process_lock.acquire(patience)
        if self._listener is not None:
            self._listener.start()

    @property
    def is_listening(self) -> bool:
        """Whether it is known at once what other processes change; alone there is nothing to hear."""
        return self._listener is None or self._listener.is_listening

    def _heard(self, id: str) -> None:
        self._cache.mark_stale(id)
        self.on_change(id)

    def _deaf(self) -> None:
        """Whatever others have done meanwhile was not heard."""
        self._cache.mark_stale()
        self.on_people("")

    def _learned(self, team: str) -> None:
        self.on_people(team)

    async def close(self) -> None:
        """Finish what waits to be written, then let go of the database."""
        if self._listener is not None:
            await self._listener.stop()
        await self._writer.close()
        await self._reading.dispose()
        if self._process_lock is not None:
            self._process_lock.release()

    async def write(self, job: Callable[[SqlTransaction], T], *, append_to: str = "", one_statement: bool = False) -> T:
        """Run `job`, synchronous and quick, in one transaction; its value, once that is on the disk.

        Whatever it raises is raised here, and nothing of it is written. Raises StoreUnavailable when the database
        could not be written; then nothing of it was acknowledged either. `one_statement`: the job is one statement
        where the database is shared, `append_to`: it glances at this incident and appends to it; PostgreSQL is asked
        once then.
        """
        if isinstance(self._writer, SharedWriter):
            if append_to:
                return await self._writer.append(job, append_to)
            if one_statement:
                return await self._writer.single(job)
        return await self._writer.write(job)

    async def _rows(self, statement: Executable, values: dict[str, Any] | None = None) -> Sequence[RowMapping]:
        for last in (False, True):
            try:
                async with asyncio.timeout(READ_TIMEOUT_SECONDS), self._reading.connect() as connection:
                    return (await connection.execute(statement, values)).mappings().all()
            except (DBAPIError, PoolTimeout, OSError) as error:
                # A connection that the server has closed meanwhile is found out by using it; a new one may do.
                if last or not getattr(error, "connection_invalidated", False):
                    raise StoreUnavailable("The database cannot be read right now.") from error
        raise AssertionError("unreachable")

    # -- incidents ------------------------------------------------------------------------------------

    async def incident(self, id: str) -> Incident | None:
        """The incident as it stands. Raises Damaged when its timeline cannot be read."""
        found = await self._rows(read_sql.STATE, {"id": id})
        if not found:
            return None
        state = found[0]
        known = self._cache.latest(id)
        if known and known.incident.seq > state["seq"] and known.redactions >= state["redactions"]:
            return known.incident  # written and committed here since the row was read
        one = self._cache.get(id, state["head"], state["redactions"])
        if one is None:
            if (base := read_sql.usable_fold(known, state)) is None:
                one = read_sql.fold_rows(id, state, await self._rows(read_sql.TIMELINE, {"id": id}))
            else:
                tail = await self._rows(read_sql.TAIL, {"id": id, "after": base.incident.seq})
                one = read_sql.fold_more(base, state, tail)
            self._cache.put([one])
        return one.incident

    async def cached(self, id: str) -> Incident | None:
        """The incident as this process last knew it, without a look at the database where it knows one.

        For looking around before an act, which decides on the incident as it stands then. What this process has
        written is in it; what another wrote a moment ago may not be.
        """
        known = self._cache.if_fresh(id) if self.is_listening else None
        return known.incident if known else await self.incident(id)

    async def incidents(self, seqs: Mapping[str, int]) -> dict[str, Incident]:
        """Each of these incidents, no older than the seq beside its id; damaged ones are left out.

        Those that this process does not know so far are read many at a time.
        """
        fresh = ((id, self._cache.if_fresh(id) if self.is_listening else None) for id in seqs)
        found = {id: one.incident for id, one in fresh if one is not None and one.incident.seq >= seqs[id]}
        missing = [id for id in seqs if id not in found]
        for start in range(0, len(missing), MAX_READ_TOGETHER):
            page = missing[start : start + MAX_READ_TOGETHER]
            states = await self._rows(read_sql.STATES_IN, {"ids": page})
            await self._fold_unknown(states, read_sql.TIMELINES_IN)
            for state in states:
                if one := self._cache.get(state["id"], state["head"], state["redactions"]):
                    found[state["id"]] = one.incident
        return found

    async def _fold_unknown(self, states: Sequence[RowMapping], timelines_of: Select[Any]) -> None:
        """Read and fold those of these incidents that are not known as they stand; damaged ones stay unknown."""
        unknown = [one["id"] for one in states if self._cache.get(one["id"], one["head"], one["redactions"]) is None]
        timelines: dict[str, list[RowMapping]] = {id: [] for id in unknown}
        for row in await self._rows(timelines_of, {"ids": unknown}) if unknown else ():
            timelines[row["incident_id"]].append(row)
        for state in states:
            if timeline := timelines.get(id := state["id"]):
                with contextlib.suppress(Damaged):
                    self._cache.put([read_sql.fold_rows(id, state, timeline)])
                await asyncio.sleep(0)  # many at a time, and nobody waits for more than one of them

    async def entries(self, id: str) -> list[Entry]:
        """The whole timeline, in order; empty for an incident that is not there."""
        return read_sql.entries(await self._rows(read_sql.TIMELINE, {"id": id}))

    async def find(self, team: str, number: int) -> str | None:
        """The id of INC-`number`."""
        return _id(await self._rows(read_sql.FIND, {"team": team, "number": number}))

    async def by_channel(self, team: str, channel: str) -> str | None:
        """The id of the incident whose channel that is."""
        if not channel:
            return None
        known = self._cache.in_channel(team, channel)
        return known or _id(await self._rows(read_sql.BY_CHANNEL, {"team": team, "channel": channel}))

    def cached_id_by_alert_group(self, team: str, group: str) -> str | None:
        """The id of the group's open incident, where this process knows one; nothing is asked."""
        return self._cache.of_group(team, group)

    async def listing(
        self, team: str, *, open_only: bool = True, limit: int = 100, severity_order: tuple[str, ...] = ()
    ) -> list[IncidentRow]:
        """Incidents, the latest first; of open ones those of the first severities of `severity_order` before.

        Private ones are among them: who may see them is the caller's to ask.
        """
        statement = read_sql.listing_open(severity_order) if open_only else read_sql.LISTING
        return [read_sql.listed(row) for row in await self._rows(statement, {"team": team, "limit": limit})]

    async def count_open(self, team: str) -> int:
        """How many incidents are open; private ones are nobody's and not counted."""
        return int((await self._rows(read_sql.COUNT_OPEN, {"team": team}))[0]["open"])

    # -- what is due ---------------------------------------------------------------------------------

    async def due_ids(self, now: datetime, limit: int, worst: tuple[str, ...] = ()) -> list[str]:
        """The ids of incidents that were to be looked at by now, the longest overdue first; with `worst` in the order
        of `read_sql.order`."""
        values = {"now": now, "limit": limit, **read_sql.due_values(worst, now)}
        return [str(row["id"]) for row in await self._rows(read_sql.due(worst), values)]

    async def next_due(self, after: datetime | None = None) -> datetime | None:
        """The earliest moment (`after` that one) at which any incident is to be looked at; it may have passed."""
        found = (
            await self._rows(read_sql.NEXT_DUE_AFTER, {"after": after})
            if after
            else await self._rows(read_sql.NEXT_DUE)
        )
        return found[0]["due_at"] if found else None

    async def oldest_overdue(self, now: datetime) -> datetime | None:
        """Since when the longest overdue incident waits; None when nothing is overdue."""
        at = await self.next_due()
        return at if at is not None and at <= now else None

    async def effects(self, id: str) -> tuple[Effect, ...]:
        """Every call of this incident that was begun, oldest first."""
        return tuple(read_sql.effects_of(await self._rows(read_sql.EFFECTS, {"id": id})))

    async def load_many(self, ids: Sequence[str]) -> dict[str, tuple[Incident, dict[str, Effect]]]:
        """Of these incidents each as it stands and its calls by their keys, where other processes' changes are heard
        of; empty elsewhere. Damaged ones are left out."""
        if self._listener is None or not self.is_listening:
            return {}
        states = await self._rows(read_sql.STATES, {"ids": list(ids)})
        await self._fold_unknown(states, read_sql.TIMELINES)
        calls: dict[str, list[RowMapping]] = {id: [] for id in ids}
        for row in await self._rows(read_sql.EFFECTS_OF, {"ids": list(ids)}):
            calls[row["incident_id"]].append(row)
        effects: dict[str, dict[str, Effect]] = {}
        for id in (one["id"] for one in states):
            effects[id] = {one.key: one for one in read_sql.effects_of(calls[id])}
            await asyncio.sleep(0)
        found = ((id, self._cache.if_fresh(id)) for id in effects)
        return {id: (one.incident, effects[id]) for id, one in found if one is not None}

    async def parked(self) -> list[Effect]:
        """Calls that were given up and wait for somebody, oldest first: of incidents, then of workspaces."""
        of_workspaces = subjects_sql.effects_of(await self._rows(subjects_sql.PARKED))
        return [*read_sql.effects_of(await self._rows(read_sql.PARKED)), *of_workspaces]

    # -- workspaces -----------------------------------------------------------------------------------

    async def workspace(self, team: str) -> WorkspaceSubject | None:
        """The workspace as something that is attended; None for one that never was."""
        found = await self._rows(subjects_sql.SUBJECT, {"team": team})
        return subjects_sql.subject(found[0]) if found else None

    async def workspace_effects(self, one: WorkspaceSubject) -> list[Effect]:
        """Every call of this workspace that was begun."""
        return subjects_sql.effects_of(await self._rows(subjects_sql.EFFECTS, {"id": one.id}))

    async def has_homes(self, team: str) -> bool:
        """Whether anybody of this workspace has opened their Home."""
        return bool(await self._rows(subjects_sql.HOMES, {"team": team}))

    async def due_workspaces(self, now: datetime) -> list[str]:
        """Workspaces that are to be looked at by now."""
        return [str(row["team_id"]) for row in await self._rows(subjects_sql.DUE_TEAMS, {"now": now})]

    async def next_workspace_due(self, after: datetime) -> datetime | None:
        """The earliest moment after that one at which any workspace is to be looked at."""
        found = await self._rows(subjects_sql.NEXT_DUE, {"after": after})
        return found[0]["due_at"] if found else None

    # -- people ---------------------------------------------------------------------------------------

    async def person(self, team: str, user: str) -> PersonRow | None:
        """What the directory said about a person, last time; None for somebody not yet asked about."""
        found = await self._rows(read_sql.PERSON, {"team": team, "user": user})
        return read_sql.person(found[0]) if found else None

    async def people(self, team: str) -> list[PersonRow]:
        """Everybody of a team whom the directory was asked about."""
        return [read_sql.person(row) for row in await self._rows(read_sql.PEOPLE, {"team": team})]

    async def save_people(self, people: Sequence[PersonRow]) -> None:
        """Keep what the directory says now."""

        def job(tx: SqlTransaction) -> None:
            for one in people:
                tx.save_person(one.team, one.user, one.body, one.at)
            for team in sorted({one.team for one in people if one.team}):
                tx.notify_people_changed(team)

        await self.write(job)

    # -- is it as it was written ----------------------------------------------------------------------

    async def verify(self, team: str | None = None) -> list[str]:
        """What is wrong with the timelines, a sentence each; empty when all is as written. Reads everything."""

        return await asyncio.to_thread(
            engines.run_in_transaction,
            self._address,
            lambda connection: audit.verify(connection, self._key, team),
            write=False,
        )


def _id(rows: Sequence[RowMapping]) -> str | None:
    return str(rows[0]["id"]) if rows else None
