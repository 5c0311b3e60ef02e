"""The database fails under a bot that goes on running: at sampled points of a story it is locked, read-only, full,
cut off, gone. Whoever did something does it again, as Slack delivers again; nothing is lost, and nothing done twice."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest
import structlog
from sqlalchemy import Connection, event

from localslack import LocalSlack, WorkspaceClock
from tests.durability.mortal import Fate, Job, Mortal, life
from tests.durability.runs import ALL_POINTS, LONG, MANIFEST, SEED, Databases, Files, ended, same, told
from tests.durability.stories import POLICY, Seen, Story, approve, ask, declare, draft, go, tick, update
from tests.postgres import Postgres
from tests.proxy import Mode, Proxy
from tests.world import BEGIN, World

pytestmark = pytest.mark.timeout(LONG)

#: everything that people do and that is seen by others
STORY: Story = (declare, tick, update, ask, go, draft, approve)
#: so many worlds for each fault, all at once: they mostly wait
WORLDS = 12 if ALL_POINTS else 4


class Trouble(Fate):
    """At one point something happens to the database, and it ends some seconds later."""

    def __init__(self, at: int, begins: Callable[[], None], ends: Callable[[], None], lasts: float) -> None:
        super().__init__(at)
        self._begins, self._ends, self._lasts = begins, ends, lasts
        self._there = False

    def point(self, name: str) -> None:
        self.passed += 1
        if self.passed == self.at:
            self._there = True
            self._begins()
            asyncio.get_running_loop().call_later(self._lasts, self.over)

    def over(self) -> None:
        """It ends now, if it has not ended."""
        if self._there:
            self._there = False
            self._ends()


class InDoubt(Fate):
    """The database hears the commit of one job, and its answer never arrives."""

    def __init__(self, at: int, proxy: Proxy, lasts: float, event: str = "") -> None:
        """It is the `at`th job, or the first one that writes an `event`."""
        super().__init__(at)
        self._proxy, self._lasts, self._event = proxy, lasts, event
        self.doubted = False

    def around(self, job: Job) -> Job:
        self.passed += 1
        if self.passed != self.at and not self._event:
            return job

        def mute(tx: Any) -> Any:
            value = job(tx)
            written = {type(one).__name__ for one in getattr(value, "events", ())}
            if not self.doubted and (not self._event or self._event in written):
                self.doubted = True
                self._proxy.mode = "mute"
                asyncio.get_running_loop().call_later(self._lasts, self._again)
            return value

        return mute

    def _again(self) -> None:
        self._proxy.mode = "reset"  # whoever waits for the answer learns that it does not come
        self._proxy.mode = "ok"

    def point(self, name: str) -> None:
        return


class Counted(Fate):
    """Nothing happens; how many commits there are."""

    commits = 0

    def around(self, job: Job) -> Job:
        self.commits += 1
        return job


@asynccontextmanager
async def slack() -> AsyncIterator[LocalSlack]:
    one = LocalSlack(MANIFEST, WorkspaceClock(BEGIN))
    await one.start(0)
    try:
        yield one
    finally:
        await one.stop()


async def tell(url: str, fate: Fate, story: Story = STORY, met: Callable[[Mortal], None] = lambda bot: None) -> Seen:
    async with slack() as here, life(here, url, POLICY, fate) as bot:
        met(bot)
        try:
            await told(bot, story)
            return await ended(bot)
        finally:
            if isinstance(fate, Trouble):  # nothing may have been asked of the database since
                fate.over()


@pytest.fixture
async def undisturbed(files: Files) -> tuple[Seen, Fate]:
    fate = Fate()
    async with files.fresh() as url:
        return await tell(url, fate), fate


def compare(after: Seen, undisturbed: Seen, where: str) -> None:
    """The same; only a public text whose intent was written, and nothing more, is asked about and not repeated."""
    if "CommsUncertain" in after.timeline:
        public = [words for place, _, words, _, _ in after.messages if place == "customer-comms"]
        assert public == [] and "CommsPublished" not in after.timeline, where
    else:
        same(after, undisturbed, where)


def points(passed: int, name: str) -> list[int]:
    return sorted(random.Random(f"{SEED}{name}").sample(range(1, passed + 1), min(WORLDS, passed)))


async def all_of(worlds: list[Any]) -> None:
    """Several at a time, each to its end."""
    places = asyncio.Semaphore(8)

    async def one(world: Any) -> None:
        async with places:
            await world

    async with asyncio.TaskGroup() as group:
        for world in worlds:
            group.create_task(one(world))


# -- SQLite ----------------------------------------------------------------------------------------------------------


class Disk:
    """What each transaction of a bot's writer is begun with, from now on."""

    def __init__(self) -> None:
        self.pragmas: tuple[str, ...] = ()

    def meet(self, bot: Any) -> None:
        event.listen(bot.store._writer._engine, "begin", self._begin)

    def _begin(self, connection: Connection) -> None:
        for pragma in self.pragmas:
            connection.exec_driver_sql(f"PRAGMA {pragma}")


