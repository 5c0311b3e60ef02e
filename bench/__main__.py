"""`python -m bench`: measure, print a table, write JSON to var/."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import random
import tempfile
import time
from pathlib import Path
from typing import Any

from bench import acknowledge, declare, folding, reminders, scale
from bot.config import ROOT

SCENES = ("declare", "acknowledge", "folding", "scale", "reminders")


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("scene", nargs="?", choices=("all", *SCENES), default="all")
    parser.add_argument("--count", type=int, default=20, help="declarations (20)")
    parser.add_argument("--latency", type=float, default=0.1, help="seconds added to every call to Slack (0.1)")
    parser.add_argument("--rounds", type=int, default=7, help="alternating rounds of acknowledgement (7)")
    parser.add_argument("--sizes", default="100,1000,10000", help="open incidents of `scale`")
    parser.add_argument("--reminders", type=int, default=10_000, help="how many fall due, and are overdue (10,000)")
    parser.add_argument("--rate", type=float, default=reminders.RATE, help="reminders a second (250)")
    parser.add_argument("--kills", type=int, default=16, help="runs with a kill at a random moment (16; 0: none)")
    parser.add_argument("--kill-count", type=int, default=1000, help="reminders of each such run (1,000)")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000), help="of the kills")
    parser.add_argument("--out", type=Path, default=ROOT / "var", help="where the JSON goes")
    asked = parser.parse_args()
    scenes = SCENES if asked.scene == "all" else (asked.scene,)
    found: dict[str, Any] = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "python": platform.python_version(),
        "cores": os.cpu_count(), "load_before": os.getloadavg()[0], "alerts": "not measured: there are none yet",
    }  # fmt: skip
    for scene in scenes:
        began, load = time.monotonic(), os.getloadavg()[0]
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            found[scene] = _run(scene, Path(folder), asked)
        print(TABLES[scene](found[scene]), end="")
        print(
            f"({time.monotonic() - began:.0f} s, load {load:.1f} before, {os.getloadavg()[0]:.1f} after)\n", flush=True
        )
    asked.out.mkdir(parents=True, exist_ok=True)
    file = asked.out / f"bench-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}.json"
    file.write_text(json.dumps(found, indent=1))
    print(f"Load of the machine before: {found['load_before']:.1f} on {found['cores']} cores. All figures: {file}")


def _run(scene: str, folder: Path, asked: argparse.Namespace) -> Any:
    match scene:
        case "declare":
            return asyncio.run(declare.measure(folder, count=asked.count, latency=asked.latency))
        case "acknowledge":
            return asyncio.run(acknowledge.measure(folder, rounds=asked.rounds))
        case "folding":
            return folding.measure()
        case "scale":
            return asyncio.run(scale.measure(folder, tuple(int(one) for one in asked.sizes.split(","))))
    return asyncio.run(reminders.measure(asked.reminders, asked.rate, asked.kills, asked.kill_count, asked.seed))


def _declared(found: dict[str, Any]) -> str:
    figures, reach = found["figures"], found["reach_ms"]
    lines = [
        f"Declaration, {found['count']} in a row, {found['latency_ms']:.0f} ms added to every call to Slack",
        f"{'':44}{'in a row':>9}{'p50 ms':>8}{'p90 ms':>8}{'reach':>8}",
    ]
    for name, words in (("usable", "usable: all in, first message posted"), ("complete", "everything in place")):
        lines.append(
            f"{words:44}{figures[f'{name}_depth']['p50']:>9.0f}{figures[name]['p50']:>8.0f}"
            f"{figures[name]['p90']:>8.0f}{reach[name]:>8.0f}"
        )
    for name, words in (
        ("done_button", "from `/incident runbook …`: [Done] on a step"),
        ("box", "from `/incident runbook …`: the boxes"),
    ):
        lines.append(f"{words:44}{'':>9}{figures[name]['p50']:>8.0f}{figures[name]['p90']:>8.0f}")
    lines.append(f"{figures['calls']['p50']:.0f} calls to Slack for a declaration.")
    return "\n".join(lines) + "\n"


TABLES = {
    "declare": _declared, "acknowledge": acknowledge.table, "folding": folding.table, "scale": scale.table,
    "reminders": reminders.table,
}  # fmt: skip


if __name__ == "__main__":
    main()
