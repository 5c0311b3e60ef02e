"""What one incident costs by the length of its timeline: the fold, its messages, the calls that are due, the files."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.crowd import policy
from bot.domain import duties
from bot.domain import events as e
from bot.domain.desired_message import DesiredMessage
from bot.domain.effect import Effect
from bot.domain.fold import evolve, fold
from bot.domain.incident import Incident
from bot.export import timeline as exported
from bot.reconciler import delivery_state
from bot.reconciler.plan import PlanInput, plan_effects
from bot.reports import postmortem
from bot.reports.timeline import format_line
from bot.slack.surfaces.message_cache import IncidentMessageCache
from bot.slack.surfaces.messages import messages
from bot.slack.surfaces.render_context import RenderEnvironment

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


#: what is measured -> how it is called in the table; milliseconds of processor, but for one more event
FIGURES = {
    "fold_ms": "fold, ms",
    "one_more_us": "one more event on top, µs",
    "messages_ms": "its messages, with hashes, ms",
    "again_ms": "its messages after one more event, ms",
    "owed_ms": "what is owed for it, ms",
    "next_ms": "its next moment, ms",
    "lines_ms": "the timeline in words, ms",
    "postmortem_ms": "the postmortem, ms",
    "export_ms": "the export, ms",
}


def measure(sizes: tuple[int, ...] = SIZES) -> dict[str, Any]:
    """Processor time of everything that is made from one incident's timeline, by its length."""
    rows = {str(size): _at(size) for size in sizes}
    first, last = rows[str(sizes[0])], rows[str(sizes[-1])]
    return {
        "sizes": rows,
        "growth": {name: last[name] / first[name] for name in FIGURES},
        "times_as_many": sizes[-1] / sizes[0],
    }


def _at(size: int) -> dict[str, float]:
    *entries, last = timeline(size + 1)
    rules = policy()
    incident = fold("T1", str(uuid.UUID(int=1)), entries)
    now = (incident.last_at or BEGAN) + timedelta(seconds=1)
    setup = RenderEnvironment(rules)
    made = IncidentMessageCache()
    shown = messages(incident, now, setup, made)
    books = PlanInput(incident, _all_sent(incident, shown, now), shown, rules, lambda _kind: "C2", now)
    assert not [one for one in plan_effects(books) if one.call != "direct"]
    return {
        "fold_ms": _ms(lambda: fold("T1", incident.id, entries)),
        "one_more_us": _ms(lambda: [evolve(incident, last) for _ in range(1000)]),
        "messages_ms": _ms(lambda: [one.hash for one in messages(incident, now, setup)]),
        "again_ms": _ms(lambda: [one.hash for one in messages(incident, now, setup, made)]),
        "owed_ms": _ms(lambda: plan_effects(books)),
        "next_ms": _ms(lambda: [duties.next_at(incident, rules, now) for _ in range(10)]) / 10,
        "lines_ms": _ms(lambda: [format_line(one, {}, incident=incident) for one in entries]),
        "postmortem_ms": _ms(lambda: postmortem.render_postmortem(incident, entries, {}, rules, now)),
        "export_ms": _ms(lambda: exported(entries)),
    }


def _all_sent(incident: Incident, shown: list[DesiredMessage], now: datetime) -> dict[str, Effect]:
    effects: dict[str, Effect] = {}
    for _ in range(10):
        for one in plan_effects(PlanInput(incident, effects, shown, policy(), lambda _kind: "C2", now)):
            effects[one.effect.key] = delivery_state.sent(one.effect, one.hash, ts=f"1.{len(effects):06d}")
    return effects


def _ms(work: Callable[[], object]) -> float:
    """Milliseconds of processor that it takes when nothing comes in between: the least of a few."""
    taken = []
    for _ in range(REPEATS):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return min(taken) * 1000


def table(found: dict[str, Any]) -> str:
    """For people."""
    sizes = list(found["sizes"])
    lines = [f"{'One incident of so many events':34}" + "".join(f"{size:>10}" for size in sizes) + f"{'growth':>10}"]
    for name, words in FIGURES.items():
        row = "".join(f"{found['sizes'][size][name]:>10.2f}" for size in sizes)
        grown, limit = found["growth"][name], (1 if name == "one_more_us" else found["times_as_many"])
        lines.append(f"{words:34}{row}{grown:>10.2f}{'  MORE THAN LINEAR' if grown > 1.5 * limit else ''}")
    lines.append(
        f"growth: the last size to the first; {found['times_as_many']:.0f} is linear, 1 does not grow. Processor time."
    )
    return "\n".join(lines) + "\n"
