"""The database is away: everybody who asks is told so within Slack's three seconds, and nothing is half done."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import pytest
from sqlalchemy import Connection, event

from bot.domain import events as e
from bot.domain.actor import bot_actor
from bot.domain.errors import CommitOutcomeUnknown, StoreUnavailable
from bot.slack.requests.deliveries import error_reply
from bot.slack.surfaces.words import outage
from bot.store.shared_writer import PING_AFTER_SECONDS
from tests.postgres import Postgres
from tests.proxy import Proxy
from tests.sentences import in_slack
from tests.world import World, world_at

#: how a database goes away and comes back
Away = Callable[[World], AbstractAsyncContextManager[None]]
#: a world on a database, and how that goes away
Place = Callable[[Path, Postgres | None], AbstractAsyncContextManager[tuple[World, Away]]]


# -- a file -----------------------------------------------------------------------------------------------------


@asynccontextmanager
async def locked(world: World) -> AsyncIterator[None]:
    """Another program is in the middle of a write."""
    other = sqlite3.connect(world.settings.database_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


@asynccontextmanager
async def _begun_with(world: World, on: str, off: str) -> AsyncIterator[None]:
    """Each of the bot's transactions is begun with a pragma."""
    engine, now = world.bot.store._writer._engine, on

    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA {now}")

    event.listen(engine, "begin", begin)
    try:
        yield
    finally:
        now = off
        for _ in range(2):  # a connection that the pragma is on may have to fail once more, and is then made anew
            with contextlib.suppress(StoreUnavailable):
                await world.bot.store.write(lambda tx: tx.forget_deliveries(world.clock.now().replace(year=2000)))
        event.remove(engine, "begin", begin)


def read_only(world: World) -> AbstractAsyncContextManager[None]:
    return _begun_with(world, "query_only=ON", "query_only=OFF")


@asynccontextmanager
async def full(world: World) -> AsyncIterator[None]:
    """Not one page more; what is left of the last ones is used up by the smallest events there are."""
    async with _begun_with(world, "max_page_count=1", "max_page_count=4294967294"):
        id = (await world.incident()).id
        with pytest.raises(StoreUnavailable):
            while True:
                await world.bot.service.act(
                    id, "fill", lambda i, *, by, at: [e.LeadSeen(by=by.user, at=at)], bot_actor(world.slack.team_id)
                )
        yield


def on_file(away: Away, mode: Literal["socket", "http"] = "http") -> Place:
    @asynccontextmanager
    async def place(folder: Path, server: Postgres | None) -> AsyncIterator[tuple[World, Away]]:
        async with world_at(folder, mode) as world:
            yield world, away

    return place


# -- a server -----------------------------------------------------------------------------------------------------


def by_line(mode: Any) -> Place:
    """The line to the server fails."""

    @asynccontextmanager
    async def place(folder: Path, server: Postgres | None) -> AsyncIterator[tuple[World, Away]]:
        assert server is not None
        async with Proxy(server.upstream) as proxy:

            @asynccontextmanager
            async def away(world: World) -> AsyncIterator[None]:
                proxy.mode = mode
                try:
                    yield
                finally:
                    proxy.mode = "ok"

            async with world_at(folder, "http", database_url=proxy.url(server.create())) as world:
                yield world, away

    return place


def by_server(off: Callable[[Postgres], None], on: Callable[[Postgres], None]) -> Place:
    """The server itself fails."""

    @asynccontextmanager
    async def place(folder: Path, server: Postgres | None) -> AsyncIterator[tuple[World, Away]]:
        assert server is not None

        @asynccontextmanager
        async def away(world: World) -> AsyncIterator[None]:
            await asyncio.to_thread(off, server)
            try:
                yield
            finally:
                await asyncio.to_thread(on, server)

        async with world_at(folder, "http", database_url=server.create()) as world:
            yield world, away

    return place


