"""The whole bot in this process, measured from inside: memory, rounds of the scheduler, list, readiness.

Run by `bench.scale` with the bot's environment and the moment to which the clock goes; prints a line of JSON.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import hashlib
import hmac
import json
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp

from bench.figures import median
from bench.sink import PERSON, TEAM
from bot.app import Bot, create_bot
from bot.clock import OffsetClock
from bot.config import Settings
from bot.policies import load

REPEATS = 20


def rss() -> float:
    """Megabytes of this process that lie in memory (Linux)."""
    line = next(one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


async def timed(work: Callable[[], Awaitable[object]], repeats: int = REPEATS) -> float:
    """The middle one of the milliseconds that it takes."""
    taken = []
    for _ in range(repeats):
        began = time.perf_counter()
        await work()
        taken.append(time.perf_counter() - began)
    return median(taken) * 1000


async def measure(due: datetime | None) -> dict[str, Any]:
    """Start, measure, stop."""
    settings = Settings()
    clock = OffsetClock()
    async with (
        create_bot(settings, load(settings.policy_file), clock).running() as running,
        aiohttp.ClientSession(f"http://127.0.0.1:{running.port}") as session,
    ):
        await asyncio.sleep(0.5)
        gc.collect()

        async def read(path: str) -> None:
            async with session.get(path) as answer:
                assert answer.status == 200, await answer.text()
                await answer.read()

        found = {
            "rss_mb": rss(),
            "idle_round_ms": await timed(running.scheduler.start_due),
            "readyz_ms": await timed(lambda: read("/readyz")),
            "metrics_ms": await timed(lambda: read("/metrics")),
            "list_ms": await timed(lambda: _list(running, session), 1),
            "list_again_ms": await timed(lambda: _list(running, session), 5),
        }
        if due is not None:
            found |= await _due(running, clock, due)
        return found


async def _list(running: Bot, session: aiohttp.ClientSession) -> None:
    secret = running.settings.slack_signing_secret
    assert secret is not None
    body = urlencode({
        "command": "/incident", "text": "list", "team_id": TEAM, "user_id": PERSON, "channel_id": "C0ALL",
        "trigger_id": f"list{time.perf_counter_ns()}", "response_url": "http://127.0.0.1:9/none",
    })  # fmt: skip
    stamp = str(int(time.time()))
    digest = hmac.new(secret.get_secret_value().encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/x-www-form-urlencoded", "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": f"v0={digest}",
    }  # fmt: skip
    async with session.post("/slack/events", data=body, headers=headers) as answer:
        text = await answer.text()
        assert answer.status == 200 and ("INC-" in text or "No incident" in text), (answer.status, text[:200])


async def _due(running: Bot, clock: OffsetClock, until: datetime) -> dict[str, Any]:
    """Move the clock so that some are due; until all of those are paid."""
    now = clock.now()
    ids = await running.store.due_ids(until, 100_000)
    began, processor = time.perf_counter(), time.process_time()
    clock.move(until - now + timedelta(milliseconds=1))
    while await running.store.due_ids(clock.now(), 1) or running.scheduler.busy:  # noqa: ASYNC110  (nobody tells)
        await asyncio.sleep(0.01)
    return {
        "paid": len(ids),
        "due_round_ms": (time.perf_counter() - began) * 1000,
        "due_round_cpu_ms": (time.process_time() - processor) * 1000,
    }


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        print(json.dumps(asyncio.run(measure(datetime.fromisoformat(sys.argv[1]) if sys.argv[1] else None))))
