"""The port: what Slack signed gets in, everything else is turned away in a few words; machines may ask how it goes."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
import pytest_asyncio

from bot.web.edge import MAX_BODY_BYTES
from bot.web.signature import is_valid_signature
from tests.world import World, world_at

shared_loop = pytest.mark.asyncio(loop_scope="module")
FORM, JSON = "application/x-www-form-urlencoded", "application/json"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A world whose bot hears Slack over signed HTTP."""
    async with world_at(tmp_path_factory.mktemp("house"), "http") as one:
        yield one


def signed(secret: str, body: bytes, at: str | None = None) -> dict[str, str]:
    """The headers with which Slack vouches for a body."""
    stamp = at if at is not None else str(int(time.time()))
    digest = hmac.new(secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}


async def post(world: World, body: bytes, headers: dict[str, str], kind: str = FORM) -> tuple[int, str]:
    """Post it to the bot: (status, text)."""
    url = f"http://127.0.0.1:{world.bot.port}/slack/events"
    asked = aiohttp.request("POST", url, data=body, headers={"Content-Type": kind, **headers})
    async with asked as answer:
        return answer.status, await answer.text()


def command(world: World, text: str) -> bytes:
    """A slash command as Slack posts it."""
    fields = {
        "command": "/incident",
        "text": text,
        "team_id": world.slack.team_id,
        "user_id": world.person("ana").id,
        "channel_id": world.slack.channel("#general").id,
        "trigger_id": f"1.{text}",
        "response_url": "",
    }
    return urlencode(fields).encode()


# -- who gets in ----------------------------------------------------------------------------------------


@shared_loop
async def test_what_slack_signed_is_answered(house: World) -> None:
    body = command(house, "list")
    status, text = await post(house, body, signed(house.slack.signing_secret, body))
    assert status == 200
    assert json.loads(text)["text"].startswith("No incident is open.")


def later(seconds: int) -> str:
    return str(int(time.time()) + seconds)


@shared_loop
@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(lambda s, b: {}, id="no headers at all"),
        pytest.param(lambda s, b: signed("somebody else's secret", b), id="another secret"),
        pytest.param(lambda s, b: signed(s, b + b" "), id="another body"),
        pytest.param(lambda s, b: {**signed(s, b), "X-Slack-Signature": ""}, id="an empty signature"),
        pytest.param(lambda s, b: {**signed(s, b), "X-Slack-Signature": "v0=zz"}, id="not even hexadecimal"),
        pytest.param(
            lambda s, b: {**signed(s, b), "X-Slack-Signature": signed(s, b)["X-Slack-Signature"][3:]},
            id="without its version",
        ),
        pytest.param(lambda s, b: signed(s, b, later(-301)), id="five minutes old: a replay"),
        pytest.param(lambda s, b: signed(s, b, later(400)), id="from the future"),
        pytest.param(
            lambda s, b: {**signed(s, b, later(-400)), "X-Slack-Request-Timestamp": later(0)},
            id="a replay under a new time",
        ),
        pytest.param(lambda s, b: signed(s, b, "yesterday"), id="a time that is no number"),
        pytest.param(lambda s, b: signed(s, b, ""), id="an empty time"),
        pytest.param(lambda s, b: signed(s, b, "-5"), id="a negative time"),
        pytest.param(lambda s, b: signed(s, b, "1e9"), id="a time in another notation"),
        pytest.param(lambda s, b: signed(s, b, "9" * 400), id="a time of 400 digits"),
    ],
)
async def test_what_slack_did_not_sign_stays_outside(house: World, headers: Any) -> None:
    body = command(house, "declare sev1 Not from Slack")
    status, text = await post(house, body, headers(house.slack.signing_secret, body))
    assert (status, text) == (401, "not signed by Slack, or too old")
    assert await house.bot.store.listing(house.slack.team_id, open_only=False) == []


@pytest.mark.parametrize(
    ("timestamp", "signature"),
    [
        pytest.param("１２３４", "v0=", id="digits of another script"),
        pytest.param("1000", "v0=\udcff", id="a lone surrogate"),
        pytest.param("1000", "v0=é", id="not ASCII"),
    ],
)
def test_odd_headers_are_only_wrong(timestamp: str, signature: str) -> None:
    assert is_valid_signature(["secret"], timestamp, signature, b"", now=1000.0) is False


def test_without_a_secret_nobody_gets_in() -> None:
    signature = signed("", b"x", "1000")["X-Slack-Signature"]
    assert not is_valid_signature([], "1000", signature, b"x", now=1000.0)
    assert not is_valid_signature([""], "1000", signature, b"x", now=1000.0)


@pytest.mark.parametrize(
    ("skew", "inside"),
    [
        pytest.param(0, True, id="now"),
        pytest.param(300, True, id="five minutes old"),
        pytest.param(301, False, id="older"),
        pytest.param(-300, True, id="a clock that runs ahead"),
        pytest.param(-301, False, id="further ahead"),
    ],
)
def test_five_minutes_either_way(skew: int, inside: bool) -> None:
    head = signed("secret", b"x", "5000")
    stamp, signature = head["X-Slack-Request-Timestamp"], head["X-Slack-Signature"]
    assert is_valid_signature(["secret"], stamp, signature, b"x", now=5000.0 + skew) is inside


# -- signed, and still not readable -------------------------------------------------------------------------

DEEP = "[" * 100_000 + "]" * 100_000


