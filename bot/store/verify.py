"""What `bot verify` looks at: damage, which nothing of ours makes, and calls that are missing, which is no damage."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, func, select, text
from sqlalchemy.exc import DBAPIError

from bot.domain.effect import EffectState
from bot.store import audit
from bot.store.tables import effects, incidents, metadata, subject_effects

_i, _f, _w = incidents.c, effects.c, subject_effects.c

#: what an unfinished call belongs to, where it is of no incident
OF_WORKSPACE = "the workspace"
#: state -> how far a call is, as `verify` says it
UNFINISHED_TEXT = {
    EffectState.WAITING: "unsent",
    EffectState.SENDING: "under way, or cut off",
    EffectState.UNKNOWN: "outcome unknown",
    EffectState.MISSING: "outcome unknown",
    EffectState.PARKED: "parked",
}


@dataclass(frozen=True)
class UnfinishedEffect:
    """A call that did not end well yet: of which incident (or OF_WORKSPACE), what, since when, and why."""

    incident: str
    team: str
    key: str
    what: str
    since: datetime
    error: str


@dataclass(frozen=True)
class VerifyReport:
    """`damage`: a sentence each. `unfinished`: the oldest first."""

    damage: list[str] = field(default_factory=list)
    unfinished: list[UnfinishedEffect] = field(default_factory=list)


def verify_all(connection: Connection, key: bytes) -> VerifyReport:
    """Everything, at one moment. Reads all there is."""
    if broken := list(_pages(connection)):
        return VerifyReport(broken)  # nothing that is read from such a file says anything
    damage = [*audit.verify(connection, key), *_strays(connection), *_calls(connection)]
    return VerifyReport(damage, list(unfinished_effects(connection)))


def unfinished_effects(connection: Connection) -> Iterator[UnfinishedEffect]:
    """Calls that were begun, wait, or were given up: those of incidents, then those of workspaces."""
    states = [one.value for one in UNFINISHED_TEXT]
    of_incidents = (
        select(_i.number, _f.team_id, _f.key, _f.state, _f.started_at, _f.error)
        .join(incidents, _i.id == _f.incident_id)
        .where(_f.state.in_(states))
        .order_by(_f.started_at, _f.id)
    )
    for number, team, key, state, since, error in connection.execute(of_incidents):
        yield UnfinishedEffect(f"INC-{number}", team, key, UNFINISHED_TEXT[EffectState(state)], since, error)
    of_workspaces = (
        select(_w.team_id, _w.key, _w.state, _w.started_at, _w.error)
        .where(_w.state.in_(states))
        .order_by(_w.started_at, _w.id)
    )
    for team, key, state, since, error in connection.execute(of_workspaces):
        yield UnfinishedEffect(OF_WORKSPACE, team, key, UNFINISHED_TEXT[EffectState(state)], since, error)


def _pages(connection: Connection) -> Iterator[str]:
    """Whether SQLite's own structure holds; PostgreSQL looks after its own (data checksums, amcheck)."""
    if connection.dialect.name != "sqlite":
        return
    try:
        found = [str(row[0]) for row in connection.execute(text("PRAGMA quick_check(5)")).all()]
    except DBAPIError as error:
        found = [str(error.orig)]
    yield from (f"The file is damaged: {one}." for one in found if one != "ok")


def _strays(connection: Connection) -> Iterator[str]:
    """Rows whose parent is gone, on either database; of events the audit tells already."""
    for table in metadata.sorted_tables:
        for one in table.foreign_keys:
            if table.name == "events":
                continue
            parent = one.column
            alone = select(func.count()).select_from(table).where(one.parent.not_in(select(parent)))
            if count := connection.execute(alone).scalar_one():
                yield f"{count} rows of {table.name} belong to nothing in {parent.table.name}."


def _calls(connection: Connection) -> Iterator[str]:
    """Calls that this program cannot have written down so."""
    known = [one.value for one in EffectState]
    odd = select(_f.key, _f.incident_id).where(_f.state.not_in(known)).order_by(_f.id)
    for key, id in connection.execute(odd):
        yield f"Call {key} of incident {id} is in a state that does not exist."
    other = (
        select(_f.key, _f.incident_id)
        .join(incidents, _i.id == _f.incident_id)
        .where(_f.team_id != _i.team_id)
        .order_by(_f.id)
    )
    for key, id in connection.execute(other):
        yield f"Call {key} of incident {id} is in another workspace than its incident."
