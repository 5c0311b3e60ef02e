"""The form that holds a mitigated incident: quiet until a time, with somebody who watches."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.domain.incident import Incident
from bot.domain.time_text import clock_time
from bot.slack.surfaces import block_kit
from bot.slack.surfaces.modals.form import VALUE_ACTION_ID, ModalView, incident_modal


def _morning(now: datetime) -> datetime:
    """The next 09:00 UTC."""
    today = now.replace(hour=9, minute=0, second=0, microsecond=0)
    return today if today > now else today + timedelta(days=1)


def hold_form(incident: Incident, now: datetime, *, watcher: str = "", response_url: str = "") -> ModalView:
    """After mitigation: quiet until a time (epoch seconds), with somebody named who watches."""
    morning = _morning(now)
    times = sorted({morning, *(now + timedelta(hours=hours) for hours in (2, 4, 8))})
    options = [block_kit.option(clock_time(at, now), str(int(at.timestamp()))) for at in times]
    blocks = [
        block_kit.input_block(
            "until",
            "Quiet until",
            block_kit.static_select(VALUE_ACTION_ID, "Choose a time", options, str(int(morning.timestamp()))),
        ),
        block_kit.input_block(
            "watcher", "Who watches until then?", block_kit.users_select(VALUE_ACTION_ID, "Choose a person", watcher)
        ),
    ]
    return incident_modal("hold", f"Hold {incident.name}", blocks, incident, submit="Hold", response_url=response_url)
