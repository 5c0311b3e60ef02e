"""A world whose bot is a process of its own, which can be killed (SIGKILL) at a point; the next one then goes on."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.config import ROOT
from bot.demo.horizon_stand_in import HorizonStandIn
from bot.policies import load
from bot.store import SqlStore
from localslack import LocalSlack, WorkspaceClock
from tests.durability.runs import MANIFEST, Databases, Files
from tests.durability.test_killed import free_port
from tests.world import BEGIN, KEY, World, settings_for

POLICY_FILE = ROOT / "bot" / "demo" / "policy.toml"


class Killed(Exception):
    """The bot has died; the next one has taken over, and done what it found to be done."""


@contextlib.contextmanager
def nursery() -> Iterator[subprocess.Popen[str]]:
    """Forks bots."""
    one = subprocess.Popen(
        [sys.executable, "-m", "tests.durability.doomed"], cwd=ROOT, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        yield one
    finally:
        one.communicate()


@dataclass
class Life:
    """A bot in its own process, from its start to its death."""

    id: int
    port: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def told(self, now: str, dies: int | None) -> int | None:
        """Set its clock ("": leave it), let it come to rest, and let it die so many points later (0: not at all, None:
        as was said before). How many points it has passed; None where it is dead."""
        with contextlib.suppress(OSError):
            self.writer.write(json.dumps({"now": now, "dies": dies}).encode() + b"\n")
            await self.writer.drain()
            if line := await self.reader.readline():
                return int(line)
        return None

    async def end(self) -> None:
        """Kill it, unless it is dead, and return when it is gone."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.id, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            while True:
                os.kill(self.id, 0)
                await asyncio.sleep(0.002)  # it is nobody's child here
        self.writer.close()


async def born(nursery: Any, slack: LocalSlack, url: str, now: str, **more: str) -> Life:
    """A bot on that database and this Slack that has started; its clock shows `now` ("": the machine's time)."""
    port = free_port()
    settings = {
        "SLACK_MODE": "socket", "SLACK_BOT_TOKEN": slack.bot_token, "SLACK_APP_TOKEN": slack.app_token,
        "SLACK_API_URL": slack.api_url, "DATABASE_URL": url, "CHAIN_KEY": KEY,
        "PORT": str(port), "POLICY_FILE": str(POLICY_FILE), "LOG_LEVEL": "error", **more,
    }  # fmt: skip
    came: asyncio.Future[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Future()
    door = await asyncio.start_server(lambda *both: came.set_result(both), "127.0.0.1", 0)
    order = {"settings": settings, "now": now, "door": door.sockets[0].getsockname()[1]}
    nursery.stdin.write(json.dumps(order) + "\n")
    nursery.stdin.flush()
    id = int(await asyncio.to_thread(nursery.stdout.readline))
    async with asyncio.timeout(60):
        reader, writer = await came
    door.close()
    return Life(id, port, reader, writer)


class Outside(World):
    """The same conversations with a bot in another process. Raises Killed wherever it was found dead while people
    waited; by then another one lives."""

    def __init__(self, nursery: Any, slack: LocalSlack, url: str, places: Files | Databases) -> None:
        super().__init__(slack, settings_for(slack, Path(), "socket", url), load(POLICY_FILE))
        self.bot.store = SqlStore.open(url, KEY.encode())
        self._nursery = nursery
        self._url = url
        self._places = places
        self.life: Life
        self.passed = 0

    async def start_bot(self) -> None:
        self.life = await born(self._nursery, self.slack, self._url, self.clock.now().isoformat())
        await self.settle()

    async def stop_bot(self) -> None:
        await self.life.end()
        await self.bot.store.close()

    async def doomed(self, points: int) -> None:
        """Let the bot die so many points from now (0: not at all)."""
        await self._tell(points)

    async def _tell(self, dies: int | None = None) -> int:
        passed = await self.life.told(self.clock.now().isoformat(), dies)
        if passed is None:
            await self._succeeded()
            raise Killed
        return passed

    async def _succeeded(self) -> None:
        await self.life.end()
        await self.slack.idle()
        await self._places.lease_is_over(self._url)
        await self.start_bot()
        # What was begun and left no trace is looked for twice before it is begun again.
        await self.advance(seconds=20)

    async def _rest(self) -> None:
        before = -1
        while before != self.passed:
            before = self.passed
            await self.slack.idle()
            self.passed = await self._tell()


@contextlib.asynccontextmanager
async def outside(nursery: Any, places: Files | Databases) -> AsyncIterator[Outside]:
    """A world with such a bot in it, on a database of its own."""
    clock = WorkspaceClock(BEGIN)
    slack = LocalSlack(MANIFEST, clock, extensions=[HorizonStandIn(clock)])
    await slack.start(0)
    try:
        async with places.fresh() as url:
            world = Outside(nursery, slack, url, places)
            await world.start_bot()
            try:
                yield world
            finally:
                await world.stop_bot()
    finally:
        await slack.stop()
