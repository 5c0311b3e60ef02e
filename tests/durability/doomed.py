"""Bots in processes of their own that kill themselves (SIGKILL) at a point: around a commit or a call to Slack.

`python -m tests.durability.doomed` has read all of the bot's code and content and forks a bot for each order, a line of
JSON: its settings, and `door`, a local port. The answer is the process id. Once it has started, the bot connects to
that port. It is told there, a line of JSON each, what its clock shows and at which point from then on it dies. It
answers, once it has nothing left to do at that moment, how many points it has passed. Its end closes the connection.
"""

from __future__ import annotations

import asyncio
import functools
import gc
import importlib
import json
import os
import signal
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

from bot import app
from bot.app import Bot
from bot.cli import cli
from bot.clock import SystemClock
from bot.config import ROOT
from bot.slack.outbound.room import SlackRoom
from bot.store import SqlStore

#: what a bot imports while it starts
LATER = (
    "bot.logs", "bot.policies", "sqlalchemy.dialects.sqlite.aiosqlite", "sqlalchemy.dialects.postgresql.asyncpg",
    "apscheduler.executors.asyncio", "apscheduler.triggers.interval", "slack_bolt.listener_matcher.async_builtins",
)  # fmt: skip


class Doom:
    """Counts points, and ends this process at one of them (`at`; 0: never)."""

    def __init__(self) -> None:
        self.passed = self.at = 0

    def point(self) -> None:
        self.passed += 1
        if self.passed == self.at:
            os.kill(os.getpid(), signal.SIGKILL)

    def surround(self, owner: type, name: str) -> None:
        real: Callable[..., Any] = getattr(owner, name)

        async def call(one: Any, *arguments: Any, **named: Any) -> Any:
            self.point()
            answer = await real(one, *arguments, **named)
            self.point()
            return answer

        setattr(owner, name, call)

    def everywhere(self) -> None:
        """Points before and after each commit and each call to Slack."""
        self.surround(SqlStore, "write")
        for name, method in vars(SlackRoom).items():
            if asyncio.iscoroutinefunction(method) and not name.startswith("_"):
                self.surround(SlackRoom, name)


class ToldClock:
    """Shows what it was told last; the machine's time before."""

    def __init__(self) -> None:
        self.shows: datetime | None = None
        self._moved = asyncio.Event()

    def now(self) -> datetime:
        return self.shows or datetime.now(UTC)  # noqa: TID251  (the machine's time is what it is about)

    def set(self, shows: str) -> None:
        self.shows = datetime.fromisoformat(shows)
        self._moved.set()
        self._moved = asyncio.Event()

    async def sleep_until(self, at: datetime) -> None:
        while self.now() < at:
            if self.shows is None:
                await asyncio.sleep((at - self.now()).total_seconds())
            else:
                await self._moved.wait()


async def rest(bot: Bot) -> None:
    """Return when nobody has anything left to do at this moment."""
    while True:
        await bot.settle()
        await bot.scheduler.start_due()
        if not bot.tasks and not bot.scheduler.busy:
            return


async def obey(bot: Bot, doom: Doom, clock: ToldClock, door: int) -> None:
    """Do as is said at that door, for ever."""
    reader, writer = await asyncio.open_connection("127.0.0.1", door)
    while line := await reader.readline():
        order = json.loads(line)
        if order["now"]:
            clock.set(order["now"])
        await rest(bot)
        if order["dies"] is not None:
            doom.at = doom.passed + order["dies"] if order["dies"] else 0
        writer.write(json.dumps(doom.passed).encode() + b"\n")


def run(order: dict[str, Any]) -> None:
    """`bot run`, in this process, until it ends."""
    os.environ.update(order["settings"])
    doom, clock = Doom(), ToldClock()
    doom.everywhere()
    if order["now"]:
        clock.set(order["now"])
    setattr(SystemClock, "now", lambda self: clock.now())  # noqa: B010  (mypy knows that these are methods)
    setattr(SystemClock, "sleep_until", lambda self, at: clock.sleep_until(at))  # noqa: B010
    start = Bot._start

    async def started(self: Bot, stack: AsyncExitStack) -> None:
        await start(self, stack)
        self._run(stack, obey(self, doom, clock, order["door"]), "obey")

    setattr(Bot, "_start", started)  # noqa: B010
    cli(["run"])


def main() -> None:
    """Fork, and never wait: who has died is gone."""
    kept = functools.cache(app.read_content)
    kept(ROOT / "runbooks", ROOT / "comms_templates")
    setattr(app, "read_content", kept)  # noqa: B010
    for name in LATER:
        importlib.import_module(name)
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            try:
                run(json.loads(line))
            finally:
                os._exit(1)
        print(child, flush=True)


if __name__ == "__main__":
    main()
