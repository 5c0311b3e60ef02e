"""From an incident to the messages that should stand in Slack: pure functions, one file per surface.

What can be pressed is in `slack/inbound/dispatch.py`, what it carries in `slack/surfaces/button_values.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from bot.domain.desired_message import DesiredMessage, TargetKind
from bot.domain.incident import Incident
from bot.slack.surfaces.message_cache import IncidentMessageCache
from bot.slack.surfaces.messages.alerts import alerts
from bot.slack.surfaces.messages.announcements import announcements
from bot.slack.surfaces.messages.asks import asks, overrides, reviews
from bot.slack.surfaces.messages.card import card
from bot.slack.surfaces.messages.channel_loss import channel_losses
from bot.slack.surfaces.messages.checklists import checklists
from bot.slack.surfaces.messages.customer_messages import comms
from bot.slack.surfaces.messages.endings import stand_downs, status_changes
from bot.slack.surfaces.messages.escalations import escalations
from bot.slack.surfaces.messages.followers import follower_notices
from bot.slack.surfaces.messages.lead_silence import lead_silences
from bot.slack.surfaces.messages.pending import ended_requests
from bot.slack.surfaces.messages.questions import questions
from bot.slack.surfaces.messages.reminders import reminders
from bot.slack.surfaces.messages.responders import responder_mentions
from bot.slack.surfaces.messages.roles import offers, role_briefings
from bot.slack.surfaces.messages.secrets import secret_refusals
from bot.slack.surfaces.messages.thread import notes_and_tasks
from bot.slack.surfaces.messages.updates import severities, updates, waits
from bot.slack.surfaces.messages.vacancies import vacancies
from bot.slack.surfaces.render_context import RenderContext, RenderEnvironment

#: every surface, in the order in which its messages are sent
SURFACES: tuple[Callable[[RenderContext], Iterator[DesiredMessage]], ...] = (
    card, announcements, checklists, questions, responder_mentions, escalations, offers, role_briefings, asks, reviews,
    severities, updates, waits, reminders, lead_silences, vacancies, comms, overrides, ended_requests,
    status_changes, follower_notices, stand_downs, alerts,
    notes_and_tasks, channel_losses, secret_refusals,
)  # fmt: skip


def messages(
    incident: Incident, now: datetime, setup: RenderEnvironment, cache: IncidentMessageCache | None = None
) -> list[DesiredMessage]:
    """Every message that should stand, and every one that should no longer, for this incident.

    `now` matters only for what folds by itself: [Undo] and complete sections. Nothing of an incident without a
    declaration, and nothing new of one that only a newer program understands. `cache`: its messages, as they were made
    before.
    """
    if not incident.number or incident.unknown_event_type:
        return []
    cache = IncidentMessageCache() if cache is None else cache
    scene = RenderContext(incident, now, setup, cache)
    all = [message for surface in SURFACES for message in surface(scene) if _may_read(incident, message)]
    cache.evict_unused()
    return all


def _may_read(incident: Incident, message: DesiredMessage) -> bool:
    """Whoever has left a private incident is written nothing more about it; what is withdrawn goes all the same."""
    place = message.target
    return (
        not incident.private
        or place.kind is not TargetKind.PERSON
        or message.delete
        or incident.is_participant(place.user)
    )


__all__ = ["SURFACES", "DesiredMessage", "RenderContext", "RenderEnvironment", "messages"]
