"""How calls stand, written down: one row per incident and key, whether it was there or not.

Like `append_sql`, SQL that is text, made once: each reminder waits for it twice. On PostgreSQL the rows are a part of
another statement. So all of its calls are one way to the server, and none where that statement touches no row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ARRAY, BindParameter, Connection, bindparam, text

from bot.domain.effect import Effect
from bot.store.tables import effects

_NAMES = tuple(column.name for column in effects.c)
_INTO = f"INSERT INTO effects ({', '.join(_NAMES)})"
_CHANGED = ", ".join(f"{name} = excluded.{name}" for name in _NAMES if name not in ("team_id", "incident_id", "key"))
_KNOWN = f"ON CONFLICT (incident_id, key) DO UPDATE SET {_CHANGED}"
_ONE = text(f"{_INTO} VALUES ({', '.join(f':{name}' for name in _NAMES)}) {_KNOWN}").bindparams(
    *(bindparam(column.name, type_=column.type) for column in effects.c)
)

#: the parameters of `upsert_cte`
PARAMETERS: tuple[BindParameter[Any], ...] = tuple(
    bindparam(f"call_{column.name}", type_=ARRAY(column.type)) for column in effects.c
)


def upsert_cte(rows: str) -> str:
    """The part of a statement of PostgreSQL's that writes calls down if its part called `rows` has a row."""
    given = ", ".join(f":call_{name}" for name in _NAMES)
    # S608: names, and what stands above, are all that is put into it.
    return f"{_INTO} SELECT call.* FROM {rows}, unnest({given}) AS call ({', '.join(_NAMES)}) {_KNOWN}"  # noqa: S608


def array_values(calls: Sequence[Effect]) -> dict[str, list[Any]]:
    """Values for `PARAMETERS`."""
    rows = [_row(one) for one in calls]
    return {f"call_{name}": [row[name] for row in rows] for name in _NAMES}


def save_effects(connection: Connection, calls: Sequence[Effect]) -> None:
    """Write these down as they stand."""
    if calls:
        connection.execute(_ONE, [_row(one) for one in calls])


def _row(effect: Effect) -> dict[str, Any]:
    return {
        "team_id": effect.team, "incident_id": effect.incident_id, "key": effect.key,
        "id": effect.id, "kind": effect.kind.value, "state": effect.state.value, "channel": effect.channel,
        "ts": effect.ts, "thread_ts": effect.thread_ts, "hash": effect.hash, "attempts": effect.attempts,
        "started_at": effect.started_at, "next_try_at": effect.next_try_at, "error": effect.error,
        "surface": effect.surface.value, "lasting": effect.lasting, "final": effect.final,
        "numbered": effect.numbered, "rung": effect.rung,
    }  # fmt: skip
