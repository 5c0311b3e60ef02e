"""Answers that are not Slack's: a proxy's page, another shape, an empty line. None of them ends a start."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from bot.slack.outbound.web_api import web_client
from bot.slack.workspace.directory import Directory

ME = {"ok": True, "team_id": "T1", "user_id": "UBOT", "url": "https://bank.slack.com/"}
METHODS = ["conversations.list", "usergroups.list", "users.list"]


class Stranger:
    """Answers `auth.test` as Slack does, and everything else as it is told."""

    def __init__(self) -> None:
        self.answer = web.Response(text="")
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        if request.path.endswith("auth.test"):
            return web.json_response(ME)
        told = self.answer
        return web.Response(body=told.body, status=told.status, content_type=told.content_type)


@pytest.fixture
async def stranger() -> AsyncIterator[Stranger]:
    found = Stranger()
    app = web.Application()
    app.router.add_route("*", "/api/{method}", found.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}/api/"
    yield found
    await runner.cleanup()


@pytest.mark.parametrize(
    ("body", "kind", "status", "told"),
    [
        pytest.param("<html>Sign in</html>", "text/html", 200, "answers unreadably", id="a page"),
        pytest.param("Sign in", "text/plain", 200, "answers unreadably", id="a line"),
        pytest.param("", "text/plain", 200, "answers unreadably", id="an empty line"),
        pytest.param("", "application/json", 200, "answers unreadably", id="nothing"),
        pytest.param("{", "application/json", 200, "answers unreadably", id="half an object"),
        pytest.param("{}", "application/json", 200, "answers unreadably", id="an empty object"),
        pytest.param("[1]", "application/json", 200, "answers unreadably", id="a list"),
        pytest.param('{"ok": true}', "application/json", 200, "answers unreadably", id="ok, and nothing else"),
        pytest.param('{"ok": true, "members": [1], "usergroups": [1], "channels": [1]}', "application/json", 200,
                     "answers unreadably", id="ok, and numbers"),
        pytest.param("<html>", "text/html", 404, "answers 404", id="404"),
        pytest.param("{}", "application/json", 503, "answers 503", id="503"),
        pytest.param('{"ok": false, "error": "fatal_error"}', "application/json", 200, "answers fatal_error",
                     id="fatal"),
    ],
)  # fmt: skip
async def test_what_is_no_answer_of_slacks(stranger: Stranger, body: str, kind: str, status: int, told: str) -> None:
    stranger.answer = web.Response(body=body.encode(), status=status, content_type=kind)
    async with aiohttp.ClientSession() as session:
        directory = Directory(web_client("xoxb-0-nobody", stranger.url, session))
        await directory.warm_or_restore(["incidents"])
        assert directory.team == "T1"
        failures = {method: failure.text for method, failure in directory.reads.failures.items()}
        assert failures == dict.fromkeys(METHODS, told)
        someone = await directory.actor("U1")
        assert someone.kind == "unknown" and not someone.groups_known