#: (where it is kept, how that goes away), whether reading goes on
WAYS = [
    pytest.param(on_file(locked), True, id="a file that is locked"),
    pytest.param(on_file(read_only, "socket"), True, id="a file that can only be read, by Socket Mode"),
    pytest.param(on_file(read_only), True, id="a file that can only be read"),
    pytest.param(on_file(full), True, id="a full disk"),
    pytest.param(by_line("refuse"), False, id="a server that refuses"),
    pytest.param(by_line("blackhole"), False, id="a server that answers nothing"),
    pytest.param(by_server(Postgres.kill, Postgres.start), False, id="a server that was killed"),
    pytest.param(
        by_server(lambda one: one.read_only(True), lambda one: one.read_only(False)), True, id="a server made read only"
    ),
]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with world_at(tmp_path, "http") as one:  # what is not acknowledged says so at once
        yield one


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Postgres | None:
    return request.getfixturevalue("postgres18") if "server" in request.node.name else None


# -- what people do -------------------------------------------------------------------------------------------------


async def prepared(world: World) -> str:
    """INC-1 in its channel, Ben with a form and Eve with a preview open."""
    room = (await world.declare()).id
    for who in ("ben", "eve"):
        await world.say("ana", f"/incident add @{who}", room)
    await world.say("ben", "/incident declare")
    await world.say("eve", "/incident update", room)
    await world.person("eve").submit({"text": "Horizon is behind"})
    await world.settle()
    return room


async def timed(act: Awaitable[Any]) -> Any:
    loop = asyncio.get_running_loop()
    began = loop.time()
    result = await act
    assert loop.time() - began < 3
    return result


def private(world: World, who: str, room: str) -> list[str]:
    return [one.plain for one in world.messages(who, room) if one.ephemeral]


@pytest.mark.parametrize(("place", "readable"), WAYS)
async def test_everything_that_people_do(tmp_path: Path, server: Postgres | None, place: Place, readable: bool) -> None:
    async with place(tmp_path, server) as (world, away):
        room = await prepared(world)
        ana, ben, carla, eve = (world.person(one) for one in ("ana", "ben", "carla", "eve"))
        remark = await ana.post(room, "13:58 queue stands still")
        before = await world.types()
        card = world.find("eve", "#incidents", "INC-1")
        async with away(world):
            await asyncio.sleep(
                2 * PING_AFTER_SECONDS
            )  # who has just answered is believed to be there; what is sent then is lost
            before += ["LeadSeen"] * ((await _types_where_readable(world, readable)).count("LeadSeen"))
            declared, noted, followed, form, preview, added, _ = await asyncio.gather(
                timed(carla.command("/incident declare sev2 Receipts are blurred")),
                timed(ana.command("/incident note queue grows", room)),
                timed(eve.click(card, label="Follow")),
                timed(ben.submit({"title": "Payouts are late"})),
                timed(eve.submit()),
                timed(ana.shortcut("inc:add-to-timeline", remark, room)),
                ana.react(room, remark, "pushpin"),
            )
            assert declared.text == in_slack(outage.DATABASE_DOWN) and declared.response_type == "ephemeral"
            assert noted.text in (in_slack(outage.DATABASE_DOWN_IN_INCIDENT), in_slack(outage.DATABASE_DOWN))
            assert followed.ok and added.ok
            # What was typed is still there, with the reason beside it.
            assert form.errors == {"title": in_slack(outage.DATABASE_DOWN)}
            assert preview.ok and eve.view is not None and ben.view is not None
            assert in_slack(outage.DATABASE_DOWN)[:40] in str(eve.view["blocks"][0]) and "Horizon is behind" in str(
                eve.view
            )
            await world.slack.idle()
            await asyncio.gather(*world.bot.tasks, return_exceptions=True)
            assert {*private(world, "ana", room)[-1:]} <= {
                in_slack(outage.DATABASE_DOWN_IN_INCIDENT),
                in_slack(outage.DATABASE_DOWN),
            }
            assert not [
                one for one in world.slack.channel(room).messages if "database" in one.plain and not one.only_for
            ]
            status, listing = await asyncio.gather(
                timed(ana.command("/incident status", room)), timed(ben.command("/incident list"))
            )
            for answer in (status, listing):
                assert ("INC-1" in answer.text) if readable else answer.text.startswith(outage.DATABASE_DOWN[:50]), (
                    answer
                )
        # Back, with no restart: what was not acknowledged comes again, what people say counts, each once.
        answer = await timed(carla.command("/incident declare sev3 Receipts are blurred"))
        assert "INC-2 is recorded" in answer.text
        for who in (ben, eve):
            assert (await timed(who.submit())).ok and who.view is None
        await world.advance(minutes=6)
        types = await world.types()
        assert (types.count("Noted"), types.count("UpdatePosted")) == (1, 1)
        assert types[: len(before)] == before
        titles = [one.title for one in await world.bot.store.listing(world.slack.team_id)]
        assert titles == ["Payouts are late", "Receipts are blurred", "Withdrawals are stuck"]
        assert await world.bot.store.verify() == []


