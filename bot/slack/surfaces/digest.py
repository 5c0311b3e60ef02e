"""The digest in the announcement channel: what is open and what is overdue. Nothing of private incidents."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC

from bot.domain.desired_message import DesiredMessage, MessageTarget, TargetKind
from bot.domain.incident import Incident
from bot.domain.statuses import standing
from bot.reports import overview
from bot.reports.overview import Overview
from bot.slack.surfaces import block_kit, text
from bot.slack.surfaces.messages.build import build_message
from bot.slack.surfaces.render_context import RenderEnvironment
from bot.slack.surfaces.words import digest as words

#: lines of a part that are shown; more would not be read
MAX_LINES = 15
#: characters of a title or an item in a line
MAX_TITLE_CHARS = 150


def render_digest(view: Overview, environment: RenderEnvironment) -> DesiredMessage | None:
    """The message of the day; None where there is nothing to say. Its key is for whoever posts it to give."""
    public = replace(
        view,
        open=[one for one in view.open if not one.private],
        ended=[one for one in view.ended if not one.private],
    )
    parts = _parts(public, environment)
    if not any(lines for _, lines in parts):
        return None
    today = view.now.astimezone(UTC).date()
    counts = [len(lines) for _, lines in parts]
    blocks = [block_kit.header(words.head(today))]
    for title, lines in parts:
        if lines:
            rest = [words.more(len(lines) - MAX_LINES)] if len(lines) > MAX_LINES else []
            blocks += block_kit.sections(title, [*lines[:MAX_LINES], *rest])
    place = MessageTarget(TargetKind.ANNOUNCEMENTS)
    said = words.summary(today, counts[0], counts[1], counts[2], counts[3])
    return build_message("digest", said, blocks, place=place, final=True)


def _parts(view: Overview, environment: RenderEnvironment) -> list[tuple[str, list[str]]]:
    def name(user: str) -> str:
        return text.person_name(user, environment.names) if user else ""

    opened = []
    for one in view.open:
        due = overview.next_due(one, view.policy)
        severity = view.policy.severity(one.severity).name
        when = words.next_update(text.when(due, view.now), due < view.now) if due else ""
        opened.append(
            words.open_line(one.name, severity, standing(one), _clip(one.title), name(one.lead), when, _channel(one))
        )
    postmortems = [
        words.postmortem_line(
            one.incident.name, _clip(one.incident.title), name(one.incident.lead), one.due_on, _channel(one.incident)
        )
        for one in overview.overdue_postmortems(view)
    ]
    tasks = [
        words.task_line(one.incident.name, _clip(one.task.text), name(one.task.assignee), one.due_on)
        for one in overview.overdue_tasks(view)
    ]
    runbooks = [
        words.runbook_line(_clip(one.title), one.reviewed, _clip(one.owner))
        for one in overview.runbooks_to_review(view)
    ]
    return [
        (words.OPEN, opened), (words.POSTMORTEMS, postmortems), (words.TASKS, tasks), (words.RUNBOOKS, runbooks),
    ]  # fmt: skip


def _clip(said: str) -> str:
    return text.clip(text.escape_line(said), MAX_TITLE_CHARS)


def _channel(incident: Incident) -> str:
    return f"<#{text.escape(incident.channel)}>" if incident.channel else ""
