"""Requests that are not for this bot, that come again, that never end: turned away, counted, and nothing is done."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlencode

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from stellar_sdk import Keypair

from bot.config import secrets_to_hide, signing_secrets
from bot.metrics import REGISTRY
from bot.web.edge import MAX_BODY_BYTES, Health, app_runner, web_application
from bot.web.signature import is_valid_signature
from tests.web.test_edge import FORM, JSON, get, post, signed
from tests.world import World, settings_for, world_at

shared_loop = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A world whose bot hears Slack over signed HTTP."""
    async with world_at(tmp_path_factory.mktemp("house"), "http") as one:
        yield one


def turned_away(reason: str) -> float:
    return REGISTRY.get_sample_value("incident_commander_turned_away_total", {"reason": reason}) or 0.0


async def until(true: Callable[[], bool]) -> None:
    while not true():  # noqa: ASYNC110 - nobody tells of a figure
        await asyncio.sleep(0.01)


async def rows(world: World) -> list[Any]:
    return list(await world.bot.store.listing(world.slack.team_id, open_only=False))


# -- for another app or workspace (X5) ----------------------------------------------------------------------


def as_command(world: World, **changed: str) -> tuple[bytes, str]:
    ana = world.person("ana").id
    fields = {"command": "/incident", "text": "declare sev1 Not ours", "team_id": world.slack.team_id, "user_id": ana,
              "channel_id": world.slack.channel("#general").id, "trigger_id": f"9.{time.monotonic_ns()}",
              "response_url": "", "api_app_id": world.slack.app_id}  # fmt: skip
    return urlencode({**fields, **changed}).encode(), FORM


def as_payload(world: World, **changed: Any) -> tuple[bytes, str]:
    body = {"type": "view_submission", "team": {"id": world.slack.team_id}, "api_app_id": world.slack.app_id,
            "user": {"id": world.person("ana").id}, "view": {"id": "V1", "callback_id": "inc:declare"}}  # fmt: skip
    return urlencode({"payload": json.dumps({**body, **changed})}).encode(), FORM


def as_event(world: World, **changed: Any) -> tuple[bytes, str]:
    body = {"type": "event_callback", "team_id": world.slack.team_id, "api_app_id": world.slack.app_id,
            "event_id": "EvX", "event": {"type": "app_mention", "user": "U1", "text": "x", "channel": "C1", "ts": "1"},
            "authorizations": [{"team_id": world.slack.team_id}]}  # fmt: skip
    return json.dumps({**body, **changed}).encode(), JSON


@shared_loop
@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda w: as_command(w, team_id="T0STRANGER"), id="a command of another workspace"),
        pytest.param(lambda w: as_command(w, api_app_id="A0STRANGER"), id="a command for another app"),
        pytest.param(lambda w: as_payload(w, team={"id": "T0STRANGER"}), id="a form of another workspace"),
        pytest.param(lambda w: as_payload(w, api_app_id="A0STRANGER"), id="a form for another app"),
        pytest.param(
            lambda w: as_event(w, team_id="T0STRANGER", authorizations=[{"team_id": "T0STRANGER"}]),
            id="an event of another workspace",
        ),
        pytest.param(lambda w: as_event(w, api_app_id="A0STRANGER"), id="an event for another app"),
    ],
)
async def test_what_is_for_somebody_else_is_not_taken(house: World, make: Any) -> None:
    body, kind = make(house)
    before = turned_away("foreign")
    status, text = await post(house, body, signed(house.slack.signing_secret, body), kind)
    assert (status, text) == (401, "not for this app or workspace")
    assert turned_away("foreign") == before + 1
    await house.settle()
    assert await rows(house) == []


@shared_loop
async def test_an_event_of_a_shared_channel_is_ours_where_we_are_authorized(house: World) -> None:
    """`team_id` may be the other workspace's there; `authorizations` says where the app is installed."""
    body, kind = as_event(house, team_id="T0STRANGER")
    status, _ = await post(house, body, signed(house.slack.signing_secret, body), kind)
    assert status == 200


@shared_loop
async def test_what_is_not_signed_is_counted_and_not_read(house: World) -> None:
    before = turned_away("unsigned"), turned_away("unreadable")
    assert (await post(house, b"\xff{[", {}, JSON))[0] == 401
    assert (turned_away("unsigned"), turned_away("unreadable")) == (before[0] + 1, before[1])


@shared_loop
async def test_a_packed_body_is_not_unpacked(house: World) -> None:
    """The signature is over what came; 1 GB of blanks in 1 MB is not our trouble."""
    body = gzip.compress(b" " * 50 * MAX_BODY_BYTES)
    assert len(body) < MAX_BODY_BYTES
    status, _ = await post(house, body, {**signed(house.slack.signing_secret, body), "Content-Encoding": "gzip"})
    assert status == 400


