"""Postmortem and timeline to files."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bot.domain.events import Entry
from bot.domain.policy import Policy
from bot.ports import Store
from bot.reports import postmortem


async def write(
    store: Store, team: str, number: int, folder: Path, names: Mapping[str, str], policy: Policy
) -> list[Path]:
    """Write `inc-42-postmortem.md` and `inc-42-timeline.json` into the folder; empty where there is no such incident.

    File names come from the number alone: nothing that people wrote becomes a path.
    """
    id = await store.find(team, number)
    incident = await store.incident(id) if id else None
    if incident is None or incident.last_at is None:
        return []
    entries = await store.entries(incident.id)
    folder.mkdir(parents=True, exist_ok=True)
    report = folder / f"inc-{incident.number}-postmortem.md"
    report.write_text(
        postmortem.render_postmortem(incident, entries, names, policy, incident.last_at), encoding="utf-8"
    )
    file = folder / f"inc-{incident.number}-timeline.json"
    file.write_text(timeline(entries), encoding="utf-8")
    return [report, file]


def timeline(entries: Sequence[Entry]) -> str:
    """The entries as JSON, in order; of a redacted one only that it was there."""
    lines = [
        {"seq": entry.seq, "type": type(entry.event).__name__, **dataclasses.asdict(entry.event)}
        if entry.event is not None
        else {"seq": entry.seq, "type": "redacted"}
        for entry in entries
    ]
    return json.dumps(lines, default=_plain, indent=1, ensure_ascii=False)


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
