"""What the senders of alerts say: one list in the card's thread, edited for ever, so that a storm is one message."""

from __future__ import annotations

from collections.abc import Iterator

from bot.domain.desired_message import DesiredMessage
from bot.domain.incident import KnownAlert
from bot.slack.surfaces import block_kit, text
from bot.slack.surfaces.messages.build import build_message, in_thread
from bot.slack.surfaces.render_context import RenderContext
from bot.slack.surfaces.words import channel as words

#: alerts that are shown; more would not be read
MAX_ALERTS_SHOWN = 15
#: labels of an alert that are shown
MAX_LABELS_SHOWN = 3
#: characters of a line's parts, so that all lines fit into one message
MAX_ALERT_TITLE_CHARS, MAX_LABELS_CHARS, MAX_LINK_CHARS = 250, 150, 250


def alerts(scene: RenderContext) -> Iterator[DesiredMessage]:
    """Those that fire first, of both kinds the latest first."""
    incident = scene.incident
    if not incident.alerts:
        return
    latest = sorted(incident.alerts.values(), key=lambda one: one.resolved_at or one.fired.at, reverse=True)
    ordered = sorted(latest, key=lambda one: one.resolved_at is not None)
    said = alerts_summary(scene)
    head = f"{said} {words.alerts_shown(MAX_ALERTS_SHOWN, len(ordered))}" if len(ordered) > MAX_ALERTS_SHOWN else said
    lines = [_line(scene, one) for one in ordered[:MAX_ALERTS_SHOWN]]
    yield build_message("alerts", said, map(block_kit.section, (head, *lines)), place=in_thread("card"))


def alerts_summary(scene: RenderContext) -> str:
    """How many fire and how many have ended, in a line; empty where no alert has been heard of."""
    known = scene.incident.alerts.values()
    ended = [one.resolved_at for one in known if one.resolved_at]
    return (
        words.alerts_line(len(known) - len(ended), len(ended), scene.when(max(ended)) if ended else "") if known else ""
    )


def _line(scene: RenderContext, one: KnownAlert) -> str:
    fired = one.fired
    if one.resolved_at:
        state = words.alert_ended(scene.when(one.resolved_at))
    else:
        state = words.firing_since(scene.when(fired.since or fired.at))
    labels = ", ".join(
        f"{text.escape_line(key)} {text.escape_line(value)}" for key, value in fired.labels[:MAX_LABELS_SHOWN]
    )
    links = [text.link(one) for one in (fired.link, fired.runbook) if len(one) <= MAX_LINK_CHARS]
    facts = [
        state,
        scene.person_name(fired.by),
        text.escape_line(fired.severity),
        text.clip(labels, MAX_LABELS_CHARS),
        *links,
    ]
    said = text.clip(text.escape_line(fired.title), MAX_ALERT_TITLE_CHARS)
    return words.alert(text.escape_line(fired.name), said, [fact for fact in facts if fact])
