"""Socket Mode connections that hold: whatever becomes of them, deliveries go on, and each is done once."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType, web
from hypothesis import given
from hypothesis import strategies as st
from slack_bolt.async_app import AsyncApp

from bot.slack.inbound.connection import ConnectionTimeouts
from bot.slack.inbound.socket_mode import SocketModePool, SocketModeStatus, staggered_replacement
from localslack import LocalSlack, WorkspaceClock
from localslack.tests import shop
from tests.world import World

#: Pauses are short. What is only waited for where something hangs is long: a machine may stand still for a moment.
FAST = ConnectionTimeouts(
    connect_seconds=5.0, idle_seconds=5.0, overlap_seconds=5.0, drain_seconds=0.5, close_seconds=0.1,
    first_backoff_seconds=0.01, max_backoff_seconds=0.02, operator_backoff_seconds=0.02, start_wait_seconds=5.0,
)  # fmt: skip
OPEN = "apps.connections.open"


class Line:
    """The local Slack, the tea shop's app in it, and connections between the two."""

    def __init__(self, slack: LocalSlack) -> None:
        self.slack = slack
        self.app, self._bodies = shop.build(slack)
        self.sockets = self.connecting()
        self.message = ""

    def connecting(self, **times: float) -> SocketModePool:
        """Connections that are not begun yet; `times` instead of FAST's."""
        return SocketModePool(self.app, self.slack.app_token, self.slack.api_url, 2, replace(FAST, **times))

    async def command(self, text: str = "green") -> bool:
        """Whether a slash command is answered."""
        return (await self.slack.person("ana").command(f"/tea {text}")).ok

    async def react(self, *names: str) -> None:
        for name in names:
            await self.slack.person("ana").react("#payments", self.message, name)
        await asyncio.sleep(0)

    async def retries(self) -> None:
        """Let the time pass after which Slack sends again what nobody acknowledged."""
        await self.slack.idle()
        self.slack.clock.advance(61)
        await self.slack.idle()

    @property
    def reactions(self) -> list[str]:
        """The reactions that the app heard of; a delivery that comes again is known by its id, as the bot knows it."""
        events = {body["event_id"]: body["event"] for body in self._bodies if body.get("type") == "event_callback"}
        return [event["reaction"] for event in events.values() if event["type"] == "reaction_added"]

    @property
    def commands(self) -> list[str]:
        return [str(body["text"]) for body in self._bodies if body.get("command")]

    def asked(self) -> int:
        """How often an address was asked for."""
        return len(self.slack.journal.of(OPEN))


@pytest.fixture
async def slack() -> AsyncIterator[LocalSlack]:
    clock = WorkspaceClock(frozen_at=datetime(2026, 11, 20, 14, 0, tzinfo=UTC))
    async with LocalSlack(manifest=shop.manifest(), clock=clock) as slack:
        yield slack


@pytest.fixture
async def line(slack: LocalSlack) -> AsyncIterator[Line]:
    line = Line(slack)
    await line.sockets.start()
    await until(lambda: slack.sockets.connected == 2)
    ana = slack.person("ana")
    await ana.invite("#payments", "bot")
    line.message = await ana.post("#payments", "tea?")
    await slack.idle()
    yield line
    await line.sockets.stop()


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110 - what is waited for is on both sides of a wire
            await asyncio.sleep(0.002)


def tear(slack: LocalSlack) -> None:
    """Both connections break as in a failing network."""
    while slack.sockets.connected:
        slack.sockets.tear()


async def both_again(line: Line) -> None:
    await until(lambda: line.slack.sockets.connected == 2 and line.sockets.connected == 2)


# -- connections that come and go -----------------------------------------------------------------


async def test_two_connections_and_either_will_do(line: Line) -> None:
    assert line.sockets.status() == SocketModeStatus(2, 2)
    line.slack.sockets.tear()
    assert line.slack.sockets.connected == 1
    assert await line.command("one") and await line.command("two")
    await both_again(line)
    assert line.commands == ["one", "two"]


async def test_a_warning_leaves_no_gap(line: Line) -> None:
    """Symptom elsewhere: 5 to 12 seconds without a connection at each refresh."""
    fewest = [2]
    line.slack.sockets.on_change.append(lambda: fewest.append(line.slack.sockets.connected))
    warned = asyncio.create_task(line.slack.disconnect("warning"))
    orders = [str(n) for n in range(20)]
    assert all([await line.command(order) for order in orders])
    await warned
    await until(lambda: line.slack.sockets.connected == 4)
    assert all([await line.command(order) for order in orders])
    assert min(fewest) == 2 and line.asked() == 4
    assert line.commands == orders * 2


