"""From events to an incident: how long a fold of 100, 1,000 and 10,000 events takes, and one more event on top."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.figures import median
from bot.domain import events as e
from bot.domain.fold import evolve, fold

SIZES = (100, 1_000, 10_000)
BEGAN = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
REPEATS = 5


def timeline(count: int) -> list[e.Entry]:
    """An incident as busy people leave it: notes, updates, a severity that changes, reminders that are answered."""
    found: list[e.Event] = [
        e.Declared(by="U1", at=BEGAN, number=1, title="Withdrawals stuck", severity="sev1"),
        e.ChannelOpened(by="bot", at=BEGAN, channel="C1", name="inc-1"),
        e.Acknowledged(by="U1", at=BEGAN),
    ]
    while len(found) < count:
        number = len(found)
        at = BEGAN + timedelta(seconds=number)
        match number % 10:
            case 0:
                due = e.DueItem(kind="update", due=at)
                found.append(e.Reminded(by="bot", at=at, items=(due,), rung=1, to=("U1",)))
            case 1:
                found.append(e.UpdatePosted(by="U1", at=at, text=f"update {number}", next_by=at + timedelta(hours=1)))
            case 2:
                old = number // 10 % 2 + 1
                found.append(e.SeverityChanged(by="U1", at=at, old=f"sev{old}", new=f"sev{3 - old}"))
            case _:
                found.append(e.Noted(by=f"U{number % 7}", at=at, text=f"note {number}", happened=at))
    return [e.Entry(seq, event) for seq, event in enumerate(found, 1)]


def measure() -> dict[str, Any]:
    """Microseconds per event of a whole fold, and of one more event on a folded incident, by size."""
    rows: dict[str, Any] = {}
    for size in SIZES:
        entries = timeline(size + 1)
        whole = _seconds(lambda entries=entries: fold("T1", "i", entries[:-1]))  # type: ignore[misc]
        before = fold("T1", "i", entries[:-1])
        more = _seconds(lambda before=before, last=entries[-1]: [evolve(before, last) for _ in range(20)]) / 20  # type: ignore[misc]
        rows[str(size)] = {"whole_ms": whole * 1e3, "per_event_us": whole * 1e6 / size, "one_more_us": more * 1e6}
    first, last = rows[str(SIZES[0])], rows[str(SIZES[-1])]
    return {
        "sizes": rows,
        # 1 is linear: what an event costs in the largest, to what it costs in the smallest
        "growth_per_event": last["per_event_us"] / first["per_event_us"],
        "growth_one_more": last["one_more_us"] / first["one_more_us"],
    }


def _seconds(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return median(taken)


def table(found: dict[str, Any]) -> str:
    """For people."""
    lines = [f"{'Folding':30}{'whole ms':>12}{'µs per event':>14}{'one more µs':>14}"]
    for size, row in found["sizes"].items():
        lines.append(
            f"{size + ' events':30}{row['whole_ms']:>12.2f}{row['per_event_us']:>14.1f}{row['one_more_us']:>14.1f}"
        )
    lines.append(
        f"{'growth of the last to the first':30}{'':12}{found['growth_per_event']:>14.2f}"
        f"{found['growth_one_more']:>14.2f}"
        f"   ({'linear' if found['growth_per_event'] < 1.5 else 'NOT linear'} in whole)"
    )
    return "\n".join(lines) + "\n"
