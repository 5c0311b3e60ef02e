"""A bot that workspaces install by OAuth, and a browser that does so."""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import aiohttp
import yaml
from cryptography.fernet import Fernet

from bot.config import ROOT, Settings
from bot.domain.policy import Policy
from bot.store import migrate
from localslack import LocalSlack, WorkspaceClock
from localslack.workspace import Workspace
from tests.world import BEGIN, KEY, World, test_policy


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def oauth_settings(slack: LocalSlack, database: Path, mode: Literal["socket", "http"], **more: Any) -> Settings:
    port = free_port()
    given = {
        "slack_client_id": slack.client_id,
        "slack_client_secret": slack.client_secret,
        "slack_authorize_url": slack.authorize_url,
        "slack_redirect_url": f"http://127.0.0.1:{port}/slack/oauth_redirect",
        "token_keys": Fernet.generate_key().decode(),
        "slack_mode": mode,
        "slack_app_token": slack.app_token,
        "slack_signing_secret": slack.signing_secret,
        "slack_api_url": slack.api_url,
        "database_url": f"sqlite:///{database}",
        "chain_key": KEY,
        "port": port,
    }
    return Settings(_env_file=None, **{**given, **more})


@contextlib.asynccontextmanager
async def two_banks(
    folder: Path,
    mode: Literal["socket", "http"] = "socket",
    begin: bool = True,
    policy: Policy | None = None,
    begin_at: datetime = BEGIN,
    **more: Any,
) -> AsyncIterator[tuple[World, Workspace, Workspace]]:
    """A local Slack with two workspaces, neither of which has installed the bot, which runs (`begin`)."""
    slack = LocalSlack(yaml.safe_load((ROOT / "manifest.yaml").read_text()), WorkspaceClock(begin_at))
    second = slack.add_workspace("Second Bank")
    first = slack.workspaces[0]
    first.world.installed = False
    await slack.start(0)
    try:
        settings = oauth_settings(slack, folder / "incidents.sqlite", mode, **more)
        migrate(settings.database_url)
        world = World(slack, settings, policy or test_policy())
        if begin:
            await world.start_bot()
        try:
            yield world, first, second
        finally:
            await world.stop_bot()
    finally:
        await slack.stop()


def bare() -> aiohttp.ClientSession:
    """A session without cookies of its own: what is shown is what a test shows."""
    return aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())


class Browser:
    """Follows an installation as a browser does. `cookie` is what it shows of the site's."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.cookie = ""
        #: status and headers of the last page
        self.status = 0
        self.headers: Any = {}

    async def leave(self, query: str = "") -> str:
        """Begin; the address at Slack."""
        url = f"{self.url}/slack/install{query}"
        async with bare() as session, session.get(url, allow_redirects=False) as answer:
            assert answer.status == 302, await answer.text()
            self.headers = answer.headers.copy()
            self.cookie = answer.headers["Set-Cookie"].partition(";")[0]
            return answer.headers["Location"]

    async def consent(self, there: str, team: str, answer: str = "allow") -> str:
        """Press a button at Slack; the address that it sends back to."""
        form = {"answer": answer, "team": team}
        async with bare() as session, session.post(there, data=form, allow_redirects=False) as page:
            assert page.status == 302, await page.text()
            return page.headers["Location"]

    async def come_back(self, back: str) -> str:
        """Go where Slack sends: the last page's words."""
        headers = {"Cookie": self.cookie} if self.cookie else {}
        async with bare() as session, session.get(back, headers=headers) as page:
            self.status, self.headers = page.status, page.headers.copy()
            return re.sub(r"<[^>]+>", " ", await page.text())


async def install(world: World, workspace: Workspace) -> str:
    """Install the bot into a workspace by the real flow, and let everything settle."""
    browser = Browser(f"http://127.0.0.1:{world.bot.port}")
    said = await browser.come_back(await browser.consent(await browser.leave(), workspace.team_id))
    assert browser.status == 200, said
    await world.settle()
    return said


def token_of(slack: LocalSlack, workspace: Workspace) -> str:
    """The token that the workspace gave last."""
    return [token for token, grant in slack.install.grants.items() if grant.workspace is workspace][-1]
