"""The lead is told when the channel of an open incident cannot be used."""

from __future__ import annotations

from collections.abc import Iterator

from bot.domain import events as e
from bot.domain.desired_message import DesiredMessage, MessageTarget, TargetKind
from bot.slack.surfaces.messages.build import build_message, is_user_id, withdrawn_message
from bot.slack.surfaces.render_context import RenderContext
from bot.slack.surfaces.words import channel as words


def channel_losses(scene: RenderContext) -> Iterator[DesiredMessage]:
    """The lead is told directly when the channel of an open incident cannot be used: nothing can be said there."""
    incident, lead = scene.incident, ""
    lost = [entry.seq for entry in incident.announced_entries if isinstance(entry.event, e.ChannelLost)]
    for entry in incident.announced_entries:
        event = entry.event
        if isinstance(event, e.RoleTaken) and event.role == "lead":
            lead = event.user
        elif isinstance(event, e.ChannelLost) and is_user_id(to := lead or incident.declared_by):
            key, place = f"lost:{entry.seq}", MessageTarget(TargetKind.PERSON, to)
            if incident.open and incident.channel_lost and entry.seq == lost[-1]:
                yield build_message(key, words.still_open(incident.name, event.reason), place=place, numbered=entry.seq)
            else:
                yield withdrawn_message(key, place)
