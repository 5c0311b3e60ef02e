"""Who is called when an incident is declared, or made worse."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bot.domain import events as e
from bot.domain.desired_message import INVITES, DesiredMessage, Priority
from bot.slack.surfaces import text
from bot.slack.surfaces.messages.build import build_message, mention_users
from bot.slack.surfaces.render_context import RenderContext
from bot.slack.surfaces.words import card as words
from bot.slack.surfaces.words import people


def responder_mentions(scene: RenderContext) -> Iterator[DesiredMessage]:
    """Responders are mentioned once, when they are in the channel.

    Those whom a worse severity adds are mentioned then, and those whom the bot finds later, when it finds them.
    """
    known: set[str] = set()
    severity = ""
    for seq, event, users in _called(scene):
        severity = event.severity if isinstance(event, e.Declared) else severity
        severity = event.new if isinstance(event, e.SeverityChanged) else severity
        new = [user for user in users if user not in known]
        known.update(new)
        if new:
            yield _responder_mention(scene, 0 if isinstance(event, e.Declared) else seq, new, severity)


def _called(scene: RenderContext) -> Iterator[tuple[int, e.Event, tuple[str, ...]]]:
    """Where in the timeline whom policy named was called. Those whom one look found at the same time are one call."""
    found: dict[datetime, tuple[int, e.Event, tuple[str, ...]]] = {}
    for entry in scene.incident.announced_entries:
        event = entry.event
        if isinstance(event, e.PersonAdded) and event.called:
            seq, first, users = found.get(event.at, (entry.seq, event, ()))
            found[event.at] = (seq, first, (*users, event.user))
        elif isinstance(event, e.Declared | e.SeverityChanged):
            yield from found.values()
            found.clear()
            yield entry.seq, event, event.responders
    yield from found.values()


def _responder_mention(scene: RenderContext, seq: int, users: list[str], severity: str) -> DesiredMessage:
    incident = scene.incident
    title = text.escape_line(incident.title)
    lead = words.leads(scene.person_name(incident.lead) if incident.lead else "")
    name = scene.policy.severity(severity).name
    sentence = people.responders_called(mention_users(scene, users), name, title, text.capitalized(lead))
    return build_message(
        f"hail:{seq}" if seq else "hail", sentence, after=(INVITES,), standing=incident.open,
        numbered=seq, priority=Priority.PEOPLE_CALLED,
    )  # fmt: skip
