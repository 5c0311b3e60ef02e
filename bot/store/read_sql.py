"""The statements that read, and how rows become what the domain knows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache, reduce
from typing import Any

from sqlalchemy import ARRAY, BindParameter, RowMapping, Select, String, any_, bindparam, case, func, select

from bot.domain.desired_message import Surface
from bot.domain.effect import Effect, EffectKind, EffectState
from bot.domain.events import Entry, Redacted
from bot.domain.fold import evolve, fold
from bot.domain.incident import Incident, Status
from bot.store import codec
from bot.store.errors import Damaged
from bot.store.fold_cache import FoldedIncident
from bot.store.rows import DeliveryRow, IncidentRow, PersonRow
from bot.store.tables import deliveries, effects, events, incidents, people

_i, _e = incidents.c, events.c
_KINDS = frozenset(EffectKind)

#: what fell due no longer ago than this is attended in the order in which it fell due
RECENTLY_DUE = timedelta(minutes=1)

#: what tells whether a folded incident is still the latest
STATE = select(_i.team_id, _i.number, _i.declared_at, _i.seq, _i.head, _i.redactions).where(_i.id == bindparam("id"))
#: the same, and nobody else writes to this incident until the transaction ends (SQLite has one writer anyway)
STATE_TO_WRITE = STATE.add_columns(_i.lease_by).with_for_update()
TIMELINE = (
    select(_e.seq, _e.type, _e.at, _e.by_, _e.body, _e.mac).where(_e.incident_id == bindparam("id")).order_by(_e.seq)
)
TAIL = (
    select(_e.seq, _e.type, _e.at, _e.by_, _e.body, _e.mac)
    .where(_e.incident_id == bindparam("id"), _e.seq > bindparam("after"))
    .order_by(_e.seq)
)
#: the same of several incidents (PostgreSQL's arrays)
_IDS = bindparam("ids", type_=ARRAY(String))
STATES = select(_i.id, *STATE.selected_columns).where(_i.id == any_(_IDS))
TIMELINES = select(_e.incident_id, *TIMELINE.selected_columns).where(_e.incident_id == any_(_IDS)).order_by(_e.seq)
#: the same on either database
_IN_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
STATES_IN = select(_i.id, *STATE.selected_columns).where(_i.id.in_(_IN_IDS))
TIMELINES_IN = select(_e.incident_id, *TIMELINE.selected_columns).where(_e.incident_id.in_(_IN_IDS)).order_by(_e.seq)
EFFECTS_OF = select(effects).where(effects.c.incident_id == any_(_IDS)).order_by(effects.c.started_at, effects.c.key)
EFFECTS = select(effects).where(effects.c.incident_id == bindparam("id")).order_by(effects.c.started_at, effects.c.key)
PARKED = select(effects).where(effects.c.state == EffectState.PARKED.value).order_by(effects.c.started_at)
DELIVERY = select(deliveries).where(deliveries.c.team_id == bindparam("team"), deliveries.c.key == bindparam("key"))
FIND = select(_i.id).where(_i.team_id == bindparam("team"), _i.number == bindparam("number"))
#: the incidents of a group of alerts: those that are open, else the latest
ID_BY_ALERT_GROUP = (
    select(_i.id)
    .where(_i.team_id == bindparam("team"), _i.alert_group == bindparam("group"))
    .order_by(case((_i.status.in_([one.value for one in Status if one.open]), 0), else_=1), _i.number.desc())
    .limit(1)
)
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
COUNT_OPEN = select(func.count().label("open")).where(
    _i.team_id == bindparam("team"), _i.status.in_([one.value for one in Status if one.open]), _i.private.is_(False)
)


@lru_cache
def listing_open(worst: tuple[str, ...]) -> Select[Any]:
    """What is open, as these severities stand, the worst first, of each the latest first."""
    if not worst:
        return LISTING_OPEN
    places = {severity: place for place, severity in enumerate(worst)}
    return LISTING_OPEN.order_by(None).order_by(case(places, value=_i.severity, else_=len(worst)), _i.number.desc())


NEXT_DUE = select(_i.due_at).where(_i.due_at.is_not(None)).order_by(_i.due_at).limit(1)
NEXT_DUE_AFTER = select(_i.due_at).where(_i.due_at > bindparam("after")).order_by(_i.due_at).limit(1)
PERSON = select(people).where(people.c.team_id == bindparam("team"), people.c.user_id == bindparam("user"))
PEOPLE = select(people).where(people.c.team_id == bindparam("team")).order_by(people.c.user_id)


def order(worst: tuple[str, ...]) -> tuple[Any, ...]:
    """In which order what is due is attended: without `worst` the longest overdue first.

    With it as these severities stand. Of each, what fell due after the parameter `fresh` comes in order, so that a busy
    moment is fair. Then comes what is long past, the latest first.
    """
    if not worst:
        return (_i.due_at, _i.id)
    places = {severity: place for place, severity in enumerate(worst)}
    fresh = _i.due_at > bindparam("fresh")
    return (
        case(places, value=_i.severity, else_=len(worst)), case((fresh, 0), else_=1), case((fresh, _i.due_at)),
        _i.due_at.desc(), _i.id,
    )  # fmt: skip


def due_values(worst: tuple[str, ...], now: datetime) -> dict[str, Any]:
    """The parameters of that order."""
    return {"fresh": now - RECENTLY_DUE} if worst else {}


@lru_cache
def due(worst: tuple[str, ...]) -> Select[Any]:
    """What is due, in that order. Parameters: now, limit, and those of the order."""
    return select(_i.id).where(_i.due_at <= bindparam("now")).order_by(*order(worst)).limit(bindparam("limit"))


def entries(timeline: Sequence[RowMapping]) -> list[Entry]:
    """The events at their places. Of one whose body was redacted what the latest `Redacted` after it kept, or None."""
    kept: dict[int, str] = {}
    found: list[Entry] = []
    for row in reversed(timeline):
        body = kept.get(row["seq"]) if row["body"] is None else row["body"]
        event = None if body is None else codec.decode(row["type"], row["at"], row["by_"], body)
        if isinstance(event, Redacted):
            for one in event.kept:
                kept.setdefault(one.seq, one.body)
        found.append(Entry(row["seq"], event))
    return found[::-1]


def fold_rows(id: str, state: RowMapping, timeline: Sequence[RowMapping]) -> FoldedIncident:
    """The incident that these rows amount to. Raises Damaged where events are missing or cannot be read.

    `timeline` may go on after `state` was read: what is kept is as of `state`.
    """
    rows = timeline[: state["seq"]]
    if [row["seq"] for row in rows] != list(range(1, state["seq"] + 1)):
        raise Damaged(f"events are missing from incident {state['number']} ({id})")
    # of all rows: what an entry has kept may stand behind `state`
    incident = fold(state["team_id"], id, entries(timeline)[: len(rows)])
    return FoldedIncident(with_redacted_fields(incident, state), rows[-1]["mac"], state["head"], state["redactions"])


def usable_fold(known: FoldedIncident | None, state: RowMapping) -> FoldedIncident | None:
    """What a fold of now can go on from: events are only ever added, and a redaction is counted."""
    if known is None or known.redactions != state["redactions"] or known.incident.seq > state["seq"]:
        return None
    return known


def fold_more(known: FoldedIncident, state: RowMapping, tail: Sequence[RowMapping]) -> FoldedIncident:
    """The same as `fold_rows`, of the events after those that are known."""
    rows = tail[: state["seq"] - known.incident.seq]
    if [row["seq"] for row in rows] != list(range(known.incident.seq + 1, state["seq"] + 1)):
        raise Damaged(f"events are missing from incident {state['number']} ({known.incident.id})")
    incident = reduce(evolve, entries(tail)[: len(rows)], known.incident)
    return FoldedIncident(incident, rows[-1]["mac"] if rows else known.mac, state["head"], state["redactions"])


def with_redacted_fields(incident: Incident, state: RowMapping) -> Incident:
    """The incident with its number and hour, which stay known when its declaration was redacted."""
    if incident.declared_at is None:
        return replace(incident, number=state["number"], declared_at=state["declared_at"])
    return incident


def effects_of(rows: Iterable[RowMapping]) -> list[Effect]:
    """Effects as the domain knows them. A kind that only a newer program knows is left to that one."""
    return [effect(row) for row in rows if row["kind"] in _KINDS]


def effect(row: RowMapping) -> Effect:
    """An effect as the domain knows it."""
    told = {"state": EffectState(row["state"]), "kind": EffectKind(row["kind"]), "surface": Surface(row["surface"])}
    plain: dict[str, Any] = {**row, "team": row["team_id"], **told}
    del plain["team_id"]
    return Effect(**plain)


def listed(row: RowMapping) -> IncidentRow:
    """A line of a list."""
    plain: dict[str, Any] = {**row, "team": row["team_id"], "status": Status(row["status"])}
    del plain["team_id"]
    return IncidentRow(**plain)


def delivery(row: RowMapping) -> DeliveryRow:
    """A delivery that was acted on."""
    return DeliveryRow(row["team_id"], row["key"], row["incident_id"], row["answer"], row["at"])


def person(row: RowMapping) -> PersonRow:
    """A person of the cached directory."""
    return PersonRow(row["team_id"], row["user_id"], codec.read_plain(row["body"]), row["at"])
