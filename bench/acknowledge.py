"""From a click to its 200: the product against the least that could acknowledge durably, turn by turn.

Slack's own latency is 0 here, so that the rendering and the calls that follow every tick compete in full.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from bench.figures import median, percentile
from bench.stage import Stage, child, free_port, stage
from bench.ticks import Board, board
from bot.config import ROOT

INCIDENTS = 10
#: (connections, requests of each)
LOADS = ((1, 800), (50, 80))
EVENTS = ("StepTicked", "StepUnticked")


async def _load(port: int, secret: str, bodies: list[list[str]]) -> dict[str, Any]:
    """One round, from a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.load", cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    task = {"port": port, "secret": secret, "bodies": bodies}
    out, _ = await process.communicate(json.dumps(task).encode() + b"\n")
    found: dict[str, Any] = json.loads(out)
    latencies = found.pop("latencies")
    return {
        "p50_ms": percentile(latencies, 0.5) * 1000,
        "p99_ms": percentile(latencies, 0.99) * 1000,
        "per_second": len(latencies) / found["seconds"],
        "bad": found["bad"],
    }


async def measure(folder: Path, *, rounds: int, hops: int) -> dict[str, Any]:
    """Alternate rounds of both; ratios of neighbouring rounds. `hops`: see bench.bare."""
    async with stage(folder, "http") as on:
        on.slack.limits.on = False
        clicks = await board(on, INCIDENTS)
        secret, port = on.slack.signing_secret, free_port()
        bare = child(
            "-m", "bench.bare", str(port), str(folder / f"bare-{port}.sqlite"), str(hops),
            environment={"SLACK_SIGNING_SECRET": secret}, ready=f"http://127.0.0.1:{port}/readyz",
        )  # fmt: skip
        async with bare:
            warm = await _round(on, clicks, port, secret, LOADS[1][0], 20)
            return {
                "incidents": INCIDENTS,
                "bytes": warm["bytes"],
                "at_once": {
                    str(connections): _compared(
                        [await _round(on, clicks, port, secret, connections, each) for _ in range(rounds)]
                    )
                    for connections, each in LOADS
                },
            }


async def _round(on: Stage, clicks: Board, port: int, secret: str, connections: int, each: int) -> dict[str, Any]:
    """The same clicks to the bare handler and to the product; every one of them has to have changed something."""
    bodies = clicks.clicks(connections, each)
    bare = await _load(port, secret, bodies)
    before, calls = on.count(*EVENTS), len(on.slack.journal)
    product = await _load(on.port, secret, bodies)
    product["slack_calls"] = len(on.slack.journal) - calls
    stored = on.count(*EVENTS) - before
    await on.quiet(0.5)
    if product["bad"] or bare["bad"] or stored != connections * each:
        said = {str(one.args.get("text")) for one in on.slack.journal.of("response_url")[-5:]}
        raise RuntimeError(f"{stored} of {connections * each} clicks changed a step; {product['bad']} failed; {said}")
    return {"product": product, "bare": bare, "bytes": len(bodies[0][0])}


def _compared(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """Medians over the rounds, and the median of the rounds' ratios (product to bare)."""
    names = ("p50_ms", "p99_ms", "per_second")
    return {
        **{who: {name: median([one[who][name] for one in rounds]) for name in names} for who in ("product", "bare")},
        "ratio": {name: median([one["product"][name] / one["bare"][name] for one in rounds]) for name in names},
        "rounds": rounds,
    }
