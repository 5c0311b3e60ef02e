"""After a restore: what was done between the backup and now is not in the database, and may stand in Slack.

A message's id follows from its incident and its key. Keys of things in the backup are the same in both lives, so
such a message is looked for before it is sent for the first time. Keys with the number of a later event are new.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from bot.domain.effect import RESTORED, Effect, EffectState

#: calls that are looked for, and those that look by themselves where they were tried before
_LOOKED_FOR, _TRIED = frozenset({"channel", "message", "publish"}), frozenset({"bookmark"})
#: the number of the event that made a message necessary; these have other numbers in their keys
_NUMBER = re.compile(r":(\d+)(?=:|$)")
_UNNUMBERED = ("reminder:", "runbook:", "section:", "step:")


def mark_possibly_sent(effects: Mapping[str, Effect], fresh: Effect) -> Effect:
    """A call that was never made as far as is known; in doubt where an earlier life may have made it."""
    mark = effects.get(RESTORED)
    if mark is None or _later(fresh.key, int(mark.hash)):
        return fresh
    if fresh.kind in _LOOKED_FOR:
        return replace(fresh, state=EffectState.MISSING, started_at=mark.started_at, attempts=1, error=RESTORED)
    return replace(fresh, attempts=1) if fresh.kind in _TRIED else fresh


def _later(key: str, seq: int) -> bool:
    """Whether the key belongs to an event after that one."""
    return not key.startswith(_UNNUMBERED) and any(int(number) > seq for number in _NUMBER.findall(key))


def known_hash(effect: Effect) -> str:
    """The hash of what a message that was found shows: unknown where an earlier life or several attempts sent it."""
    return "" if effect.error == RESTORED or effect.attempts > 1 else effect.hash
