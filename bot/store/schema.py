"""The database's shape: made and changed by migrations only, checked before anything is opened."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from bot.store import engines
from bot.store.errors import StoreRefused
from bot.store.tables import metadata

_MIGRATIONS = Path(__file__).parent / "migrations"

#: any number of our own: names the lock that migrations of a PostgreSQL database take
ADVISORY_LOCK_ID = 5_021_917
#: PostgreSQL's code for a lock that was waited for in vain
_LOCK_NOT_AVAILABLE = "55P03"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    # the default splits on blanks too, and the project may lie below a folder that has one in its name
    config.set_main_option("path_separator", "os")
    return config


@dataclass(frozen=True)
class MigrationTimeouts:
    """Seconds that a migration waits for another one, for a table in use, and for one of its statements."""

    turn: float = 60
    table: float = 5
    statement: float = 300


def migrate(url: str, patience: MigrationTimeouts = MigrationTimeouts()) -> bool:
    """Bring the database at `url` to the shape this program needs; make it where there is none, and say so (True).

    All or nothing: a crash on the way leaves it as it was. Of two programs that migrate at once, one waits.
    Raises StoreRefused for a database of a newer program, and where somebody holds it up for too long.
    """
    address = engines.parse_url(url)
    file = engines.sqlite_path(address)
    if file is not None and not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)  # private incidents: nobody else on this machine reads them
    with engines.explained_errors(address):
        turn = int(patience.turn * 1000)
        return engines.run_in_transaction(
            address, lambda connection: upgrade(connection, patience), write=True, busy=turn
        )


def upgrade(connection: Connection, patience: MigrationTimeouts = MigrationTimeouts()) -> bool:
    """The same in the caller's transaction, which writes."""
    if connection.dialect.name == "postgresql":
        _take_turns(connection, patience)
    config = _config()
    config.attributes["connection"] = connection
    with _waiting(
        f"A table was in use for longer than {patience.table:g} s, so the database was left as it was. "
        "Run `python -m bot migrate` again; pg_stat_activity shows who holds it."
    ):
        if (found := revision(connection)) is not None and found not in known_revisions():
            raise StoreRefused(newer_schema_text(found))
        command.upgrade(config, "head")
    return found is None


@contextmanager
def _waiting(sentence: str) -> Iterator[None]:
    """Say this where PostgreSQL gave up waiting for a lock."""
    try:
        yield
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", "") != _LOCK_NOT_AVAILABLE:
            raise
        raise StoreRefused(sentence) from error


def _take_turns(connection: Connection, patience: MigrationTimeouts) -> None:
    """Of two programs that migrate at once one waits; neither holds up a running bot for long."""

    def bound(what: str, seconds: float) -> None:
        connection.execute(text(f"SET LOCAL {what} = '{int(seconds * 1000)}ms'"))

    bound("lock_timeout", patience.turn)
    with _waiting(
        f"Another program has been migrating this database for longer than {patience.turn:g} s. "
        "Wait for it, then run this again."
    ):
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": ADVISORY_LOCK_ID})
    # A table that the running bot uses is waited for so long at most: every query behind would wait as well.
    bound("lock_timeout", patience.table)
    bound("statement_timeout", patience.statement)


def check(url: URL) -> None:
    """Raise StoreRefused unless the database has exactly the shape this program was written for."""
    file = engines.sqlite_path(url)
    if file is not None and not file.exists():  # opening it would make one
        raise StoreRefused(f"There is no database at {file}. Run `python -m bot migrate` first.")
    found = engines.run_in_transaction(url, revision, write=False)
    wanted = ScriptDirectory.from_config(_config()).get_current_head()
    if found == wanted:
        return
    if found is None:
        raise StoreRefused("Nothing of this bot is in the database yet. Run `python -m bot migrate` first.")
    if found in known_revisions():
        raise StoreRefused(
            f"The database is at {found} and this program needs {wanted}. Run `python -m bot migrate` first."
        )
    raise StoreRefused(newer_schema_text(found))


def revision(connection: Connection) -> str | None:
    """The migration that the database is at; None before the first."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def known_revisions() -> set[str]:
    """The migrations of this program."""
    return {one.revision for one in ScriptDirectory.from_config(_config()).walk_revisions()}


def backfill(connection: Connection, since: str) -> None:
    """Fill, in rows that were written in the shape `since`, the columns that later migrations fill."""
    later = list(ScriptDirectory.from_config(_config()).iterate_revisions("head", since))
    for script in reversed(later):
        if (fill := getattr(script.module, "backfill", None)) is not None:
            fill(connection)


def newer_schema_text(found: str) -> str:
    """Why a database of a later program is left alone."""
    return f"The database was made by a newer version of this program (it is at {found}). Install that version."


def tables() -> list[str]:
    """The names of all tables of this program's shape."""
    return [table.name for table in metadata.sorted_tables]
