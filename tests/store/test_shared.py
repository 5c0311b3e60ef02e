"""Several processes on one PostgreSQL database: who attends what, what is heard, what a cut link does."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import asyncpg
import pytest
from sqlalchemy import make_url, text

from bot.domain.errors import CommitOutcomeUnknown, LeaseLost, StoreUnavailable
from bot.store import SqlStore
from bot.store.transaction import SqlTransaction
from tests.postgres import Postgres
from tests.proxy import Proxy

from .acts import KEY, NOW, append, declare, note

#: seconds of a lease that nobody waits for, and of one that runs out
LEASE, BRIEF = 60.0, 2.0


@pytest.fixture
async def pair(request: pytest.FixtureRequest, postgres18: Postgres) -> AsyncIterator[tuple[SqlStore, SqlStore]]:
    """Two processes, as far as the database can tell."""
    url = postgres18.create()
    one, other = (SqlStore.open(url, KEY, lease_seconds=getattr(request, "param", LEASE)) for _ in range(2))
    async with contextlib.AsyncExitStack() as stack:
        for store in (one, other):
            stack.push_async_callback(store.close)
            await store.start_serving()
        await until(lambda: one.is_listening and other.is_listening)
        yield one, other


brief = pytest.mark.parametrize("pair", [BRIEF], indirect=True)


async def until(true: Callable[[], bool], within: float = 60.0) -> None:
    async with asyncio.timeout(within):
        while not true():  # noqa: ASYNC110 - a condition of two processes has no event
            await asyncio.sleep(0.01)


async def test_who_declares_attends(pair: tuple[SqlStore, SqlStore]) -> None:
    one, other = pair
    await one.write(declare("a", due=NOW))
    assert await other.leases.claim_due(NOW, 9, []) == [] and not await other.leases.claim("a")
    assert await one.leases.claim("a") and one.leases.holds("a") and not other.leases.holds("a")
    await one.leases.release("a")
    assert await other.leases.claim_due(NOW, 9, []) == ["a"]


async def test_what_is_due_is_shared_out(pair: tuple[SqlStore, SqlStore]) -> None:
    """Each incident goes to one of them, the longest overdue first; what rests with one is not taken again."""
    one, other = pair
    ids = [f"i{number:02}" for number in range(40)]
    for number, id in enumerate(ids):
        await one.write(declare(id, due=NOW + timedelta(seconds=number)))
        await one.write(lambda tx, id=id: tx.release(id))
    assert await one.leases.claim_due(NOW + timedelta(hours=1), 3, ["i00"]) == ["i01", "i02", "i03"]
    later = NOW + timedelta(hours=1)
    taken = await asyncio.gather(*(store.leases.claim_due(later, 5, ids[:4]) for store in (one, other) * 4))
    # its own are its own again: between the two nothing is shared
    mine, theirs = {id for got in taken[::2] for id in got}, {id for got in taken[1::2] for id in got}
    assert mine and theirs and not mine & theirs


@brief
async def test_a_lease_runs_out(pair: tuple[SqlStore, SqlStore]) -> None:
    """What one lets run out the other takes over, and the first can write nothing more about it."""
    one, other = pair
    await one.write(declare("a", due=NOW))
    assert await one.leases.claim("a")
    await one.leases.renew()
    await asyncio.sleep(BRIEF + 0.1)
    assert not one.leases.holds("a")
    assert await other.leases.claim("a")

    def late(tx: object) -> None:
        tx.fence("a")  # type: ignore[attr-defined]
        append("a", note("late"))(tx)  # type: ignore[arg-type]

    with pytest.raises(LeaseLost, match="another process"):
        await one.write(late)
    incident = await other.incident("a")
    assert incident is not None and incident.seq == 1


@brief
async def test_a_renewed_lease_lasts(pair: tuple[SqlStore, SqlStore]) -> None:
    one, other = pair
    await one.write(declare("a", due=NOW))
    assert await one.leases.claim("a")
    for _ in range(4):
        await asyncio.sleep(BRIEF / 3)
        await one.leases.renew()
    assert one.leases.holds("a") and not await other.leases.claim("a")


async def test_changes_are_heard(pair: tuple[SqlStore, SqlStore]) -> None:
    """By the others alone; and what a process remembers of the incident is not trusted any more."""
    one, other = pair
    heard: list[str] = []
    own: list[str] = []
    other.on_change, one.on_change = heard.append, own.append
    await one.write(declare("a"))
    await until(lambda: bool(heard))
    assert (await other.cached("a")) == (await one.incident("a"))
    await one.write(append("a", note("more")))
    await until(lambda: len(heard) == 2)
    glance = await other.cached("a")
    assert glance is not None and glance.seq == 2 and heard == ["a", "a"] and own == []


async def test_racing_writers_lose_nothing(pair: tuple[SqlStore, SqlStore]) -> None:
    """1,000 read-modify-writes by two processes on one incident."""
    await pair[0].write(declare("a"))
    await asyncio.gather(*(store.write(append("a", note(f"{n}"))) for n in range(500) for store in pair))
    for store in pair:
        incident = await store.incident("a")
        assert incident is not None and incident.seq == 1001
    assert await pair[0].verify() == []


async def test_the_listener_comes_back(postgres18: Postgres, pair: tuple[SqlStore, SqlStore]) -> None:
    """While it hears nothing, nothing that it remembers is trusted."""
    one, other = pair
    heard: list[str] = []
    other.on_change = heard.append
    await one.write(declare("a"))
    await until(lambda: heard == ["a"])
    postgres18.run(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE pid <> pg_backend_pid() AND (query LIKE 'LISTEN %' OR query = 'SELECT 1')"
    )
    await one.write(append("a", note("meanwhile")))
    glance = await other.cached("a")
    await until(lambda: other.is_listening)
    again = await other.cached("a")
    assert again is not None and again.seq == 2 and (glance is None or glance.seq in (1, 2))


async def test_no_connection_is_left_behind(postgres18: Postgres) -> None:
    """One breaks while others are under way: those are given back, and closed with the rest, not some time."""
    url = postgres18.create()
    store, broken = SqlStore.open(url, KEY), False
    name = make_url(url).database

    def open_(state: str = "") -> int:
        return int(postgres18.run(f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}' {state}"))

    def breaks(tx: SqlTransaction) -> None:
        nonlocal broken
        if not broken:
            broken = True
            tx.connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    slow = asyncio.create_task(store.write(lambda tx: tx.connection.execute(text("SELECT pg_sleep(1)")) and None))
    await until(lambda: open_("AND state = 'active' AND query LIKE '%pg_sleep%'") == 1)
    await store.write(breaks)
    gc.disable()  # it closes what was lost sight of, when its time has come
    try:
        await slow
        await store.close()
        await until(lambda: open_() == 0, within=15)
    finally:
        gc.enable()


async def test_a_commit_whose_answer_is_lost(postgres18: Postgres) -> None:
    """It stands there, and nobody here can know: that is said, and not that nothing was recorded."""
    url = postgres18.create()
    async with Proxy(postgres18.upstream) as proxy:
        store = SqlStore.open(proxy.url(url), KEY)
        await store.write(declare("a"))

        def mute(tx: SqlTransaction) -> None:
            append("a", note("in doubt"))(tx)
            proxy.mode = "mute"

        with pytest.raises(CommitOutcomeUnknown, match="look whether it was recorded"):
            await store.write(mute)
        proxy.mode = "reset"
        proxy.mode = "ok"
        assert [entry.seq for entry in await store.entries("a")] == [1, 2]
        await store.close()


async def test_cut_off_at_whichever_moment(postgres18: Postgres) -> None:
    """Connections end while they are opened, asked, written on: who writes hears what is known of it, and only that."""
    url = postgres18.create()
    store = SqlStore.open(url, KEY)
    await store.write(declare("a"))
    ending = await asyncpg.connect(url)
    ends = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> $1"
    mine = await ending.fetchval("SELECT pg_backend_pid()")

    async def end() -> None:
        while True:
            await ending.fetch(ends, mine)

    task = asyncio.create_task(end())
    written = unsure = 0
    try:
        for number in range(60):
            try:
                await store.write(append("a", note(f"line {number}")))
                written += 1
            except CommitOutcomeUnknown:
                unsure += 1
            except StoreUnavailable:
                pass
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await ending.close()
    entries = await store.entries("a")
    assert written <= len(entries) - 1 <= written + unsure
    await store.close()


Fault = Callable[[Proxy], Awaitable[None]]


@pytest.mark.parametrize("mode", ["refuse", "reset", "blackhole"])
async def test_a_database_that_is_cut_off(postgres18: Postgres, mode: str) -> None:
    """Each call is refused in time for Slack's three seconds; the first one afterwards is answered again."""
    url = postgres18.create()
    async with Proxy(postgres18.upstream) as proxy:
        store = SqlStore.open(proxy.url(url), KEY)
        try:
            await store.write(declare("a"))
            proxy.mode = mode
            loop = asyncio.get_running_loop()
            for call in (lambda: store.write(append("a", note("lost"))), lambda: store.entries("a")):
                began = loop.time()
                with pytest.raises(StoreUnavailable):
                    await call()
                assert loop.time() - began < 3
            proxy.mode = "ok"
            await store.write(append("a", note("back")))
            assert [entry.seq for entry in await store.entries("a")] == [1, 2]
        finally:
            await store.close()


async def test_a_restart_is_not_noticed(postgres18: Postgres, pair: tuple[SqlStore, SqlStore]) -> None:
    """The first write and the first read after the server was away go through."""
    one, other = pair
    await one.write(declare("a"))
    await other.incident("a")
    postgres18.restart()
    await one.write(append("a", note("after")))
    incident = await other.incident("a")
    assert incident is not None and incident.seq == 2


async def test_a_standby_is_a_database_that_is_away(postgres18: Postgres, pair: tuple[SqlStore, SqlStore]) -> None:
    """After a fail-over to a read-only server nothing is recorded, and it says so; then it goes on."""
    one, _ = pair
    await one.write(declare("a"))
    postgres18.read_only(True)
    try:
        with pytest.raises(StoreUnavailable, match="nothing was recorded"):
            await one.write(append("a", note("lost")))
    finally:
        postgres18.read_only(False)
    await one.write(append("a", note("back")))
    assert [entry.seq for entry in await one.entries("a")] == [1, 2]
