"""SR-DLV and SR-SOC: signed HTTP with its retries, and Socket Mode."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable

import aiohttp
import pytest
from aiohttp import web

from localslack import LocalSlack
from localslack.sockets import CONNECTION_SECONDS
from localslack.tests.rules.book import rule
from localslack.tests.rules.conftest import Try
from localslack.tests.shop import Json


class Program:
    """An HTTP endpoint that keeps what it gets and answers as told."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], str]] = []
        self.answer: Callable[[web.Request], web.Response] = lambda request: web.Response()

    async def take(self, request: web.Request) -> web.Response:
        self.got.append((dict(request.headers), await request.text()))
        return self.answer(request)

    @property
    def retries(self) -> list[str | None]:
        return [headers.get("X-Slack-Retry-Num") for headers, _ in self.got]


@pytest.fixture
async def program(sandbox: LocalSlack) -> AsyncIterator[Program]:
    found = Program()
    app = web.Application()
    app.router.add_route("*", "/{hops:.*}", found.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    sandbox.event_url = f"http://127.0.0.1:{runner.addresses[0][1]}/events"
    yield found
    await runner.cleanup()


async def happen(slack: Try, *waits: float) -> None:
    """Something that raises an event, and time passing after it."""
    await slack.sandbox.person("ana").open_home()
    await slack.sandbox.idle()
    for seconds in waits:
        slack.sandbox.clock.advance(seconds)
        await slack.sandbox.idle()


def status(code: int, **headers: str) -> Callable[[web.Request], web.Response]:
    return lambda request: web.Response(status=code, headers={k.replace("_", "-"): v for k, v in headers.items()})


@rule("SR-DLV-01")
async def test_requests_are_signed(slack: Try, program: Program) -> None:
    await happen(slack)
    headers, raw = program.got[0]
    base = f"v0:{headers['X-Slack-Request-Timestamp']}:{raw}".encode()

    def signed(secret: str) -> bool:
        digest = hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
        return headers["X-Slack-Signature"] == f"v0={digest}"

    slack.holds(signed(slack.sandbox.signing_secret))
    slack.fails(not signed("another secret"))


@rule("SR-DLV-02")
@pytest.mark.parametrize(("code", "tries"), [pytest.param(204, 1, id="success"), pytest.param(300, 2, id="no success")])
async def test_any_success_acknowledges_an_event(slack: Try, program: Program, code: int, tries: int) -> None:
    program.answer = status(code)
    await happen(slack)
    slack.holds(len(program.got) == tries)
    slack.fails(slack.sandbox.journal[-1].outcome == ("ok" if tries == 1 else "failed"))


@rule("SR-DLV-03", "SR-DLV-04", "SR-DLV-06")
async def test_three_more_times(slack: Try, program: Program) -> None:
    program.answer = status(500)
    await happen(slack)
    slack.holds(program.retries == [None, "1"])
    for seconds, seen in (
        (59, ["1"]),
        (1, ["1", "2"]),
        (239, ["1", "2"]),
        (1, ["1", "2", "3"]),
        (9999, ["1", "2", "3"]),
    ):
        slack.sandbox.clock.advance(seconds)
        await slack.sandbox.idle()
        slack.fails(program.retries == [None, *seen])
    slack.holds({headers.get("X-Slack-Retry-Reason") for headers, _ in program.got} == {None, "http_error"})
    slack.holds(len({json.loads(raw)["event_id"] for _, raw in program.got}) == 1)


@rule("SR-DLV-05")
async def test_no_retry(slack: Try, program: Program) -> None:
    program.answer = status(500, X_Slack_No_Retry="0")
    await happen(slack, 60)
    slack.holds(len(program.got) == 3)
    program.got.clear()
    program.answer = status(500, X_Slack_No_Retry="1")
    await happen(slack, 60)
    slack.fails([each for each in program.retries if each is None or each == "1"] == [None])


@rule("SR-DLV-07")
async def test_two_redirects(slack: Try, program: Program) -> None:
    def hop(most: int) -> Callable[[web.Request], web.Response]:
        def answer(request: web.Request) -> web.Response:
            hops = int(request.query.get("hops", 0))
            on = {"Location": f"/events?hops={hops + 1}"}
            return web.Response(status=307, headers=on) if hops < most else web.Response()

        return answer

    program.answer = hop(2)
    await happen(slack)
    slack.holds(slack.sandbox.journal[-1].outcome == "ok")
    program.answer = hop(3)
    await happen(slack)
    slack.fails("too_many_redirects" in {headers.get("X-Slack-Retry-Reason") for headers, _ in program.got})


@rule("SR-DLV-08")
async def test_as_subscribed_and_where_the_bot_is(slack: Try, program: Program) -> None:
    ana = slack.sandbox.person("ana")
    await ana.post("#payments", "before")
    await ana.invite("#payments", "bot")
    await ana.post("#payments", "after")
    await ana.pin("#payments", ts := await ana.post("#payments", "pinned"))
    await slack.takes("pins.remove", channel="C01PAYMENTS", timestamp=ts)
    await slack.sandbox.idle()
    raw = "".join(raw for _, raw in program.got)
    slack.holds('"after"' in raw and '"pin_added"' in raw)
    slack.fails('"before"' not in raw and '"pin_removed"' not in raw)


@rule("SR-DLV-09")
async def test_the_challenge(slack: Try, program: Program) -> None:
    program.answer = lambda request: web.Response(text=json.loads(program.got[-1][1])["challenge"])
    slack.holds(await slack.sandbox.verify_event_url())
    program.answer = lambda request: web.Response(text="hello")
    slack.fails(not await slack.sandbox.verify_event_url())


# -- Socket Mode --------------------------------------------------------------------------------------


async def address(slack: Try) -> str:
    headers = {"Authorization": f"Bearer {slack.sandbox.app_token}"}
    async with slack.session.post(f"{slack.sandbox.api_url}apps.connections.open", headers=headers) as response:
        return str((await response.json())["url"])


async def connect(slack: Try, url: str = "") -> tuple[aiohttp.ClientWebSocketResponse, Json]:
    """A connection and the first thing that it was told."""
    socket = await slack.session.ws_connect(url or await address(slack))
    first: Json = await socket.receive_json(timeout=60)
    return socket, first


async def refused(slack: Try, url: str) -> bool:
    try:
        await slack.session.ws_connect(url)
    except aiohttp.WSServerHandshakeError:
        return True
    return False


@rule("SR-SOC-01", "SR-SOC-07")
async def test_ten_connections(slack: Try) -> None:
    opened = [await connect(slack) for _ in range(10)]
    slack.holds(
        [(first["type"], first["num_connections"]) for _, first in opened] == [("hello", n) for n in range(1, 11)]
    )
    extra, first = await connect(slack)
    slack.fails((first["type"], first["reason"]) == ("disconnect", "too_many_websockets"))
    for socket, _ in [*opened, (extra, first)]:
        await socket.close()


@rule("SR-SOC-02")
async def test_an_address_serves_once(slack: Try) -> None:
    url = await address(slack)
    socket, first = await connect(slack, url)
    slack.holds(first["type"] == "hello")
    slack.fails(await refused(slack, url))
    await socket.close()


@rule("SR-SOC-03")
async def test_an_address_gets_old(slack: Try) -> None:
    early, late = await address(slack), await address(slack)
    slack.sandbox.clock.advance(29.9)
    socket, first = await connect(slack, early)
    slack.holds(first["type"] == "hello")
    slack.sandbox.clock.advance(0.1)
    slack.fails(await refused(slack, late))
    await socket.close()


@rule("SR-SOC-04")
async def test_one_connection_for_each_envelope(slack: Try) -> None:
    (one, _), (two, _) = await connect(slack), await connect(slack)
    got: list[str] = []

    async def serve(socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            envelope = json.loads(message.data)
            got.append(envelope["envelope_id"])
            await socket.send_json({"envelope_id": envelope["envelope_id"]})

    tasks = [asyncio.create_task(serve(socket)) for socket in (one, two)]
    for _ in range(4):
        slack.holds((await slack.sandbox.person("ana").command("/tea")).ok)
    slack.fails(len(got) == len(set(got)) == 4)
    for socket in (one, two):
        await socket.close()
    await asyncio.gather(*tasks)


@rule("SR-SOC-05")
async def test_warned_and_sent_away(slack: Try) -> None:
    socket, _ = await connect(slack)
    await slack.sandbox.disconnect("warning")
    slack.holds((await socket.receive_json())["reason"] == "warning" and not socket.closed)
    going = asyncio.create_task(slack.sandbox.disconnect())
    assert (await socket.receive_json())["reason"] == "refresh_requested"
    await socket.receive()
    slack.fails(socket.closed)
    await going


@rule("SR-SOC-06")
async def test_while_nobody_is_connected(slack: Try) -> None:
    await happen(slack)
    slack.fails((await slack.sandbox.person("ana").command("/tea")).error == "dispatch_failed")
    socket, _ = await connect(slack)
    slack.sandbox.clock.advance(60)
    envelope = await socket.receive_json(timeout=60)
    slack.holds(
        (envelope["type"], envelope["retry_attempt"], envelope["retry_reason"])
        == ("events_api", 2, "connection_failed")
    )
    await socket.send_json({"envelope_id": envelope["envelope_id"]})
    await slack.sandbox.idle()
    await socket.close()


@rule("SR-SOC-08")
async def test_renewed_after_some_hours(slack: Try) -> None:
    slack.sandbox.sockets.renew_after = CONNECTION_SECONDS
    old, hello = await connect(slack)
    slack.holds(hello["debug_info"]["approximate_connection_time"] == CONNECTION_SECONDS == 18_060)
    slack.sandbox.clock.advance(CONNECTION_SECONDS - 10)
    slack.holds((await old.receive_json(timeout=60))["reason"] == "warning")
    new, _ = await connect(slack)
    slack.sandbox.clock.advance(10)
    slack.fails((await old.receive_json(timeout=60))["reason"] == "refresh_requested")
    # What comes now goes to the new connection, although the old one is still open.
    command = asyncio.create_task(slack.sandbox.person("ana").command("/tea"))
    await new.send_json({"envelope_id": (await new.receive_json(timeout=60))["envelope_id"]})
    slack.holds((await command).ok)
    await new.close()
    await old.close()
