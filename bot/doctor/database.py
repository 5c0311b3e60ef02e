"""The database, seen without changing it: kind, size, room, backups, and the calls that were not made yet."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import URL, Connection, text

from bot.config import Settings
from bot.doctor.advice import advice
from bot.doctor.finding import CheckResult
from bot.domain.time_text import lasted
from bot.store import StoreRefused, engines, postgres, schema, verify
from bot.store.backup import backups
from bot.store.verify import UnfinishedEffect

#: free bytes below which writing may soon fail
MIN_FREE_BYTES = 200_000_000
#: a backup older than this is missed: once a day, and some hours in which it may be late
MAX_BACKUP_AGE = timedelta(hours=30)
#: a running bot has looked for what is in doubt by then
MAX_UNKNOWN_OUTCOME_AGE = timedelta(minutes=5)
#: connections of one replica
CONNECTIONS_PER_REPLICA = postgres.MAX_WRITE_CONNECTIONS + postgres.MAX_READ_CONNECTIONS + 1


async def database(settings: Settings, now: datetime) -> list[CheckResult]:
    """Everything about it. Where it cannot be opened, only why."""
    try:
        return await asyncio.to_thread(_look, engines.parse_url(settings.database_url), settings.backup_dir, now)
    except StoreRefused as refused:
        do = "Run `python -m bot migrate`." if "migrate" in str(refused) else "Mend that, or DATABASE_URL; ask again."
        return [CheckResult(False, f"database: {refused}", do)]


def _look(address: URL, folder: Path | None, now: datetime) -> list[CheckResult]:
    with engines.explained_errors(address):
        schema.check(address)
        of_kind, owed = engines.run_in_transaction(
            address, lambda one: ([*_kind(one, address)], [*verify.unfinished_effects(one)]), write=False
        )
    return [*of_kind, *_backups(folder, now), *_unsent_effects(owed, now)]


def _kind(connection: Connection, address: URL) -> Iterator[CheckResult]:
    version = schema.revision(connection)
    if connection.dialect.name == "postgresql":
        yield from _postgresql(connection, version)
        return
    file = Path(str(address.database)).resolve()
    size, free = file.stat().st_size, shutil.disk_usage(file.parent).free
    yield CheckResult(True, f"database: SQLite, {_bytes(size)}, at {version}, this version's shape")
    journal = connection.exec_driver_sql("PRAGMA journal_mode").scalar()
    yield CheckResult(
        journal == "wal", f"database: journal {journal}",
        "" if journal == "wal" else "Put the file on a local disk and start the bot: it asks for the write-ahead log.",
    )  # fmt: skip
    room = free > max(MIN_FREE_BYTES, 2 * size)
    yield CheckResult(room, f"disk: {_bytes(free)} free", "" if room else "Make room: a full disk stops every write.")


def _postgresql(connection: Connection, version: str | None) -> Iterator[CheckResult]:
    ask = connection.execute
    size = ask(text("SELECT pg_database_size(current_database())")).scalar_one()
    server = ask(text("SHOW server_version")).scalar_one()
    yield CheckResult(True, f"database: PostgreSQL {server}, {_bytes(size)}, at {version}, this version's shape")
    if ask(text("SELECT pg_is_in_recovery()")).scalar_one():
        yield CheckResult(False, "database: this server only reads", "Point DATABASE_URL at the primary.")
    most = int(ask(text("SHOW max_connections")).scalar_one())
    open_ = ask(text("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")).scalar_one()
    room = most - open_ >= CONNECTIONS_PER_REPLICA
    yield CheckResult(
        room, f"database: {open_} of {most} connections are open; a replica takes {CONNECTIONS_PER_REPLICA}",
        "" if room else "Raise max_connections, or run fewer replicas: the next one would not get in.",
    )  # fmt: skip


def _backups(folder: Path | None, now: datetime) -> Iterator[CheckResult]:
    if folder is None:
        yield CheckResult(True, "backups: no BACKUP_DIR", "Set it, and run `python -m bot backup` every day.")
        return
    newest = next(iter(backups(folder)), None)
    if newest is None:
        yield CheckResult(False, f"backups: none in {folder}", "Run `python -m bot backup` every day.")
        return
    age = now - datetime.fromtimestamp(newest.stat().st_mtime, UTC)
    yield CheckResult(
        age < MAX_BACKUP_AGE, f"backups: the newest is {lasted(age)} old ({newest.name})",
        "" if age < MAX_BACKUP_AGE else "See why the daily `python -m bot backup` does not run.",
    )  # fmt: skip


def _unsent_effects(owed: list[UnfinishedEffect], now: datetime) -> Iterator[CheckResult]:
    for one in owed:
        name = f"{one.key} of {one.incident}"
        if one.what == "parked":
            yield CheckResult(False, f"parked: {name}: {one.error}", advice(one.error))
        elif one.what == "outcome unknown":
            late = now - one.since > MAX_UNKNOWN_OUTCOME_AGE
            yield CheckResult(
                not late, f"outcome unknown: {name}, since {one.since:%Y-%m-%d %H:%M} UTC",
                "A running bot looks for it in Slack: start it, or see in its log why it cannot look." if late else "",
            )  # fmt: skip
    if rest := sum(one.what not in ("parked", "outcome unknown") for one in owed):
        yield CheckResult(True, f"unsent: {rest}, which a running bot sends by itself")


def _bytes(count: int) -> str:
    for unit, size in (("GB", 10**9), ("MB", 10**6)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count // 1000} kB"