@contextmanager
def another_program(url: str) -> Any:
    """Somebody else's connection to the file."""
    other = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None, timeout=5)
    try:
        yield other
    finally:
        other.close()


@pytest.mark.parametrize(
    ("name", "bad", "good"),
    [
        pytest.param("full", "max_page_count=1", "max_page_count=4294967294", id="the disk is full"),
        pytest.param("read-only", "query_only=ON", "query_only=OFF", id="it can only be read"),
    ],
)
async def test_nothing_can_be_written(
    files: Files, undisturbed: tuple[Seen, Fate], name: str, bad: str, good: str
) -> None:
    async def world(at: int) -> None:
        disk = Disk()

        def turn(*pragmas: str) -> Callable[[], None]:
            return lambda: setattr(disk, "pragmas", pragmas)

        async with files.fresh() as url:
            after = await tell(url, Trouble(at, turn(bad), turn(good), 0.2), met=disk.meet)
        compare(after, undisturbed[0], f"{name} at point {at}; SEED={SEED}")

    await all_of([world(at) for at in points(undisturbed[1].passed, name)])


@pytest.mark.parametrize(
    "seconds", [pytest.param(1.0, id="for a second"), pytest.param(3.0, id="for longer than anybody waits")]
)
async def test_another_program_holds_the_lock(files: Files, undisturbed: tuple[Seen, Fate], seconds: float) -> None:
    async def world(at: int) -> None:
        async with files.fresh() as url:
            with another_program(url) as other:
                fate = Trouble(at, lambda: other.execute("BEGIN IMMEDIATE") and None, lambda: other.rollback(), seconds)
                after = await tell(url, fate)
        compare(after, undisturbed[0], f"locked at point {at}; SEED={SEED}")

    await all_of([world(at) for at in points(undisturbed[1].passed, f"locked {seconds}")])


# -- PostgreSQL ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "mode",
    [
        pytest.param("refuse", id="nobody listens"),
        pytest.param("reset", id="cut"),
        pytest.param("blackhole", id="no answer, nothing arrives"),
        pytest.param("mute", id="no answer, everything arrives"),
        pytest.param("slow", id="a thousand bytes a second"),
    ],
)
async def test_the_line_fails(databases: Databases, undisturbed: tuple[Seen, Fate], mode: Mode) -> None:
    async def world(at: int) -> None:
        async with databases.fresh() as url, Proxy(databases.server.upstream) as proxy:

            def turn(mode: Mode) -> Callable[[], None]:
                return lambda: setattr(proxy, "mode", mode)

            after = await tell(proxy.url(url), Trouble(at, turn(mode), turn("ok"), 0.5))
        compare(after, undisturbed[0], f"{mode} at point {at}; SEED={SEED}")

    await all_of([world(at) for at in points(undisturbed[1].passed, mode)])


async def test_the_server_is_killed_and_comes_back(databases: Databases, undisturbed: tuple[Seen, Fate]) -> None:
    server = databases.server
    for at in points(undisturbed[1].passed, "killed")[:3]:
        async with databases.fresh() as url:
            after = await tell(url, Trouble(at, server.kill, server.start, 0.3))
        compare(after, undisturbed[0], f"killed at point {at}; SEED={SEED}")


async def test_a_standby_takes_over(databases: Databases, undisturbed: tuple[Seen, Fate]) -> None:
    """After a fail-over to a server that is read-only for a while."""
    server = databases.server
    for at in points(undisturbed[1].passed, "standby")[:2]:
        async with databases.fresh() as url:
            after = await tell(url, Trouble(at, lambda: server.read_only(True), lambda: server.read_only(False), 0.3))
        compare(after, undisturbed[0], f"read-only at point {at}; SEED={SEED}")