async def test_a_refresh_by_the_clock_leaves_no_gap(slack: LocalSlack) -> None:
    """Symptom elsewhere: 5 to 12 seconds without a connection at each refresh. Slack warns, and then closes."""
    slack.sockets.renew_after = 100.0
    line = Line(slack)
    await line.sockets.start()
    await until(lambda: slack.sockets.connected == 2)
    slack.clock.advance(101)
    orders = [str(n) for n in range(20)]
    assert all([await line.command(order) for order in orders])
    await until(lambda: line.asked() == 4)
    assert all([await line.command(order) for order in orders])
    assert line.commands == orders * 2
    await line.sockets.stop()


async def test_both_asked_to_go_at_once(line: Line) -> None:
    """refresh_requested, and closed in the same moment: events come again, and once."""
    going = asyncio.create_task(line.slack.disconnect("refresh_requested"))
    await line.react("eyes", "tea")
    await going
    await both_again(line)
    await line.retries()
    assert sorted(line.reactions) == ["eyes", "tea"]
    assert await line.command()


@pytest.mark.parametrize(
    ("fault", "times"),
    [
        pytest.param("expired_ticket", 6, id="addresses that serve no more: the same one was tried for ever"),
        pytest.param("hang", 2, id="no answer to the question for an address"),
        pytest.param("500_before", 4, id="Slack in trouble"),
        pytest.param("cut_before", 4, id="the line is cut while an address is asked for"),
        pytest.param("error:internal_error", 4, id="Slack in trouble, in its own words"),
    ],
)
async def test_what_was_missed_comes_once_when_slack_is_back(line: Line, fault: str, times: int) -> None:
    """Symptom elsewhere: after an outage longer than a ticket's life nothing connects again, until a restart."""
    if fault == "hang":
        await line.sockets.stop()
        line.sockets = line.connecting(connect_seconds=0.5)
        await line.sockets.start()
        await both_again(line)
    before = line.asked()
    line.slack.faults.add(OPEN, fault, times)
    tear(line.slack)
    await until(lambda: line.sockets.connected == 0)
    assert not await line.command("lost")
    await line.react("eyes")
    await both_again(line)
    assert line.asked() == before + times + 2
    await line.retries()
    assert line.reactions == ["eyes"]
    assert await line.command("green") and await line.command("black")
    assert line.commands == ["green", "black"]


async def test_tickets_that_expire_between_question_and_connection(line: Line) -> None:
    """Symptom elsewhere: a dozen attempts, all 404, and `apps.connections.open` not asked again."""
    expiring = True

    async def expire() -> None:
        while expiring:
            line.slack.sockets.expire_tickets()
            await asyncio.sleep(0)

    task = asyncio.create_task(expire())
    tear(line.slack)
    await line.react("eyes")
    asked = line.asked()
    await until(lambda: line.asked() >= asked + 4)
    expiring = False
    await task
    await both_again(line)
    await line.retries()
    assert line.reactions == ["eyes"]


async def test_a_rate_limited_address_is_asked_for_when_slack_says(line: Line) -> None:
    line.slack.faults.add(OPEN, "429:30", 1)
    line.slack.sockets.tear()
    await until(lambda: line.asked() == 3)
    await asyncio.sleep(0.05)
    assert (line.asked(), line.sockets.connected) == (3, 1)
    assert await line.command()


async def test_a_session_that_was_closed_does_not_stay(line: Line) -> None:
    """Symptom elsewhere: "Session is closed" in a loop, for hours."""
    for connection in list(line.sockets._connections):
        await connection._session.close()
    await line.react("eyes")
    await until(lambda: line.asked() == 4)
    await both_again(line)
    await line.retries()
    assert line.reactions == ["eyes"]
    assert await line.command()


# -- what a person has to mend --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "said"),
    [
        pytest.param("invalid_auth", "Slack does not know SLACK_APP_TOKEN", id="a token that is not Slack's"),
        pytest.param("not_allowed_token_type", "no app-level token", id="the bot's token where the app's belongs"),
        pytest.param("missing_scope", "connections:write", id="a token without its scope"),
        pytest.param("link_disabled", "Socket Mode is switched off", id="Socket Mode is off"),
        pytest.param("something_new", "Slack's word: something_new", id="what nobody knows yet"),
    ],
)
async def test_a_refusal_is_said_plainly_and_tried_again(slack: LocalSlack, code: str, said: str) -> None:
    slack.faults.add(OPEN, f"error:{code}", 0)
    line = Line(slack)
    await line.sockets.start()
    standing = line.sockets.status()
    assert (standing.connected, standing.wanted, standing.code) == (0, 2, code)
    assert standing.problem.startswith("slack: not connected for 0 s; ") and said in standing.problem
    assert slack.app_token not in standing.problem
    slack.faults.clear()
    await both_again(line)
    assert line.sockets.status() == SocketModeStatus(2, 2)
    assert await line.command()
    await line.sockets.stop()


