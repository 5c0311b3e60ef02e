"""How a database is opened. PostgreSQL is in `postgres`; SQLite has one connection that writes, a few that only read.

WAL lets people read while something is written. Synchronous FULL keeps an acknowledged event over a power cut. BEGIN
IMMEDIATE takes the write lock first. Without it, a read that turns into a write in mid-transaction fails; with the
driver's own way of beginning, it silently overwrites what others wrote.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bot.store import postgres
from bot.store.errors import StoreRefused

T = TypeVar("T")

#: how long a connection waits for another process that writes, in milliseconds
BUSY_TIMEOUT_MS = 2000
MAX_READ_CONNECTIONS = 4


def parse_url(url: str) -> URL:
    """The database's URL without a driver. Raises StoreRefused for what this release cannot open."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # their texts quote the address, and with it a password
        raise StoreRefused(
            "The database's address is not a URL; it looks like sqlite:///var/incidents.sqlite or "
            "postgresql://user@host/database."
        ) from None
    if parsed.get_backend_name() in ("postgresql", "postgres"):
        return postgres.address(parsed)
    if parsed.get_backend_name() != "sqlite":
        raise StoreRefused(f"The data is kept in SQLite or PostgreSQL; {parsed.get_backend_name()} is neither.")
    if not parsed.database or parsed.database == ":memory:":
        raise StoreRefused("The database has to be a file: sqlite:///var/incidents.sqlite. Memory forgets.")
    return parsed.set(drivername="sqlite")


def is_shared(url: URL) -> bool:
    """Whether several replicas may work on that database at once."""
    return url.get_backend_name() == "postgresql"


def sqlite_path(url: URL) -> Path | None:
    """Where the database lies; None for PostgreSQL and for SQLite's own `file:` URIs."""
    database = url.database or ""
    return None if is_shared(url) or database.startswith("file:") else Path(database)


@contextmanager
def explained_errors(url: URL) -> Iterator[None]:
    """Say in a sentence why it cannot be opened: no permission, not a database, locked for too long, not there."""
    try:
        yield
    except (DBAPIError, OSError) as error:
        if is_shared(url):
            raise StoreRefused(postgres.explain_error(url, error)) from None
        why = str(getattr(error, "orig", None) or error) or type(error).__name__
        raise StoreRefused(f"The database at {url.render_as_string()} cannot be opened: {why}.") from error


def run_in_transaction(url: URL, job: Callable[[Connection], T], *, write: bool, busy: int = BUSY_TIMEOUT_MS) -> T:
    """Run `job(connection)` in one transaction, on either database; one that only reads sees a single moment.

    On SQLite one that writes waits `busy` milliseconds for another process that does.

    Takes as long as it takes, so an event loop calls it in a thread. For what looks at everything: migrations,
    verification, backups. Raises what the job and the database raise.
    """
    if is_shared(url):
        return _in_a_loop_of_its_own(_whole_shared(url, job, write))
    engine = write_engine(url, busy) if write else snapshot_engine(url)
    try:
        with engine.begin() as connection:
            return job(connection)
    finally:
        engine.dispose()


async def _whole_shared(url: URL, job: Callable[[Connection], T], write: bool) -> T:
    engine = postgres.single_connection_engine(url, "READ COMMITTED" if write else "REPEATABLE READ")
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(job)
    finally:
        await engine.dispose()


def _in_a_loop_of_its_own(work: Coroutine[Any, Any, T]) -> T:
    """asyncpg lives in a loop; a synchronous caller, who may stand in another one, lends it a thread."""
    answer: list[T] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            answer.append(asyncio.run(work))
        except BaseException as error:
            failure.append(error)

    thread = threading.Thread(target=run, name="database")
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return answer[0]


def write_engine(url: URL, busy: int = BUSY_TIMEOUT_MS) -> Engine:
    """An engine for the one connection that writes; `busy` milliseconds it waits for another process that does."""
    engine = create_engine(url.set(drivername="sqlite+pysqlite"), poolclass=NullPool, hide_parameters=True)
    event.listen(engine, "connect", partial(_for_writing, busy=busy))
    event.listen(engine, "begin", _begin)
    return engine


def snapshot_engine(url: URL) -> Engine:
    """An engine for one long read in a thread of its own; a transaction sees one moment of the database."""
    engine = create_engine(url.set(drivername="sqlite+pysqlite"), poolclass=NullPool, hide_parameters=True)
    event.listen(engine, "connect", _for_reading)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return engine


def read_engine(url: URL) -> AsyncEngine:
    """An engine for short reads, each a statement by itself."""
    engine = create_async_engine(
        url.set(drivername="sqlite+aiosqlite"),
        pool_size=MAX_READ_CONNECTIONS,
        max_overflow=0,
        # a statement is its own transaction: BEGIN and ROLLBACK would cost two more hops between threads each
        isolation_level="AUTOCOMMIT",
        pool_reset_on_return=None,
        hide_parameters=True,
    )
    event.listen(engine.sync_engine, "connect", _for_reading)
    return engine


def _for_writing(connection: Any, _record: Any, busy: int) -> None:
    # None: the driver begins nothing by itself, `_begin` does
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={busy}")
    answer = _asked_for_wal(cursor, busy)
    if answer != "wal":  # SQLite does not fail here: it answers with the mode it stays in
        raise StoreRefused(
            f"SQLite refused its write-ahead log for this file (it answered {answer!r}). "
            "A network file system does that: put the database on a local disk."
        )
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA secure_delete=ON")  # what was redacted is not left in free space
    cursor.close()


def _asked_for_wal(cursor: Any, busy: int) -> str:
    """SQLite's answer. Of several who ask at once for a new file, it tells some that it is locked without waiting."""
    deadline = time.monotonic() + busy / 1000
    while True:
        try:
            return str(cursor.execute("PRAGMA journal_mode=WAL").fetchone()[0])
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        time.sleep(0.01)


def _for_reading(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA query_only=ON")
    cursor.close()


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
