"""Calls that have ended in one way or another, made due again."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, or_, select, update

from bot.domain.effect import EffectKind, EffectState
from bot.domain.incident import Status
from bot.store.tables import effects, incidents, subject_effects, subjects

_i, _f, _s, _w = incidents.c, effects.c, subjects.c, subject_effects.c


def recheck_effect(connection: Connection, incident_id: str, key: str, now: datetime) -> None:
    """A call was made late, after somebody else had taken over: what stands there is looked at, and made anew."""
    known = (_f.incident_id == incident_id, _f.key == key, _f.state == EffectState.SENT.value)
    shows = update(effects).where(*known, _f.kind.in_((EffectKind.MESSAGE.value, EffectKind.TOPIC.value)))
    connection.execute(shows.values(hash="", next_try_at=now))
    _due(connection, incident_id, now)


def rearm(connection: Connection, now: datetime | None, team: str, channel: str) -> list[str]:
    """Let what was given up be tried at `now` (None: at once, whatever the bot's clock shows); the incidents' ids.

    Where a workspace or a channel is named, this holds only for what belongs to it. A call counts as given up until it
    is made.
    """
    which = [_f.state == EffectState.PARKED.value]
    if team:
        which.append(_f.team_id == team)
    if channel:
        which.append(_f.channel == channel)
    at: ColumnElement[datetime] | datetime = _i.declared_at if now is None else now
    ids = list(connection.execute(select(_f.incident_id).where(*which).distinct()).scalars())
    connection.execute(update(effects).where(*which).values(next_try_at=_f.started_at))
    for id in ids:
        _due(connection, id, at)
    _rearm_workspaces(connection, now, team, channel)
    return ids


def _rearm_workspaces(connection: Connection, now: datetime | None, team: str, channel: str) -> None:
    """The same of what belongs to a workspace and to no incident: its digest and its Homes."""
    which = [_w.state == EffectState.PARKED.value]
    if team:
        which.append(_w.team_id == team)
    if channel:
        which.append(_w.channel == channel)
    ids = list(connection.execute(select(_w.subject_id).where(*which).distinct()).scalars())
    connection.execute(update(subject_effects).where(*which).values(next_try_at=_w.started_at))
    at: ColumnElement[datetime] | datetime = _s.created_at if now is None else now
    later = or_(_s.due_at.is_(None), _s.due_at > at)
    connection.execute(update(subjects).where(_s.id.in_(ids)).values(seq=_s.seq + 1))
    connection.execute(update(subjects).where(_s.id.in_(ids), later).values(due_at=at))


def reconsider_open(
    connection: Connection, now: datetime, team: str, deleted_channels: Collection[str] = ()
) -> list[str]:
    """Look at every open incident of this workspace at `now`, and let what was given up there be tried; their ids.
    Their messages in `deleted_channels` count as never sent: they are gone with the channel."""
    is_open = _i.status.in_([one.value for one in Status if one.open])
    if deleted_channels:
        still_open = select(_i.id).where(_i.team_id == team, is_open, _i.channel.not_in(list(deleted_channels)))
        lost = (_f.team_id == team, _f.channel.in_(list(deleted_channels)), _f.kind == "message")
        unsent = {"state": EffectState.WAITING.value, "channel": "", "thread_ts": "", "ts": "", "hash": "",
                  "attempts": 0, "next_try_at": None, "error": ""}  # fmt: skip
        connection.execute(update(effects).where(*lost, _f.incident_id.in_(still_open)).values(unsent))
    rearmed = rearm(connection, now, team, "")
    ids = list(connection.execute(select(_i.id).where(_i.team_id == team, is_open)).scalars())
    for id in ids:
        _due(connection, id, now)
    return list(dict.fromkeys([*rearmed, *ids]))


def _due(connection: Connection, id: str, at: ColumnElement[datetime] | datetime) -> None:
    later = or_(_i.due_at.is_(None), _i.due_at > at)
    connection.execute(update(incidents).where(_i.id == id, later).values(due_at=at))
