"""From a click to its 200: the product against the least that could acknowledge durably, turn by turn.

Slack's own latency is 0 here, so that the rendering and the calls that follow every tick compete in full.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from pathlib import Path
from typing import Any

from bench.bare import KINDS
from bench.figures import median, percentile
from bench.stage import Stage, child, free_port, stage
from bench.ticks import Board, board
from bot.config import ROOT

INCIDENTS = 10
#: (connections, requests of each)
LOADS = ((1, 800), (50, 80))
EVENTS = ("StepTicked", "StepUnticked")
FIGURES = ("p50_ms", "p99_ms", "per_second")


async def _load(port: int, secret: str, bodies: list[list[str]]) -> dict[str, Any]:
    """One round, from a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.load", cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate(json.dumps({"port": port, "secret": secret, "bodies": bodies}).encode() + b"\n")
    found: dict[str, Any] = json.loads(out)
    latencies = found["latencies"]
    return {
        "p50_ms": percentile(latencies, 0.5) * 1000,
        "p99_ms": percentile(latencies, 0.99) * 1000,
        "per_second": len(latencies) / found["seconds"],
        "bad": found["bad"],
    }


async def measure(folder: Path, *, rounds: int) -> dict[str, Any]:
    """Alternate rounds of the product and of each bare handler; the ratios are of neighbouring rounds."""
    async with stage(folder, "http") as on, contextlib.AsyncExitStack() as stack:
        on.slack.limits.on = False
        clicks = await board(on, INCIDENTS)
        ports = {}
        for kind in KINDS:
            ports[kind] = free_port()
            await stack.enter_async_context(
                child(
                    "-m", "bench.bare", str(ports[kind]), str(folder / f"{kind}.sqlite"), kind,
                    environment={"SLACK_SIGNING_SECRET": on.slack.signing_secret},
                    ready=f"http://127.0.0.1:{ports[kind]}/readyz",
                )
            )  # fmt: skip
        warm = await _round(on, clicks, ports, LOADS[1][0], 20)
        found = {
            str(connections): _compared([await _round(on, clicks, ports, connections, each) for _ in range(rounds)])
            for connections, each in LOADS
        }
        return {"incidents": INCIDENTS, "bytes": warm["bytes"], "at_once": found}


async def _round(on: Stage, clicks: Board, ports: dict[str, int], connections: int, each: int) -> dict[str, Any]:
    """The same clicks to everybody; the product has to have changed something with every one of them."""
    bodies, secret = clicks.clicks(connections, each), on.slack.signing_secret
    found: dict[str, Any] = {kind: await _load(port, secret, bodies) for kind, port in ports.items()}
    before, calls = on.count(*EVENTS), len(on.slack.journal)
    product = await _load(on.port, secret, bodies)
    stored = on.count(*EVENTS) - before
    product["slack_calls_meanwhile"] = len(on.slack.journal) - calls
    await on.quiet(0.5)
    if stored != connections * each or any(one["bad"] for one in (product, *found.values())):
        raise RuntimeError(f"{stored} of {connections * each} clicks changed a step; {product['bad']} failed")
    return {"product": product, **found, "bytes": len(bodies[0][0])}


def _compared(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """Medians over the rounds, and of the rounds' ratios (product to bare)."""
    who = ("product", *KINDS)
    return {
        **{one: {name: median([each[one][name] for each in rounds]) for name in FIGURES} for one in who},
        "ratio": {
            kind: {name: median([each["product"][name] / each[kind][name] for each in rounds]) for name in FIGURES}
            for kind in KINDS
        },
        "rounds": rounds,
    }
