"""How PostgreSQL is opened: by asyncpg, with a few connections, each call bounded.

A link that is cut silently would otherwise hang for as long as TCP likes; with these bounds a call is answered or
refused before Slack's three seconds are over.
"""

from __future__ import annotations

from sqlalchemy import URL, NullPool
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

#: seconds for opening a connection, for one statement, and for getting one of the pool's connections
CONNECT, STATEMENT, POOL = 2, 2, 2
#: milliseconds after which the server ends a transaction of which it hears nothing more: its rows are locked for all
#: others as long as a process stands still in the middle of it. Shorter than STATEMENT: those others are answered yet.
SILENT = "1000"
#: connections of one replica: these and one that listens (the server's default is 100 for all)
WRITERS, READERS = 5, 3


def writing(url: URL) -> AsyncEngine:
    """An engine for short transactions that write."""
    return _pooled(url, WRITERS, "READ COMMITTED")


def reading(url: URL) -> AsyncEngine:
    """An engine for short reads, each a statement by itself."""
    return _pooled(url, READERS, "AUTOCOMMIT")


def single(url: URL, isolation: str) -> AsyncEngine:
    """An engine for one connection that takes its time: a migration, a backup, a listener."""
    return create_async_engine(
        _with_driver(url),
        poolclass=NullPool,
        isolation_level=isolation,
        connect_args={"timeout": CONNECT * 5},
        hide_parameters=True,
    )


def _pooled(url: URL, size: int, isolation: str) -> AsyncEngine:
    return create_async_engine(
        _with_driver(url),
        pool_size=size,
        max_overflow=0,
        pool_timeout=POOL,
        isolation_level=isolation,
        connect_args={
            "timeout": CONNECT,
            "command_timeout": STATEMENT,
            "server_settings": {"idle_in_transaction_session_timeout": SILENT},
        },
        hide_parameters=True,
    )


def _with_driver(url: URL) -> URL:
    return url.set(drivername="postgresql+asyncpg")
