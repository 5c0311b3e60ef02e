"""The address of alerts: who gets in, what a sender is answered, and that nobody learns anything else."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from bot.alerts.intake import IntakeResult
from bot.metrics import REGISTRY
from bot.web.alerts import AlertsEndpoint
from bot.web.body_reader import MAX_BODY_BYTES
from bot.web.edge import Health, app_runner, web_application
from tests.durability.test_database_away import locked
from tests.sender import SECRETS, SETTING, post
from tests.world import World, world_at

shared_loop = pytest.mark.asyncio(loop_scope="module")
FIRING = (Path(__file__).parents[1] / "alerts" / "fixtures" / "alertmanager_firing.json").read_bytes()


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["socket", "http"])
async def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A world that takes alerts, however Slack reaches it."""
    folder = tmp_path_factory.mktemp("house")
    async with world_at(folder, request.param, alert_secrets=SETTING) as one:
        yield one


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"incident_commander_{name}_total", labels) or 0.0


async def stored(world: World) -> int:
    return len(await world.bot.store.listing(world.slack.team_id, open_only=False))


# -- who gets in ----------------------------------------------------------------------------------------

OLD, NEW, ELSE = "old-secret-of-alertmanager", "new-secret-of-alertmanager", "somebody-elses-secret"


async def nothing(source: str, body: bytes) -> IntakeResult:
    return IntakeResult("noted")


DOOR = AlertsEndpoint({"alertmanager": (NEW, OLD), "generic": (ELSE,)}, nothing)


@pytest.mark.parametrize(
    ("source", "header", "in_"),
    [
        pytest.param("alertmanager", f"Bearer {NEW}", True, id="the new secret"),
        pytest.param("alertmanager", f"Bearer {OLD}", True, id="the old one, while it is changed"),
        pytest.param("generic", f"bearer {ELSE}", True, id="a source with one secret, in small letters"),
        pytest.param("generic", f"Bearer  {ELSE} ", True, id="blanks around it"),
        pytest.param("alertmanager", f"Bearer {ELSE}", False, id="another source's"),
        pytest.param("alertmanager", f"Bearer {NEW},{OLD}", False, id="both at once"),
        pytest.param("alertmanager", f"Bearer {NEW[:-1]}", False, id="nearly"),
        pytest.param("alertmanager", f"Basic {NEW}", False, id="another scheme"),
        pytest.param("alertmanager", NEW, False, id="no scheme"),
        pytest.param("alertmanager", "Bearer ", False, id="an empty one"),
        pytest.param("alertmanager", "", False, id="no header"),
        pytest.param("grafana", f"Bearer {NEW}", False, id="a source that nobody knows"),
        pytest.param("grafana", "", False, id="nobody knows it, and no header"),
        pytest.param("", "Bearer", False, id="nothing at all"),
        pytest.param("alertmanager", "Bearer \udcff\udcfe", False, id="no text"),
    ],
)
def test_who_gets_in(source: str, header: str, in_: bool) -> None:
    assert DOOR.is_authorized(source, header) is in_


def test_without_secrets_nobody_does() -> None:
    assert not any(
        AlertsEndpoint({}, nothing).is_authorized(source, f"Bearer {NEW}") for source in ("alertmanager", "generic", "")
    )


@shared_loop
async def test_strangers_cannot_tell_what_is_wrong(house: World) -> None:
    """A wrong secret and an unknown source read the same; nothing is stored, and it is counted."""
    before, rows = counted("turned_away", reason="alert_secret"), await stored(house)
    answers = [
        await post(house, FIRING, "alertmanager", "x" * 20), await post(house, FIRING, "grafana", "x" * 20),
        await post(house, b"{", "alertmanager", ""), await post(house, FIRING, "alertmanager", SECRETS["generic"]),
    ]  # fmt: skip
    assert answers == [(401, "not known here")] * 4
    assert counted("turned_away", reason="alert_secret") == before + 4 and await stored(house) == rows


@shared_loop
async def test_whoever_is_not_known_is_not_read(house: World) -> None:
    """The answer comes before the body does."""
    reader, writer = await asyncio.open_connection("127.0.0.1", house.bot.port)
    writer.write(b"POST /alerts/alertmanager HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n{")
    async with asyncio.timeout(20):
        assert (await reader.readline()).split()[1] == b"401"
    writer.close()


