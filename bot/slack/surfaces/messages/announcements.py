"""The announcement channel: one line per incident, edited for ever, with the updates in its thread."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from bot.domain import cadence
from bot.domain import events as e
from bot.domain.desired_message import DesiredMessage, MessageTarget, Surface, TargetKind
from bot.domain.incident import Update
from bot.domain.statuses import standing
from bot.reports import statistics
from bot.slack.surfaces import block_kit, text
from bot.slack.surfaces.messages.build import build_message, in_thread, withdrawn_message
from bot.slack.surfaces.messages.card import summary
from bot.slack.surfaces.messages.updates import update_blocks, update_sentence
from bot.slack.surfaces.render_context import RenderContext
from bot.slack.surfaces.words import announcements as words
from bot.slack.surfaces.words import card, labels

ANNOUNCEMENTS = MessageTarget(TargetKind.ANNOUNCEMENTS)


def announcements(scene: RenderContext) -> Iterator[DesiredMessage]:
    """Nothing of a private incident; else one line, and new ones only for the worst severity and the end."""
    incident = scene.incident
    if incident.private or not (incident.channel or incident.channel_error):
        return
    yield _line(scene)
    yield from _updates(scene)
    yield from _worst(scene)
    yield from _ends(scene)


def _line(scene: RenderContext) -> DesiredMessage:
    incident = scene.incident
    due = cadence.next_update(incident, scene.policy)
    head = card.headline(scene.severity.name, incident.severity_assumed, text.escape_line(incident.title))
    stands = words.announced(
        f"{_status(scene)}{f', {words.RECORDED_AFTERWARDS}' if incident.adopted_at else ''}",
        card.leads(scene.person_name(incident.lead) if incident.lead else ""),
        card.next_update(scene.when(due)) if due else "",
        _channel(scene),
    )
    blocks = [block_kit.section(f"*{incident.name}* · {head}\n{stands}")]
    if incident.open and incident.reachable:
        blocks.append(block_kit.actions(scene.button(labels.FOLLOW, "follow"), scene.button(labels.JOIN, "join")))
    return build_message(
        "announce", summary(scene), blocks, place=ANNOUNCEMENTS, lasting=True, surface=Surface.ANNOUNCEMENT
    )


def _status(scene: RenderContext) -> str:
    """How it stands; while it is open again after an end also since when."""
    incident = scene.incident
    ends = statistics.endings(incident)
    reopened = ends[-1].reopened_at if ends and incident.open else None
    return words.reopened_since(scene.when(reopened), standing(incident)) if reopened else standing(incident)


def _channel(scene: RenderContext) -> str:
    return f"<#{text.escape(scene.incident.channel)}>" if scene.incident.channel else ""


def _updates(scene: RenderContext) -> Iterator[DesiredMessage]:
    for update in scene.incident.updates:
        if not update.nothing_new:
            made_from = (update, scene.known_name(update.by))
            yield scene.cached(f"announce-update:{update.seq}", made_from, partial(_update, scene, update))


def _update(scene: RenderContext, update: Update) -> DesiredMessage:
    key, place = f"announce-update:{update.seq}", in_thread("announce", TargetKind.ANNOUNCEMENTS)
    if update.undone:
        return withdrawn_message(key, place)
    said, blocks = update_sentence(scene, update), update_blocks(scene, update)
    return build_message(key, said, blocks, place=place, numbered=update.seq, final=True)


def _worst(scene: RenderContext) -> Iterator[DesiredMessage]:
    incident, worst = scene.incident, scene.policy.worst()
    for entry in incident.announced_entries:
        event = entry.event
        if isinstance(event, e.SeverityChanged) and event.worse and event.new == worst.key:
            title, reason = text.escape_line(incident.title), text.escape_line(event.reason)
            said = words.now_worst(incident.name, worst.name, title, scene.person_name(event.by), reason)
            line = f"{said} {_channel(scene)}".rstrip()
            still = incident.open and incident.severity == worst.key
            yield build_message(
                f"announce-worst:{entry.seq}",
                said,
                (block_kit.section(line),),
                place=ANNOUNCEMENTS,
                standing=still,
                numbered=entry.seq,
            )


def _ends(scene: RenderContext) -> Iterator[DesiredMessage]:
    incident = scene.incident
    title = text.escape_line(incident.title)
    for entry in incident.announced_entries:
        if not isinstance(entry.event, e.Resolved) or (end := statistics.ending(incident, entry.seq)) is None:
            continue
        said = words.announced_resolved(incident.name, title, statistics.ending_text(incident, end))
        if end.reopened_at:
            reopened, ended = scene.when(end.reopened_at, end.reopened_at), scene.when(end.at, end.reopened_at)
            said = words.announced_reopened(incident.name, title, reopened, ended)
        still = incident.ended_at == entry.event.at
        yield build_message(f"announce-end:{entry.seq}", said, place=ANNOUNCEMENTS, standing=still, numbered=entry.seq)
