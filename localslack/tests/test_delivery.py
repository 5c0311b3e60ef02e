"""How deliveries travel: signatures, the three seconds, retries, sockets coming and going."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from urllib.parse import parse_qs

import aiohttp
import pytest
from aiohttp import web

from localslack import LocalSlack
from localslack.tests.shop import Json


class Endpoint:
    """A bare HTTP endpoint that keeps what it gets and answers as told."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], str]] = []
        self.answer: Callable[[], web.Response] = lambda: web.Response(text="")
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        self.got.append((dict(request.headers), await request.text()))
        return self.answer()


@pytest.fixture
async def endpoint(sandbox: LocalSlack) -> AsyncIterator[Endpoint]:
    found = Endpoint()
    app = web.Application()
    app.router.add_post("/slack/events", found.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    sandbox.event_url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    yield found
    await runner.cleanup()


async def connect(sandbox: LocalSlack, session: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
    headers = {"Authorization": f"Bearer {sandbox.app_token}"}
    async with session.post(f"{sandbox.api_url}apps.connections.open", headers=headers) as response:
        url = (await response.json())["url"]
    socket = await session.ws_connect(url)
    assert (await socket.receive_json())["type"] == "hello"
    return socket


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_requests_are_signed_over_the_raw_body(sandbox: LocalSlack, endpoint: Endpoint) -> None:
    await sandbox.person("ana").command("/tea für @ben")
    headers, raw = endpoint.got[0]
    base = f"v0:{headers['X-Slack-Request-Timestamp']}:{raw}".encode()
    expected = hmac.new(sandbox.signing_secret.encode(), base, hashlib.sha256).hexdigest()
    assert headers["X-Slack-Signature"] == f"v0={expected}"
    assert parse_qs(raw)["command"] == ["/tea"]


async def test_a_command_that_is_not_acknowledged_in_time(sandbox: LocalSlack, endpoint: Endpoint) -> None:
    sandbox.delivery.ack_seconds = 0.1
    hold = asyncio.Event()

    async def slow(request: web.Request) -> web.Response:
        await hold.wait()
        return web.Response()

    app = web.Application()
    app.router.add_post("/", slow)
    runner = web.AppRunner(app, shutdown_timeout=0.01)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    sandbox.event_url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    answer = await sandbox.person("ana").command("/tea")
    hold.set()
    assert (answer.ok, answer.failed, answer.error) == (False, True, "operation_timeout")
    assert "operation_timeout" in sandbox.person("ana").messages("#general")[-1].text
    assert len(sandbox.journal.of("delivery:slash_commands")) == 1  # never tried again
    await runner.cleanup()


@pytest.mark.parametrize(
    ("status", "body", "text"),
    [
        pytest.param(200, "", "", id="an empty acknowledgement says nothing"),
        pytest.param(200, "brewing", "brewing", id="plain text is shown"),
        pytest.param(200, '{"text": "json"}', "json", id="a JSON body is shown"),
        pytest.param(500, "oops", None, id="an error fails the command"),
    ],
)
async def test_bodies_of_acknowledgements(
    sandbox: LocalSlack, endpoint: Endpoint, status: int, body: str, text: str | None
) -> None:
    endpoint.answer = lambda: web.Response(status=status, text=body)
    answer = await sandbox.person("ana").command("/tea")
    assert answer.failed == (text is None)
    assert answer.text == (text or "")


async def test_events_are_tried_three_times_more(sandbox: LocalSlack, endpoint: Endpoint) -> None:
    """At once, a minute and five minutes after the first attempt (docs: Events API, "Error handling")."""
    endpoint.answer = lambda: web.Response(status=500)
    ana = sandbox.person("ana")
    await ana.invite("#payments", "bot")
    await sandbox.idle()
    endpoint.got.clear()
    await ana.post("#payments", "hello")
    seen = []
    for seconds in (0, 61, 241, 3600):
        sandbox.clock.advance(seconds)
        await sandbox.idle()
        numbers = [h.get("X-Slack-Retry-Num") for h, raw in endpoint.got if '"hello"' in raw]
        seen.append(numbers)
    assert seen == [[None, "1"], [None, "1", "2"], [None, "1", "2", "3"], [None, "1", "2", "3"]]
    bodies = {raw for _, raw in endpoint.got if '"hello"' in raw}
    assert len(bodies) == 1  # the same event_id each time
    assert endpoint.got[-1][0]["X-Slack-Retry-Reason"] == "http_error"


async def test_no_retry_is_respected(sandbox: LocalSlack, endpoint: Endpoint) -> None:
    endpoint.answer = lambda: web.Response(status=500, headers={"X-Slack-No-Retry": "1"})
    await sandbox.person("ana").open_home()
    await sandbox.idle()
    sandbox.clock.advance(400)
    await sandbox.idle()
    assert len(endpoint.got) == 1


async def test_an_event_sent_while_nobody_is_connected_comes_as_a_retry(
    sandbox: LocalSlack, session: aiohttp.ClientSession
) -> None:
    await sandbox.person("ana").open_home()
    await sandbox.idle()
    socket = await connect(sandbox, session)
    sandbox.clock.advance(61)
    envelope = await socket.receive_json(timeout=60)
    assert (envelope["type"], envelope["retry_attempt"]) == ("events_api", 2)
    assert envelope["retry_reason"] == "connection_failed"
    await socket.send_json({"envelope_id": envelope["envelope_id"]})
    await sandbox.idle()
    assert sandbox.journal[-1].outcome == "ok"


async def test_a_command_while_nobody_is_connected_fails_at_once(sandbox: LocalSlack) -> None:
    ana = sandbox.person("ana")
    assert (await ana.command("/tea")).error == "dispatch_failed"
    said = ana.messages("#general")[-1]
    assert (said.text, said.user, said.only_for) == (
        '/tea failed with the error "dispatch_failed"', "USLACKBOT", ana.id,
    )  # fmt: skip
    assert [m for m in sandbox.person("ben").messages("#general") if m.user == "USLACKBOT"] == []


async def test_each_envelope_goes_to_one_connection(sandbox: LocalSlack, session: aiohttp.ClientSession) -> None:
    first, second = await connect(sandbox, session), await connect(sandbox, session)

    async def serve(socket: aiohttp.ClientWebSocketResponse) -> int:
        count = 0
        async for message in socket:
            envelope = json.loads(message.data)
            count += 1
            ack: Json = {"envelope_id": envelope["envelope_id"], "payload": {"text": f"{count}"}}
            await socket.send_json(ack)
        return count

    tasks = [asyncio.create_task(serve(socket)) for socket in (first, second)]
    answers = [await sandbox.person("ana").command("/tea") for _ in range(4)]
    assert [answer.text for answer in answers] == ["1", "1", "2", "2"]
    await first.close()
    await second.close()
    assert await asyncio.gather(*tasks) == [2, 2]


async def test_tickets_serve_once_and_not_for_ever(sandbox: LocalSlack, session: aiohttp.ClientSession) -> None:
    used = sandbox._socket_url()
    await (await session.ws_connect(used)).close()
    old = sandbox._socket_url()
    sandbox.clock.advance(31)
    for url in (used, old, f"ws://127.0.0.1:{sandbox.port}/link/?ticket=made-up"):
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(url)


async def test_disconnect_messages(sandbox: LocalSlack, session: aiohttp.ClientSession) -> None:
    socket = await connect(sandbox, session)
    await sandbox.disconnect("warning")
    assert (await socket.receive_json())["reason"] == "warning"
    assert not socket.closed
    going = asyncio.create_task(sandbox.disconnect())
    assert (await socket.receive_json())["reason"] == "refresh_requested"
    await socket.receive()
    assert socket.closed
    await going


async def test_at_most_ten_connections(sandbox: LocalSlack, session: aiohttp.ClientSession) -> None:
    sockets = [await connect(sandbox, session) for _ in range(10)]
    extra = await session.ws_connect(sandbox._socket_url())
    assert (await extra.receive_json())["reason"] == "too_many_websockets"
    for socket in [*sockets, extra]:
        await socket.close()


@pytest.mark.parametrize(
    ("kind", "times"),
    [
        pytest.param("duplicate", 2, id="the same delivery twice"),
        pytest.param("drop", 0, id="lost on the way"),
    ],
)
async def test_planted_faults_of_deliveries(sandbox: LocalSlack, endpoint: Endpoint, kind: str, times: int) -> None:
    sandbox.faults.add("delivery:slash_commands", kind)
    answer = await sandbox.person("ana").command("/tea")
    assert len(endpoint.got) == times
    assert answer.failed == (times == 0)


async def test_only_subscribed_events_leave(endpoint: Endpoint, sandbox: LocalSlack) -> None:
    await sandbox.person("ana").post("#general", "the bot is not in here")
    await sandbox.idle()
    assert endpoint.got == []


@pytest.mark.parametrize(
    ("echo", "good"),
    [
        pytest.param(lambda sent: web.Response(text=sent["challenge"]), True, id="as text"),
        pytest.param(lambda sent: web.json_response({"challenge": sent["challenge"]}), True, id="as JSON"),
        pytest.param(lambda sent: web.Response(text="hello"), False, id="something else"),
    ],
)
async def test_the_event_url_is_verified(
    sandbox: LocalSlack, endpoint: Endpoint, echo: Callable[[Json], web.Response], good: bool
) -> None:
    endpoint.answer = lambda: echo(json.loads(endpoint.got[-1][1]))
    assert await sandbox.verify_event_url() is good
