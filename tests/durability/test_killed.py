"""The bot in a process of its own, started as in earnest, and killed without a word."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sqlite3
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import pytest
import yaml

from bot.config import ROOT
from bot.store import migrate
from localslack import LocalSlack
from tests.world import KEY, World


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


async def until(true: Callable[[], bool], seconds: float = 60) -> None:
    for _ in range(int(seconds / 0.005)):
        if true():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it did not come to that in time")


@contextlib.asynccontextmanager
async def process(slack: LocalSlack, database: Path | str) -> AsyncIterator[asyncio.subprocess.Process]:
    """`python -m bot run` on a file, or on the database of an address, ready; killed with the block."""
    port = free_port()
    settings = {
        "SLACK_MODE": "socket", "SLACK_BOT_TOKEN": slack.bot_token, "SLACK_APP_TOKEN": slack.app_token,
        "SLACK_API_URL": slack.api_url, "CHAIN_KEY": KEY, "PORT": str(port),
        "DATABASE_URL": f"sqlite:///{database}" if isinstance(database, Path) else database,
        "POLICY_FILE": str(ROOT / "bot" / "demo" / "policy.toml"), "LOG_LEVEL": "error",
    }  # fmt: skip
    one = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "run", cwd=ROOT, env={**os.environ, **settings}
    )
    try:
        async with aiohttp.ClientSession() as session:
            for _ in range(600):
                assert one.returncode is None, "the bot has ended"
                with contextlib.suppress(aiohttp.ClientError):
                    async with session.get(f"http://127.0.0.1:{port}/readyz") as answer:
                        if answer.status == 200:
                            break
                await asyncio.sleep(0.05)
        yield one
    finally:
        if one.returncode is None:
            one.kill()
        await one.wait()


def unfinished(database: Path) -> list[str]:
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        done = connection.execute("SELECT count(*) FROM effects WHERE key IN ('hail', 'pin:card', 'bookmark:card')")
        rows = connection.execute("SELECT key FROM effects WHERE state NOT IN ('sent', 'refused')").fetchall()
        return [key for (key,) in rows] if done.fetchone()[0] == 3 else ["not everything was begun"]


@pytest.mark.parametrize(
    "method",
    [
        pytest.param("conversations.create", id="while the channel is made"),
        pytest.param("chat.postMessage", id="while messages are sent"),
    ],
)
async def test_killed_right_after_the_declaration(tmp_path: Path, method: str) -> None:
    """Slack does what it was asked; nobody hears the answer. The next process finds what there is and goes on."""
    database = tmp_path / "incidents.sqlite"
    migrate(f"sqlite:///{database}")
    slack = LocalSlack(yaml.safe_load((ROOT / "manifest.yaml").read_text()))
    await slack.start(0)
    try:
        async with process(slack, database) as first:
            slack.latency = 0.3
            declaring = asyncio.create_task(slack.person("ana").command("/incident declare sev1 Withdrawals are stuck"))
            await until(lambda: any(one.outcome == "pending" for one in slack.journal.of(method)))
            first.send_signal(signal.SIGKILL)
            await first.wait()
            await declaring
        slack.latency = 0.0
        await slack.idle()
        async with process(slack, database):
            await until(lambda: not unfinished(database))
            await slack.idle()
    finally:
        await slack.stop()
    (channel,) = [one for one in slack.channels if one.name.startswith("inc-")]
    assert channel.name == "inc-1-withdrawals-are-stuck"
    assert {slack.person(who).id for who in ("ana", "ben", "carla")} <= set(channel.members)
    assert len(channel.pins) == len(channel.bookmarks) == 1
    marks = Counter(
        one.metadata["event_payload"]["id"] for place in slack.channels for one in place.messages if one.metadata
    )
    assert len(marks) >= 3 and set(marks.values()) == {1}
    assert len([one for one in slack.journal.of("conversations.create") if one.outcome == "ok"]) == 1


async def test_a_reminder_that_fell_due_while_the_bot_was_down(world: World) -> None:
    """It comes once, at the rung where it stands by now, and says how late it is."""
    channel = await world.declare()
    await world.stop_bot()
    world.slack.clock.advance(37 * 60)
    world.clock.moved()
    await world.start_bot()
    await world.settle()
    told = [one.plain for one in world.messages("ana", channel.name) if "was due 14:30 UTC" in one.plain]
    assert len(told) == 1 and "7 min late" in told[0]
    assert (await world.types()).count("Reminded") == 1
    await world.stop_bot()
    await world.start_bot()
    await world.settle()
    assert (await world.types()).count("Reminded") == 1


async def test_told_to_stop_in_the_middle_of_a_call(world: World) -> None:
    """An orderly stop finishes what somebody waits for; the rest is done by the next process, and nothing twice."""
    world.slack.latency = 0.1
    declaring = asyncio.create_task(world.person("ana").command("/incident declare sev1 Withdrawals are stuck"))
    await until(lambda: bool(world.slack.journal.of("conversations.create")))
    await world.stop_bot()
    await declaring
    world.slack.latency = 0.0
    assert [one.outcome for one in world.slack.journal.of("conversations.create")] == ["ok"]
    await world.start_bot()
    await world.settle()
    assert (await world.types())[-2:] == ["ChannelOpened", "Invited"]
    assert len(world.channel().pins) == 1
    assert [one.outcome for one in world.slack.journal.of("conversations.create")] == ["ok"]
