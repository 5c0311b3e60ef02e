"""Planted faults beyond those of test_web_api.py: slow calls, a missing scope, deliveries that come late or never."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from localslack import LocalSlack
from localslack.tests.methods.asking import error_of
from localslack.tests.shop import Json

POST = {"channel": "#general", "text": "x"}


class Listener:
    """A program on a socket that acknowledges everything; it comes back when it is cut off."""

    def __init__(self, sandbox: LocalSlack, session: aiohttp.ClientSession) -> None:
        self.sandbox = sandbox
        self.session = session
        self.heard: list[Json] = []
        self.connections = 0

    async def run(self) -> None:
        while True:
            headers = {"Authorization": f"Bearer {self.sandbox.app_token}"}
            url = f"{self.sandbox.api_url}apps.connections.open"
            async with self.session.post(url, headers=headers) as response:
                address = (await response.json())["url"]
            try:
                async with self.session.ws_connect(address) as socket:
                    self.connections += 1
                    async for message in socket:
                        await self._take(socket, json.loads(message.data))
            except aiohttp.ClientError:
                await asyncio.sleep(0)

    async def _take(self, socket: aiohttp.ClientWebSocketResponse, envelope: Json) -> None:
        if envelope["type"] not in ("hello", "disconnect"):
            self.heard.append(envelope)
            await socket.send_json({"envelope_id": envelope["envelope_id"]})


@pytest.fixture
async def listener(sandbox: LocalSlack) -> AsyncIterator[Listener]:
    async with aiohttp.ClientSession() as session:
        found = Listener(sandbox, session)
        task = asyncio.create_task(found.run())
        await sandbox.connected()
        await sandbox.person("ana").invite("#payments", "bot")
        await sandbox.idle()
        found.heard.clear()
        yield found
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def react(sandbox: LocalSlack, *names: str) -> None:
    """Reactions are what raises one event each, in order."""
    ana = sandbox.person("ana")
    ts = await ana.post("#payments", "x")
    await sandbox.idle()
    for name in names:
        await ana.react("#payments", ts, name)
        await sandbox.idle()


UPLOADS = [
    # kind, the outcomes in the journal, whether the bytes are there afterwards
    pytest.param("404", ["fault"], False, id="404"),
    pytest.param("500_before", ["fault"], False, id="500 before"),
    pytest.param("500_after", ["fault"], True, id="500 after"),
    pytest.param("cut_after", ["fault"], True, id="cut after"),
    pytest.param("429:1", ["fault"], False, id="rate limited"),
    pytest.param("error:file_type_not_allowed", ["fault"], False, id="refused"),
    pytest.param("slow:0.01", ["ok"], True, id="slow"),
    pytest.param("off", ["ok"], True, id="no fault of an upload"),
]


@pytest.mark.parametrize(("kind", "outcomes", "there"), UPLOADS)
async def test_the_bytes_of_a_file(
    sandbox: LocalSlack, client: AsyncWebClient, kind: str, outcomes: list[str], there: bool
) -> None:
    begun = await client.files_getUploadURLExternal(filename="a.txt", length=3)
    sandbox.faults.add("*" if kind == "off" else "upload", kind)
    status = 0
    with contextlib.suppress(aiohttp.ClientError):
        async with aiohttp.ClientSession() as session, session.post(begun["upload_url"], data=b"abc") as response:
            status = response.status
    assert [call.outcome for call in sandbox.journal.of("upload")] == outcomes
    assert (status == 200) == (outcomes == ["ok"])
    assert (sandbox.world.files[begun["file_id"]].content == b"abc") == there


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ("chat.postMessage", "duplicate"),
        ("chat.postMessage", "expired_ticket"),
        ("*", "socket_cut"),
        ("delivery:slash_commands", "500_after"),
        ("delivery:slash_commands", "reorder"),
        ("delivery:*", "429:1"),
    ],
)
async def test_a_fault_that_would_do_nothing_is_refused(sandbox: LocalSlack, method: str, kind: str) -> None:
    with pytest.raises(ValueError, match="is none of them"):
        sandbox.faults.add(method, kind)
    assert sandbox.faults.planted == []


async def test_slow_calls(sandbox: LocalSlack, client: AsyncWebClient) -> None:
    sandbox.faults.add("auth.test", "slow:0.05")
    begun = time.monotonic()
    await client.auth_test()
    assert time.monotonic() - begun >= 0.05
    assert sandbox.journal[-1].outcome == "ok"


async def test_a_scope_is_missing(sandbox: LocalSlack, client: AsyncWebClient) -> None:
    sandbox.faults.add("pins.list", "missing_scope")
    with pytest.raises(SlackApiError) as refused:
        await client.pins_list(channel="C01GENERAL1")
    answer = refused.value.response
    assert (answer["error"], answer["needed"]) == ("missing_scope", "pins:read")
    assert "pins:read" not in answer["provided"].split(",")
    assert (sandbox.journal[-1].outcome, sandbox.journal[-1].error) == ("fault", "missing_scope")


async def test_a_method_is_switched_off_until_the_faults_are_cleared(
    sandbox: LocalSlack, client: AsyncWebClient
) -> None:
    sandbox.faults.add("chat.postMessage", "off", times=0)
    assert [await error_of(client, "chat.postMessage", **POST) for _ in range(3)] == ["unknown_method"] * 3
    assert await error_of(client, "auth.test") is None
    sandbox.faults.clear()
    assert await error_of(client, "chat.postMessage", **POST) is None


async def test_an_expired_ticket(sandbox: LocalSlack) -> None:
    sandbox.faults.add("apps.connections.open", "expired_ticket")
    client = AsyncWebClient(token=sandbox.app_token, base_url=sandbox.api_url)
    urls = [(await client.apps_connections_open(app_token=sandbox.app_token))["url"] for _ in range(2)]
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(urls[0])
        await (await session.ws_connect(urls[1])).close()


async def test_reordered_events(sandbox: LocalSlack, listener: Listener) -> None:
    sandbox.faults.add("delivery:event:reaction_added", "reorder")
    await react(sandbox, "one", "two", "three")
    await sandbox.idle()
    assert reactions(listener) == ["two", "one", "three"]


async def test_a_held_event_is_not_lost_when_nothing_follows(sandbox: LocalSlack, listener: Listener) -> None:
    sandbox.faults.add("delivery:event:reaction_added", "reorder")
    await react(sandbox, "one")
    assert reactions(listener) == []
    sandbox.clock.advance(1)
    await sandbox.idle()
    assert reactions(listener) == ["one"]


def reactions(listener: Listener) -> list[str]:
    events = [each["payload"]["event"] for each in listener.heard if each["type"] == "events_api"]
    return [event["reaction"] for event in events if event["type"] == "reaction_added"]


async def test_a_socket_is_cut_and_the_event_comes_again(sandbox: LocalSlack, listener: Listener) -> None:
    sandbox.faults.add("delivery:event:reaction_added", "socket_cut")
    await react(sandbox, "one")
    await sandbox.connected()
    await sandbox.idle()
    sandbox.clock.advance(61)
    await sandbox.idle()
    assert reactions(listener) == ["one"]
    assert listener.connections == 2


async def test_a_socket_is_cut_and_the_command_is_lost(sandbox: LocalSlack, listener: Listener) -> None:
    sandbox.faults.add("delivery:slash_commands", "socket_cut")
    ana = sandbox.person("ana")
    assert (await ana.command("/tea")).failed
    await sandbox.connected()
    assert (await ana.command("/tea")).ok


async def test_sockets_by_the_control_api(sandbox: LocalSlack, listener: Listener) -> None:
    async def sockets(do: str) -> Json:
        async with listener.session.post(f"{sandbox.url}/_sandbox/sockets", json={"do": do}) as response:
            answer: Json = await response.json()
            return answer

    assert await sockets("warning") == {"ok": True, "connected": 1}
    assert await sockets("expire_tickets") == {"ok": True, "connected": 1}
    assert await sockets("cut") == {"ok": True, "connected": 0}
    await sandbox.connected()
    assert (await sandbox.person("ana").command("/tea")).ok
    assert await sockets("explode") == {"ok": False, "error": "sockets cannot do 'explode'"}


@pytest.mark.parametrize(
    ("pattern", "kind", "times"),
    [
        pytest.param("delivery:event:*", "duplicate", 2, id="any event"),
        pytest.param("delivery:*", "duplicate", 2, id="any delivery"),
        pytest.param("*", "cut_before", 1, id="any call: no delivery"),
        pytest.param("delivery:event:pin_added", "duplicate", 1, id="another event"),
    ],
)
async def test_patterns(sandbox: LocalSlack, listener: Listener, pattern: str, kind: str, times: int) -> None:
    await react(sandbox)
    listener.heard.clear()
    sandbox.faults.add(pattern, kind, times=0)
    await react(sandbox, "one")
    assert len(reactions(listener)) == times


async def test_times_are_not_negative(sandbox: LocalSlack) -> None:
    with pytest.raises(ValueError, match="times"):
        sandbox.faults.add("auth.test", "hang", times=-1)


async def test_the_kinds_are_told(sandbox: LocalSlack) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{sandbox.url}/_sandbox/faults") as response:
        body = await response.json()
    assert body["faults"] == [] and "socket_cut" in body["kinds"]


async def test_the_journal_by_method_and_outcome(sandbox: LocalSlack, client: AsyncWebClient) -> None:
    await client.auth_test()
    await error_of(client, "chat.shout")
    async with aiohttp.ClientSession() as session:

        async def calls(**query: str) -> list[str]:
            async with session.get(f"{sandbox.url}/_sandbox/journal", params=query) as response:
                return [each["method"] for each in (await response.json())["calls"]]

        assert await calls() == ["auth.test", "chat.shout"]
        assert await calls(method="auth.test") == ["auth.test"]
        assert await calls(outcome="error") == ["chat.shout"]
