"""Many open incidents: what they cost in memory, in a scheduler's round, in the list, in readiness, and at the start.

The bot's process is real (`bench.inside` runs it, and measures from inside what cannot be seen from outside).
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp

from bench.crowd import One, fill, settings
from bench.sink import Sink
from bench.stage import free_port
from bot.clock import SystemClock
from bot.config import ROOT
from bot.store import migrate

SIZES = (100, 1_000, 10_000)
KEY = secrets.token_hex(32)
#: so many are due when the clock has moved
DUE = 100
#: the figures of which the table tells the growth
FIGURES = {
    "rss_mb": "memory of the process, MB",
    "idle_round_ms": "a round with nothing due, ms",
    "due_round_cpu_ms": f"processor for {DUE} due and paid, ms",
    "due_round_ms": f"{DUE} due and paid, ms",
    "list_ms": "/incident list, first, ms",
    "list_again_ms": "/incident list, again, ms",
    "readyz_ms": "/readyz, ms",
    "metrics_ms": "/metrics, ms",
    "start_ms": "start to /readyz 200, ms",
}


async def measure(folder: Path, sizes: tuple[int, ...] = SIZES) -> dict[str, Any]:
    """Every figure at every size, on SQLite, and an empty database's start."""
    found = {str(size): await _at(folder, size) for size in (0, *sizes)}
    first, last = found[str(sizes[0])], found[str(sizes[-1])]
    return {
        "sizes": found,
        "growth": {name: last[name] / first[name] for name in FIGURES if first.get(name)},
        "times_as_many": sizes[-1] / sizes[0],
    }


async def _at(folder: Path, size: int) -> dict[str, Any]:
    url = f"sqlite:///{folder / f'scale-{size}.sqlite'}"
    await asyncio.to_thread(migrate, url)
    sink = Sink()
    await sink.start()
    first = (SystemClock().now() + timedelta(days=1)).replace(microsecond=0)
    ones = [One(number, first + timedelta(minutes=number)) for number in range(1, size + 1)]
    try:
        if ones:
            await fill(sink, url, KEY, ones)
        starts = [await _start(sink, url) for _ in range(3)]
        inside = await _inside(sink, url, ones[min(DUE, size) - 1].due if ones else None)
    finally:
        await sink.stop()
    return {"load": os.getloadavg()[0], "start_ms": sorted(starts)[1], **inside}


async def _start(sink: Sink, url: str) -> float:
    """Milliseconds from the start of the process to the first 200 of /readyz."""
    port = free_port()
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "run", cwd=ROOT, env={**os.environ, **settings(sink, url, KEY, port)}
    )
    try:
        async with aiohttp.ClientSession() as session:
            while True:
                if process.returncode is not None or time.perf_counter() - began > 60:
                    raise RuntimeError("the bot did not become ready")
                try:
                    async with session.get(f"http://127.0.0.1:{port}/readyz") as answer:
                        if answer.status == 200:
                            return (time.perf_counter() - began) * 1000
                except aiohttp.ClientError:
                    await asyncio.sleep(0.005)
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()


async def _inside(sink: Sink, url: str, due: datetime | None) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.inside", due.isoformat() if due else "", cwd=ROOT,
        env={**os.environ, **settings(sink, url, KEY)}, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError("measuring from inside failed")
    found: dict[str, Any] = json.loads(out.splitlines()[-1])
    if due is not None and found["paid"] != len({one.channel for one in sink.posts}):
        raise RuntimeError(f"{found['paid']} were due, {len(sink.posts)} reminders came")
    return found


def table(found: dict[str, Any]) -> str:
    """For people."""
    sizes = list(found["sizes"])
    lines = [f"{'Open incidents (SQLite)':34}" + "".join(f"{size:>10}" for size in sizes) + f"{'growth':>10}"]
    for name, words in FIGURES.items():
        row = "".join(f"{found['sizes'][size].get(name, float('nan')):>10.1f}" for size in sizes)
        grown = found["growth"].get(name, float("nan"))
        note = "  MORE THAN LINEAR" if grown > found["times_as_many"] else ""
        lines.append(f"{words:34}{row}{grown:>10.2f}{note}")
    lines.append(f"growth: the last size to the second; {found['times_as_many']:.0f} would be linear.")
    return "\n".join(lines) + "\n"