async def _types_where_readable(world: World, readable: bool) -> list[str]:
    return await world.types() if readable else []


async def test_a_mention_is_answered_in_words_and_not_done_later(world: World) -> None:
    """Who was told that nothing was recorded says it again: the event is not taken up behind their back."""
    room = await prepared(world)
    async with locked(world):
        await world.person("ana").post(room, "@incident-commander note queue grows")
        await world.slack.idle()
        await asyncio.gather(*world.bot.tasks, return_exceptions=True)
        assert private(world, "ana", room)[-1] == in_slack(outage.DATABASE_DOWN_IN_INCIDENT)
    await world.advance(minutes=6)
    assert "Noted" not in await world.types()


async def test_who_was_deactivated_meanwhile_loses_their_role(world: World) -> None:
    room = await prepared(world)
    await world.say("ana", "/incident comms-lead @eve", room)
    await world.advance(minutes=6)
    async with locked(world):
        world.slack.change_person("eve", deleted=True)
        await world.slack.idle()
        await asyncio.gather(*world.bot.tasks, return_exceptions=True)
    await world.advance(minutes=6)
    assert (await world.incident()).comms_lead == ""


async def test_what_waits_behind_a_write_is_not_kept_waiting(world: World) -> None:
    """Said a second later, behind a write that waits for the lock: answered with it, not two seconds after."""
    room = await prepared(world)
    async with locked(world):
        first = asyncio.ensure_future(world.person("ana").command("/incident note one", room))
        await asyncio.sleep(1)
        answer = await timed(world.person("ben").command("/incident note two", room))
        assert answer.text == in_slack(outage.DATABASE_DOWN_IN_INCIDENT)
        await first


async def test_a_database_that_is_slow(tmp_path: Path, postgres18: Postgres) -> None:
    """Slack is answered in time, and the person hears how it ended."""
    async with (
        Proxy(postgres18.upstream, delay=0.3) as proxy,
        world_at(tmp_path, "http", database_url=proxy.url(postgres18.create())) as world,
    ):
        proxy.mode = "latency"
        answer = await timed(world.person("ana").command("/incident declare sev3 Receipts are blurred"))
        assert answer.text == in_slack(outage.STILL_RUNNING)
        proxy.mode = "ok"
        await world.settle()
        _, recorded, opened = private(world, "ana", "#general")
        assert "INC-1 is recorded" in recorded and "INC-1 is open" in opened


async def test_afterwards_the_channel_is_taken_over(world: World) -> None:
    """The whole way: told how to go on by hand, and recorded when the database is back."""
    ana = world.person("ana")
    async with locked(world):
        answer = await ana.command("/incident declare sev1 Withdrawals are stuck")
        assert "`/incident backfill`" in answer.text
        room = await ana.create_channel("inc-withdrawals")
        await ana.pin(room, await ana.post(room, "14:03 UTC payouts paused"))
    await world.say("ana", "/incident backfill", room)
    assert (await ana.submit({"title": "Withdrawals are stuck", "severity": "sev1"}, button="Record")).ok
    await world.settle()
    incident = await world.incident()
    assert (incident.number, incident.channel, len(incident.notes)) == (1, room, 1)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        pytest.param(StoreUnavailable("x"), in_slack(outage.DATABASE_DOWN), id="nothing was written"),
        pytest.param(
            CommitOutcomeUnknown("x"), in_slack(outage.COMMIT_OUTCOME_UNKNOWN), id="cut off at the commit: nobody knows"
        ),
    ],
)
def test_what_is_said_is_what_is_known(error: Exception, said: str) -> None:
    assert error_reply(error, in_slack).text == said
    assert "nothing was recorded" not in in_slack(outage.COMMIT_OUTCOME_UNKNOWN)
