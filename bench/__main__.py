"""`python -m bench`: measure, print a table, write JSON to var/."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import tempfile
import time
from pathlib import Path
from typing import Any

from bench import acknowledge, declare
from bot.config import ROOT


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("scene", nargs="?", choices=("all", "declare", "acknowledge"), default="all")
    parser.add_argument("--count", type=int, default=20, help="declarations (20)")
    parser.add_argument("--latency", type=float, default=0.1, help="seconds added to every call to Slack (0.1)")
    parser.add_argument("--rounds", type=int, default=7, help="alternating rounds of acknowledgement (7)")
    parser.add_argument("--out", type=Path, default=ROOT / "var", help="where the JSON goes")
    asked = parser.parse_args()
    found: dict[str, Any] = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load_before": os.getloadavg()[0],
    }
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        if asked.scene in ("all", "declare"):
            found["declare"] = asyncio.run(declare.measure(Path(folder), count=asked.count, latency=asked.latency))
            print(_declared(found["declare"]), flush=True)
        if asked.scene in ("all", "acknowledge"):
            found["acknowledge"] = asyncio.run(acknowledge.measure(Path(folder), rounds=asked.rounds))
            print(_acknowledged(found["acknowledge"]), flush=True)
    asked.out.mkdir(parents=True, exist_ok=True)
    file = asked.out / f"bench-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}.json"
    file.write_text(json.dumps(found, indent=1))
    print(f"Load of the machine before: {found['load_before']:.1f} on {found['cores']} cores. All figures: {file}")


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


def _acknowledged(found: dict[str, Any]) -> str:
    lines = [
        f"Acknowledgement of a tick ({found['bytes']} bytes, {found['incidents']} incidents), medians of the rounds",
        f"{'':30}{'p50 ms':>9}{'p99 ms':>9}{'per s':>9}",
    ]
    for connections, one in found["at_once"].items():
        rows = [("product", one["product"]), *((f"bare {kind}", one[kind]) for kind in one["ratio"])]
        lines += [
            f"{who:>18} at {connections:8}{row['p50_ms']:>9.2f}{row['p99_ms']:>9.2f}{row['per_second']:>9.0f}"
            for who, row in rows
        ]
        lines += [
            f"{f'product to {kind}':>22}{'':8}{row['p50_ms']:>9.2f}{row['p99_ms']:>9.2f}{row['per_second']:>9.2f}"
            for kind, row in one["ratio"].items()
        ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
