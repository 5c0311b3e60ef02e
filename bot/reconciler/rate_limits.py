"""Slack's limits, per workspace, method and channel: who was told to wait waits, the others go on.

A limit is one of Slack's answers (429 with Retry-After: https://docs.slack.dev/apis/web-api/rate-limits), never a
guess of ours; only posting, which is limited to about one a second, keeps that pace for a while after such an answer.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta

Key = tuple[str, str, str]  # workspace, kind of call, channel

#: calls of one kind that are under way in one channel at most: keeps messages in order and bursts short
WIDE = 4
#: the pace of posting in a channel, for so long after Slack asked to wait
PACE, CAREFUL = timedelta(seconds=1), timedelta(minutes=1)


@dataclass
class _Gate:
    opens: datetime | None = None
    careful: datetime | None = None
    under_way: int = 0


@dataclass
class Gates:
    """All gates. Empty ones are let go."""

    _gates: dict[Key, _Gate] = field(default_factory=dict)
    _left: asyncio.Event = field(default_factory=asyncio.Event)

    def opens(self, key: Key, now: datetime) -> datetime | None:
        """When this kind of call is welcome again; None: now."""
        gate = self._gates.get(key)
        return gate.opens if gate and gate.opens and gate.opens > now else None

    def free(self, key: Key, now: datetime) -> bool:
        """Whether one more such call may be under way."""
        gate = self._gates.get(key)
        if gate is None:
            return True
        return gate.under_way < (1 if gate.careful and gate.careful > now else WIDE)

    def enter(self, key: Key) -> None:
        """Such a call begins."""
        self._gates.setdefault(key, _Gate()).under_way += 1

    def leave(self, key: Key, now: datetime) -> None:
        """It has ended; who waits for a place looks again."""
        self._left.set()
        self._left = asyncio.Event()
        gate = self._gates[key]
        gate.under_way -= 1
        if key[1] == "post" and gate.careful and gate.careful > now and not self.opens(key, now):
            gate.opens = now + PACE
        if not gate.under_way and not self.opens(key, now) and not (gate.careful and gate.careful > now):
            del self._gates[key]

    def left(self) -> asyncio.Event:
        """Set when the next call, of whatever kind, has ended. Taken before `free` is asked, so that none is missed."""
        return self._left

    def shut(self, key: Key, until: datetime) -> None:
        """Slack asks to wait until then."""
        gate = self._gates.setdefault(key, _Gate())
        gate.opens = max(until, gate.opens) if gate.opens else until
        gate.careful = gate.opens + CAREFUL
