"""Processor time of other processes, as Linux counts it."""

from __future__ import annotations

import os
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")


def processor(root: int) -> float:
    """Seconds of processor that a process and its children have had, those that have ended among them."""
    total = 0.0
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and (found := _stat(folder)) is not None:
            parent, own, ended = found
            if int(folder.name) == root:
                total += own + ended
            elif parent == root:
                total += own
    return total


def _stat(folder: Path) -> tuple[int, float, float] | None:
    """Whose child it is, its own time, and that of its children that have ended (proc(5), stat)."""
    try:
        fields = (folder / "stat").read_text().rpartition(")")[2].split()
    except OSError:  # it has just ended
        return None
    user, system, ended_user, ended_system = (int(one) / _TICK for one in fields[11:15])
    return int(fields[1]), user + system, ended_user + ended_system
