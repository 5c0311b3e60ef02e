"""Writes to a database that several replicas share: each job a transaction, its rows locked by PostgreSQL."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import TypeVar
from weakref import WeakValueDictionary

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.domain.errors import CommitOutcomeUnknown, StoreUnavailable
from bot.store import postgres
from bot.store.fold_cache import FoldCache, FoldedIncident
from bot.store.lease_sql import LeaseSql
from bot.store.transaction import SqlTransaction

T = TypeVar("T")

log = structlog.get_logger(__name__)

#: seconds in which a job is written or given up: with time left to say so within Slack's three
WRITE_TIMEOUT_SECONDS = 2.5
MAX_TRIES = 3
#: seconds after which a connection that has said nothing is asked whether it still does, before a single statement goes
#: out on it: what stays unanswered then is known not to be recorded
PING_AFTER_SECONDS = 0.1
UNAVAILABLE = "The database cannot be reached right now: nothing was recorded."
OUTCOME_UNKNOWN = "The database went away while this was written: look whether it was recorded before you do it again."

#: what a new try may cure: a cut connection, a deadlock, a fail-over (the old primary is read-only), a transaction that
#: the server ended because this process stood still, a changed plan
_RETRYABLE_SQLSTATES = ("08", "40", "57", "25006", "25P03", "25P04", "0A000")
#: it says that the connection has ended, in whatever it was doing
_CONNECTION_ENDED_SQLSTATES = ("08", "57", "25P03", "25P04")


class SharedWriter:
    """Runs jobs on the engine's few connections. Stands beside `Writer`, which has the one thread of SQLite."""

    def __init__(self, engine: AsyncEngine, key: bytes, cache: FoldCache, holder: LeaseSql) -> None:
        self._engine = engine
        #: the same connections, on which each statement is a transaction by itself
        self._single = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._trust = postgres.PoolGeneration(engine)
        self._key = key
        self._cache = cache
        self._holder = holder
        self._closed = False
        self._places = asyncio.Semaphore(postgres.MAX_WRITE_CONNECTIONS)
        #: by incident, while anybody appends to it
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        #: when the database last failed, by the loop's clock
        self._failed = 0.0
        #: whether the latest job failed with it: then its tries are not worth a line each
        self._away = False

    async def write(self, job: Callable[[SqlTransaction], T]) -> T:
        """Run `job` in a transaction and return its value once that is committed.

        A job that raises leaves nothing behind and raises here. It may run again when the connection broke; after a
        break at the commit it finds what it wrote, as far as it looks (delivery keys, rules). Raises StoreUnavailable.
        """
        return await self._in_turn(job)

    async def single(self, job: Callable[[SqlTransaction], T]) -> T:
        """The same for a job of one statement, which is a transaction by itself: one way to the server, not three."""
        return await self._in_turn(job, single=True)

    async def append(self, job: Callable[[SqlTransaction], T], id: str) -> T:
        """The same for a job that glances at one incident and appends to it. Those of one incident run one after the
        other, each on what the one before has made of it: side by side all but the first would find it changed."""
        turn = self._turns.setdefault(id, asyncio.Lock())
        return await self._in_turn(job, single=True, after=turn)

    async def _in_turn(
        self, job: Callable[[SqlTransaction], T], *, single: bool = False, after: asyncio.Lock | None = None
    ) -> T:
        if self._closed:
            raise StoreUnavailable("The database is closed: nothing was recorded.")
        asked = _now()
        async with after or contextlib.nullcontext(), self._places:
            if asked < self._failed:  # what waited behind a write that was not answered would not be answered either
                raise StoreUnavailable(UNAVAILABLE)
            return await self._written(job, single)

    async def _written(self, job: Callable[[SqlTransaction], T], single: bool) -> T:
        folded: dict[str, FoldedIncident] = {}
        #: it may be committed by this try, or by one before
        sent = unsure = False
        try:
            async with asyncio.timeout(WRITE_TIMEOUT_SECONDS):
                for attempt in range(1, MAX_TRIES + 1):
                    folded.clear()
                    sent = False
                    try:
                        async with (self._single if single else self._engine).connect() as connection:
                            if single:
                                await _answers(connection)
                            sent = single  # with its one statement
                            value = await connection.run_sync(self._run, job, folded)
                            if not single:
                                sent = True
                                await connection.commit()
                            _heard(connection)
                        break
                    except (DBAPIError, OSError) as error:
                        unsure, sent = unsure or (sent and not _refused(error)), False
                        if attempt == MAX_TRIES or not _worth_another(error):
                            raise
                        if not self._away:
                            log.warning("store.again", error=type(error).__name__)
                        self._trust.invalidate_all()
        except (DBAPIError, PoolTimeout, OSError) as error:  # OSError has TimeoutError below it
            if isinstance(error, IntegrityError):
                raise
            self._failed, self._away = _now(), True
            self._cache.clear()
            raise (
                CommitOutcomeUnknown(OUTCOME_UNKNOWN) if unsure or sent else StoreUnavailable(UNAVAILABLE)
            ) from error
        self._away = False
        self._cache.put(folded.values())
        return value

    def _run(self, connection: Connection, job: Callable[[SqlTransaction], T], folded: dict[str, FoldedIncident]) -> T:
        tx = SqlTransaction(connection, self._key, self._cache, {}, holder=self._holder)
        value = job(tx)
        folded.update(tx.folds)
        return value

    async def close(self) -> None:
        """Let go of the connections."""
        self._closed = True
        await self._engine.dispose()


async def _answers(connection: AsyncConnection) -> None:
    """Ask the server for a word if the connection has been quiet; raises what the driver raises where none comes."""
    if _now() - connection.sync_connection.info.get("heard", 0.0) > PING_AFTER_SECONDS:  # type: ignore[union-attr]
        await connection.exec_driver_sql("SELECT 1")


def _heard(connection: AsyncConnection) -> None:
    connection.sync_connection.info["heard"] = _now()  # type: ignore[union-attr]


def _now() -> float:
    return asyncio.get_running_loop().time()


def _worth_another(error: Exception) -> bool:
    if not isinstance(error, DBAPIError):
        return True
    return error.connection_invalidated or _code(error).startswith(_RETRYABLE_SQLSTATES)


def _refused(error: Exception) -> bool:
    """Whether the server has said that it did nothing; else the answer is what is missing."""
    if not isinstance(error, DBAPIError) or error.connection_invalidated:
        return False
    return bool(_code(error)) and not _code(error).startswith(_CONNECTION_ENDED_SQLSTATES)


def _code(error: DBAPIError) -> str:
    return str(getattr(error.orig, "sqlstate", None) or "")
