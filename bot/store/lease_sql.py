"""A process among several that share a database, and the statements by which it holds incidents."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Integer,
    String,
    any_,
    bindparam,
    func,
    literal_column,
    not_,
    or_,
    select,
    text,
    update,
)

from bot.store import effects_sql, read_sql
from bot.store.tables import incidents

_i = incidents.c


def _held(row: str) -> Any:
    """A statement about an incident that `owner` holds, its key and the calls that are written down with it."""
    return text(f"WITH held AS ({row}), called AS ({effects_sql.upsert_cte('held')}) SELECT seq FROM held").bindparams(  # noqa: S608
        bindparam("key", type_=String()), bindparam("by", type_=String()), *effects_sql.PARAMETERS
    )


_MINE = "WHERE id = :key AND lease_by = :by"
_DUE = "UPDATE incidents SET due_at = CASE WHEN seq = :was THEN :due_at ELSE due_at END"
_FREE = ", ".join(f"{name} = CASE WHEN seq = :was THEN NULL ELSE {name} END" for name in ("lease_by", "lease_until"))
_AT = (bindparam("was", type_=Integer()), bindparam("due_at", type_=_i.due_at.type))
#: the fence and the next moment in one; it stays as it is where something has happened since
SAVE_AND_SET_DUE = _held(f"{_DUE} {_MINE} RETURNING seq").bindparams(*_AT)
#: and it is given back
SAVE_SET_DUE_AND_RELEASE = _held(f"{_DUE}, {_FREE} {_MINE} RETURNING seq").bindparams(*_AT)
#: the fence alone
SAVE_FENCED = _held(f"SELECT seq FROM incidents {_MINE} FOR UPDATE")  # noqa: S608


class LeaseSql:
    """A process among several that share a database: `owner` names it, its leases last so many seconds."""

    def __init__(self, by: str, lasts: float) -> None:
        self.owner = by
        self.lease_seconds = lasts
        # By the database's clock, so that no two machines need agree on the time.
        now: ColumnElement[datetime] = func.clock_timestamp()
        #: whether an incident is free, or its own already
        self.is_claimable = or_(_i.lease_until.is_(None), _i.lease_until <= now, _i.lease_by == by)
        #: what claiming writes
        self.lease_values: dict[str, Any] = {
            "lease_by": by, "lease_until": now + literal_column(f"interval '{lasts:f} seconds'"),
        }  # fmt: skip
        # Made once: making a statement takes longer than PostgreSQL takes to run it.
        one, mine = _i.id == bindparam("key"), _i.lease_by == by
        self.claim = update(incidents).where(one, self.is_claimable).values(self.lease_values)
        self.renew = update(incidents).where(mine).values(self.lease_values).returning(_i.id)
        self.release = update(incidents).where(one, mine).values(lease_by=None, lease_until=None)
        #: what nobody holds and is due from `after` to `until`, the soonest first
        soon = (
            select(_i.id)
            .where(
                _i.due_at > bindparam("after"), _i.due_at <= bindparam("until"), _i.lease_by.is_distinct_from(by),
                or_(_i.lease_until.is_(None), _i.lease_until <= now),
            )
            .order_by(_i.due_at)
            .limit(bindparam("most"))
            .with_for_update(skip_locked=True)
            .cte()
        )  # fmt: skip
        self.claim_upcoming = (
            update(incidents).where(_i.id.in_(select(soon.c.id))).values(self.lease_values).returning(_i.id, _i.due_at)
        )
        self._leases: dict[tuple[str, ...], Any] = {}

    def claim_due(self, worst: tuple[str, ...]) -> Any:
        """Claims what is due, in the order of `read_sql.order`. Parameters: due, most, but, and those of the order."""
        if worst not in self._leases:
            free = (
                select(_i.id)
                .where(
                    _i.due_at <= bindparam("due"),
                    not_(_i.id == any_(bindparam("but", type_=ARRAY(String)))),
                    self.is_claimable,
                )
                .order_by(*read_sql.order(worst))
                .limit(bindparam("most"))
                .with_for_update(skip_locked=True)
                .cte()  # evaluated once: as a plain subquery PostgreSQL may claim more than the limit
            )
            claimed = update(incidents).where(_i.id.in_(select(free.c.id))).values(self.lease_values)
            self._leases[worst] = claimed.returning(_i.id, _i.due_at, _i.severity)
        return self._leases[worst]
