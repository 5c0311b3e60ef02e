"""The database fails, in the ways databases do: nothing half-written, nothing acknowledged and lost, back by itself."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, event

from bot.domain.errors import StoreUnavailable
from bot.store import PersonRow, SqlStore, SqlTransaction, StoreRefused, engines, migrate
from bot.store.fold_cache import FoldCache
from bot.store.writer import Writer

from .acts import KEY, NOW, TEAM, append, declare, effect, held_up, note

pytestmark = pytest.mark.databases("sqlite")


class Faults:
    """What each transaction is begun with."""

    def __init__(self) -> None:
        self.pages = 0  # most pages the file may have; 0: as many as it likes
        self.deferred = False  # foreign keys are checked by COMMIT, so that COMMIT can fail

    def __call__(self, connection: Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count={self.pages or 4_294_967_294}")
        connection.exec_driver_sql(f"PRAGMA defer_foreign_keys={'ON' if self.deferred else 'OFF'}")


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
async def faulty(url: str, faults: Faults) -> AsyncIterator[SqlStore]:
    address = engines.parse_url(url)
    writing = engines.write_engine(address)
    event.listen(writing, "connect", lambda dbapi, _: dbapi.execute("PRAGMA busy_timeout=20"))
    event.listen(writing, "begin", faults)
    cache = FoldCache()
    store = SqlStore(address, KEY, Writer(writing, KEY, cache), engines.read_engine(address), cache)
    yield store
    await store.close()


async def test_how_the_file_is_written_to(store: SqlStore, url: str) -> None:
    """A log ahead of the file, flushed at each commit, rows that belong to rows. And one writer at a time, from the
    beginning of a transaction on, however little it has done."""
    file, seen = url.removeprefix("sqlite:///"), dict[str, object]()

    def look(tx: SqlTransaction) -> None:
        for name in ("journal_mode", "synchronous", "foreign_keys"):
            seen[name] = tx.connection.exec_driver_sql(f"PRAGMA {name}").scalar()
        other = sqlite3.connect(file, isolation_level=None, timeout=0)
        with contextlib.closing(other), pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")

    await store.write(look)
    assert seen == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}  # 2 is FULL


async def test_commit_fails(faulty: SqlStore, faults: Faults) -> None:
    await faulty.write(declare("one"))
    async with held_up(faulty):  # what comes after is begun with the fault
        faults.deferred = True
        jobs = [
            asyncio.ensure_future(faulty.write(append("one", note("good")))),
            asyncio.ensure_future(faulty.write(lambda tx: tx.save_effect(effect(incident_id="nowhere")))),
        ]
    for job in jobs:
        with pytest.raises(StoreUnavailable, match="nothing was recorded"):
            await job
    faults.deferred = False
    incident = await faulty.incident("one")
    assert incident is not None and incident.seq == 1
    assert (await faulty.write(append("one", note("again")))).seq == 2
    assert await faulty.verify() == []


async def test_disk_is_full_and_then_is_not(faulty: SqlStore, faults: Faults) -> None:
    await faulty.write(declare("one"))
    faults.pages = 1  # less than it has: SQLite takes that as "not one more"
    written = 1
    failed = 0
    for _ in range(40):
        jobs = [faulty.write(append("one", note("x" * 2000))) for _ in range(3)]
        for answer in await asyncio.gather(*jobs, return_exceptions=True):
            if isinstance(answer, BaseException):
                assert isinstance(answer, StoreUnavailable)
                failed += 1
            else:
                written += 1
    assert failed
    incident = await faulty.incident("one")  # reading goes on
    assert incident is not None and incident.seq == written
    faults.pages = 0
    assert (await faulty.write(append("one", note("y" * 2000)))).seq == written + 1
    assert await faulty.verify() == []


async def test_sqlite_gives_the_whole_transaction_up(url: str, faulty: SqlStore) -> None:
    """As it does by itself on some I/O errors: what follows would be committed statement by statement."""
    with sqlite3.connect(url.removeprefix("sqlite:///")) as raw:
        raw.execute(
            "CREATE TRIGGER t BEFORE INSERT ON people WHEN NEW.user_id = 'U9' BEGIN SELECT RAISE(ROLLBACK, 'I/O'); END"
        )
    await faulty.write(declare("one"))
    async with held_up(faulty):
        jobs = [
            asyncio.ensure_future(faulty.write(append("one", note("before")))),
            asyncio.ensure_future(faulty.save_people([PersonRow(TEAM, "U9", {}, NOW)])),
            asyncio.ensure_future(faulty.write(append("one", note("behind")))),
        ]
    for job in jobs:
        with pytest.raises(StoreUnavailable):
            await job
    assert (await faulty.write(append("one", note("again")))).seq == 2
    assert await faulty.verify() == []


async def test_another_program_holds_the_lock(url: str, faulty: SqlStore) -> None:
    await faulty.write(declare("one"))
    other = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable):
        await faulty.write(append("one", note("x")))
    assert await faulty.incident("one") is not None
    other.execute("ROLLBACK")
    other.close()
    assert (await faulty.write(append("one", note("x")))).seq == 2


async def test_a_job_may_raise_anything(faulty: SqlStore) -> None:
    def stops(tx: SqlTransaction) -> None:
        raise StopIteration

    def exits(tx: SqlTransaction) -> None:
        tx.next_number(TEAM)
        raise SystemExit(3)

    with pytest.raises(RuntimeError, match="StopIteration"):
        await faulty.write(stops)
    with pytest.raises(BaseException) as caught:
        await asyncio.gather(asyncio.shield(_quiet(faulty, exits)))
    assert isinstance(caught.value, ArithmeticError)
    assert (await faulty.write(declare("one"))).number == 1


async def _quiet(store: SqlStore, job: object) -> None:
    try:
        await store.write(job)  # type: ignore[arg-type]
    except SystemExit as exit:
        raise ArithmeticError from exit


WRITES_UNTIL_KILLED = """
import asyncio, os, sys
import structlog
from bot.domain.errors import StoreUnavailable
from bot.store import SqlStore
from store.acts import KEY, append, declare, note

