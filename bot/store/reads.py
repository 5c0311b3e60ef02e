"""The statements that read, and how rows become what the domain knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import RowMapping, bindparam, select

from bot.domain.effect import Effect, EffectState
from bot.domain.events import Entry
from bot.domain.fold import fold
from bot.domain.incident import Incident, Status
from bot.store import codec
from bot.store.folded import Folded
from bot.store.refused import Damaged
from bot.store.rows import Delivery, IncidentRow, Person
from bot.store.tables import deliveries, effects, events, incidents, people

_i, _e = incidents.c, events.c

#: what tells whether a folded incident is still the latest
STATE = select(_i.team_id, _i.number, _i.declared_at, _i.seq, _i.head, _i.redactions).where(_i.id == bindparam("id"))
TIMELINE = (
    select(_e.seq, _e.type, _e.at, _e.by_, _e.body, _e.mac).where(_e.incident_id == bindparam("id")).order_by(_e.seq)
)
EFFECTS = select(effects).where(effects.c.incident_id == bindparam("id")).order_by(effects.c.started_at, effects.c.key)
PARKED = select(effects).where(effects.c.state == EffectState.PARKED.value).order_by(effects.c.started_at)
DELIVERY = select(deliveries).where(deliveries.c.team_id == bindparam("team"), deliveries.c.key == bindparam("key"))
FIND = select(_i.id).where(_i.team_id == bindparam("team"), _i.number == bindparam("number"))
BY_CHANNEL = (
    select(_i.id)
    .where(_i.team_id == bindparam("team"), _i.channel == bindparam("channel"))
    .order_by(_i.number.desc())
    .limit(1)
)
_LISTED = (
    select(
        _i.id, _i.team_id, _i.number, _i.title, _i.severity, _i.status, _i.private, _i.channel, _i.declared_at,
        _i.seq, _i.due_at,
    )
    .where(_i.team_id == bindparam("team"))
    .order_by(_i.number.desc())
    .limit(bindparam("limit"))
)  # fmt: skip
LISTING = _LISTED
LISTING_OPEN = _LISTED.where(_i.status.in_([one.value for one in Status if one.open]))
DUE = select(_i.id).where(_i.due_at <= bindparam("now")).order_by(_i.due_at).limit(bindparam("limit"))
NEXT_DUE = select(_i.due_at).where(_i.due_at.is_not(None)).order_by(_i.due_at).limit(1)
PERSON = select(people).where(people.c.team_id == bindparam("team"), people.c.user_id == bindparam("user"))
PEOPLE = select(people).where(people.c.team_id == bindparam("team")).order_by(people.c.user_id)


def entry(row: RowMapping) -> Entry:
    """An event at its place; None for one whose body was redacted."""
    if row["body"] is None:
        return Entry(row["seq"], None)
    return Entry(row["seq"], codec.decode(row["type"], row["at"], row["by_"], row["body"]))


def folded(id: str, state: RowMapping, timeline: Sequence[RowMapping]) -> Folded:
    """The incident that these rows amount to. Raises Damaged where events are missing or cannot be read.

    `timeline` may go on after `state` was read: what is kept is as of `state`.
    """
    rows = timeline[: state["seq"]]
    if [row["seq"] for row in rows] != list(range(1, state["seq"] + 1)):
        raise Damaged(f"events are missing from incident {state['number']} ({id})")
    incident = fold(state["team_id"], id, map(entry, rows))
    return Folded(restored(incident, state), rows[-1]["mac"], state["head"], state["redactions"])


def restored(incident: Incident, state: RowMapping) -> Incident:
    """The incident with its number and hour, which stay known when its declaration was redacted."""
    if incident.declared_at is None:
        return replace(incident, number=state["number"], declared_at=state["declared_at"])
    return incident


def effect(row: RowMapping) -> Effect:
    """An effect as the domain knows it."""
    plain: dict[str, Any] = {**row, "team": row["team_id"], "state": EffectState(row["state"])}
    del plain["team_id"]
    return Effect(**plain)


def listed(row: RowMapping) -> IncidentRow:
    """A line of a list."""
    plain: dict[str, Any] = {**row, "team": row["team_id"], "status": Status(row["status"])}
    del plain["team_id"]
    return IncidentRow(**plain)


def delivery(row: RowMapping) -> Delivery:
    """A delivery that was acted on."""
    return Delivery(row["team_id"], row["key"], row["incident_id"], row["answer"], row["at"])


def person(row: RowMapping) -> Person:
    """A person of the cached directory."""
    return Person(row["team_id"], row["user_id"], codec.read_plain(row["body"]), row["at"])
