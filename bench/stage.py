"""The local Slack in this process, the bot in one of its own, started as in earnest (`python -m bot run`)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from sqlalchemy import Connection, text

from bot.config import ROOT
from bot.store import engines
from localslack import Call, LocalSlack

#: seconds without a call after which Slack counts as quiet; far above any pause that the bot makes between calls
QUIET = 1.0


@dataclass
class Stage:
    """What a scene plays on."""

    slack: LocalSlack
    #: DATABASE_URL of the bot
    database: str
    port: int
    #: of the bot's process
    pid: int

    @property
    def url(self) -> str:
        """Where Slack's signed requests go."""
        return f"http://127.0.0.1:{self.port}/slack/events"

    async def quiet(self, seconds: float = QUIET) -> None:
        """Return when no call is outstanding and none has begun for so long."""
        seen, since = -1, 0.0
        loop = asyncio.get_running_loop()
        while True:
            last = self.slack.journal[-1].number if self.slack.journal else 0
            if last != seen or any(one.ended is None for one in self.slack.journal[-200:]):
                seen, since = last, loop.time()
            elif loop.time() - since > seconds:
                return
            await asyncio.sleep(0.02)

    def owed(self) -> list[str]:
        """The keys of calls that the bot has begun, or has to repeat, and not finished."""
        rows = self._ask("SELECT key, state FROM effects WHERE state NOT IN ('sent', 'refused')")
        return [f"{key} ({state})" for key, state in rows]

    def count(self, *types: str) -> int:
        """How many events of these types the timelines hold."""
        names = ",".join(f"'{one}'" for one in types)
        return int(self._ask(f"SELECT count(*) FROM events WHERE type IN ({names})")[0][0])

    def _ask(self, query: str) -> list[Any]:
        def job(connection: Connection) -> list[Any]:
            return [tuple(row) for row in connection.execute(text(query))]

        return engines.run_in_transaction(engines.parse_url(self.database), job, write=False)


def calls_since(slack: LocalSlack, number: int) -> list[Call]:
    """The Web API calls (and answers to response URLs) after that place in the journal."""
    return [one for one in slack.journal.after(number) if not one.method.startswith("delivery:")]


def processor(pid: int) -> float:
    """Seconds that the threads of a process have run so far, in it and in the kernel (Linux)."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((one / "schedstat").read_text().split()[0]) for one in tasks) / 1e9


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextlib.asynccontextmanager
async def child(*command: str, environment: dict[str, str], ready: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process that answers 200 at the address `ready`; ended with the block."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, env={**os.environ, **environment}, cwd=ROOT, start_new_session=True
    )
    try:
        async with aiohttp.ClientSession() as session:
            for _ in range(300):
                if process.returncode is not None:
                    raise RuntimeError(f"{' '.join(command)} ended with status {process.returncode}")
                with contextlib.suppress(aiohttp.ClientError):
                    async with session.get(ready) as answer:
                        if answer.status == 200:
                            break
                await asyncio.sleep(0.1)
            else:
                raise RuntimeError(f"{' '.join(command)} did not become ready")
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.wait()


@contextlib.asynccontextmanager
async def stage(folder: Path, mode: str, database: str = "") -> AsyncIterator[Stage]:
    """Slack and the bot, both running. `mode`: how Slack reaches the bot, socket or http. `database`: its URL; none:
    a SQLite file of its own."""
    port = free_port()
    slack = LocalSlack(yaml.safe_load((ROOT / "manifest.yaml").read_text()))
    if mode == "http":
        slack.event_url = f"http://127.0.0.1:{port}/slack/events"
    await slack.start(0)
    database = database or f"sqlite:///{folder / f'{mode}-{secrets.token_hex(3)}.sqlite'}"
    environment = {
        "SLACK_MODE": mode,
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "SLACK_SIGNING_SECRET": slack.signing_secret,
        "ALERT_SECRETS": f"alertmanager={slack.signing_secret}",
        "SLACK_API_URL": slack.api_url,
        "DATABASE_URL": database,
        "CHAIN_KEY": secrets.token_hex(32),
        "POLICY_FILE": str(ROOT / "bot" / "demo" / "policy.toml"),
        "PORT": str(port),
        "LOG_LEVEL": "warning",
    }
    try:
        migrated = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "migrate", env={**os.environ, **environment}, cwd=ROOT,
            stdout=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        if await migrated.wait():
            raise RuntimeError("the database could not be made")
        run = os.environ.get("BENCH_BOT", "-m bot run").split()
        async with child(*run, environment=environment, ready=f"http://127.0.0.1:{port}/readyz") as bot:
            yield Stage(slack, database, port, bot.pid)
    finally:
        await slack.stop()
