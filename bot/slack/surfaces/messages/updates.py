"""Where it stands, told to the channel: updates, the severity's changes, what is waited for."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from bot.domain import events as e
from bot.domain.desired_message import DesiredMessage
from bot.domain.incident import Update
from bot.domain.time_text import lasted
from bot.slack.surfaces import block_kit, text
from bot.slack.surfaces.button_values import UndoValue
from bot.slack.surfaces.messages.build import build_message, collapsed_message, mention_prefix, withdrawn_message
from bot.slack.surfaces.render_context import RenderContext
from bot.slack.surfaces.words import card, labels
from bot.slack.surfaces.words import updates as words


def updates(scene: RenderContext) -> Iterator[DesiredMessage]:
    """Every update, with [Undo] for the seconds policy allows."""
    incident, last = scene.incident, scene.incident.last_update
    for update in incident.updates:
        undo = update is last and scene.now <= update.at + scene.policy.undo_within and incident.open
        make = partial(_update, scene, update, undo)
        yield scene.cached(f"update:{update.seq}", (update, scene.known_name(update.by), undo), make)


def _update(scene: RenderContext, update: Update, undo: bool) -> DesiredMessage:
    key = f"update:{update.seq}"
    if update.undone:
        return withdrawn_message(key)
    if update.nothing_new:
        return _nothing_new(scene, key, update)
    blocks = update_blocks(scene, update)
    if undo:
        blocks.append(block_kit.actions(scene.button(labels.UNDO, "undo", UndoValue(update=update.seq))))
    return build_message(key, update_sentence(scene, update), blocks, numbered=update.seq, final=True)


def _nothing_new(scene: RenderContext, key: str, update: Update) -> DesiredMessage:
    next_by = scene.when(update.next_by, update.at) if update.next_by else ""
    said = text.escape_line(update.text)
    line = words.nothing_new(scene.person_name(update.by), scene.when(update.at, update.at), said, next_by)
    return build_message(key, line, (block_kit.context(line),), numbered=update.seq, final=True)


def update_blocks(scene: RenderContext, update: Update) -> list[block_kit.Block]:
    """What we know, impact, next update by: the same words in the channel and under the announcement."""
    head = words.update_head(scene.person_name(update.by), scene.when(update.at, update.at))
    next_by = scene.when(update.next_by, update.at) if update.next_by else ""
    said = f"{head}\n{text.quoted(update.text)}"
    blocks = (
        [block_kit.section(said)]
        if len(said) <= block_kit.MAX_SECTION_CHARS
        else [block_kit.section(head), block_kit.rich_text_quote(update.text)]
    )
    if foot := words.update_foot(text.escape_line(update.impact), next_by):
        blocks.append(block_kit.context(text.capitalized(foot)))
    return blocks


def update_sentence(scene: RenderContext, update: Update) -> str:
    """The update in one sentence, for notifications."""
    until = f" {text.capitalized(card.next_update(scene.clock(update.next_by, update.at)))}." if update.next_by else ""
    return f"{scene.incident.name}: {text.with_full_stop(text.clip(text.escape_line(update.text), 3000))}{until}"


def severities(scene: RenderContext) -> Iterator[DesiredMessage]:
    """ "SEV-2 → SEV-1 by Ana: payouts to NG at a stand. Updates every 30 min." A confirmation changes the card only."""
    for entry in scene.incident.announced_entries:
        event = entry.event
        if not isinstance(event, e.SeverityChanged) or event.old == event.new:
            continue
        old, new = scene.policy.severity(event.old), scene.policy.severity(event.new)
        rhythm = words.update_interval(lasted(new.cadence) if new.cadence else "")
        if not event.worse:
            rhythm = f"{rhythm} {words.PROMISES_STAND}"
        sentence = words.severity_changed(
            old.name, new.name, scene.person_name(event.by), text.escape_line(event.reason), rhythm
        )
        yield build_message(f"severity:{entry.seq}", sentence, numbered=entry.seq, final=True)


def waits(scene: RenderContext) -> Iterator[DesiredMessage]:
    """What is waited for; when its time has come the lead is told by a new message."""
    moments = scene.incident.announced_entries
    for position, entry in enumerate(moments):
        began = entry.event
        if not isinstance(began, e.WaitingBegan):
            continue
        key, what = f"waiting:{entry.seq}", text.escape_line(began.what)
        after = (one for one in moments[position + 1 :] if isinstance(one.event, e.WaitingBegan | e.WaitingEnded))
        later = next(after, None)
        if later is None and scene.incident.open:
            sentence = words.waiting(scene.person_name(began.by), what, scene.when(began.look_again, began.at))
            look = block_kit.actions(scene.button(labels.LOOK_AGAIN, "look-again"))
            yield build_message(key, sentence, (block_kit.section(sentence), look), numbered=entry.seq)
            continue
        until = later.event.at if later and later.event else scene.incident.ended_at or scene.reference_time
        waited = words.waited(what, scene.when(began.at, began.at), scene.when(until, began.at))
        yield collapsed_message(key, waited, numbered=entry.seq)
        if later and isinstance(later.event, e.WaitingEnded) and later.event.by == "bot":
            told = words.look_again(mention_prefix(scene, scene.incident.lead), what)
            update = block_kit.actions(scene.button(labels.POST_UPDATE, "update"))
            current = scene.incident.open and later is _latest_wait(scene)
            blocks = (block_kit.section(told), update)
            yield build_message(f"look-again:{later.seq}", told, blocks, standing=current, numbered=later.seq)


def _latest_wait(scene: RenderContext) -> e.Entry | None:
    waits = [one for one in scene.incident.announced_entries if isinstance(one.event, e.WaitingBegan | e.WaitingEnded)]
    return waits[-1] if waits else None
