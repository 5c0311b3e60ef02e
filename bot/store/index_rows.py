"""The index row of an incident: what is asked of many at once, without folding them."""

from __future__ import annotations

from typing import Any

from bot.domain.incident import Incident


def index_row(incident: Incident) -> dict[str, Any]:
    """What the index row says of an incident: a function of its timeline alone."""
    return {
        "number": incident.number,
        "channel": incident.channel,
        "status": incident.status.value,
        "severity": incident.severity,
        "title": incident.title,
        "private": incident.private,
        "declared_at": incident.declared_at,
        "seq": incident.seq,
        "alert_group": incident.alert_group or None,
    }