async def worker(store, id):
    while True:
        try:
            done = await store.write(append(id, note("x" * 50)))
        except StoreUnavailable:  # the machine stood still
            continue
        os.write(1, f"{id} {done.seq}\\n".encode())

async def main():
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))  # acknowledgements alone go out
    store = SqlStore.open(sys.argv[1], KEY)
    for n in range(8):
        await store.write(declare(f"i{n}"))
    await asyncio.gather(*(worker(store, f"i{n}") for n in range(8)))

asyncio.run(main())
"""


@pytest.mark.databases("sqlite", "postgres18")
@pytest.mark.parametrize("lines", [1, 40, 400])
async def test_what_was_acknowledged_survives_kill_9(url: str, lines: int) -> None:
    acknowledged = _killed_after(url, lines)
    assert acknowledged
    store = SqlStore.open(url, KEY)
    for id, seq in acknowledged.items():
        incident = await store.incident(id)
        assert incident is not None and incident.seq >= seq
    assert await store.verify() == []
    await store.close()


def _killed_after(url: str, lines: int) -> dict[str, int]:
    """Let another process write, and kill it after so many acknowledgements: incident -> last seq it told of."""
    root = Path(__file__).parents[2]
    path = os.pathsep.join([str(root), str(root / "tests")])
    child = subprocess.Popen(
        [sys.executable, "-c", WRITES_UNTIL_KILLED, url],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
        cwd=root,
    )
    assert child.stdout is not None
    said = [child.stdout.readline() for _ in range(lines)]
    child.send_signal(signal.SIGKILL)
    said += child.stdout.read().splitlines(keepends=True)
    child.stdout.close()
    child.wait()
    acknowledged: dict[str, int] = {}
    for line in said:
        if line.endswith(b"\n"):
            id, seq = line.decode().split()
            acknowledged[id] = max(acknowledged.get(id, 0), int(seq))
    return acknowledged


# -- what cannot be opened ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        pytest.param("sqlite:///nowhere/x.sqlite", "There is no database at nowhere/x.sqlite", id="no file"),
        pytest.param("sqlite://", "has to be a file", id="memory"),
        pytest.param("sqlite:///:memory:", "has to be a file", id="memory by name"),
        pytest.param("mysql://u:secret@h/d", "mysql is neither", id="another database"),
        pytest.param("var/incidents.sqlite", "not a URL", id="a path"),
    ],
)
def test_what_cannot_be_opened_is_refused_with_a_sentence(address: str, sentence: str) -> None:
    with pytest.raises(StoreRefused, match=sentence) as caught:
        SqlStore.open(address, KEY)
    assert "secret" not in str(caught.value)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    path.write_text("something else entirely " * 100)
    for attempt in (lambda: SqlStore.open(f"sqlite:///{path}", KEY), lambda: migrate(f"sqlite:///{path}")):
        with pytest.raises(StoreRefused, match="cannot be opened: file is not a database"):
            attempt()


def test_a_short_key_is_refused(url: str) -> None:
    with pytest.raises(StoreRefused, match="16 bytes"):
        SqlStore.open(url, b"short")


def test_no_write_ahead_log_is_refused(tmp_path: Path) -> None:
    """On a file system without shared memory SQLite answers with another mode, and does not fail by itself."""
    with pytest.raises(StoreRefused, match=r"'delete'.*local disk"):
        migrate(f"sqlite:///file:{tmp_path}/x.sqlite?vfs=unix-dotfile&uri=true")
