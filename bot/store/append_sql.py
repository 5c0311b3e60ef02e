"""What an act writes: the index row, which settles who was first; the events; and the key of the delivery, if one.

Where a process writes what time has made of an incident that it attends, the calls that follow are written with it. The
one place that is written for speed: every acknowledgement waits for it. So its SQL is text, made once. On SQLite it
goes to the driver, past SQLAlchemy, where each of the three statements would take ten times as long as SQLite itself.
On PostgreSQL, where each would be a way to the server, they are one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BindParameter, Connection, Integer, String, bindparam, text
from sqlalchemy.exc import IntegrityError

from bot.domain.effect import Effect
from bot.domain.errors import Conflict
from bot.store import effects_sql, timestamps
from bot.store.tables import incidents

#: tells the other processes that an incident changed, once this is committed
INCIDENT_CHANGED_CHANNEL = "incident_changed"

INDEXED = (
    "number", "channel", "status", "severity", "title", "private", "declared_at", "seq", "head", "alert_group",
    "due_at",
)  # fmt: skip
EVENT = ("seq", "type", "v", "at", "by_", "body", "salt", "digest", "mac")

# S608: nothing but the names above is put into these texts.
_INDEX = f"UPDATE incidents SET {', '.join(f'{one} = :{one}' for one in INDEXED)} WHERE id = :id AND head = :was"  # noqa: S608
_EVENTS = f"INSERT INTO events (incident_id, team_id, {', '.join(EVENT)}) "
_DELIVERY = "INSERT INTO deliveries (team_id, key, incident_id, answer, at) "

_NEW_EVENT = f"{_EVENTS} VALUES (:incident_id, :team_id, {', '.join(f':{name}' for name in EVENT)})"
_NEW_DELIVERY = f"{_DELIVERY} VALUES (:team_id, :delivery, :id, '', :delivered_at)"

_PARAMETERS: tuple[BindParameter[Any], ...] = (
    *(bindparam(name, type_=incidents.c[name].type) for name in INDEXED),
    *(bindparam(f"{name}s", type_=ARRAY(Integer if name in ("seq", "v") else String)) for name in EVENT),
    *(bindparam(name, type_=String()) for name in ("id", "was", "team_id", "told", "what")),
)
#: what is told goes out with the commit; a seq comes back for each event, none where somebody else wrote first
_TOLD = "RETURNING id, pg_notify(:told, :what)"
_NEW = f"""
    {_EVENTS} SELECT id, :team_id, new.*
    FROM indexed, unnest({", ".join(f":{name}s" for name in EVENT)}) AS new ({", ".join(EVENT)})
    RETURNING seq
"""  # noqa: S608
#: what people do
_DELIVERED = text(f"""
    WITH indexed AS ({_INDEX} {_TOLD}),
    delivered AS ({_DELIVERY} SELECT :team_id, :delivery, id, '', :delivered_at FROM indexed WHERE :delivery <> '')
    {_NEW}
""").bindparams(  # noqa: S608
    *_PARAMETERS, bindparam("delivery", type_=String()), bindparam("delivered_at", type_=incidents.c.due_at.type)
)
#: what time does, written by whoever holds the incident, with the calls that follow
_HELD = text(f"""
    WITH indexed AS ({_INDEX} AND lease_by = :held {_TOLD}), called AS ({effects_sql.upsert_cte("indexed")})
    {_NEW}
""").bindparams(*_PARAMETERS, bindparam("held", type_=String()), *effects_sql.PARAMETERS)


def append(
    connection: Connection, team: str, id: str, was: str, index: Mapping[str, Any], rows: Sequence[Mapping[str, Any]],
    delivery: tuple[str, datetime] | None, told: str, owed: Sequence[Effect] | None = None,
) -> None:  # fmt: skip
    """Write to an incident whose head is `was`: its index row, the rows of its new events, and the delivery's key and
    moment. `told`: who says so to the other processes. `owed`: calls that are written down with it; on PostgreSQL only
    by who holds the incident, and then there is no delivery.

    Raises Conflict where its head is another, the delivery was acted on already, or somebody else holds it.
    """
    try:
        if connection.dialect.name == "sqlite":
            _one_by_one(connection, team, id, was, index, rows, delivery)
        else:
            _together(connection, team, id, was, index, rows, delivery, told, owed)
    except (sqlite3.IntegrityError, IntegrityError):
        raise Conflict("somebody else wrote to this incident first, or acted on this delivery") from None
    if connection.dialect.name == "sqlite":
        effects_sql.save_effects(connection, owed or ())


def _one_by_one(
    connection: Connection, team: str, id: str, was: str, index: Mapping[str, Any], rows: Sequence[Mapping[str, Any]],
    delivery: tuple[str, datetime] | None,
) -> None:  # fmt: skip
    cursor: Any = connection.connection.cursor()
    moments = {name: _written(index[name]) for name in ("declared_at", "due_at")}
    if cursor.execute(_INDEX, {**index, **moments, "id": id, "was": was}).rowcount != 1:
        raise Conflict("somebody else wrote to this incident first")
    cursor.executemany(_NEW_EVENT, rows)
    if delivery is not None:
        key, at = delivery
        cursor.execute(_NEW_DELIVERY, {"team_id": team, "delivery": key, "id": id, "delivered_at": _written(at)})


def _together(
    connection: Connection, team: str, id: str, was: str, index: Mapping[str, Any], rows: Sequence[Mapping[str, Any]],
    delivery: tuple[str, datetime] | None, told: str, owed: Sequence[Effect] | None,
) -> None:  # fmt: skip
    values = {
        **index, **{f"{name}s": [row[name] for row in rows] for name in EVENT}, "id": id, "was": was, "team_id": team,
        "told": INCIDENT_CHANGED_CHANNEL, "what": f"{told}:{id}",
    }  # fmt: skip
    if owed is not None:
        found = connection.execute(_HELD, {**values, "held": told, **effects_sql.array_values(owed)}).first()
    else:
        key, at = delivery or ("", None)
        found = connection.execute(_DELIVERED, {**values, "delivery": key, "delivered_at": at}).first()
    if found is None:
        raise Conflict("somebody else wrote to this incident first")


def _written(at: datetime | None) -> str | None:
    return timestamps.to_text(at) if at is not None else None
