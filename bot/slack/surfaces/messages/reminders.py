"""What is due, told to those who have to do it: directly before the time, then in the channel, each rung anew."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from datetime import UTC

from bot.domain import events as e
from bot.domain.desired_message import CHANNEL, INVITES, DesiredMessage, MessageTarget, Surface, TargetKind
from bot.domain.incident import Reminder, ReminderAnswer
from bot.reports import statistics
from bot.slack.surfaces import block_kit
from bot.slack.surfaces.messages.build import (
    Treatment,
    build_message,
    collapsed_message,
    mention_users,
    withdrawn_message,
)
from bot.slack.surfaces.render_context import RenderContext
from bot.slack.surfaces.words import customer_messages, labels
from bot.slack.surfaces.words import updates as words


def reminders(scene: RenderContext) -> Iterator[DesiredMessage]:
    """Every reminder: standing while it waits, then one line where it was answered late, else gone."""
    told: Counter[str] = Counter()
    for one in scene.incident.reminders:
        name = _name(one)
        told[name] += 1
        key = name if told[name] == 1 else f"{name}:{told[name]}"
        if one.rung >= 1:
            yield _one(scene, one, key, CHANNEL)
            continue
        for user in one.to:
            if user[:1] in ("U", "W"):
                yield _one(scene, one, f"{key}:{user}", MessageTarget(TargetKind.PERSON, user))


def _name(one: Reminder) -> str:
    """By what was due and how late it was told, not by the event's number: over a restore it is still the same one."""
    dues = sorted(f"{item.kind} {item.ref} {item.due.astimezone(UTC).isoformat()}" for item in one.items)
    return f"reminder:{one.rung}:{hashlib.sha256(repr(dues).encode()).hexdigest()[:12]}"


def _one(scene: RenderContext, one: Reminder, key: str, place: MessageTarget) -> DesiredMessage:
    if one.answered_at is not None or not scene.incident.open:
        return _answered(scene, one, key, place)
    dues = " ".join(_due(scene, one, item) for item in one.items)
    direct = place.kind is TargetKind.PERSON
    name = scene.incident.name
    sentence = words.remind_direct(name, dues) if direct else words.remind(mention_users(scene, one.to), name, dues)
    blocks = (block_kit.section(sentence), block_kit.actions(*_buttons(scene, one)))
    told: Treatment = {"rung": one.rung, "surface": Surface.REMINDER}
    return build_message(key, sentence, blocks, place=place, after=() if direct else (INVITES,), **told)


def _due(scene: RenderContext, one: Reminder, item: e.DueItem) -> str:
    when, late = scene.when(item.due, one.at), statistics.lateness(item.due, one.at)
    if item.kind == e.DueKind.PROMISE:
        return words.promise_due(customer_messages.audience(item.ref), when, late)
    return words.update_due(when, late)


def _buttons(scene: RenderContext, one: Reminder) -> list[block_kit.Element]:
    kinds = {item.kind for item in one.items}
    if kinds == {e.DueKind.PROMISE}:
        return [scene.button(labels.NEW_TEXT, "comms", style="primary")]
    buttons = [
        scene.button(labels.POST_UPDATE, "update", style="primary"),
        scene.button(labels.NOTHING_NEW, "nothing-new"),
    ]
    if e.DueKind.PROMISE in kinds:
        buttons.append(scene.button(labels.NEW_TEXT, "comms"))
    elif scene.incident.snoozes < scene.policy.snoozes:
        minutes = int(scene.policy.snooze.total_seconds() // 60)
        buttons.append(scene.button(labels.snooze(minutes), "snooze"))
    return buttons


def _answered(scene: RenderContext, one: Reminder, key: str, place: MessageTarget) -> DesiredMessage:
    """ "Update sent 14:34 UTC, 2 min late." stays in the channel; everything else goes."""
    due = min((item.due for item in one.items), default=None)
    told_late = one.answer in (ReminderAnswer.SENT, ReminderAnswer.NOTHING_NEW)
    if place.kind is TargetKind.CHANNEL and told_late and one.answered_at and due:
        late = statistics.lateness(due, one.answered_at)
        told: Treatment = {"rung": one.rung, "surface": Surface.REMINDER}
        what = "Update" if any(item.kind == e.DueKind.UPDATE for item in one.items) else "Text to customers"
        if late:
            return collapsed_message(key, words.sent_late(what, scene.when(one.answered_at, one.at), late), **told)
    return withdrawn_message(key, place)
