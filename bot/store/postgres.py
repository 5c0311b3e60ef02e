"""How PostgreSQL is opened: by asyncpg, with a few connections, each call bounded.

A link that is cut silently would otherwise hang for as long as TCP likes; with these bounds a call is answered or
refused before Slack's three seconds are over.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL, NullPool, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bot.store.errors import StoreRefused

#: seconds for opening a connection, for one statement, and for getting one of the pool's connections
CONNECT_TIMEOUT_SECONDS, STATEMENT_TIMEOUT_SECONDS, POOL_TIMEOUT_SECONDS = 2, 2, 2
#: milliseconds after which the server ends a transaction of which it hears nothing more: its rows are locked for all
#: others as long as a process stands still in the middle of it. Shorter than STATEMENT: those others are answered yet.
IDLE_IN_TRANSACTION_TIMEOUT_MS = "1000"
#: milliseconds after which it ends a transaction, where it can (PostgreSQL 17): a process may also stand still between
#: two messages of one statement, which no other limit of the server's covers
SET_TRANSACTION_TIMEOUT_SQL = (
    "SELECT set_config(name, '2500', false) FROM pg_settings WHERE name = 'transaction_timeout'"
)
#: connections of one replica: these and one that listens (the server's default is 100 for all)
MAX_WRITE_CONNECTIONS, MAX_READ_CONNECTIONS = 5, 3

#: what may stand behind the ? of an address; `sslmode` is what other programs call asyncpg's `ssl`
_PARAMETERS = frozenset(
    {"host", "port", "user", "ssl", "passfile", "target_session_attrs", "prepared_statement_cache_size"}
)
_SSL = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


def address(parsed: URL) -> URL:
    """The address in one spelling, with the password where it is never shown. Raises StoreRefused, and quotes nothing
    that may be a part of a password."""
    query = dict(parsed.query)
    if "@" in (parsed.host or ""):
        raise StoreRefused(
            "The database's address has more than one @. In a password write %40 for @, %3A for : and %2F for /."
        )
    password = query.pop("password", None)
    if "sslmode" in query:
        query.setdefault("ssl", query.pop("sslmode"))
    if unknown := sorted(query.keys() - _PARAMETERS):
        raise StoreRefused(
            f"The database's address has a parameter that is not known: {', '.join(unknown)}. "
            f"These are: {', '.join(sorted(_PARAMETERS))}."
        )
    if query.get("ssl", "require") not in _SSL:
        raise StoreRefused(f"`ssl` in the database's address is one of {', '.join(_SSL)}.")
    url = parsed.set(drivername="postgresql", query=query)
    return url if password is None else url.set(password=str(password))


def explain_error(url: URL, error: Exception) -> str:
    """Why it cannot be opened, in a sentence, and what to do; never with the password."""
    place = url.difference_update_query(_PARAMETERS - {"host"}).render_as_string(hide_password=True)
    cause = getattr(error, "orig", None) or error
    code = str(getattr(cause, "sqlstate", None) or "")
    if code in ("28P01", "28000"):
        return (
            f"The database at {place} does not let {url.username or 'this user'} in: check the user and the password."
        )
    if code == "3D000":
        return f"There is no database {url.database} at {place}. Make it (createdb), then run `python -m bot migrate`."
    if isinstance(error, OSError) or code in ("57P03", "53300"):
        said = type(error).__name__ if isinstance(error, TimeoutError) else str(cause)
        return f"The database at {place} does not answer ({said}). Is the server running, and the address right?"
    told = str(getattr(cause, "__cause__", None) or cause)
    return f"The database at {place} cannot be opened: {told}."


def write_engine(url: URL) -> AsyncEngine:
    """An engine for short transactions that write."""
    return _pooled(url, MAX_WRITE_CONNECTIONS, "READ COMMITTED")


def read_engine(url: URL) -> AsyncEngine:
    """An engine for short reads, each a statement by itself."""
    return _pooled(url, MAX_READ_CONNECTIONS, "AUTOCOMMIT")


def single_connection_engine(url: URL, isolation: str) -> AsyncEngine:
    """An engine for one connection that takes its time: a migration, a backup, a listener."""
    return create_async_engine(
        _with_driver(url),
        poolclass=NullPool,
        isolation_level=isolation,
        connect_args={"timeout": CONNECT_TIMEOUT_SECONDS * 5},
        hide_parameters=True,
    )


def _pooled(url: URL, size: int, isolation: str) -> AsyncEngine:
    engine = create_async_engine(
        _with_driver(url),
        pool_size=size,
        pool_use_lifo=True,  # few are used much: those need not be asked whether they still answer
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT_SECONDS,
        isolation_level=isolation,
        connect_args={
            "timeout": CONNECT_TIMEOUT_SECONDS,
            "command_timeout": STATEMENT_TIMEOUT_SECONDS,
            "server_settings": {"idle_in_transaction_session_timeout": IDLE_IN_TRANSACTION_TIMEOUT_MS},
        },
        hide_parameters=True,
    )
    event.listen(engine.sync_engine, "connect", _bounded)
    return engine


class PoolGeneration:
    """Which of an engine's connections are used: those that were opened since `invalidate_all` was last called. Others
    are closed when somebody is about to take them; `dispose` would leave those open for ever that are under way."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._age = 0
        event.listen(engine.sync_engine, "connect", self._opened)
        event.listen(engine.sync_engine, "checkout", self._taken)

    def invalidate_all(self) -> None:
        """Something is wrong with one of them: the others are likely as dead."""
        self._age += 1

    def _opened(self, _connection: Any, record: Any) -> None:
        record.info["age"] = self._age

    def _taken(self, _connection: Any, record: Any, _proxy: Any) -> None:
        if record.info.get("age") != self._age:
            raise DisconnectionError("it was opened before the database was away")


def _bounded(connection: Any, _record: Any) -> None:
    try:
        connection.run_async(lambda driver: driver.execute(SET_TRANSACTION_TIMEOUT_SQL))
    except Exception as error:  # asyncpg has several for a cut line, and SQLAlchemy translates none in a hook
        raise ConnectionError("the server went away while it was connected to") from error


def _with_driver(url: URL) -> URL:
    return url.set(drivername="postgresql+asyncpg")