@shared_loop
@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        pytest.param(b"\xff\xfe\x00payload", FORM, 400, id="not UTF-8"),
        pytest.param(b"\xff\xfe{}", JSON, 400, id="JSON that is not UTF-8"),
        pytest.param(DEEP.encode(), JSON, 400, id="JSON 100,000 deep"),
        pytest.param(f"payload={DEEP}".encode(), FORM, 400, id="a payload 100,000 deep"),
        pytest.param(b'{"type": "event_callback", ', JSON, 400, id="half a JSON"),
        pytest.param(b"payload={half", FORM, 400, id="half a payload"),
        pytest.param(b"[]", JSON, 400, id="a list"),
        pytest.param(b"payload=[]", FORM, 400, id="a list as payload"),
        pytest.param(b'"text"', JSON, 400, id="a string"),
        pytest.param(b"null", JSON, 400, id="null"),
        pytest.param(b'{"type": "event_callback", "event": [1]}', JSON, 400, id="an event of another shape"),
        pytest.param(b'payload={"type": "block_actions", "actions": 7}', FORM, 400, id="actions of another shape"),
        pytest.param(b'payload={"type": "block_actions", "user": "U1"}', FORM, 400, id="a user of another shape"),
        pytest.param(b"", FORM, 404, id="nothing"),
        pytest.param(b"hello=world", FORM, 404, id="nothing that Slack sends"),
        pytest.param(b"x" * (2 * 1024 * 1024), FORM, 413, id="2 MiB"),
        pytest.param(b"x" * (MAX_BODY_BYTES + 1), JSON, 413, id="one byte too many"),
    ],
)
async def test_what_cannot_be_read_is_turned_away_without_a_trace(
    house: World, body: bytes, kind: str, status: int
) -> None:
    answered, text = await post(house, body, signed(house.slack.signing_secret, body), kind)
    assert answered == status, text
    assert "Traceback" not in text and "Error" not in text and len(text) < 200
    alive, _ = await get(house, "/healthz")
    assert alive == 200


@shared_loop
async def test_the_size_is_looked_at_before_the_signature(house: World) -> None:
    status, _ = await post(house, b"x" * (2 * 1024 * 1024), {})
    assert status == 413


@shared_loop
async def test_slacks_own_check_of_the_address(house: World) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "3eZbrw1aB10"}).encode()
    status, text = await post(house, body, signed(house.slack.signing_secret, body), JSON)
    assert (status, json.loads(text)) == (200, {"challenge": "3eZbrw1aB10"})


# -- what machines ask --------------------------------------------------------------------------------------


async def get(world: World, path: str, method: str = "GET") -> tuple[int, str]:
    async with aiohttp.request(method, f"http://127.0.0.1:{world.bot.port}{path}") as answer:
        return answer.status, await answer.text()


@shared_loop
async def test_health(house: World) -> None:
    assert await get(house, "/healthz") == (200, '{"alive": true}')
    status, text = await get(house, "/readyz")
    assert status == 200
    assert json.loads(text) == {
        "ready": True, "problems": [], "open_incidents": 0, "overdue_seconds": 0.0, "parked_duties": 0,
    }  # fmt: skip


@shared_loop
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        pytest.param("GET", "/slack/events", 405, id="Slack posts"),
        pytest.param("GET", "/", 404, id="there is no page here"),
        pytest.param("GET", "/../etc/passwd", 404, id="nor files"),
        pytest.param("POST", "/healthz", 405, id="health is only read"),
    ],
)
async def test_there_is_nothing_else(house: World, method: str, path: str, status: int) -> None:
    assert (await get(house, path, method))[0] == status


async def test_not_ready_while_a_duty_waits_for_a_person(tmp_path: Path) -> None:
    async with world_at(tmp_path) as world:
        world.slack.faults.add("pins.add", "error:missing_scope", 9)
        await world.declare()
        status, text = await get(world, "/readyz")
        assert status == 503
        ready = json.loads(text)
        assert (ready["ready"], ready["open_incidents"], ready["parked_duties"]) == (False, 1, 1)
        assert ready["problems"] == ["duties: 1 parked; `bot doctor` shows them"]
        status, text = await get(world, "/metrics")
        assert status == 200
        figures = dict(line.split() for line in text.splitlines() if not line.startswith("#"))
        counted = ("turned_away", "deliveries", "lateness")  # over all of the tests
        figures = {name: value for name, value in figures.items() if not any(one in name for one in counted)}
        assert figures == {
            "incident_commander_ready": "0.0",
            "incident_commander_open_incidents": "1.0",
            "incident_commander_overdue_seconds": "0.0",
            "incident_commander_parked_duties": "1.0",
            "incident_commander_slack_connections": "2.0",
        }
        # By Socket Mode nothing of Slack's comes in here, signed or not.
        assert (await post(world, b"", signed(world.slack.signing_secret, b"")))[0] == 404


async def test_not_ready_without_slack(tmp_path: Path) -> None:
    async with world_at(tmp_path) as world:
        assert (await get(world, "/readyz"))[0] == 200
        assert world.bot.socket_mode is not None
        await world.bot.socket_mode.stop()
        status, text = await get(world, "/readyz")
        ready = json.loads(text)
        assert status == 503 and (ready["slack_connections"], ready["slack_connections_wanted"]) == (0, 2)
        assert ready["problems"][0].startswith("slack: not connected for 0 s")
        assert (await get(world, "/healthz"))[0] == 200


async def test_slack_verifies_the_address_of_the_requests(tmp_path: Path) -> None:
    """url_verification: the challenge comes back (https://docs.slack.dev/reference/events/url_verification)."""
    async with world_at(tmp_path, mode="http") as world:
        assert await world.slack.verify_event_url()
