"""A lead of whom nothing was seen is asked, until something is."""

from __future__ import annotations

from collections.abc import Iterator

from bot.domain import events as e
from bot.domain.desired_message import DesiredMessage
from bot.slack.surfaces import block_kit
from bot.slack.surfaces.messages.build import build_message, mention_users, withdrawn_message
from bot.slack.surfaces.render_context import RenderContext
from bot.slack.surfaces.words import labels
from bot.slack.surfaces.words import people as words


def lead_silences(scene: RenderContext) -> Iterator[DesiredMessage]:
    """A lead of whom nothing was seen is asked, until something is."""
    incident = scene.incident
    for entry in incident.announced_entries:
        event = entry.event
        if not isinstance(event, e.LeadSilent):
            continue
        key, seen = f"silent:{entry.seq}", incident.lead_seen_at
        if not incident.open or incident.lead != event.to or seen is None or seen > event.at:
            yield withdrawn_message(key)
            continue
        sentence = words.silent(mention_users(scene, (event.to,)), incident.name, scene.when(seen, event.at))
        buttons = (scene.button(labels.STILL_HERE, "here"), scene.button(labels.HAND_OVER, "handover"))
        blocks = (block_kit.section(sentence), block_kit.actions(*buttons))
        yield build_message(key, sentence, blocks, numbered=entry.seq)
