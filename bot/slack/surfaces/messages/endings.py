"""Mitigated, resolved, reopened and the other turns, each with what follows; and who is told to rest."""

from __future__ import annotations

from collections.abc import Iterator

from bot.domain import events as e
from bot.domain.desired_message import DesiredMessage, MessageTarget, TargetKind
from bot.domain.incident import Incident, Status
from bot.domain.statuses import STATUS_AFTER, heading, turned
from bot.reports import statistics
from bot.slack.surfaces import block_kit, text
from bot.slack.surfaces.messages.build import build_message, mention_users
from bot.slack.surfaces.render_context import RenderContext
from bot.slack.surfaces.words import endings as words
from bot.slack.surfaces.words import labels


def status_changes(scene: RenderContext) -> Iterator[DesiredMessage]:
    """A message per turn; only the latest has buttons."""
    entries = [entry for entry in scene.incident.announced_entries if type(entry.event) in STATUS_AFTER]
    for entry in entries:
        if entry.event:
            yield _status_change(scene, entry.seq, entry.event, entry is entries[-1])


def _status_change(scene: RenderContext, seq: int, event: e.Event, latest: bool) -> DesiredMessage:
    who, when = scene.person_name(event.by), scene.when(event.at, event.at)
    buttons: list[block_kit.Element] = []
    if latest and not scene.incident.stood_down and not isinstance(event, e.Reopened):
        buttons = [scene.button(labels.STAND_DOWN, "stand-down", style="primary")]
    match event:
        case e.Mitigated():
            next = words.MITIGATED_NEXT.format(command=text.escape_line(scene.environment.command))
            lines = [words.mitigated(who, when, text.escape_line(event.note)), next]
            buttons += [scene.button(labels.HOLD, "hold"), scene.button(labels.RESOLVE, "resolve")]
        case e.Resolved():
            lines = resolution(scene, seq, event)
            buttons += [scene.button(labels.POSTMORTEM, "postmortem"), scene.button(labels.REOPEN, "reopen")]
        case e.Reopened():
            lines = [words.reopened(who, when, text.escape_line(event.reason))]
            buttons = [scene.button(labels.POST_UPDATE, "update")]
        case e.FalseAlarm():
            lines = [words.false_alarm(who, when, text.escape_line(event.reason))]
            buttons.append(scene.button(labels.REOPEN, "reopen"))
        case e.MarkedDuplicate():
            of = f"INC-{event.of}" + (f" <#{text.escape(event.of_channel)}>" if event.of_channel else "")
            lines = [words.duplicate(who, when, of)]
            buttons.append(scene.button(labels.REOPEN, "reopen"))
        case _:
            lines = []
    blocks = [block_kit.section("\n".join(text.clip(one, 1400) for one in lines))]
    if latest and buttons:
        blocks.append(block_kit.actions(*buttons))
    sentence = text.clip(lines[0].replace("*", "") if lines else "", 1000)
    return build_message(f"status:{seq}", f"{scene.incident.name}: {sentence}", blocks, numbered=seq, tells_status=True)


def resolution(scene: RenderContext, seq: int, event: e.Resolved) -> list[str]:
    """What and how long, how it ended, what was promised and kept; then the postmortem."""
    incident, end = scene.incident, statistics.ending(scene.incident, seq)
    took = statistics.ending_text(incident, end) if end else ""
    mitigated = statistics.mitigation_text(incident, end) if end else ""
    score = statistics.score_text(statistics.scorecard(incident, scene.policy, event.at, end))
    lines = [
        words.resolved(text.escape_line(incident.title), took, mitigated),
        words.resolution_note(scene.person_name(_ended_by(incident, event)), text.escape_line(event.note)),
        *([f"{score}."] if score else []),
    ]
    if event.override:
        sentences = dict(scene.policy.resolve_checks)
        still = [text.escape_line(sentences.get(one.name, one.name)) for one in event.checks if one.met != "yes"]
        second = scene.person_name(event.second) if event.second else ""
        lines.insert(2, words.overridden(still, text.clip(text.escape_line(event.override), 600), second))
    if event.postmortem_due:
        owner = mention_users(scene, (event.postmortem_owner,)) if event.postmortem_owner else ""
        lines.append(words.postmortem(owner, f"{event.postmortem_due:%a %Y-%m-%d}"))
    return lines


def _ended_by(incident: Incident, event: e.Resolved) -> str:
    """Whose words they are: where a second person agreed, the one who asked."""
    asked = [
        x.event for x in incident.announced_entries if isinstance(x.event, e.OverrideAsked) and x.event.at <= event.at
    ]
    return asked[-1].by if event.second and asked else event.by


def stand_downs(scene: RenderContext) -> Iterator[DesiredMessage]:
    """Everybody who was mentioned is told that they can rest: people directly, groups in the channel."""
    incident = scene.incident
    status = heading(Status.INVESTIGATING)
    for entry in incident.announced_entries:
        event = entry.event
        if event and type(event) in STATUS_AFTER:
            status = turned(event)
        if not isinstance(event, e.StoodDown):
            continue
        who, title = scene.person_name(event.by), "" if incident.private else text.escape_line(incident.title)
        said = words.stood_down(incident.name, title, status.lower(), who)
        standing = incident.stood_down
        for user in event.to:
            if user[:1] in ("U", "W"):
                key, place = f"stand-down:{entry.seq}:{user}", MessageTarget(TargetKind.PERSON, user)
                yield build_message(key, said, place=place, standing=standing, numbered=entry.seq)
        if groups := [id for id in event.to if id.startswith("S")]:
            yield build_message(
                f"stand-down:{entry.seq}", words.stood_down_groups(mention_users(scene, groups), who),
                standing=standing, numbered=entry.seq,
            )  # fmt: skip
