"""Requests that ended without an answer: a new message to whoever asked, as nobody hears of an edit."""

from __future__ import annotations

from collections.abc import Iterator

from bot.domain import events as e
from bot.domain.desired_message import DesiredMessage
from bot.domain.pending import BECAUSE, PendingKind
from bot.slack.surfaces import text
from bot.slack.surfaces.messages.build import build_message, mention_users
from bot.slack.surfaces.render_context import RenderContext
from bot.slack.surfaces.words import asks as words
from bot.slack.surfaces.words import people


def ended_requests(scene: RenderContext) -> Iterator[DesiredMessage]:
    """What ended, why, and how to ask again."""
    for entry in scene.incident.announced_entries:
        if isinstance(entry.event, e.PendingEnded):
            yield build_message(f"ended:{entry.seq}", _sentence(scene, entry.event), numbered=entry.seq)


def _sentence(scene: RenderContext, event: e.PendingEnded) -> str:
    to = mention_users(scene, (event.to,)) or people.SOMEBODY
    because = BECAUSE.get(event.change, BECAUSE["ending"])
    command = text.escape_line(scene.environment.command)
    match event.kind:
        case PendingKind.OVERRIDE:
            return words.override_ended(to, scene.incident.name, because, command)
        case PendingKind.STEP:
            return words.ask_ended(to, _action(scene, event.ref), because)
        case PendingKind.CUSTOMER_MESSAGE:
            return words.draft_ended(to, because, command)
        case _:
            role = text.role_phrase(event.ref)
            return words.offer_ended(to, role, because, command, text.escape_line(event.ref))


def _action(scene: RenderContext, ref: str) -> str:
    ask = scene.incident.asks.get(int(ref)) if ref.isdigit() else None
    return text.with_full_stop(text.clip(text.escape_line(ask.asked.action), 600)) if ask else ""
