"""`/incident ack`: somebody answers for the incident."""

from __future__ import annotations

from bot.domain import lifecycle
from bot.domain.time_text import lasted
from bot.reports import statistics
from bot.slack.requests.context import Reply, Request


async def ack(call: Request) -> Reply:
    """Somebody answers for it."""
    done = await call.act("ack", lifecycle.acknowledge)
    incident = done.incident
    took = statistics.times(incident).to_acknowledge
    after = f" after {lasted(took)}" if took is not None else ""
    lead = " You lead it now." if incident.lead == call.actor.user and done.before.lead != call.actor.user else ""
    return Reply(f"You answered {incident.name}{after}.{lead}")
