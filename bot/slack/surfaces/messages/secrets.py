"""The lead is told that somebody's text held a secret."""

from __future__ import annotations

from collections.abc import Iterator

from bot.domain import events as e
from bot.domain.desired_message import DesiredMessage, MessageTarget, TargetKind
from bot.scrub import kind_noun
from bot.slack.surfaces import text
from bot.slack.surfaces.messages.build import build_message, is_user_id
from bot.slack.surfaces.render_context import RenderContext
from bot.slack.surfaces.words import channel as words


def secret_refusals(scene: RenderContext) -> Iterator[DesiredMessage]:
    """The lead of that moment learns that somebody's text held a secret: the fact, never the value."""
    lead = ""
    for entry in scene.incident.announced_entries:
        event = entry.event
        if isinstance(event, e.RoleTaken) and event.role == "lead":
            lead = event.user
        elif isinstance(event, e.SecretRefused) and is_user_id(lead) and lead != event.by:
            said = words.secret_refused(
                text.capitalized(kind_noun(text.escape_line(event.kind))),
                text.escape_line(event.where),
                scene.person_name(event.by),
            )
            yield build_message(
                f"secret:{entry.seq}",
                f"{scene.incident.name}: {said}",
                place=MessageTarget(TargetKind.PERSON, lead),
                numbered=entry.seq,
            )
