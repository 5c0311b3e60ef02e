"""A workspace as something that is attended: when it is due, who attends it, and its calls. Rows of their own, so that
nothing here waits for a number or a declaration."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    RowMapping,
    bindparam,
    case,
    delete,
    func,
    literal,
    literal_column,
    or_,
    select,
    text,
    update,
)

from bot.domain.effect import Effect, EffectKind, EffectState
from bot.domain.errors import LeaseLost
from bot.domain.subject import SubjectKind, WorkspaceSubject, home_key, subject_id
from bot.store.lease_sql import LeaseSql
from bot.store.tables import subject_effects, subjects
from bot.store.timestamps import UtcTimestamp

_s, _f = subjects.c, subject_effects.c
_KINDS = frozenset(EffectKind)

SUBJECT = select(_s.team_id, _s.created_at, _s.seq, _s.due_at).where(
    _s.team_id == bindparam("team"), _s.kind == SubjectKind.WORKSPACE.value
)
DUE_TEAMS = select(_s.team_id).where(_s.due_at <= bindparam("now")).order_by(_s.due_at)
NEXT_DUE = select(_s.due_at).where(_s.due_at > bindparam("after")).order_by(_s.due_at).limit(1)
HOMES = select(_f.key).where(_f.team_id == bindparam("team"), _f.kind == EffectKind.HOME.value).limit(1)
PARKED = select(subject_effects).where(_f.state == EffectState.PARKED.value).order_by(_f.started_at, _f.key)
EFFECTS = select(subject_effects).where(_f.subject_id == bindparam("id")).order_by(_f.started_at, _f.key)

_ENSURE = text(
    "INSERT INTO subjects (id, team_id, kind, created_at, seq, due_at) VALUES (:id, :team, :kind, :now, 0, :now) "
    "ON CONFLICT (id) DO NOTHING"
).bindparams(bindparam("now", type_=UtcTimestamp()))
_NAMES = tuple(column.name for column in subject_effects.c)
_CHANGED = ", ".join(f"{name} = excluded.{name}" for name in _NAMES if name not in ("team_id", "subject_id", "key"))
_SAVE = text(
    # S608: names of columns are all that is put into it
    f"INSERT INTO subject_effects ({', '.join(_NAMES)}) VALUES ({', '.join(f':{name}' for name in _NAMES)}) "  # noqa: S608
    f"ON CONFLICT (subject_id, key) DO UPDATE SET {_CHANGED}"
).bindparams(*(bindparam(column.name, type_=column.type) for column in subject_effects.c))


def subject(row: RowMapping) -> WorkspaceSubject:
    """A workspace as the domain knows it."""
    return WorkspaceSubject(row["team_id"], row["created_at"], row["seq"], row["due_at"])


def effects_of(rows: Iterable[RowMapping]) -> list[Effect]:
    """Its calls as the domain knows them. A kind that only a newer program knows is left to that one."""
    return [_effect(row) for row in rows if row["kind"] in _KINDS]


def _effect(row: RowMapping) -> Effect:
    told = {"state": EffectState(row["state"]), "kind": EffectKind(row["kind"])}
    plain: dict[str, Any] = {**row, **told, "team": row["team_id"], "incident_id": row["subject_id"]}
    del plain["team_id"], plain["subject_id"]
    return Effect(**plain)


class SqlWorkspaceRows:
    """Workspaces within one transaction."""

    def __init__(self, connection: Connection, holder: LeaseSql | None) -> None:
        self._connection = connection
        #: this process, where several share the database
        self._holder = holder

    def touch(self, team: str, now: datetime) -> None:
        """The workspace is to be looked at, now; its row is made where it is not there yet."""
        values = {"id": subject_id(team), "team": team, "kind": SubjectKind.WORKSPACE.value, "now": now}
        self._connection.execute(_ENSURE, values)
        sooner = case((or_(_s.due_at.is_(None), _s.due_at > now), literal(now, UtcTimestamp())), else_=_s.due_at)
        changed = update(subjects).where(_s.id == subject_id(team)).values(seq=_s.seq + 1, due_at=sooner)
        self._connection.execute(changed)

    def open_home(self, team: str, user: str, now: datetime) -> None:
        """Somebody opened their Home: from now on it is kept up to date for a while."""
        self.touch(team, now)
        here = _f.subject_id == subject_id(team), _f.key == home_key(user)
        if self._connection.execute(select(_f.id).where(*here)).first() is None:
            id = str(uuid.uuid5(uuid.UUID(subject_id(team)), home_key(user)))
            fresh = Effect(
                id=id, team=team, incident_id=subject_id(team), key=home_key(user), kind=EffectKind.HOME,
                state=EffectState.WAITING, started_at=now, channel=user,
            )  # fmt: skip
            self._connection.execute(_SAVE, [_row(fresh)])
            return
        # one that was refused is tried again
        waiting = case((_f.state == EffectState.SENT.value, _f.state), else_=EffectState.WAITING.value)
        again = update(subject_effects).where(*here).values(started_at=now, state=waiting, next_try_at=None)
        self._connection.execute(again)

    def claim(self, team: str, seconds: float) -> bool:
        """Claim the workspace for so many seconds; False while another process attends it."""
        if self._holder is None:
            return True
        now: Any = func.clock_timestamp()
        until = now + literal_column(f"interval '{seconds:f} seconds'")
        free = or_(_s.lease_until.is_(None), _s.lease_until <= now, _s.lease_by == self._holder.owner)
        mine = update(subjects).where(_s.id == subject_id(team), free)
        claimed = self._connection.execute(mine.values(lease_by=self._holder.owner, lease_until=until))
        return claimed.rowcount == 1

    def save_effects(self, one: WorkspaceSubject, effects: Sequence[Effect]) -> None:
        """Write down how its calls stand. Raises LeaseLost where another process attends it by now."""
        self._fence(one)
        if effects:
            self._connection.execute(_SAVE, [_row(effect) for effect in effects])

    def finish(self, one: WorkspaceSubject, due_at: datetime | None, before: datetime) -> None:
        """Give it back, and look again at `due_at`, unless something was asked of it since. Messages of `before` are
        forgotten. Raises LeaseLost.
        """
        self._fence(one)
        due = case((_s.seq == one.seq, literal(due_at, UtcTimestamp())), else_=_s.due_at)
        given_back = update(subjects).where(_s.id == one.id).values(due_at=due, lease_by=None, lease_until=None)
        self._connection.execute(given_back)
        old = _f.subject_id == one.id, _f.kind == EffectKind.MESSAGE.value, _f.started_at < before
        self._connection.execute(delete(subject_effects).where(*old))

    def _fence(self, one: WorkspaceSubject) -> None:
        if self._holder is None:
            return
        held = select(_s.id).where(_s.id == one.id, _s.lease_by == self._holder.owner).with_for_update()
        if self._connection.execute(held).first() is None:
            raise LeaseLost(f"another process attends the workspace {one.team} by now")


def _row(effect: Effect) -> dict[str, Any]:
    return {
        "id": effect.id, "team_id": effect.team, "subject_id": effect.incident_id, "key": effect.key,
        "kind": effect.kind.value, "state": effect.state.value, "channel": effect.channel, "ts": effect.ts,
        "hash": effect.hash, "attempts": effect.attempts, "started_at": effect.started_at,
        "next_try_at": effect.next_try_at, "error": effect.error,
    }  # fmt: skip
