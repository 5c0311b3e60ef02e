"""From a declaration to a working incident channel, with every call to Slack made slow.

Times are Slack's own: they stand in the journal of the local Slack.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.figures import percentile
from bench.stage import Stage, calls_since, stage
from localslack import Call

RUNBOOK = "horizon-outage"
WARM_UP = 2
#: titles that resemble each other would be taken for the same incident
WORDS = (
    "amber", "basalt", "cedar", "delta", "ember", "fjord", "garnet", "harbour", "indigo", "juniper", "krypton",
    "lagoon", "meadow", "nimbus", "opal", "pepper", "quartz", "raven", "saffron", "thistle", "umber", "velvet",
    "walnut", "xenon", "yarrow", "zephyr",
)  # fmt: skip


@dataclass(frozen=True)
class Declared:
    """One declaration: milliseconds since Slack delivered it, and how many calls had to wait for one another."""

    usable: float
    complete: float
    usable_depth: int
    complete_depth: int
    calls: int
    #: since `/incident runbook …` was delivered: [Done] beside the next step, and the first box in the thread
    done_button: float
    box: float


def depth(calls: Iterable[Call], until: float) -> int:
    """How many of the calls that ended by then had to be made one after the other: the longest such chain."""
    chains: list[tuple[float, int]] = []
    longest = 0
    for one in sorted(calls, key=lambda call: call.started):
        if one.ended is None or one.ended > until:
            continue
        own = 1 + max((length for ended, length in chains if ended <= one.started), default=0)
        chains.append((one.ended, own))
        longest = max(longest, own)
    return longest


def _holds(call: Call, action: str) -> bool:
    return call.method == "chat.postMessage" and f'"{action}"' in str(call.args.get("blocks")).replace("'", '"')


async def one(on: Stage, title: str) -> Declared:
    """Declare an incident and attach a runbook to it; every figure that comes of it."""
    slack, ana = on.slack, on.slack.person("ana")
    before = slack.journal[-1].number
    known = set(slack.world.channels)
    await ana.command(f"/incident declare sev1 {title}")
    await on.quiet()
    (channel,) = set(slack.world.channels) - known
    start = next(c for c in slack.journal.after(before) if c.method == "delivery:slash_commands").started
    calls = calls_since(slack, before)
    inside = [c for c in calls if c.args.get("channel") == channel and c.outcome == "ok"]
    first = next(c for c in inside if c.method == "chat.postMessage")
    usable = max(c.ended or 0 for c in (first, *(c for c in inside if c.method == "conversations.invite")))
    complete = max(c.ended or 0 for c in calls)
    missing = {"U01ANASILVA"} - set(slack.world.channels[channel].members)
    if missing or on.owed():
        raise RuntimeError(f"not everything is in place: {missing or on.owed()}")

    before = slack.journal[-1].number
    await ana.command(f"/incident runbook {RUNBOOK}", channel=channel)
    await on.quiet()
    asked = next(c for c in slack.journal.after(before) if c.method == "delivery:slash_commands").started
    later = calls_since(slack, before)
    button = next(c for c in later if _holds(c, "inc:step-done") or _holds(c, "inc:ask")).ended or 0
    box = next(c for c in later if _holds(c, "inc:tick")).ended or 0
    return Declared(
        usable=(usable - start) * 1000,
        complete=(complete - start) * 1000,
        usable_depth=depth(calls, usable),
        complete_depth=depth(calls, complete),
        calls=len(calls),
        done_button=(button - asked) * 1000,
        box=(box - asked) * 1000,
    )


async def measure(folder: Path, *, count: int, latency: float) -> dict[str, Any]:
    """Declare `count` incidents one after the other, every call to Slack taking `latency` seconds."""
    async with stage(folder, "socket") as on:
        on.slack.limits.on = False
        on.slack.latency = latency
        runs = []
        for number in range(WARM_UP + count):
            word, other = WORDS[number % len(WORDS)], WORDS[(number * 7 + 3) % len(WORDS)]
            runs.append(await one(on, f"{word}{number} {other}{number} answers slowly"))
        runs = runs[WARM_UP:]
    figures: dict[str, Any] = {
        name: {"p50": percentile([getattr(run, name) for run in runs], 0.5),
               "p90": percentile([getattr(run, name) for run in runs], 0.9)}
        for name in asdict(runs[0])
    }  # fmt: skip
    unit = latency * 1000
    return {
        "latency_ms": unit,
        "count": count,
        "reach_ms": {"usable": 2 * unit + 30, "complete": 3 * unit + 100},
        "figures": figures,
        "runs": [asdict(run) for run in runs],
    }
