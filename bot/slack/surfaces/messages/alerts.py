"""What the senders of alerts say: one list in the card's thread, edited for ever, so that a storm is one message."""

from __future__ import annotations

from collections.abc import Iterator

from bot.domain.desired_message import Message
from bot.domain.incident import KnownAlert
from bot.slack.surfaces import block_kit, text
from bot.slack.surfaces.messages.build import in_thread, message
from bot.slack.surfaces.render_context import Scene
from bot.slack.surfaces.words import channel as words

#: alerts that are shown; more would not be read
SHOWN = 15
#: labels of an alert that are shown
LABELS = 3
#: characters of a line's parts, so that all lines fit into one message
SAID, LABEL_TEXT, ADDRESS = 250, 150, 250


def alerts(scene: Scene) -> Iterator[Message]:
    """Those that fire first, of both kinds the latest first."""
    incident = scene.incident
    if not incident.alerts:
        return
    latest = sorted(incident.alerts.values(), key=lambda one: one.resolved_at or one.fired.at, reverse=True)
    ordered = sorted(latest, key=lambda one: one.resolved_at is not None)
    said = standing(scene)
    head = f"{said} {words.alerts_shown(SHOWN, len(ordered))}" if len(ordered) > SHOWN else said
    lines = [_line(scene, one) for one in ordered[:SHOWN]]
    yield message("alerts", said, map(block_kit.section, (head, *lines)), place=in_thread("card"))


def standing(scene: Scene) -> str:
    """How many fire and how many have ended, in a line; empty where no alert has been heard of."""
    known = scene.incident.alerts.values()
    ended = [one.resolved_at for one in known if one.resolved_at]
    return (
        words.alerts_line(len(known) - len(ended), len(ended), scene.when(max(ended)) if ended else "") if known else ""
    )


def _line(scene: Scene, one: KnownAlert) -> str:
    fired = one.fired
    if one.resolved_at:
        state = words.alert_ended(scene.when(one.resolved_at))
    else:
        state = words.firing_since(scene.when(fired.since or fired.at))
    labels = ", ".join(f"{text.line(key)} {text.line(value)}" for key, value in fired.labels[:LABELS])
    links = [text.link(one) for one in (fired.link, fired.runbook) if len(one) <= ADDRESS]
    facts = [state, scene.who(fired.by), text.line(fired.severity), text.clip(labels, LABEL_TEXT), *links]
    said = text.clip(text.line(fired.title), SAID)
    return words.alert(text.line(fired.name), said, [fact for fact in facts if fact])
