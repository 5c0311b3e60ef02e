"""Who is called when an incident is declared, or made worse."""

from __future__ import annotations

from collections.abc import Iterator

from bot.domain import events as e
from bot.domain.desired_message import INVITES, DesiredMessage, Priority
from bot.slack.surfaces import text
from bot.slack.surfaces.messages.build import build_message, mention_users
from bot.slack.surfaces.render_context import RenderContext
from bot.slack.surfaces.words import card as words
from bot.slack.surfaces.words import people


def responder_mentions(scene: RenderContext) -> Iterator[DesiredMessage]:
    """Responders are mentioned once, when they are in the channel; those whom a worse severity adds, then."""
    known: set[str] = set()
    for entry in scene.incident.announced_entries:
        event = entry.event
        if isinstance(event, e.Declared | e.SeverityChanged):
            new = [user for user in event.responders if user not in known]
            known.update(new)
            severity = event.severity if isinstance(event, e.Declared) else event.new
            if new:
                yield _responder_mention(scene, 0 if isinstance(event, e.Declared) else entry.seq, new, severity)


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
