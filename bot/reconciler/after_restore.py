"""After a restore: what was done between the backup and now is not in the database, and may stand in Slack.

A message's id follows from its incident and its key. Keys of things in the backup are the same in both lives, so
such a message is looked for before it is sent for the first time. Those numbered after a later event are new.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bot.domain.effect import RESTORED, Effect, EffectKind, EffectState

#: calls that are looked for, and those that look by themselves where they were tried before
_LOOKED_FOR = frozenset({EffectKind.CHANNEL, EffectKind.MESSAGE, EffectKind.PUBLISH})
_TRIED = frozenset({EffectKind.BOOKMARK})


def mark_possibly_sent(effects: Mapping[str, Effect], fresh: Effect) -> Effect:
    """A call that was never made as far as is known; in doubt where an earlier life may have made it."""
    mark = effects.get(RESTORED)
    if mark is None or fresh.numbered > int(mark.hash):
        return fresh
    if fresh.kind in _LOOKED_FOR:
        return replace(fresh, state=EffectState.MISSING, started_at=mark.started_at, attempts=1, error=RESTORED)
    return replace(fresh, attempts=1) if fresh.kind in _TRIED else fresh


def known_hash(effect: Effect) -> str:
    """The hash of what a message that was found shows: unknown where an earlier life or several attempts sent it."""
    return "" if effect.error == RESTORED or effect.attempts > 1 else effect.hash