# -- whatever is signed -------------------------------------------------------------------------------------

NAMES = ["type", "team", "team_id", "user", "user_id", "view", "event", "actions", "channel", "container", "message",
         "callback_id", "command", "text", "authorizations", "api_app_id", "trigger_id", "enterprise", "challenge",
         "id", "state", "values", "private_metadata", "action_id", "block_id", "value", "item", "ts"]  # fmt: skip
KINDS = ["event_callback", "block_actions", "view_submission", "view_closed", "shortcut", "message_action",
         "block_suggestion", "url_verification", "app_mention", "reaction_added", "user_change", "team_join",
         "member_joined_channel", "message", "inc:declare", "function_executed"]  # fmt: skip
WORDS = st.sampled_from([*KINDS, "", "T1", "/incident", "{}", "[]", "\x00", "é"]) | st.text(max_size=5)
THINGS = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=True) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=12,
)
BODIES = st.fixed_dictionaries(
    {"type": st.sampled_from(KINDS)}, optional={name: THINGS for name in NAMES if name not in ("type", "team_id")}
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(body=BODIES | THINGS, form=st.booleans())
@shared_loop
async def test_no_signed_body_causes_more_than_a_sentence(house: World, body: Any, form: bool) -> None:
    raw = urlencode({"payload": json.dumps(body)}).encode() if form else json.dumps(body).encode()
    status, text = await post(house, raw, signed(house.slack.signing_secret, raw), FORM if form else JSON)
    assert status in (200, 400, 401, 404), text
    assert "Traceback" not in text and 'File "' not in text


# -- again (X5): a signed request that somebody recorded ----------------------------------------------------


class Recorder:
    """Stands between Slack and the bot and keeps what Slack sent, to the byte."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.target = world.slack.event_url or ""
        self.heard: list[tuple[bytes, dict[str, str]]] = []

    async def forward(self, request: web.Request) -> web.Response:
        body = await request.read()
        names = ("Content-Type", "X-Slack-Request-Timestamp", "X-Slack-Signature")
        headers = {name: request.headers[name] for name in names}
        self.heard.append((body, headers))
        status, text, kind = await self.send(body, headers)
        return web.Response(status=status, text=text, content_type=kind)

    async def send(self, body: bytes, headers: dict[str, str]) -> tuple[int, str, str]:
        async with aiohttp.request("POST", self.target, data=body, headers=headers) as answer:
            return answer.status, await answer.text(), answer.content_type

    def last(self, words: str) -> tuple[bytes, dict[str, str]]:
        """The last request that holds these words."""
        return [one for one in self.heard if words in str(parse_qs(one[0].decode())) + one[0].decode()][-1]


Between = TypeVar("Between", bound=Recorder)


@contextlib.asynccontextmanager
async def standing_between(world: World, recorder: Between) -> AsyncIterator[Between]:
    """Slack delivers to the recorder, which forwards, as long as the block lasts."""
    site = web.Application()
    site.router.add_post("/slack/events", recorder.forward)
    serving = web.AppRunner(site)
    await serving.setup()
    await web.TCPSite(serving, "127.0.0.1", 0).start()
    world.slack.event_url = f"http://127.0.0.1:{serving.addresses[0][1]}/slack/events"
    try:
        yield recorder
    finally:
        world.slack.event_url = recorder.target
        await serving.cleanup()


async def state(world: World) -> Any:
    """All that was recorded, and all that stands in Slack for everybody."""
    timelines = [await world.bot.store.entries(row.id) for row in await rows(world)]
    said = {
        (place.id, ts): (one.text, json.dumps(one.blocks))
        for place in world.slack.channels
        for ts, one in place.by_ts.items()
        if not one.ephemeral
    }
    return timelines, said, [place.name for place in world.slack.channels]


async def command_(world: World, place: str) -> str:
    await world.say("ana", "/incident note the bank called", place)
    return "the bank called"


async def secret(world: World, place: str) -> str:
    """Only the fact is kept, and the lead is told of it: once."""
    seed = Keypair.from_raw_ed25519_seed(b"s" * 32).secret
    await world.say("ben", f"/incident note the seed is {seed}", place)
    return "the seed is"


async def declaration(world: World, place: str) -> str:
    await world.say("ben", "/incident declare sev2 Cards are slow")
    return "Cards are slow"


async def click(world: World, place: str) -> str:
    await world.say("ana", "/incident ack", place)
    card = next(one for one in world.messages("ben", place) if "Take comms lead" in one.labels)
    await world.person("ben").click(card, label="Take comms lead")
    await world.settle()
    return "block_actions"


async def form_(world: World, place: str) -> str:
    await world.say("ana", "/incident Payouts are late")
    assert (await world.person("ana").submit({"title": "Payouts are late"})).ok
    await world.settle()
    return "view_submission"


async def shortcut_(world: World, place: str) -> str:
    ts = await world.person("ana").post(place, "three payouts found")
    await world.person("ana").shortcut("Add to timeline", ts, place)
    await world.settle()
    return "message_action"


async def event_(world: World, place: str) -> str:
    await world.person("ana").post(place, "@incident-commander note by mention")
    await world.settle()
    return "app_mention"


async def reaction(world: World, place: str) -> str:
    ts = await world.person("ana").post(place, "five payouts found")
    await world.settle()
    await world.person("ana").react(place, ts, "pushpin")
    await world.settle()
    return "reaction_added"


@pytest.mark.parametrize("act", [command_, secret, declaration, click, form_, shortcut_, event_, reaction])
async def test_a_recorded_request_does_nothing_a_second_time(tmp_path: Path, act: Any) -> None:
    async with world_at(tmp_path, "http") as world:
        place = await world.declare()
        async with standing_between(world, Recorder(world)) as recorder:
            before = await state(world)
            words = await act(world, place.name)
            body, headers = recorder.last(words)
            after = await state(world)
            assert after != before, "the act itself did nothing"
            status, _, _ = await recorder.send(body, headers)
            await world.settle()
            assert status == 200
            assert await state(world) == after
            # Nor after the bot was started anew: the keys are stored with what they did.
            await world.stop_bot()
            await world.start_bot()
            recorder.target = world.slack.event_url or ""
            after = await state(world)
            status, _, _ = await recorder.send(body, headers)
            await world.settle()
            assert status == 200
            assert await state(world) == after


# -- changing the secret ------------------------------------------------------------------------------------


async def test_two_secrets_are_valid_while_one_is_changed(tmp_path: Path) -> None:
    new = "e9a4c1d07b5f4c2f8d3e6a1b0c9d8e7f"
    async with world_at(tmp_path, "http") as world:
        old = world.slack.signing_secret
        await world.stop_bot()
        world.settings = settings_for(world.slack, tmp_path / "incidents.sqlite", "http")
        world.settings = world.settings.model_copy(update={"slack_signing_secret": type_of_secret(f"{new}, {old}")})
        await world.start_bot()
        for secret, status in ((new, 200), (old, 200), ("another", 401), (f"{new}, {old}", 401), ("", 401)):
            body, kind = as_command(world, text="list")
            assert (await post(world, body, signed(secret, body), kind))[0] == status, secret
        assert {new, old} <= set(secrets_to_hide(world.settings))
        assert signing_secrets(world.settings) == (new, old)


def type_of_secret(text: str) -> Any:
    from pydantic import SecretStr

    return SecretStr(text)


@pytest.mark.parametrize("place", [0, 1], ids=["the first fits", "the second fits"])
def test_whichever_fits(place: int) -> None:
    secrets = ["one", "two"]
    head = signed(secrets[place], b"x", "1000")
    assert is_valid_signature(secrets, "1000", head["X-Slack-Signature"], b"x", now=1000.0)


@pytest.mark.parametrize("secrets", [(), ("",), ("", "")], ids=repr)
def test_without_a_secret_the_edge_is_not_built(secrets: tuple[str, ...]) -> None:
    app = AsyncApp(client=AsyncWebClient("xoxb-0"), signing_secret="unused", request_verification_enabled=False)
    with pytest.raises(ValueError, match="anybody could speak as Slack"):
        web_application(app, secrets, well)


# -- that never end -----------------------------------------------------------------------------------------


async def well() -> Health:
    return Health(())


def impatient() -> contextlib.AbstractAsyncContextManager[int]:
    """An edge that waits a tenth of a second; its port."""
    return edge_at(body_within=0.1, idle=0.1)


@contextlib.asynccontextmanager
async def edge_at(body_within: float, idle: float) -> AsyncIterator[int]:
    """An edge that nobody has spoken to yet; its port."""
    app = AsyncApp(client=AsyncWebClient("xoxb-0"), signing_secret="unused", request_verification_enabled=False)
    serving = app_runner(web_application(app, ["secret"], well, body_timeout=body_within), idle_timeout=idle)
    await serving.setup()
    try:
        await web.TCPSite(serving, "127.0.0.1", 0).start()
        yield serving.addresses[0][1]
    finally:
        await serving.cleanup()


@pytest.mark.parametrize(
    ("begins", "answer"),
    [
        pytest.param(b"", b"", id="says nothing"),
        pytest.param(b"POST /slack/events HT", b"", id="half a line"),
        pytest.param(b"POST /slack/events HTTP/1.1\r\nHost: x\r\nX-A: ", b"", id="half of the headers"),
        pytest.param(
            b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf", b" 408 ", id="half of the body"
        ),
    ],
)
async def test_nobody_is_waited_for_without_end(begins: bytes, answer: bytes) -> None:
    async with impatient() as port, asyncio.timeout(60):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(begins)
        came = await reader.read()  # up to the end: the other side closed
        writer.close()
    assert answer in came and bool(came) is bool(answer)


async def test_what_announces_too_much_is_not_read() -> None:
    async with impatient() as port, asyncio.timeout(60):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\n\r\n")
        came = await reader.readuntil(b"\r\n")
        writer.close()
    assert b" 413 " in came


# -- that are no HTTP ----------------------------------------------------------------------------------------

POST = b"POST /slack/events HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(POST + b"X-A: " + b"a-" * 5000 + b"\r\n\r\n", id="a header of 10 kB"),
        pytest.param(POST + b"".join(b"X-%d: a\r\n" % n for n in range(9000)) + b"\r\n", id="9,000 headers"),
        pytest.param(POST + "X-A: \u202e\x1b[2J\r\n\r\n".encode(), id="what moves a cursor"),
        pytest.param(POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", id="two lengths"),
        pytest.param(POST + b"Content-Length: 4\r\nContent-Length: 9\r\n\r\nabcd", id="one length twice"),
        pytest.param(POST + b"Content-Length: -4\r\n\r\nabcd", id="a length below nothing"),
        pytest.param(POST + b"Content-Length: " + b"9" * 4000 + b"\r\n\r\nabcd", id="a length without end"),
        pytest.param(POST + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\nabc\r\n0\r\n\r\n", id="a chunk of no size"),
        pytest.param(POST + b"Transfer-Encoding: odd\r\n\r\n0\r\n\r\n", id="an encoding that nobody knows"),
        pytest.param(POST + b"Host: y\r\n\r\n", id="two hosts"),
        pytest.param(b"GET /healthz HTTP/1.1\r\nHost : x\r\n\r\n", id="a blank before the colon"),
        pytest.param(b"GET /healthz HTTP/1.1\nHost: x\n\n", id="half line ends"),
        pytest.param(b"GET /\x1b[2J\xff HTTP/1.1\r\nHost: x\r\n\r\n", id="bytes in a path"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", id="HTTP/2"),
    ],
)
async def test_what_is_no_http_is_counted_and_leaves_no_trace_in_the_log(
    sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    before = turned_away("no_http")
    async with edge_at(body_within=10, idle=10) as port, asyncio.timeout(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        came = await reader.read()
        writer.close()
    assert b" 400 " in came.splitlines()[0] and b"Traceback" not in came
    assert turned_away("no_http") == before + 1
    assert caplog.text == ""


@pytest.mark.parametrize(
    "begins",
    [
        pytest.param(b"Content-Length: 30\r\n\r\nhalf", id="of a length"),
        pytest.param(b"Transfer-Encoding: chunked\r\n\r\n5\r\nhal", id="in chunks"),
    ],
)
async def test_who_goes_away_amid_a_body_leaves_no_trace_in_the_log(
    begins: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    before = turned_away("cut_off")
    async with edge_at(body_within=10, idle=10) as port, asyncio.timeout(10):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(POST + begins)
        await writer.drain()
        writer.close()
        await until(lambda: turned_away("cut_off") == before + 1)
    assert caplog.text == ""


# -- what machines may read ---------------------------------------------------------------------------------


@shared_loop
@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/nowhere", "/slack/events"])
async def test_no_page_tells_a_secret_or_may_be_kept(house: World, path: str) -> None:
    async with aiohttp.request("GET", f"http://127.0.0.1:{house.bot.port}{path}") as answer:
        said = f"{answer.headers} {await answer.text()}"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert answer.headers["Server"] == "incident-commander"
    assert [one for one in secrets_to_hide(house.settings) if one in said] == []


async def test_a_broken_database_is_named_without_its_address(tmp_path: Path) -> None:
    async with world_at(tmp_path) as world:
        await world.bot.store.close()
        for path in ("/readyz", "/metrics"):
            _, text = await get(world, path)
            assert str(tmp_path) not in text and "sqlite" not in text
