"""How SQLite is opened: one connection that writes, a few that can only read.

WAL lets people read while something is written; synchronous FULL keeps an acknowledged event over a power cut;
BEGIN IMMEDIATE takes the write lock first, since a read that turns into a write in mid-transaction either fails
or, with the driver's own way of beginning, silently overwrites what others wrote.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bot.store.refused import StoreRefused

#: how long a connection waits for another process that writes, in milliseconds
BUSY = 2000
READERS = 4


def address(url: str) -> URL:
    """The database's URL without a driver. Raises StoreRefused for what this release cannot open."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StoreRefused(
            "The database's address is not a URL; it looks like sqlite:///var/incidents.sqlite."
        ) from None
    if parsed.get_backend_name() != "sqlite":
        raise StoreRefused(f"This release keeps its data in SQLite; it cannot open {parsed.get_backend_name()} yet.")
    if not parsed.database or parsed.database == ":memory:":
        raise StoreRefused("The database has to be a file: sqlite:///var/incidents.sqlite. Memory forgets.")
    return parsed.set(drivername="sqlite")


def file(url: URL) -> Path | None:
    """Where the database lies; None for SQLite's own `file:` URIs."""
    database = url.database or ""
    return None if database.startswith("file:") else Path(database)


@contextmanager
def opening(url: URL) -> Iterator[None]:
    """Say in a sentence why a file cannot be opened: no permission, not a database, locked for too long."""
    try:
        yield
    except DBAPIError as error:
        raise StoreRefused(f"The database at {url.database} cannot be opened: {error.orig}.") from error


def writing(url: URL) -> Engine:
    """An engine for the one connection that writes."""
    engine = create_engine(url.set(drivername="sqlite+pysqlite"), poolclass=NullPool, hide_parameters=True)
    event.listen(engine, "connect", _for_writing)
    event.listen(engine, "begin", _begin)
    return engine


def looking(url: URL) -> Engine:
    """An engine for one long read in a thread of its own; a transaction sees one moment of the database."""
    engine = create_engine(url.set(drivername="sqlite+pysqlite"), poolclass=NullPool, hide_parameters=True)
    event.listen(engine, "connect", _for_reading)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return engine


def reading(url: URL) -> AsyncEngine:
    """An engine for short reads, each a statement by itself."""
    engine = create_async_engine(
        url.set(drivername="sqlite+aiosqlite"),
        pool_size=READERS,
        max_overflow=0,
        # a statement is its own transaction: BEGIN and ROLLBACK would cost two more hops between threads each
        isolation_level="AUTOCOMMIT",
        pool_reset_on_return=None,
        hide_parameters=True,
    )
    event.listen(engine.sync_engine, "connect", _for_reading)
    return engine


def _for_writing(connection: Any, _record: Any) -> None:
    # None: the driver begins nothing by itself, `_begin` does
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY}")
    answer = cursor.execute("PRAGMA journal_mode=WAL").fetchone()[0]
    if answer != "wal":  # SQLite does not fail here: it answers with the mode it stays in
        raise StoreRefused(
            f"SQLite refused its write-ahead log for this file (it answered {answer!r}). "
            "A network file system does that: put the database on a local disk."
        )
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA secure_delete=ON")  # what was redacted is not left in free space
    cursor.close()


def _for_reading(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY}")
    cursor.execute("PRAGMA query_only=ON")
    cursor.close()


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
