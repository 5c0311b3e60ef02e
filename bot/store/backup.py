"""Backups that are taken while the bot writes, and what puts one back. Nothing that stands is ever deleted by it.

A backup of SQLite is a database of its own (VACUUM INTO: https://sqlite.org/lang_vacuum.html); one of PostgreSQL is
an export (`dump`) of one moment. Both are checked before they count as made.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import URL, Connection, text
from sqlalchemy.exc import DBAPIError

from bot.store import after_restore, audit, dump, engines, schema
from bot.store.atomic_file import create_atomically, fsync_path
from bot.store.dump import Contents
from bot.store.errors import StoreRefused
from bot.store.process_lock import ProcessLock

_SQLITE = b"SQLite format 3\0"
#: how long a backup waits for whoever holds up all reading, in milliseconds
_BUSY_TIMEOUT_MS = 10_000
#: a bot that has just ended: how often the server is asked whether it has noticed, and the seconds between
_MAX_DISCONNECT_CHECKS, _DISCONNECT_CHECK_SECONDS = 30, 0.1
#: problems that a refusal names
_MAX_PROBLEMS_NAMED = 5


@dataclass(frozen=True)
class BackupResult:
    """A backup: `problems` of its timelines (it is kept all the same), and older ones that were deleted for it."""

    path: Path
    contents: Contents
    problems: tuple[str, ...] = ()
    deleted: tuple[Path, ...] = ()


@dataclass(frozen=True)
class RestoreResult:
    """What was put back; `aside` is where what stood there before is now, `looked_at` how many incidents go on."""

    contents: Contents
    looked_at: int
    aside: str = ""


# -- taken ----------------------------------------------------------------------------------------------


def back_up(url: str, key: bytes, target: Path, now: datetime, keep: int = 0) -> BackupResult:
    """Write everything that is committed now into `target`, or into a file named by `now` in the folder `target`.

    `keep` > 0: of the folder's backups that many stay, the newest, unless the new one has problems. Raises
    StoreRefused where it cannot be made whole; then nothing is left of it, and nothing was deleted.
    """
    address = engines.parse_url(url)
    ending = ".jsonl" if engines.is_shared(address) else ".sqlite"
    folder = target.is_dir()
    if keep and not folder:
        raise StoreRefused("--keep is for backups into a folder: name one that is there.")
    path = target / f"{_BACKUP}{now.astimezone(UTC):%Y%m%dT%H%M%SZ}{ending}" if folder else target
    with engines.explained_errors(address):
        schema.check(address)
    with create_atomically(path) as part:
        if engines.is_shared(address):
            held, problems = _dumped(address, key, part)
        else:
            held, problems = _copied(address, key, part)
    deleted = _older(target, ending, keep) if keep and not problems else ()
    return BackupResult(path, held, tuple(problems), deleted)


_BACKUP = "incidents-"


def backups(folder: Path, ending: str = "") -> list[Path]:
    """The backups in a folder that were named by the hour, the newest first."""
    return sorted((one for one in folder.glob(f"{_BACKUP}*Z{ending or '.*'}") if one.is_file()), reverse=True)


def _older(folder: Path, ending: str, keep: int) -> tuple[Path, ...]:
    gone = backups(folder, ending)[keep:]
    for one in gone:
        one.unlink()
    return tuple(gone)


def _dumped(address: URL, key: bytes, part: Path) -> tuple[Contents, list[str]]:
    with part.open("wb") as out, engines.explained_errors(address):

        def job(connection: Connection) -> tuple[Contents, list[str]]:
            return dump.write(connection, out), audit.verify(connection, key)

        made = engines.run_in_transaction(address, job, write=False)
    with part.open("rb") as source:
        dump.check_file(source)
    return made


def _copied(address: URL, key: bytes, part: Path) -> tuple[Contents, list[str]]:
    _vacuum(Path(str(address.database)), part)

    def job(connection: Connection) -> tuple[Contents, list[str]]:
        return dump.contents(connection), audit.verify(connection, key)

    return engines.run_in_transaction(_sqlite(part), job, write=False)


def _vacuum(source: Path, part: Path) -> None:
    """Copy a SQLite database as it stands at one moment, and see that every page of the copy is right."""
    try:
        with contextlib.closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            connection.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MS}")
            connection.execute("VACUUM INTO ?", (str(part),))
        with contextlib.closing(sqlite3.connect(part)) as connection:
            found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(5)")]
    except sqlite3.Error as error:
        why = _damage(source)
        raise StoreRefused(f"{source} is damaged: {why}." if why else f"{source} cannot be copied: {error}.") from error
    if found != ["ok"]:
        raise StoreRefused(f"{source} is damaged: {'; '.join(found)}.")


def _damage(source: Path) -> str:
    """What is wrong with a SQLite file, as SQLite says it; empty where nothing is."""
    try:
        with contextlib.closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        only_locked_or_closed = isinstance(error, sqlite3.OperationalError)
        return "" if only_locked_or_closed else str(error)
    return "" if found == "ok" else str(found)


def _sqlite(path: Path) -> URL:
    return URL.create("sqlite", database=str(path))


# -- put back -------------------------------------------------------------------------------------------


def restore(url: str, key: bytes, source: Path, now: datetime, *, replace: bool = False) -> RestoreResult:
    """Put a backup in the place of the database; an older one is brought to this program's shape.

    Where something is kept already, that takes `replace`, and is moved aside. Raises StoreRefused, and nothing is
    changed, while a bot works there, and for a backup that is not whole or does not verify.
    """
    aside = "With --replace {} (nothing is deleted)."
    return _put(url, key, source, now, aside, replace, after_restore.mark_restored)


def import_dump(url: str, key: bytes, source: Path, now: datetime) -> RestoreResult:
    """Fill an empty database with an export: a move. What was sent counts as sent, since nothing happened since."""
    if _is_sqlite(source):
        raise StoreRefused(f"{source} is a SQLite database, no export: `python -m bot restore` takes it.")
    elsewhere = "`import` fills an empty database: name another one in DATABASE_URL."
    return _put(url, key, source, now, elsewhere, False, lambda _connection: 0)


def _put(
    url: str, key: bytes, source: Path, now: datetime, taken: str, replace: bool, mark: Callable[[Connection], int]
) -> RestoreResult:
    """`taken`: what to do where something is kept there already; {} is what `replace` would do."""
    address = engines.parse_url(url)
    is_sqlite = _is_sqlite(source)
    stamp = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"

    def fill(connection: Connection) -> tuple[Contents, int]:
        if not is_sqlite:
            with source.open("rb") as lines:
                dump.read(connection, lines)
        _verified(connection, key)
        return dump.contents(connection), mark(connection)

    if engines.is_shared(address):
        if is_sqlite:
            raise StoreRefused(
                f"{source} is a SQLite database. Restore it into a SQLite file, `export --all` that, and `import` it."
            )
        return _into_tables(address, fill, taken, replace, stamp)
    target = Path(str(address.database)).resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    with _alone(target):
        if (free := _free(target)) is False and not replace:
            raise StoreRefused(f"{target} is not empty. {taken.format('that file is moved aside')}")
        # made whole beside it, and put in its place by one rename
        return _into_file(target, source if is_sqlite else None, fill, "" if free is None else stamp)


def _is_sqlite(source: Path) -> bool:
    try:
        with source.open("rb") as file:
            return file.read(len(_SQLITE)) == _SQLITE
    except OSError as error:
        raise StoreRefused(f"{source} cannot be read: {error.strerror}.") from error


def _verified(connection: Connection, key: bytes) -> None:
    if problems := audit.verify(connection, key):
        named = "\n".join(f"  {one}" for one in problems[:_MAX_PROBLEMS_NAMED])
        more = f"\n  and {len(problems) - _MAX_PROBLEMS_NAMED} more" if len(problems) > _MAX_PROBLEMS_NAMED else ""
        raise StoreRefused(
            "Nothing was changed: the timelines in that file are not as they were written, or CHAIN_KEY is another "
            f"one than theirs.\n{named}{more}"
        )


@contextlib.contextmanager
def _alone(target: Path) -> Iterator[None]:
    only = ProcessLock(target)
    only.acquire_nowait()
    try:
        yield
    finally:
        only.release()


def _free(target: Path) -> bool | None:
    """Whether nothing is kept in that file; None where there is none. One that cannot be read is not free."""
    if not target.exists():
        return None
    try:
        found = engines.run_in_transaction(
            _sqlite(target), lambda one: schema.revision(one) is None or dump.empty(one), write=False
        )
    except (DBAPIError, ValueError):
        return False
    return found


def _into_file(
    target: Path, copy: Path | None, fill: Callable[[Connection], tuple[Contents, int]], stamp: str
) -> RestoreResult:
    new = target.with_name(f".{target.name}.{os.getpid()}.restoring")
    os.close(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        url = _sqlite(new)
        if copy is not None:
            _vacuum(copy, new)
            if engines.run_in_transaction(url, schema.revision, write=False) is None:
                raise StoreRefused(f"Nothing was changed: {copy} is a SQLite database, and no backup of this bot.")
        schema.migrate(url.render_as_string())
        contents, looked_at = engines.run_in_transaction(url, fill, write=True)
        fsync_path(new)
        aside = _aside(target, f"{target.name}.before-{stamp}") if stamp else ""
        new.replace(target)
        fsync_path(target.parent)
        return RestoreResult(contents, looked_at, aside)
    except (OSError, DBAPIError) as error:
        raise StoreRefused(f"{target} cannot be written: {getattr(error, 'orig', None) or error}.") from error
    finally:
        for end in ("", "-wal", "-shm"):
            new.with_name(new.name + end).unlink(missing_ok=True)


def _aside(target: Path, name: str) -> str:
    """Give the file that stands there a second name, which it keeps, with all that was written last."""
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(target)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    aside = target.with_name(name)
    os.link(target, aside)
    for end in ("-wal", "-shm"):  # left where the file is damaged; the new one must not find them
        if (log := target.with_name(target.name + end)).exists():
            log.rename(aside.with_name(name + end))
    return str(aside)


def _into_tables(
    address: URL, fill: Callable[[Connection], tuple[Contents, int]], taken: str, replace: bool, stamp: str
) -> RestoreResult:
    def job(connection: Connection) -> RestoreResult:
        schema.upgrade(connection)  # takes turns with migrations, and refuses what is newer
        tables = ", ".join(f'"{table.name}"' for table in dump.tables())
        connection.execute(text(f"LOCK TABLE {tables} IN EXCLUSIVE MODE"))
        aside = ""
        if not dump.empty(connection):
            if not replace:
                ours = taken.format("its tables are moved aside, into a schema of their own")
                raise StoreRefused(f"That database is not empty. {ours}")
            aside = _tables_aside(connection, f"before_{stamp.lower()}")
        return RestoreResult(*fill(connection), aside)

    with engines.explained_errors(address):
        return engines.run_in_transaction(address, job, write=True)


def _tables_aside(connection: Connection, name: str) -> str:
    """Move every table of ours into another schema; empty ones stand in their place afterwards."""
    for _ in range(_MAX_DISCONNECT_CHECKS):
        connection.execute(text("SELECT pg_stat_clear_snapshot()"))
        others = connection.execute(
            text(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = current_user "
                "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
        ).scalar_one()
        if not others:
            break
        time.sleep(_DISCONNECT_CHECK_SECONDS)
    else:
        raise StoreRefused(
            f"{others} other connections of this database user are open. Stop every bot that works on it first."
        )
    connection.execute(text(f'CREATE SCHEMA "{name}"'))
    for table in [*schema.tables(), "alembic_version"]:
        connection.execute(text(f'ALTER TABLE "{table}" SET SCHEMA "{name}"'))
    schema.upgrade(connection)
    return f"schema {name}"
