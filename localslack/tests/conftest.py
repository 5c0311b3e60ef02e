"""A workspace with the tea shop's app installed, connected both ways."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from localslack import LocalSlack, WorkspaceClock
from localslack.tests import shop

Json = shop.Json


@dataclass
class Shop:
    """The workspace, the app in it, what the app heard, and a client with the app's token."""

    sandbox: LocalSlack
    app: AsyncApp
    heard: list[Json]
    client: AsyncWebClient


@pytest.fixture
async def sandbox() -> AsyncIterator[LocalSlack]:
    """A workspace whose clock stands still, without a program connected."""
    clock = WorkspaceClock(frozen_at=datetime(2026, 11, 20, 14, 0, tzinfo=UTC))
    sandbox = LocalSlack(manifest=shop.manifest(), clock=clock)
    await sandbox.start()
    yield sandbox
    await sandbox.stop()


@pytest.fixture
async def client(sandbox: LocalSlack) -> AsyncIterator[AsyncWebClient]:
    """A bare Web API client with the bot's token."""
    yield AsyncWebClient(token=sandbox.bot_token, base_url=sandbox.api_url, retry_handlers=[])


@pytest.fixture(params=["socket", "http"])
async def tea(request: pytest.FixtureRequest, sandbox: LocalSlack) -> AsyncIterator[Shop]:
    """The app at work, by Socket Mode and by signed HTTP."""
    app, heard = shop.build(sandbox)
    found = Shop(sandbox, app, heard, app.client)
    if request.param == "socket":
        handler = AsyncSocketModeHandler(app, sandbox.app_token)
        await handler.connect_async()
        await sandbox.connected()
        yield found
        await handler.close_async()
    else:
        runner = web.AppRunner(app.server(port=0, host="127.0.0.1").web_app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        sandbox.event_url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
        yield found
        await runner.cleanup()
