"""`/incident postmortem`: a draft from the timeline, as a file in the channel."""

from __future__ import annotations

from typing import Any

from bot.domain import events as e
from bot.domain.errors import Refused
from bot.domain.incident import Incident
from bot.slack.requests.context import Reply, Request


async def write_postmortem(call: Request) -> Reply:
    """Make a draft of the postmortem from the timeline, as a file in the channel."""
    incident = call.required_incident
    if not incident.channel or incident.channel_lost:
        raise Refused(
            f"There is no channel to put the file into. `bot export {incident.number}` on the command line writes it."
        )

    def rule(i: Incident, *, by: Any, at: Any) -> list[e.Event]:
        return [
            e.PostmortemWritten(
                by=by.user,
                at=at,
                name=f"{i.name.lower()}-postmortem.md",
                through=i.seq,
            )
        ]

    await call.act("postmortem", rule)
    still = " The incident is still open: write it again when it is over." if incident.open else ""
    return Reply(f"The draft will be in the channel in a moment.{still}")
