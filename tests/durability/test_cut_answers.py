"""Slack did what it was asked, and its answer breaks off, at any byte: nothing is done twice, nobody sees a trace."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from tests.durability.runs import ALL_POINTS
from tests.slack.test_bad_input import everything_stands
from tests.world import World, world_at

#: where an answer breaks off: after so many bytes, or (negative) so many before its end
PLACES = [0, 1, 12, 17, 60, 110, 160, 220, -200, -40, -2, -1] if ALL_POINTS else [0, 17, 110, -40, -1]
METHODS = [
    "conversations.create", "conversations.invite", "conversations.setTopic", "chat.postMessage", "pins.add",
    "bookmarks.add",
]  # fmt: skip


class Between:
    """Stands between the bot and Slack. The first answer to `method` breaks off at `place`."""

    def __init__(self, slack: str, method: str, place: int) -> None:
        self.slack, self.method, self.place = slack.rstrip("/"), method, place
        self.cut = 0

    async def forward(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        kept = {k: v for k, v in request.headers.items() if k.lower() in ("authorization", "content-type")}
        url = f"{self.slack}/{method}?{request.query_string}"
        async with aiohttp.request(request.method, url, data=await request.read(), headers=kept) as answer:
            body, status = await answer.read(), answer.status
        if method != self.method or self.cut:
            return web.Response(body=body, status=status, headers={"Content-Type": "application/json"})
        self.cut += 1
        head = f"HTTP/1.1 {status} OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        whole = head.encode() + body
        assert request.transport is not None
        request.transport.write(whole[: self.place] if self.place >= 0 else whole[: len(whole) + self.place])
        request.transport.close()
        return web.Response()


@asynccontextmanager
async def world_behind(folder: Path, method: str, place: int) -> AsyncIterator[tuple[World, Between]]:
    async with world_at(folder) as world:
        await world.stop_bot()
        between = Between(world.slack.api_url, method, place)
        site = web.Application(client_max_size=2**26)
        site.router.add_route("*", "/api/{method}", between.forward)
        serving = web.AppRunner(site)
        await serving.setup()
        await web.TCPSite(serving, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{serving.addresses[0][1]}/api/"
        world.settings = world.settings.model_copy(update={"slack_api_url": url})
        await world.start_bot()
        try:
            yield world, between
        finally:
            await world.stop_bot()
            await serving.cleanup()


@pytest.mark.parametrize("method", METHODS)
async def test_an_answer_breaks_off(tmp_path: Path, method: str) -> None:
    for place in PLACES:
        folder = tmp_path / f"at{place}"
        folder.mkdir()
        async with world_behind(folder, method, place) as (world, between):
            with capture_logs() as logs:
                await world.say("ana", "/incident declare sev1 Withdrawals are stuck")
                await world.advance(seconds=40)
            assert between.cut == 1, "the call was never made"
            await everything_stands(world)
            assert [one for one in logs if one.get("exc_info")] == []
