"""From a click to its 200: the product against the least that could acknowledge durably, turn by turn.

Slack's own latency is 0 here, so that the rendering and the calls that follow every tick compete in full.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from pathlib import Path
from typing import Any

from bench.bare import BESIDE
from bench.figures import median, percentile
from bench.stage import Stage, child, free_port, processor, stage
from bench.ticks import Board, board
from bot.config import ROOT
from tests.postgres import Postgres

INCIDENTS = 10
#: (connections, requests of each)
LOADS = ((1, 200), (50, 20))
#: what is acknowledged -> the events of which each must leave one
EVENTS = {
    "tick": ("StepTicked", "StepUnticked"), "command": ("Noted",), "alert": ("AlertFired", "AlertResolved"),
}  # fmt: skip
#: the last: of the answering process, for each request and for what follows it until it is quiet
FIGURES = ("p50_ms", "p99_ms", "per_second", "processor_ms")
HEADS = ("p50 ms", "p99 ms", "per second", "processor ms")
#: what stands beside the product, in words
BARE = {
    "verify": "aiohttp, signature",
    "bolt": "slack-bolt as it ships, empty",
    "aiosqlite": "signature, insert by aiosqlite",
    "asyncpg": "signature, insert by asyncpg",
    "sqlalchemy": "signature, insert by SQLAlchemy",
}


async def _load(port: int, secret: str, what: str, bodies: list[list[str]]) -> dict[str, Any]:
    """One round, from a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.load", cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    task = {"port": port, "secret": secret, "as": "alert" if what == "alert" else "slack", "bodies": bodies}
    out, _ = await process.communicate(json.dumps(task).encode() + b"\n")
    found: dict[str, Any] = json.loads(out)
    latencies = found["latencies"]
    return {
        "p50_ms": percentile(latencies, 0.5) * 1000,
        "p99_ms": percentile(latencies, 0.99) * 1000,
        "per_second": len(latencies) / found["seconds"],
        "bad": found["bad"],
    }


async def measure(folder: Path, *, rounds: int) -> dict[str, Any]:
    """Both databases, each with ticks, commands and alerts."""
    server = Postgres(durable=True)
    server.start()
    try:
        return {
            "sqlite": await _measured(folder, rounds, "sqlite", "", str(folder / "bare")),
            "postgresql": await _measured(
                folder, rounds, "postgresql", await asyncio.to_thread(server.create),
                await asyncio.to_thread(server.create),
            ),
        }  # fmt: skip
    finally:
        server.stop()


async def _measured(folder: Path, rounds: int, database: str, url: str, beside: str) -> dict[str, Any]:
    """Alternate rounds of the product and of each handler beside it; the ratios are of neighbouring rounds."""
    async with stage(folder, "http", url) as on, contextlib.AsyncExitStack() as stack:
        on.slack.limits.on = False
        clicks = await board(on, INCIDENTS)
        others = {}
        for kind in BESIDE[database]:
            port = free_port()
            where = beside if database == "postgresql" else f"{beside}-{kind}.sqlite"
            process = await stack.enter_async_context(
                child(
                    "-m", "bench.bare", str(port), where, kind,
                    environment={
                        "SLACK_SIGNING_SECRET": on.slack.signing_secret, "SLACK_BOT_TOKEN": on.slack.bot_token,
                        "SLACK_API_URL": on.slack.api_url,
                    },
                    ready=f"http://127.0.0.1:{port}/readyz",
                )
            )  # fmt: skip
            others[kind] = (port, process.pid)
        found: dict[str, Any] = {"incidents": INCIDENTS, "load": os.getloadavg()[0], "at_once": {}}
        for what in EVENTS:
            beside_it = {kind: one for kind, one in others.items() if what != "alert" or kind != "bolt"}
            warm = await _round(on, clicks, beside_it, what, *LOADS[1])
            found["bytes"] = {**found.get("bytes", {}), what: warm["bytes"]}
            for connections, each in LOADS:
                all = [await _round(on, clicks, beside_it, what, connections, each) for _ in range(rounds)]
                found["at_once"][f"{what} at {connections}"] = _compared(all, tuple(beside_it))
        return found


async def _round(
    on: Stage, clicks: Board, others: dict[str, tuple[int, int]], what: str, connections: int, each: int
) -> dict[str, Any]:
    """The same deliveries to everybody; the product has to have recorded something with every one of them.

    `others`: the port and the process of each handler beside it.
    """
    make = {"tick": clicks.clicks, "command": clicks.commands, "alert": clicks.alerts}[what]
    bodies = make(connections, each)
    secret = on.slack.signing_secret
    found: dict[str, Any] = {}
    for kind, (port, pid) in others.items():
        taken = processor(pid)
        found[kind] = await _load(port, secret, what, bodies)
        found[kind]["processor_ms"] = (processor(pid) - taken) / (connections * each) * 1000
    before, calls = await asyncio.to_thread(on.count, *EVENTS[what]), len(on.slack.journal)
    taken = processor(on.pid)
    product = await _load(on.port, secret, what, bodies)
    product["slack_calls_meanwhile"] = len(on.slack.journal) - calls
    stored = await asyncio.to_thread(on.count, *EVENTS[what]) - before
    await on.quiet(0.5)
    product["processor_ms"] = (processor(on.pid) - taken) / (connections * each) * 1000
    bad = {who: one["bad"] for who, one in {"product": product, **found}.items() if one["bad"]}
    if stored != connections * each or bad:
        raise RuntimeError(f"{stored} of {connections * each} deliveries ({what}) were recorded; failed: {bad}")
    return {"product": product, **found, "bytes": len(bodies[0][0])}


def _compared(rounds: list[dict[str, Any]], beside: tuple[str, ...]) -> dict[str, Any]:
    """Medians over the rounds, and of the rounds' ratios (product to each handler)."""
    who = ("product", *beside)
    return {
        **{one: {name: median([each[one][name] for each in rounds]) for name in FIGURES} for one in who},
        "ratio": {
            kind: {name: median([each["product"][name] / each[kind][name] for each in rounds]) for name in FIGURES}
            for kind in beside
        },
        "rounds": rounds,
    }


def table(found: dict[str, Any]) -> str:
    """For people."""
    lines = []
    for database, all in found.items():
        lines.append(
            f"Acknowledgement on {database}, load {all['load']:.1f}, {all['incidents']} incidents, "
            f"{all['bytes']} bytes; medians of the rounds; in brackets the product to it"
        )
        lines.append(f"{'':34}" + "".join(f"{head:>19}" for head in HEADS))
        for what, one in all["at_once"].items():
            lines.append(f"{what + ', product':34}" + "".join(f"{one['product'][n]:>10.2f}{'':9}" for n in FIGURES))
            for kind, ratio in one["ratio"].items():
                lines.append(
                    f"{BARE[kind]:>34}" + "".join(f"{one[kind][n]:>10.2f} ({ratio[n]:>6.2f})" for n in FIGURES)
                )
    return "\n".join(lines) + "\n"
