"""Where it stands, told to the channel: updates, the severity's changes, what is waited for."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from bot.domain import events as e
from bot.domain.desired_message import Message
from bot.domain.incident import Update
from bot.domain.times import lasted
from bot.slack.surfaces import block_kit, text
from bot.slack.surfaces.messages.build import calling, message, small, withdrawn
from bot.slack.surfaces.render_context import Scene
from bot.slack.surfaces.words import channel as words


def updates(scene: Scene) -> Iterator[Message]:
    """Every update, with [Undo] for the seconds policy allows."""
    incident, last = scene.incident, scene.incident.last_update
    for update in incident.updates:
        undo = update is last and scene.now <= update.at + scene.policy.undo_within and incident.open
        make = partial(_update, scene, update, undo)
        yield scene.once(f"update:{update.seq}", (update, scene.name(update.by), undo), make)


def _update(scene: Scene, update: Update, undo: bool) -> Message:
    key = f"update:{update.seq}"
    if update.undone:
        return withdrawn(key)
    if update.nothing_new:
        return _nothing_new(scene, key, update)
    blocks = update_blocks(scene, update)
    if undo:
        blocks.append(block_kit.actions(scene.button(words.UNDO, "undo", u=update.seq)))
    return message(key, update_sentence(scene, update), blocks)


def _nothing_new(scene: Scene, key: str, update: Update) -> Message:
    next_by = scene.when(update.next_by, update.at) if update.next_by else ""
    said = text.line(update.text)
    line = words.nothing_new(scene.who(update.by), scene.when(update.at, update.at), said, next_by)
    return message(key, line, (block_kit.context(line),))


def update_blocks(scene: Scene, update: Update) -> list[block_kit.Block]:
    """What we know, impact, next update by: the same words in the channel and under the announcement."""
    head = words.update_head(scene.who(update.by), scene.when(update.at, update.at))
    next_by = scene.when(update.next_by, update.at) if update.next_by else ""
    said = f"{head}\n{text.quoted(update.text)}"
    blocks = (
        [block_kit.section(said)]
        if len(said) <= block_kit.SECTION
        else [block_kit.section(head), block_kit.quotation(update.text)]
    )
    if foot := words.update_foot(text.line(update.impact), next_by):
        blocks.append(block_kit.context(text.begin(foot)))
    return blocks


def update_sentence(scene: Scene, update: Update) -> str:
    """The update in one sentence, for notifications."""
    until = f" {text.begin(words.next_update(scene.clock(update.next_by, update.at)))}." if update.next_by else ""
    return f"{scene.incident.name}: {text.sentence(text.clip(text.line(update.text), 3000))}{until}"


def severities(scene: Scene) -> Iterator[Message]:
    """ "SEV-2 → SEV-1 by Ana: payouts to NG at a stand. Updates every 30 min." A confirmation changes the card only."""
    for entry in scene.incident.moments:
        event = entry.event
        if not isinstance(event, e.SeverityChanged) or event.old == event.new:
            continue
        old, new = scene.policy.severity(event.old), scene.policy.severity(event.new)
        rhythm = words.rhythm(lasted(new.cadence) if new.cadence else "")
        if not event.worse:
            rhythm = f"{rhythm} {words.PROMISES_STAND}"
        sentence = words.severity_changed(old.name, new.name, scene.who(event.by), text.line(event.reason), rhythm)
        yield message(f"severity:{entry.seq}", sentence)


def waits(scene: Scene) -> Iterator[Message]:
    """What is waited for; when its time has come the lead is told by a new message."""
    moments = scene.incident.moments
    for position, entry in enumerate(moments):
        began = entry.event
        if not isinstance(began, e.WaitingBegan):
            continue
        key, what = f"waiting:{entry.seq}", text.line(began.what)
        after = (one for one in moments[position + 1 :] if isinstance(one.event, e.WaitingBegan | e.WaitingEnded))
        later = next(after, None)
        if later is None and scene.incident.open:
            sentence = words.waiting(scene.who(began.by), what, scene.when(began.look_again, began.at))
            look = block_kit.actions(scene.button(words.LOOK_AGAIN, "look-again"))
            yield message(key, sentence, (block_kit.section(sentence), look))
            continue
        until = later.event.at if later and later.event else scene.incident.ended_at or scene.today
        yield small(key, words.waited(what, scene.when(began.at, began.at), scene.when(until, began.at)))
        if later and isinstance(later.event, e.WaitingEnded) and later.event.by == "bot":
            told = words.look_again(calling(scene, scene.incident.lead), what)
            update = block_kit.actions(scene.button(words.POST_UPDATE, "update"))
            current = scene.incident.open and later is _latest_wait(scene)
            yield message(f"look-again:{later.seq}", told, (block_kit.section(told), update), standing=current)


def _latest_wait(scene: Scene) -> e.Entry | None:
    waits = [one for one in scene.incident.moments if isinstance(one.event, e.WaitingBegan | e.WaitingEnded)]
    return waits[-1] if waits else None
