"""The one thread that writes. What waits there is committed together: one wait for the disk serves them all.

SQLite has one writer at a time, and a hop between threads costs more than a statement. So a job is one synchronous
function, run here from its first statement to its last.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from bot.domain.errors import StoreUnavailable
from bot.store.fold_cache import FoldCache, FoldedIncident
from bot.store.transaction import SqlTransaction

T = TypeVar("T")

#: how many jobs share one commit at most: bounds how long the first of them waits for the last
MAX_JOBS_PER_COMMIT = 256
#: seconds of a failure after which nobody waits for a second try
SLOW_FAILURE_SECONDS = 0.5
UNAVAILABLE = "The database cannot be written right now: nothing was recorded."
CLOSED = "The database is closed: nothing was recorded."


@dataclass(eq=False)
class _QueuedJob:
    job: Callable[[SqlTransaction], Any]
    future: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop
    value: Any = None
    error: BaseException | None = field(default=None)

    def answer(self) -> None:
        """Tell who waits; they may have gone."""
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.value)


class Writer:
    """Owns the connection that writes, and its thread."""

    def __init__(self, engine: Engine, key: bytes, cache: FoldCache) -> None:
        self._engine = engine
        self._key = key
        self._cache = cache
        self._queue: queue.SimpleQueue[_QueuedJob | None] = queue.SimpleQueue()
        self._connection: Connection | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    async def write(self, job: Callable[[SqlTransaction], T]) -> T:
        """Run `job` in a transaction and return its value once that is on the disk.

        A job that raises leaves nothing behind and raises here. Raises StoreUnavailable when the database failed.
        """
        if self._closed:
            raise StoreUnavailable(CLOSED)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._queue.put(_QueuedJob(job, future, loop))
        return await future

    async def close(self) -> None:
        """Finish what waits, then let go of the connection."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    # -- on the thread --------------------------------------------------------------------------------

    def _run(self) -> None:
        going = True
        while going:
            batch, going = self._take()
            if not batch:
                continue
            began = time.monotonic()
            try:
                self._commit(batch)
            except BaseException as error:  # the thread has to outlive whatever the database does
                if time.monotonic() - began > SLOW_FAILURE_SECONDS:
                    batch += self._waiting()
                self._give_up(batch, error)
            self._answer(batch)
        self._disconnect()

    def _take(self) -> tuple[list[_QueuedJob], bool]:
        """Everything that waits, at least one; False when that was the end."""
        batch: list[_QueuedJob] = []
        one = self._queue.get()
        while one is not None:
            if not one.future.cancelled():
                batch.append(one)
            if len(batch) >= MAX_JOBS_PER_COMMIT:
                return batch, True
            try:
                one = self._queue.get_nowait()
            except queue.Empty:
                return batch, True
        return batch, False

    def _commit(self, batch: list[_QueuedJob]) -> None:
        if self._connection is None:
            self._connection = self._engine.connect()
        connection = self._connection
        transaction = connection.begin()
        folded: dict[str, FoldedIncident] = {}
        alone = len(batch) == 1
        # savepoints go past SQLAlchemy: there they would cost a fifth of an act
        direct = connection.connection.cursor().execute
        for one in batch:
            self._apply(connection, direct, one, folded, alone)
        if alone and batch[0].error is not None:
            transaction.rollback()
            return
        transaction.commit()
        self._cache.put(folded.values())

    def _apply(
        self,
        connection: Connection,
        direct: Callable[[str], Any],
        one: _QueuedJob,
        folded: dict[str, FoldedIncident],
        alone: bool,
    ) -> None:
        """Run one job; when it raises, undo what it wrote and nothing else."""
        tx = SqlTransaction(connection, self._key, self._cache, folded)
        if not alone:
            direct("SAVEPOINT job")
        try:
            one.value = one.job(tx)
        except BaseException as error:
            one.error = error
        if not _in_transaction(connection):
            # On a full disk, among others, SQLite itself rolls everything back; what follows would be committed
            # statement by statement, and what the jobs before wrote is gone.
            raise one.error or StoreUnavailable(UNAVAILABLE)
        if isinstance(one.error, OperationalError | sqlite3.OperationalError):  # append_sql.py speaks to the driver
            one.error = _unavailable(one.error)
        elif isinstance(one.error, StopIteration):  # a future cannot carry it
            one.error = RuntimeError("a job raised StopIteration")
        if one.error is None:
            folded.update(tx.folds)
        if alone:
            return
        if one.error is not None:
            direct("ROLLBACK TO job")
        direct("RELEASE job")

    def _give_up(self, batch: list[_QueuedJob], error: BaseException) -> None:
        """Nobody knows what the connection holds: begin anew with the next batch."""
        for one in batch:
            one.error = _unavailable(error)
        self._cache.clear()
        self._disconnect()

    def _waiting(self) -> list[_QueuedJob]:
        """What waited behind a long failure: tried only now, it would not be answered in time either."""
        some: list[_QueuedJob] = []
        while True:
            try:
                one = self._queue.get_nowait()
            except queue.Empty:
                return some
            if one is None:  # the end, which `_take` has to see
                self._queue.put(None)
                return some
            some.append(one)

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            connection.close()
        except Exception:  # it is broken already; a new one is opened for the next batch
            connection.invalidate()

    @staticmethod
    def _answer(batch: list[_QueuedJob]) -> None:
        """Resolve all futures of a loop in one call: waking it is the dear part."""
        by_loop: dict[asyncio.AbstractEventLoop, list[_QueuedJob]] = {}
        for one in batch:
            by_loop.setdefault(one.loop, []).append(one)
        for loop, many in by_loop.items():
            try:
                loop.call_soon_threadsafe(_answer_all, many)
            except RuntimeError:  # the loop is closed: nobody waits any more
                continue


def _answer_all(many: list[_QueuedJob]) -> None:
    for one in many:
        one.answer()


def _in_transaction(connection: Connection) -> bool:
    """Whether SQLite still holds our transaction (other drivers cannot lose theirs unnoticed)."""
    return bool(getattr(connection.connection.dbapi_connection, "in_transaction", True))


def _unavailable(error: BaseException) -> StoreUnavailable:
    failure = StoreUnavailable(UNAVAILABLE)
    failure.__cause__ = error
    return failure