async def test_a_refusal_is_not_asked_about_in_a_loop(slack: LocalSlack) -> None:
    slack.faults.add(OPEN, "error:invalid_auth", 0)
    line = Line(slack)
    line.sockets = line.connecting(operator_backoff_seconds=60.0)
    await line.sockets.start()
    await asyncio.sleep(0.1)
    assert line.asked() == 2
    await line.sockets.stop()


async def test_socket_mode_is_switched_off_and_on(line: Line) -> None:
    """link_disabled: said plainly, and what Slack keeps meanwhile comes once it is on again."""
    line.slack.faults.add(OPEN, "error:link_disabled", 0)
    await line.slack.disconnect("link_disabled")
    await until(lambda: line.sockets.connected == 0)
    assert "Socket Mode is switched off" in line.sockets.status().problem
    await line.react("eyes")
    line.slack.faults.clear()
    await both_again(line)
    await line.retries()
    assert line.reactions == ["eyes"]


async def test_the_app_has_all_its_connections(slack: LocalSlack) -> None:
    """too_many_websockets: one stands and is kept; the second comes when there is room."""
    async with aiohttp.ClientSession() as session:
        others = [await session.ws_connect(slack._socket_url()) for _ in range(9)]
        line = Line(slack)
        await line.sockets.start()
        await until(lambda: line.asked() >= 4)
        assert (line.sockets.connected, slack.sockets.connected) == (1, 10)
        for other in others:
            await other.close()
        await both_again(line)
        assert await line.command("one") and await line.command("two")
        assert line.commands == ["one", "two"]
        await line.sockets.stop()


async def test_a_warned_connection_stays_while_there_is_no_room(slack: LocalSlack) -> None:
    async with aiohttp.ClientSession() as session:
        line = Line(slack)
        await line.sockets.start()
        await until(lambda: slack.sockets.connected == 2)
        others = [await session.ws_connect(slack._socket_url()) for _ in range(8)]
        await slack.disconnect("warning")
        await until(lambda: line.asked() >= 4)
        assert (line.sockets.connected, slack.sockets.connected) == (2, 10)
        for other in others:
            await other.close()
        assert await line.command("one") and await line.command("two")
        assert line.commands == ["one", "two"]
        await line.sockets.stop()


# -- stopping -------------------------------------------------------------------------------------


async def test_a_stop_hands_over(line: Line) -> None:
    """What was taken is acknowledged, what comes meanwhile is left for another process, and nothing is done twice."""
    gate, reached = asyncio.Event(), asyncio.Event()

    @line.app.use
    async def wait(next_: Any) -> None:
        reached.set()
        await gate.wait()
        await next_()

    order = asyncio.create_task(line.command("green"))
    await reached.wait()
    stopping = asyncio.create_task(line.sockets.stop())
    await asyncio.sleep(0)
    await line.react("eyes")
    await asyncio.sleep(0.02)
    assert not stopping.done() and line.reactions == []
    gate.set()
    assert await order
    await stopping
    assert (line.sockets.connected, line.slack.sockets.connected) == (0, 0)

    line.sockets = line.connecting()
    await line.sockets.start()
    await both_again(line)
    await line.retries()
    assert (line.commands, line.reactions) == (["green"], ["eyes"])


async def test_a_stop_while_slack_hangs(slack: LocalSlack) -> None:
    slack.faults.add(OPEN, "hang", 0)
    line = Line(slack)
    starting = asyncio.create_task(line.sockets.start())
    await until(lambda: line.asked() == 2)
    await line.sockets.stop()
    assert line.sockets.connected == 0
    starting.cancel()


# -- a Slack that misbehaves on the wire ----------------------------------------------------------


