"""The form that hands the lead over: what the next one has to know."""

from __future__ import annotations

from bot.domain.cadence import promise_due
from bot.domain.incident import Incident
from bot.domain.time_text import clock_time
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
