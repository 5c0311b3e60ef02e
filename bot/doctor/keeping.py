"""The database, seen without changing it: kind, size, room, backups, and what is owed to the world."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import URL, Connection, text

from bot.config import Settings
from bot.doctor.advice import advice
from bot.doctor.finding import Finding
from bot.domain.times import lasted
from bot.store import StoreRefused, engines, postgres, schema, verify
from bot.store.backup import backups
from bot.store.verify import Duty

#: free bytes below which writing may soon fail
LITTLE = 200_000_000
#: a backup older than this is missed: once a day, and some hours in which it may be late
OLD = timedelta(hours=30)
#: a running bot has looked for what is in doubt by then
SOON = timedelta(minutes=5)
#: connections of one replica
REPLICA = postgres.WRITERS + postgres.READERS + 1


async def database(settings: Settings, now: datetime) -> list[Finding]:
    """Everything about it. Where it cannot be opened, only why."""
    try:
        return await asyncio.to_thread(_look, engines.address(settings.database_url), settings.backup_dir, now)
    except StoreRefused as refused:
        do = "Run `python -m bot migrate`." if "migrate" in str(refused) else "Mend that, or DATABASE_URL; ask again."
        return [Finding(False, f"database: {refused}", do)]


def _look(address: URL, folder: Path | None, now: datetime) -> list[Finding]:
    with engines.opening(address):
        schema.check(address)
        of_kind, owed = engines.whole(address, lambda one: ([*_kind(one, address)], [*verify.owed(one)]), write=False)
    return [*of_kind, *_backups(folder, now), *_owed(owed, now)]


def _kind(connection: Connection, address: URL) -> Iterator[Finding]:
    version = schema.revision(connection)
    if connection.dialect.name == "postgresql":
        yield from _postgresql(connection, version)
        return
    file = Path(str(address.database)).resolve()
    size, free = file.stat().st_size, shutil.disk_usage(file.parent).free
    yield Finding(True, f"database: SQLite, {_bytes(size)}, at {version}, this version's shape")
    journal = connection.exec_driver_sql("PRAGMA journal_mode").scalar()
    yield Finding(
        journal == "wal", f"database: journal {journal}",
        "" if journal == "wal" else "Put the file on a local disk and start the bot: it asks for the write-ahead log.",
    )  # fmt: skip
    room = free > max(LITTLE, 2 * size)
    yield Finding(room, f"disk: {_bytes(free)} free", "" if room else "Make room: a full disk stops every write.")


def _postgresql(connection: Connection, version: str | None) -> Iterator[Finding]:
    ask = connection.execute
    size = ask(text("SELECT pg_database_size(current_database())")).scalar_one()
    server = ask(text("SHOW server_version")).scalar_one()
    yield Finding(True, f"database: PostgreSQL {server}, {_bytes(size)}, at {version}, this version's shape")
    if ask(text("SELECT pg_is_in_recovery()")).scalar_one():
        yield Finding(False, "database: this server only reads", "Point DATABASE_URL at the primary.")
    most = int(ask(text("SHOW max_connections")).scalar_one())
    open_ = ask(text("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")).scalar_one()
    room = most - open_ >= REPLICA
    yield Finding(
        room, f"database: {open_} of {most} connections are open; a replica takes {REPLICA}",
        "" if room else "Raise max_connections, or run fewer replicas: the next one would not get in.",
    )  # fmt: skip


def _backups(folder: Path | None, now: datetime) -> Iterator[Finding]:
    if folder is None:
        yield Finding(True, "backups: no BACKUP_DIR", "Set it, and run `python -m bot backup` every day.")
        return
    newest = next(iter(backups(folder)), None)
    if newest is None:
        yield Finding(False, f"backups: none in {folder}", "Run `python -m bot backup` every day.")
        return
    age = now - datetime.fromtimestamp(newest.stat().st_mtime, UTC)
    yield Finding(
        age < OLD, f"backups: the newest is {lasted(age)} old ({newest.name})",
        "" if age < OLD else "See why the daily `python -m bot backup` does not run.",
    )  # fmt: skip


def _owed(owed: list[Duty], now: datetime) -> Iterator[Finding]:
    for one in owed:
        name = f"{one.key} of {one.incident}"
        if one.what == "parked":
            yield Finding(False, f"parked: {name}: {one.error}", advice(one.error))
        elif one.what == "outcome unknown":
            late = now - one.since > SOON
            yield Finding(
                not late, f"outcome unknown: {name}, since {one.since:%Y-%m-%d %H:%M} UTC",
                "A running bot looks for it in Slack: start it, or see in its log why it cannot look." if late else "",
            )  # fmt: skip
    if rest := sum(one.what not in ("parked", "outcome unknown") for one in owed):
        yield Finding(True, f"unsent: {rest}, which a running bot sends by itself")


def _bytes(count: int) -> str:
    for unit, size in (("GB", 10**9), ("MB", 10**6)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count // 1000} kB"