class Wire:
    """A bare Socket Mode server. `conduct` plays a connection, by its number, after the hello."""

    def __init__(self, conduct: Callable[[int, web.WebSocketResponse], Any], life: float = 0.0) -> None:
        self.conduct = conduct
        self.life = life
        self.addresses: list[str] = []
        self.opened = 0
        self.acks: list[tuple[int, Any]] = []
        self.url = ""

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[Wire]:
        site = web.Application()
        site.router.add_post(f"/api/{OPEN}", self._address)
        site.router.add_get("/link", self._accept)
        runner = web.AppRunner(site, shutdown_timeout=0.01)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _address(self, _: web.Request) -> web.Response:
        if self.addresses:
            return web.Response(text=self.addresses.pop(), content_type="application/json")
        return web.json_response({"ok": True, "url": f"{self.url}/link"})

    async def _accept(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        self.opened += 1
        number = self.opened
        await socket.send_json({"type": "hello", "debug_info": {"approximate_connection_time": self.life}})
        await self.conduct(number, socket)
        return socket

    async def hear(self, number: int, socket: web.WebSocketResponse) -> None:
        """Answer pings and note acknowledgements until the other side closes."""
        async for message in socket:
            if message.type is WSMsgType.PING:
                await socket.pong(message.data)
            elif message.type is WSMsgType.TEXT:
                self.acks.append((number, json.loads(message.data)))

    def sockets(self, app: AsyncApp, connections: int = 1, **times: float) -> SocketModePool:
        return SocketModePool(app, "xapp-1", f"{self.url}/api/", connections, replace(FAST, **times))


def order(id: str) -> dict[str, Any]:
    payload = {"command": "/raw", "text": id, "user_id": "U1", "team_id": "T1", "channel_id": "C1", "trigger_id": "1.1"}
    return {"envelope_id": id, "type": "slash_commands", "payload": payload, "accepts_response_payload": True}


def answered(number: int, id: str) -> tuple[int, Any]:
    return number, {"envelope_id": id, "payload": {"text": id}}


async def test_a_connection_that_falls_silent_is_replaced(slack: LocalSlack) -> None:
    """Symptom elsewhere: after an idle time nothing is delivered any more, and nothing says so."""

    async def conduct(number: int, socket: web.WebSocketResponse) -> None:
        if number == 1:
            async for _ in socket:  # takes pings, and never answers one
                pass
        else:
            await socket.send_json(order("a"))
            await wire.hear(number, socket)

    wire = Wire(conduct)
    async with wire.serving():
        sockets = wire.sockets(shop.build(slack)[0], idle_seconds=0.05)
        await sockets.start()
        await until(lambda: bool(wire.acks))
        assert wire.acks == [answered(2, "a")]
        assert sockets.connected == 1
        await sockets.stop()


async def test_a_quiet_connection_that_answers_pings_stays(slack: LocalSlack) -> None:
    async def conduct(number: int, socket: web.WebSocketResponse) -> None:
        await wire.hear(number, socket)

    wire = Wire(conduct)
    async with wire.serving():
        sockets = wire.sockets(shop.build(slack)[0], idle_seconds=0.06)
        await sockets.start()
        await asyncio.sleep(0.3)
        assert (wire.opened, sockets.connected) == (1, 1)
        await sockets.stop()


async def test_an_envelope_is_acknowledged_where_it_came(slack: LocalSlack) -> None:
    """Symptom elsewhere: the answer goes out on the newest connection, and Slack takes it for nothing."""
    gate = asyncio.Event()

    async def conduct(number: int, socket: web.WebSocketResponse) -> None:
        if number == 1:
            await socket.send_json(order("old"))
            await socket.send_json({"type": "disconnect", "reason": "warning"})
        else:
            await socket.send_json(order("new"))
            gate.set()
        await wire.hear(number, socket)

    wire = Wire(conduct)
    app = shop.build(slack)[0]

    @app.use
    async def wait(next_: Any) -> None:
        await gate.wait()
        await next_()

    async with wire.serving():
        sockets = wire.sockets(app, overlap_seconds=0.05)
        await sockets.start()
        await until(lambda: len(wire.acks) == 2)
        assert sorted(wire.acks) == [answered(1, "old"), answered(2, "new")]
        await until(lambda: sockets.connected == 1)  # the old one is let go after its time
        await sockets.stop()


async def test_a_connection_is_replaced_at_the_end_of_its_life(slack: LocalSlack) -> None:
    """Slack does not always warn; what it delivers nothing on would stand for ever."""

    async def conduct(number: int, socket: web.WebSocketResponse) -> None:
        if number == 2:
            wire.life = 0.0
            await socket.send_json(order("a"))
        await wire.hear(number, socket)

    wire = Wire(conduct, life=0.05)
    async with wire.serving():
        sockets = wire.sockets(shop.build(slack)[0])
        await sockets.start()
        await until(lambda: bool(wire.acks))
        assert wire.acks == [answered(2, "a")]
        await sockets.stop()


async def test_connections_that_end_at_once_are_not_reopened_in_a_loop(slack: LocalSlack) -> None:
    async def conduct(number: int, socket: web.WebSocketResponse) -> None:
        await socket.close()

    wire = Wire(conduct)
    async with wire.serving():
        sockets = wire.sockets(shop.build(slack)[0], first_backoff_seconds=30.0, max_backoff_seconds=60.0)
        await sockets.start()
        await until(lambda: wire.opened == 3)
        await asyncio.sleep(0.05)
        assert wire.opened == 3
        await sockets.stop()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Hello", id="no JSON"),
        pytest.param("[]", id="no object"),
        pytest.param("[" * 10_000, id="deeper than anybody reads"),
        pytest.param('{"envelope_id": "x", "type": "events_api"}', id="an envelope with nothing in it"),
        pytest.param('{"envelope_id": "x", "type": "events_api", "payload": []}', id="a payload that is no object"),
        pytest.param('{"envelope_id": {}, "type": "new", "payload": {"type": "new"}}', id="a kind nobody knows"),
    ],
)
async def test_what_is_not_understood_disturbs_nothing(slack: LocalSlack, text: str) -> None:
    async def conduct(number: int, socket: web.WebSocketResponse) -> None:
        await socket.send_str(text)
        await socket.send_json(order("a"))
        await wire.hear(number, socket)

    wire = Wire(conduct)
    async with wire.serving():
        sockets = wire.sockets(shop.build(slack)[0])
        await sockets.start()
        await until(lambda: answered(1, "a") in wire.acks)
        assert (wire.opened, sockets.connected) == (1, 1)
        await sockets.stop()


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param('{"ok": true}', id="no address"),
        pytest.param('{"ok": true, "url": 7}', id="an address that is a number"),
        pytest.param('{"ok": true, "url": "wss://"}', id="an address of nobody"),
        pytest.param('{"ok": true, "url": "http://127.0.0.1:1/link"}', id="an address where nobody listens"),
        pytest.param("<html>", id="a page"),
        pytest.param("[]", id="a list"),
        pytest.param("null", id="nothing"),
    ],
)
async def test_an_address_that_is_none_is_asked_for_again(slack: LocalSlack, answer: str) -> None:
    async def conduct(number: int, socket: web.WebSocketResponse) -> None:
        await wire.hear(number, socket)

    wire = Wire(conduct)
    wire.addresses = [answer] * 2
    async with wire.serving():
        sockets = wire.sockets(shop.build(slack)[0])
        await sockets.start()
        assert (sockets.connected, wire.addresses) == (1, [])
        await sockets.stop()


