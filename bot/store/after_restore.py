"""What a restored database cannot know: what the bot did in Slack after the backup was taken.

Nothing is taken for certainly undone. Each incident that still matters gets a mark. The bot then looks in Slack for
each call that seems to be missing, by the id that it has whoever makes it, before it makes the call
(`reconciler/after_restore.py`). What stands there is edited until it shows what the timeline says again.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, or_, select, update

from bot.domain.effect import RESTORED, EffectKind, EffectState
from bot.domain.incident import Status
from bot.store import timestamps
from bot.store.tables import effects, events, incidents

_i, _f = incidents.c, effects.c

_IN_DOUBT = (EffectState.SENDING, EffectState.UNKNOWN, EffectState.MISSING)
_NOT_MADE = (EffectState.WAITING, EffectState.PARKED)
#: ids in one statement
_IDS_PER_STATEMENT = 500


def mark_restored(connection: Connection) -> int:
    """Let the reconciler look before it acts, at once; how many incidents it looks at."""
    unsettled = select(_f.incident_id).where(_f.state.in_([*_IN_DOUBT, *_NOT_MADE]))
    alive = select(_i.id, _i.team_id, _i.seq, _i.declared_at).where(
        or_(_i.status.in_([one.value for one in Status if one.open]), _i.due_at.is_not(None), _i.id.in_(unsettled))
    )
    found = connection.execute(alive).all()
    for start in range(0, len(found), _IDS_PER_STATEMENT):
        some = found[start : start + _IDS_PER_STATEMENT]
        ids = [row.id for row in some]
        _doubt(connection, ids)
        last = _last(connection, ids)
        connection.execute(delete(effects).where(_f.incident_id.in_(ids), _f.key == RESTORED))
        connection.execute(
            insert(effects),
            [
                {
                    "id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{row.id}/{RESTORED}")), "team_id": row.team_id,
                    "incident_id": row.id, "key": RESTORED, "kind": EffectKind.RESTORED.value,
                    "state": EffectState.SENT.value,
                    "channel": "", "ts": "", "thread_ts": "", "hash": str(row.seq), "attempts": 0, "error": "",
                    "started_at": last.get(row.id, row.declared_at),
                }
                for row in some
            ],
        )  # fmt: skip
        connection.execute(update(incidents).where(_i.id.in_(ids)).values(due_at=_i.declared_at))
    return len(found)


def _doubt(connection: Connection, ids: Collection[str]) -> None:
    ours = _f.incident_id.in_(ids)
    waiting = _f.state.in_([one.value for one in _NOT_MADE])
    # Never begun as far as is known: without a row it is begun, and looked for, from the start.
    connection.execute(
        delete(effects).where(
            ours, waiting, _f.ts == "", _f.kind.in_((EffectKind.MESSAGE.value, EffectKind.PUBLISH.value))
        )
    )
    doubtful = or_(
        _f.state.in_([one.value for one in _IN_DOUBT]),
        (_f.state == EffectState.WAITING.value) & (_f.kind == EffectKind.CHANNEL.value),
        waiting & (_f.kind == EffectKind.FILE.value) & (_f.ts != ""),
    )
    looked_for = {"state": EffectState.MISSING.value, "error": RESTORED, "attempts": 1, "next_try_at": None}
    connection.execute(update(effects).where(ours, doubtful).values(looked_for))
    shown = (_f.state == EffectState.SENT.value) & (
        (_f.kind == EffectKind.TOPIC.value) | ((_f.kind == EffectKind.MESSAGE.value) & (_f.ts != "") & ~_f.final)
    )
    connection.execute(update(effects).where(ours, shown).values(hash=""))


def _last(connection: Connection, ids: Collection[str]) -> dict[str, datetime]:
    """When something was last written of each: what is not known was done after that."""
    of = events.c.incident_id
    rows = connection.execute(select(of, func.max(events.c.at)).where(of.in_(ids)).group_by(of)).all()
    return {id: timestamps.from_text(at) for id, at in rows}
