"""Nobody answered, or somebody asked for the next level: who was mentioned."""

from __future__ import annotations

from collections.abc import Iterator

from bot.domain import events as e
from bot.domain.desired_message import INVITES, DesiredMessage, Priority
from bot.slack.surfaces import block_kit, text
from bot.slack.surfaces.messages.build import (
    build_message,
    collapsed_message,
    mention_users,
    withdrawn_message,
)
from bot.slack.surfaces.render_context import RenderContext
from bot.slack.surfaces.words import labels
from bot.slack.surfaces.words import people as words


def escalations(scene: RenderContext) -> Iterator[DesiredMessage]:
    """Who was mentioned because nobody answered, or because somebody asked for the next level."""
    incident = scene.incident
    unanswered = [entry.seq for entry in incident.announced_entries if isinstance(entry.event, e.NobodyAnswered)]
    for entry in incident.announced_entries:
        event = entry.event
        if isinstance(event, e.NobodyAnswered):
            key = f"nobody:{entry.seq}"
            if incident.open and not incident.acknowledged_by:
                yield _nobody(scene, entry.seq, event)
            elif entry.seq == unanswered[-1] and incident.acknowledged_by and incident.acknowledged_at:
                who, when = scene.person_name(incident.acknowledged_by), scene.when(incident.acknowledged_at)
                yield collapsed_message(key, words.answered(who, when), numbered=entry.seq)
            else:
                yield withdrawn_message(key)
        elif isinstance(event, e.Escalated):
            to = mention_users(scene, [user for user in event.to if user != event.by]) or words.SOMEBODY
            sentence = words.escalated(scene.person_name(event.by), to, text.escape_line(event.reason))
            yield build_message(
                f"nobody:{entry.seq}", sentence, after=(INVITES,), standing=incident.open,
                numbered=entry.seq, priority=Priority.PEOPLE_CALLED,
            )  # fmt: skip


def _nobody(scene: RenderContext, seq: int, event: e.NobodyAnswered) -> DesiredMessage:
    incident = scene.incident
    since = scene.when(incident.declared_at or event.at, event.at)
    to, title = mention_users(scene, event.to) or words.SOMEBODY, text.escape_line(incident.title)
    sentence = words.nobody_answered(incident.name, scene.severity.name, title, since, to)
    have = block_kit.actions(scene.button(labels.I_HAVE_IT, "ack", style="primary"))
    return build_message(
        f"nobody:{seq}", sentence, (block_kit.section(sentence), block_kit.context(words.NO_PAGER), have),
        after=(INVITES,), numbered=seq, priority=Priority.PEOPLE_CALLED,
    )  # fmt: skip
