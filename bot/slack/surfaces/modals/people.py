"""Forms about who does it: handing over, and watching while it is quiet."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.domain.cadence import promise_due
from bot.domain.incident import Incident
from bot.domain.times import clock_time
from bot.slack.surfaces import block_kit, text
from bot.slack.surfaces.modals.form import VALUE_ACTION_ID, ModalView, incident_modal, text_question


def handover_form(incident: Incident, *, to: str = "", response_url: str = "") -> ModalView:
    """What the next lead has to know. The old lead stays until the new one says so."""
    blocks = [block_kit.section(_known(incident))] if _known(incident) else []
    blocks += [
        block_kit.input_block("to", "Who takes over?", block_kit.users_select(VALUE_ACTION_ID, "Choose a person", to)),
        text_question("state", "Where does it stand?", _state(incident), multiline=True, max_length=1000),
        text_question("tried", "What was tried?", multiline=True, max_length=1000, optional=True),
        text_question("paused", "What is paused or changed?", multiline=True, max_length=500, optional=True),
        text_question("next", "What is the next decision, and by when?", multiline=True, max_length=500),
    ]
    title = f"Hand over {incident.name}"
    return incident_modal("handover", title, blocks, incident, submit="Hand over", response_url=response_url)


def _state(incident: Incident) -> str:
    last = incident.last_update
    return last.text if last and not last.nothing_new else incident.impact


def _known(incident: Incident) -> str:
    """Open asks, promises and tasks, which go with the lead and need no typing."""
    at = incident.last_at
    lines = [f"Open ask: {text.escape_line(ask.asked.action)}" for ask in incident.open_asks[:5]]
    if (promised := promise_due(incident)) and at:
        lines.append(f"Customers were promised a text by {clock_time(promised, at)}")
    lines += [f"To do: {text.escape_line(task.text)}" for task in incident.tasks if not task.done][:5]
    return "\n".join(f"• {text.clip(one, 300)}" for one in lines)


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
