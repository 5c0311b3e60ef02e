"""The blocks of one person's Home. Whoever asks has left out the incidents that the person may not see.

Only what is left out as too old depends on the present moment. A Home in which nothing happened looks the same
tomorrow, and is not published again.
"""

from __future__ import annotations

from datetime import datetime

from bot.domain import cadence
from bot.domain.desired_message import DesiredMessage, MessageTarget, TargetKind
from bot.domain.incident import Incident
from bot.domain.roles import ROLES
from bot.domain.statuses import how_ended, standing
from bot.domain.subject import home_key
from bot.reports import overview
from bot.reports.overview import Overview, Waiting, WaitingKind
from bot.slack.surfaces import block_kit, text
from bot.slack.surfaces.render_context import RenderEnvironment
from bot.slack.surfaces.words import home as words

#: lines of a part that are shown; more would not be read
MAX_LINES = 15
#: characters of a title or a task in a line
MAX_TITLE_CHARS = 150


def render_home(view: Overview, user: str, environment: RenderEnvironment) -> DesiredMessage:
    """What this person's Home should show."""
    declare = block_kit.button(
        words.DECLARE, "inc:declare-form", block_kit.encode_value(h=1), style="primary" if not view.open else ""
    )
    waiting = [_waiting(one, environment) for one in overview.waits_for(view, user)]
    opened = [_opened(one, environment) for one in view.open]
    ended = [_ended(one, environment) for one in view.ended]
    blocks = [block_kit.header(words.TITLE), block_kit.actions(declare)]
    blocks += block_kit.sections(words.WAITS, _shown(waiting, environment.command) or [words.NOTHING_WAITS])
    blocks += block_kit.sections(words.OPEN, _shown(opened, environment.command) or [words.NONE_OPEN])
    if ended:
        blocks += block_kit.sections(words.ENDED, _shown(ended, environment.command))
    blocks.append(block_kit.context(words.FOOT))
    place = MessageTarget(TargetKind.PERSON, user=user)
    return DesiredMessage(home_key(user), place, words.TITLE, tuple(blocks))


def _shown(lines: list[str], command: str) -> list[str]:
    return (
        lines
        if len(lines) <= MAX_LINES
        else [*lines[:MAX_LINES], words.more(len(lines) - MAX_LINES, text.escape_line(command))]
    )


def _waiting(one: Waiting, environment: RenderEnvironment) -> str:
    what = ROLES.get(one.what, one.what) if one.kind is WaitingKind.HANDOVER else one.what
    by = text.person_name(one.by, environment.names) if one.by else ""
    until = text.when(one.until, _last_at(one.incident, one.until)) if one.until else ""
    return words.waiting(one.kind, one.incident.name, _clip(what), by, until, one.due_on, _channel(one.incident))


def _opened(one: Incident, environment: RenderEnvironment) -> str:
    update, promise = cadence.next_update(one, environment.policy), cadence.promise_due(one)
    due = words.due_next(
        text.when(update, _last_at(one, update)) if update else "",
        update is not None and update <= _last_at(one, update),
        text.when(promise, _last_at(one, promise)) if promise else "",
    )
    severity = environment.policy.severity(one.severity).name
    lead = text.person_name(one.lead, environment.names) if one.lead else ""
    return words.opened(one.name, severity, standing(one), _clip(one.title), lead, due, _channel(one))


def _ended(one: Incident, environment: RenderEnvironment) -> str:
    assert one.ended_at is not None
    how = how_ended(one)
    when = text.when(one.ended_at, _last_at(one, one.ended_at))
    return words.ended(one.name, _clip(one.title), how, when, _postmortem(one, environment), _channel(one))


def _postmortem(one: Incident, environment: RenderEnvironment) -> str:
    if one.postmortem_file:
        return words.postmortem_shared(text.labelled_link(one.postmortem_link, words.POSTMORTEM))
    due = overview.postmortem_due(one, environment.policy)
    if one.postmortem is not None:
        return words.POSTMORTEM_WRITTEN
    return words.postmortem_due(due) if due else words.NO_POSTMORTEM


def _last_at(incident: Incident, otherwise: datetime) -> datetime:
    """The moment from which its times are seen: a line that nothing happened to does not change at midnight."""
    return incident.last_at or otherwise


def _clip(said: str) -> str:
    return text.clip(text.escape_line(said), MAX_TITLE_CHARS)


def _channel(incident: Incident) -> str:
    return f"<#{text.escape(incident.channel)}>" if incident.channel else ""