# -- the bot itself -------------------------------------------------------------------------------


async def test_an_answer_that_was_lost_does_nothing_twice(world: World) -> None:
    """Both connections break while an event is handled: it is done, Slack sends it again, and it counts once."""
    room = (await world.declare()).name
    said = await world.person("ben").post(room, "the queue holds 1,204 payouts")
    await world.settle()
    deliveries = []

    @world.bot.app.use
    async def torn(body: dict[str, Any], next_: Any) -> None:
        if (body.get("event") or {}).get("type") == "reaction_added":
            deliveries.append(body["event_id"])
            if len(deliveries) == 1:
                tear(world.slack)
        await next_()

    await world.person("ben").react(room, said, "pushpin")
    await until(lambda: world.slack.sockets.connected == 2)
    await world.settle()
    await world.advance(seconds=61)
    assert len(deliveries) >= 2 and len(set(deliveries)) == 1
    assert (await world.types()).count("Noted") == 1
    sockets = world.bot.socket_mode
    assert sockets is not None and sockets.status() == SocketModeStatus(2, 2)


# -- when connections are replaced ----------------------------------------------------------------


@given(
    st.floats(60, 20_000),
    st.integers(2, 10),
    st.lists(st.floats(0, 5), min_size=10, max_size=10),
)
def test_connections_that_came_together_do_not_go_together(life: float, wanted: int, gaps: list[float]) -> None:
    now, apart = 0.0, life / (2 * wanted)
    ends: list[float] = []
    for gap in gaps[:wanted]:
        now += gap
        end = staggered_replacement(now, life, ends, apart)
        assert now < end <= now + life
        ends.append(end)
    if sum(gaps) < apart:
        ends.sort()
        assert all(later - sooner >= apart * 0.98 for sooner, later in pairwise(ends))


def test_who_is_alone_lives_its_whole_life() -> None:
    assert staggered_replacement(100.0, 18_060.0, [], 4_515.0) == 18_160.0
    assert staggered_replacement(100.0, 18_060.0, [18_150.0], 4_515.0) == 13_635.0
