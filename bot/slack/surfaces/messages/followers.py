"""Direct messages to those who follow an incident: one for each change of severity, status or lead."""

from __future__ import annotations

from collections.abc import Iterator

from bot.domain import events as e
from bot.domain.desired_message import DesiredMessage, MessageTarget, TargetKind
from bot.domain.statuses import STATUS_AFTER, turned
from bot.slack.surfaces import text
from bot.slack.surfaces.messages.build import build_message
from bot.slack.surfaces.render_context import RenderContext
from bot.slack.surfaces.words import card, updates
from bot.slack.surfaces.words import people as words


def follower_notices(scene: RenderContext) -> Iterator[DesiredMessage]:
    """What happened since somebody began to follow, to them; nothing of what they did themselves."""
    incident = scene.incident
    for entry in incident.announced_entries:
        if entry.event is None or not (what := _what(scene, entry.event)):
            continue
        where = f"<#{text.escape(incident.channel)}>" if incident.channel else ""
        said = words.followed(incident.name, text.escape_line(incident.title), what, where)
        for user, since in incident.followers.items():
            if entry.seq > since and user != entry.event.by:
                place = MessageTarget(TargetKind.PERSON, user=user)
                yield build_message(f"follow:{entry.seq}:{user}", said, place=place, numbered=entry.seq)


def _what(scene: RenderContext, event: e.Event) -> str:
    who = scene.person_name(event.by)
    if isinstance(event, e.SeverityChanged) and event.old != event.new:
        old, new = scene.policy.severity(event.old).name, scene.policy.severity(event.new).name
        return updates.severity_changed(old, new, who, text.escape_line(event.reason), "")
    if isinstance(event, e.RoleTaken) and event.role == "lead" and event.user:
        return words.lead_is(scene.person_name(event.user))
    if type(event) in STATUS_AFTER:
        return card.ended(turned(event), scene.when(event.at, event.at), who, "") + "."
    return ""