@pytest.mark.parametrize(
    ("lasts", "worlds"),
    [
        pytest.param(0.05, 500 if ALL_POINTS else 12, id="it is written again at once"),
        pytest.param(2.7, WORLDS, id="it is given up, and delivered again"),
    ],
)
async def test_a_commit_in_doubt(
    databases: Databases, undisturbed: tuple[Seen, Fate], lasts: float, worlds: int
) -> None:
    """The database has it, and the bot cannot know: whatever is written again finds it, or is looked for."""
    counted = Counted()
    async with databases.fresh() as url:
        await tell(url, counted)

    async def world(at: int) -> None:
        async with databases.fresh() as url, Proxy(databases.server.upstream) as proxy:
            after = await tell(proxy.url(url), InDoubt(at, proxy, lasts))
        compare(after, undisturbed[0], f"in doubt at commit {at}; SEED={SEED}")

    tried = random.Random(SEED).sample(range(1, counted.commits + 1), min(worlds, counted.commits))
    await all_of([world(at) for at in tried])


async def test_each_commit_of_an_event_in_doubt(databases: Databases, undisturbed: tuple[Seen, Fate]) -> None:
    """Whatever happened is written again, finds that it is there, and goes on from it."""
    names = sorted(set(undisturbed[0].timeline))
    assert {"Declared", "ChannelOpened", "GoGiven", "CommsSending", "CommsPublished"} <= set(names)

    async def world(name: str) -> None:
        async with databases.fresh() as url, Proxy(databases.server.upstream) as proxy:
            fate = InDoubt(0, proxy, 0.05, event=name)
            after = await tell(proxy.url(url), fate)
        assert fate.doubted, name
        same(after, undisturbed[0], f"in doubt: {name}")

    await all_of([world(name) for name in names])


# -- the bot as it runs ----------------------------------------------------------------------------------------------


async def till(true: Callable[[], Any], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not await true():  # noqa: ASYNC110  (it happens in its own time)
            await asyncio.sleep(0.02)


def lines(logged: list[Any]) -> Counter[str]:
    assert [one for one in logged if one.get("exc_info")] == [], "no traceback: everybody knows what it is"
    bad = [one for one in logged if one["log_level"] in ("warning", "error", "critical")]
    # What Slack delivers meanwhile has a line each: it is delivered again.
    return Counter(one["event"] for one in bad if one["event"] not in ("event.not_stored", "socket.unanswered"))


@asynccontextmanager
async def on_postgresql(world: World, postgres18: Postgres) -> AsyncIterator[Proxy]:
    """The world's bot, on PostgreSQL from now on, and the line to it."""
    await world.stop_bot()
    async with Proxy(postgres18.upstream) as proxy:
        url = proxy.url(postgres18.create())
        world.settings = world.settings.model_copy(update={"database_url": url})
        await world.start_bot()
        yield proxy
        proxy.mode = "ok"
        await world.stop_bot()
    world.settings = world.settings.model_copy(update={"database_url": "sqlite:///nowhere"})


async def reminded(world: World) -> bool:
    return any("was due 14:30 UTC" in one.plain for one in world.messages("ana", world.channel().name))


@pytest.mark.parametrize("mode", ["refuse", "blackhole"])
async def test_it_goes_on_by_itself(world: World, postgres18: Postgres, mode: Mode) -> None:
    """A reminder falls due while the database is away; it comes by itself, once, and the log has a few lines."""
    async with on_postgresql(world, postgres18) as proxy:
        await world.declare()
        with structlog.testing.capture_logs() as logged:
            proxy.mode = mode
            world.slack.clock.advance(31 * 60)
            world.clock.moved()
            await asyncio.sleep(4)
            proxy.mode = "ok"
            await till(lambda: reminded(world))
            await world.settle()
        assert (await world.types()).count("Reminded") == 1
        assert all(count <= 5 for count in lines(logged).values()), lines(logged)
        assert [one["event"] for one in logged].count("caretaker.database_back") == 1


async def test_it_goes_on_by_itself_when_the_lock_is_free(world: World) -> None:
    await world.declare()
    with structlog.testing.capture_logs() as logged, another_program(world.settings.database_url) as other:
        other.execute("BEGIN IMMEDIATE")
        world.slack.clock.advance(31 * 60)
        world.clock.moved()
        await asyncio.sleep(3)
        other.rollback()
        await till(lambda: reminded(world))
        await world.settle()
    assert (await world.types()).count("Reminded") == 1
    assert all(count <= 5 for count in lines(logged).values()), lines(logged)
