"""How a private answer reaches its person: at Slack's own addresses, whatever a delivery says."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

import pytest
from aiohttp import web

from bot.slack.requests.respond import _slacks
from tests.story.acts import direct_message
from tests.web.test_edge import post, signed
from tests.world import world_at

API = "https://slack.com/api/"


@pytest.mark.parametrize(
    ("url", "slacks"),
    [
        pytest.param("https://hooks.slack.com/commands/T1/2/abc", True, id="Slack's"),
        pytest.param("https://hooks.slack-gov.com/commands/T1/2/abc", True, id="Slack's for governments"),
        pytest.param("http://hooks.slack.com/commands/T1/2/abc", False, id="not encrypted"),
        pytest.param("https://hooks.slack.com.evil.example/commands", False, id="a longer name"),
        pytest.param("https://evil.example/hooks.slack.com", False, id="in the path"),
        pytest.param("https://hooks.slack.com@evil.example/x", False, id="as somebody's name"),
        pytest.param("https://evil.example\\@hooks.slack.com.evil.example/x", False, id="behind a backslash"),
        pytest.param("https://169.254.169.254/latest/meta-data", False, id="the cloud's own"),
        pytest.param("//hooks.slack.com/x", False, id="no scheme"),
        pytest.param("file:///etc/passwd", False, id="a file"),
        pytest.param("https://[hooks.slack.com/x", False, id="no address at all"),
        pytest.param("", False, id="nothing"),
    ],
)
def test_which_addresses_are_slacks(url: str, slacks: bool) -> None:
    assert _slacks(url, API) is slacks


@pytest.mark.parametrize("scheme", ["http://127.0.0.1", "https://[hooks"])
async def test_an_answer_goes_nowhere_else(tmp_path: Path, scheme: str) -> None:
    """The delivery is signed; its response_url leads to somebody else. The answer comes as if there were none."""
    heard: list[str] = []

    async def hear(request: web.Request) -> web.Response:
        heard.append(await request.text())
        return web.Response(text="ok")

    site = web.Application()
    site.router.add_route("*", "/{any:.*}", hear)
    server = web.AppRunner(site)
    await server.setup()
    try:
        await web.TCPSite(server, "127.0.0.1", 0).start()
        port = server.addresses[0][1]
        async with world_at(tmp_path, "http") as world:
            fields = {
                "command": "/incident", "text": "check horizon", "team_id": world.slack.team_id,
                "user_id": world.person("ana").id, "channel_id": world.slack.channel("#general").id,
                "trigger_id": "1.2.x", "response_url": f"{scheme}:{port}/commands/T1/2/abc",
            }  # fmt: skip
            body = urlencode(fields).encode()
            status, _ = await post(world, body, signed(world.slack.signing_secret, body))
            assert status == 200
            await world.settle()
            assert "Horizon is up" in direct_message(world, "ana", "horizon: ok").plain
    finally:
        await server.cleanup()
    assert heard == []