# -- what a sender is answered --------------------------------------------------------------------------


@shared_loop
async def test_stored_and_then_answered(house: World) -> None:
    before = counted("alert_deliveries", source="alertmanager", outcome="declared")
    status, said = await post(house, FIRING, "alertmanager")
    assert (status, said) == (200, {"outcome": "declared", "incident": "INC-1"})
    assert await stored(house) == 1  # before anything was shown in Slack
    assert (await post(house, FIRING, "alertmanager"))[1] == {"outcome": "repeated", "incident": "INC-1"}
    assert await post(house, {"name": "X", "severity": "info"}) == (200, {"outcome": "noted"})
    assert counted("alert_deliveries", source="alertmanager", outcome="declared") == before + 1
    await house.settle()


@shared_loop
@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(b"", 400, id="nothing"),
        pytest.param(b'{"name": "X"', 400, id="half of it"),
        pytest.param(b'{"name": "X", "name": "Y"}', 400, id="a key twice"),
        pytest.param(b'{"name": "X", "severity": NaN}', 400, id="NaN"),
        pytest.param(b'{"name": ' + b"[" * 200_000, 400, id="200,000 brackets"),
        pytest.param(b'{"name": "' + b"x" * 10_000_000 + b'"}', 413, id="10 MB of text"),
        pytest.param(b"name=X&title=Y", 400, id="a form"),
        pytest.param(b'{"name": "\\ud800", "title": "\\udfff"}', 400, id="halves of characters, nothing else"),
    ],
)
async def test_what_cannot_be_read(house: World, body: bytes, status: int) -> None:
    rows = await stored(house)
    answered, said = await post(house, body)
    text = said if isinstance(said, str) else json.dumps(said)
    assert answered == status and "Traceback" not in text and len(text) < 120, text
    assert await stored(house) == rows


@shared_loop
async def test_a_body_of_no_announced_length(house: World) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(1 + MAX_BODY_BYTES // 65536):
            yield b" " * 65536

    url, headers = (
        f"http://127.0.0.1:{house.bot.port}/alerts/generic",
        {"Authorization": f"Bearer {SECRETS['generic']}"},
    )
    async with aiohttp.request("POST", url, data=parts(), headers=headers) as answer:
        assert answer.status == 413


async def test_nobody_is_waited_for() -> None:
    """Whoever is known and sends half a body is let go."""

    async def well() -> Health:
        return Health(())

    door = AlertsEndpoint({"generic": (ELSE,)}, nothing, body_timeout=0.2)
    serving = app_runner(web_application(None, (), well, pages=door.routes()))
    await serving.setup()
    try:
        await web.TCPSite(serving, "127.0.0.1", 0).start()
        reader, writer = await asyncio.open_connection("127.0.0.1", serving.addresses[0][1])
        head = (
            f"POST /alerts/generic HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ELSE}\r\nContent-Length: 900\r\n\r\n"
        )
        writer.write(head.encode() + b"{")
        async with asyncio.timeout(20):
            assert (await reader.readline()).split()[1] == b"408"
        writer.close()
    finally:
        await serving.cleanup()


@shared_loop
async def test_the_database_is_away(house: World) -> None:
    """The sender is told to send again, in time for it to hear; when it is back, that counts once."""
    body = {"name": "QueueStuck", "severity": "minor", "id": house.settings.slack_mode}
    rows, began = await stored(house), time.monotonic()
    async with locked(house):
        status, said = await post(house, body)
        took = time.monotonic() - began
    assert (status, said) == (503, {"error": "not stored: send it again"}) and took < 10  # 3, on a machine that is free
    first, second = await post(house, body), await post(house, body)
    assert [first[0], second[0]] == [200, 200] and await stored(house) == rows + 1
    await house.settle()


@shared_loop
async def test_only_posts_are_taken(house: World) -> None:
    async with aiohttp.request("GET", f"http://127.0.0.1:{house.bot.port}/alerts/alertmanager") as answer:
        assert answer.status == 405
