"""`python -m bench [scene]`: measure, print tables, write every figure as JSON to var/; `--quick`: small ones."""

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


#: option -> (as it is, with --quick, what it says)
SIZES: dict[str, tuple[Any, Any, str]] = {
    "count": (20, 3, "declarations"),
    "latency": (0.1, 0.1, "seconds added to every call to Slack while one declares"),
    "rounds": (5, 1, "alternating rounds of acknowledgement"),
    "lengths": ("100,1000,10000", "100,1000", "events of one incident, for `folding`"),
    "sizes": ("100,1000,10000", "100,300", "open incidents, for `scale`"),
    "reminders": (10_000, 300, "how many fall due, and are overdue"),
    "rate": (reminders.RATE, 50, "reminders a second"),
    "kills": (16, 2, "kills at random moments, two a trial; 0: none"),
    "each": (2000, 200, "reminders of each such trial"),
}


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("scene", nargs="?", choices=("all", *SCENES), default="all")
    parser.add_argument("--quick", action="store_true", help="small counts: whether it works, not how fast it is")
    for name, (full, quick, words) in SIZES.items():
        parser.add_argument(f"--{name}", type=type(full), help=f"{words} ({full}; quick {quick})")
    parser.add_argument(
        "--parts", default=",".join(reminders.PARTS), help=f"of `reminders`, some of {','.join(reminders.PARTS)}"
    )
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000), help="of the kills")
    parser.add_argument("--out", type=Path, default=ROOT / "var", help="where the JSON goes")
    asked = parser.parse_args()
    for name, (full, quick, _) in SIZES.items():
        if getattr(asked, name) is None:
            setattr(asked, name, quick if asked.quick else full)
    if unknown := set(asked.parts.split(",")) - set(reminders.PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    scenes = SCENES if asked.scene == "all" else (asked.scene,)
    found: dict[str, Any] = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "python": platform.python_version(),
        "cores": os.cpu_count(), "load_before": os.getloadavg()[0],
        "asked": {name: getattr(asked, name) for name in (*SIZES, "parts", "seed")},
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
            return folding.measure(_numbers(asked.lengths))
        case "scale":
            return asyncio.run(scale.measure(folder, _numbers(asked.sizes)))
    return asyncio.run(
        reminders.measure(asked.reminders, asked.rate, asked.kills, asked.each, asked.seed, asked.parts.split(","))
    )


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(one) for one in text.split(","))


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
