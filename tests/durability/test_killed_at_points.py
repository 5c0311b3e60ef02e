"""`bot run` in a process of its own is killed (SIGKILL) before or after a commit or a call to Slack; the next one goes
on, people do again what they saw fail, and the end is as if nothing had happened. And what was acknowledged is kept."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest

from bot.config import ROOT
from bot.domain import events as e
from bot.policies import load
from bot.store import Store
from tests.durability.runs import ALL_POINTS, LONG, SEED, Databases, Files, same
from tests.durability.stories import Seen, nothing_is_left_over, seen
from tests.durability.test_killed import free_port
from tests.world import KEY, World, world_at

pytestmark = pytest.mark.timeout(LONG)

POLICY_FILE = ROOT / "bot" / "demo" / "policy.toml"
#: what Ana types, and what is in the timeline when it was recorded
SAID = (
    ("/incident declare sev1 Withdrawals are stuck", "Declared"),
    ("/incident runbook horizon-outage", "RunbookAttached"),
    ("/incident step 3.1 done", "StepTicked"),
    ("/incident impact NG only", "ImpactStated"),
    ("/incident sev 2 only one partner", "SeverityChanged"),
)
#: so many points are tried, on SQLite and on PostgreSQL
TRIED = (40, 12) if ALL_POINTS else (5, 2)
#: so many clicks
FLOOD = 5000 if ALL_POINTS else 600


@pytest.fixture(scope="module")
def nursery() -> Iterator[subprocess.Popen[str]]:
    """Forks bots."""
    one = subprocess.Popen(
        [sys.executable, "-m", "tests.durability.doomed"], cwd=ROOT, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    yield one
    one.communicate()


@dataclass
class Bot:
    """A bot in its own process."""

    id: int
    port: int
    count: Path

    @property
    def lives(self) -> bool:
        try:
            os.kill(self.id, 0)
        except ProcessLookupError:
            return False
        return True

    @property
    def passed(self) -> int:
        """How many points it has passed."""
        with contextlib.suppress(OSError, ValueError):
            return int(self.count.read_text())
        return 0

    async def ready(self) -> None:
        async with aiohttp.ClientSession() as session:
            while self.lives:
                with contextlib.suppress(aiohttp.ClientError):
                    async with session.get(f"http://127.0.0.1:{self.port}/readyz") as answer:
                        if answer.status == 200:
                            return
                await asyncio.sleep(0.02)

    async def quiet(self) -> None:
        """Return when it has passed no point for a while, or is dead."""
        before, since = -1, time.monotonic()
        while self.lives and time.monotonic() - since < 0.25:
            if self.passed != before:
                before, since = self.passed, time.monotonic()
            await asyncio.sleep(0.02)

    async def end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.id, signal.SIGKILL)
        while self.lives:  # noqa: ASYNC110  (it is nobody's child here)
            await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def started(nursery: Any, world: World, folder: Path, at: int, **more: str) -> AsyncIterator[Bot]:
    slack, port = world.slack, free_port()
    settings = {
        "SLACK_MODE": "socket", "SLACK_BOT_TOKEN": slack.bot_token, "SLACK_APP_TOKEN": slack.app_token,
        "SLACK_API_URL": slack.api_url, "DATABASE_URL": world.settings.database_url, "CHAIN_KEY": KEY,
        "PORT": str(port), "POLICY_FILE": str(POLICY_FILE), "LOG_LEVEL": "error", **more,
    }  # fmt: skip
    count = folder / f"count-{port}"
    now = "" if settings["SLACK_MODE"] == "http" else world.clock.now().isoformat()
    nursery.stdin.write(json.dumps({"settings": settings, "at": at, "count": str(count), "now": now}) + "\n")
    nursery.stdin.flush()
    bot = Bot(int(await asyncio.to_thread(nursery.stdout.readline)), port, count)
    try:
        await bot.ready()
        yield bot
    finally:
        await bot.end()


async def recorded(world: World) -> list[str]:
    """The names of what has happened; none before the declaration."""
    return await world.types() if await world.bot.store.find(world.slack.team_id, 1) else []


async def told(world: World, bot: Bot) -> None:
    """Ana types until the bot is dead."""
    room = "#general"
    for line, _ in SAID:
        if not bot.lives:
            return
        await world.person("ana").command(line, channel=room)
        await bot.quiet()
        made = [one.name for one in world.slack.channels if one.name.startswith("inc-")]
        room = made[0] if made else "#general"


async def ended(world: World) -> Seen:
    """The next bot finishes what there is; Ana looks what was recorded, and types the rest."""
    await world.settle()
    await world.advance(seconds=20)
    for line, event in SAID:
        if event not in await recorded(world):
            await world.say("ana", line, "#general" if event == "Declared" else world.channel().name)
    await world.advance(minutes=2)
    incident = await world.incident()
    bot: Any = SimpleNamespace(slack=world.slack, store=world.bot.store, id=incident.id, incident=world.incident)
    await nothing_is_left_over(bot)
    there = await seen(bot)
    # Slack may tell of those who come in before it answers who invited them: then the timeline has them one by one.
    return replace(there, timeline=[name for name in there.timeline if name != "Invited"])


async def killed(nursery: Any, folder: Path, places: Files | Databases, at: int) -> tuple[Seen, int, int, bool]:
    """What there is in the end, how many points there were before the story and at its end, and whether it died."""
    folder = folder / f"{at}"
    folder.mkdir(parents=True)
    async with places.fresh() as url, world_at(folder, policy=load(POLICY_FILE)) as world:
        await world.stop_bot()
        world.settings = world.settings.model_copy(update={"database_url": url})
        async with started(nursery, world, folder, at) as bot:
            before = bot.passed
            await told(world, bot)
            died, passed = not bot.lives, bot.passed
        await places.lease_is_over(url)
        await world.slack.idle()
        await world.start_bot()
        after = await ended(world)
        await world.stop_bot()
        return after, before, passed, died


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
async def test_killed_at_any_point(
    request: pytest.FixtureRequest, nursery: Any, tmp_path: Path, files: Files, database: str
) -> None:
    places = files if database == "sqlite" else request.getfixturevalue("databases")
    undisturbed, ready, passed, _ = await killed(nursery, tmp_path, places, 0)
    assert passed - ready > 20, "it has a story"
    many = TRIED[0] if database == "sqlite" else TRIED[1]
    points = random.Random(SEED).sample(range(ready + 1, passed + 1), min(many, passed - ready))
    dead = 0
    for at in points:
        after, _, _, died = await killed(nursery, tmp_path, places, at)
        dead += died
        same(after, undisturbed, f"killed at point {at} of {passed}; SEED={SEED}")
    assert dead >= len(points) / 2, "the last points of a story may not come"


# -- what was acknowledged --------------------------------------------------------------------------------------------


def note(world: World, room: str, number: int) -> bytes:
    """A slash command as Slack posts it."""
    fields = {
        "command": "/incident", "text": f"note number {number}", "team_id": world.slack.team_id,
        "user_id": world.person("ana").id, "channel_id": room, "trigger_id": f"1.{number}", "response_url": "",
    }  # fmt: skip
    return urlencode(fields).encode()


def signed(secret: str, body: bytes) -> dict[str, str]:
    stamp = str(int(time.time()))
    digest = hmac.new(secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}


async def flood(world: World, bot: Bot, room: str, numbers: Iterable[int], enough: int = 0) -> set[int]:
    """Post them, 50 at a time; those that were answered with 200. After `enough` of them the bot is killed."""
    acknowledged: set[int] = set()
    left, where = iter(numbers), f"http://127.0.0.1:{bot.port}/slack/events"

    async def one(session: aiohttp.ClientSession) -> None:
        for number in left:
            body = note(world, room, number)
            headers = {"Content-Type": "application/x-www-form-urlencoded", **signed(world.slack.signing_secret, body)}
            try:
                async with session.post(where, data=body, headers=headers) as said:
                    if said.status == 200:
                        acknowledged.add(number)
            except aiohttp.ClientError:
                return  # dead
            if enough and len(acknowledged) >= enough:
                await bot.end()

    async with aiohttp.ClientSession() as session:
        await asyncio.gather(*(one(session) for _ in range(50)))
    return acknowledged


async def test_killed_under_a_flood(nursery: Any, tmp_path: Path, files: Files) -> None:
    """Nothing that was acknowledged is missing; delivered once more to the next bot, each counts once."""
    async with files.fresh() as url, world_at(tmp_path, policy=load(POLICY_FILE)) as world:
        await world.stop_bot()
        world.settings = world.settings.model_copy(update={"database_url": url})
        await world.start_bot()
        room = (await world.declare()).id
        id = (await world.incident()).id
        await world.stop_bot()
        http = {"SLACK_MODE": "http", "SLACK_SIGNING_SECRET": world.slack.signing_secret}
        store = Store.open(url, KEY.encode())

        async def stored() -> Counter[int]:
            entries = [entry.event for entry in await store.entries(id)]
            notes = [one.text for one in entries if isinstance(one, e.Noted)]
            return Counter(int(text.removeprefix("number ")) for text in notes)

        try:
            async with started(nursery, world, tmp_path, 0, **http) as bot:
                acknowledged = await flood(world, bot, room, range(FLOOD), enough=FLOOD // 2)
            kept = await stored()
            assert FLOOD // 2 <= len(acknowledged) < FLOOD
            assert acknowledged - set(kept) == set() and set(kept.values()) == {1}
            async with started(nursery, world, tmp_path, 0, **http) as bot:
                left = set(range(FLOOD))
                while left:  # what is not answered in time is delivered again
                    left -= await flood(world, bot, room, left)
            assert await stored() == Counter(range(FLOOD))
            assert await store.verify() == []
        finally:
            await store.close()
