"""Slack's limits, per workspace, method and channel: who was told to wait waits, the others go on.

A limit is one of Slack's answers (429 with Retry-After: https://docs.slack.dev/apis/web-api/rate-limits), never a
guess of ours. Slack limits posting to about one message a second. So after such an answer the bot keeps that pace for a
while, in posting only.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.reconciler.plan import Call

Key = tuple[str, str, str]  # workspace, kind of call, channel

#: calls of one kind that are under way in one channel at most: keeps messages in order and bursts short
MAX_CALLS_IN_FLIGHT = 4
#: the pace of posting in a channel, for so long after Slack asked to wait
POST_INTERVAL, PACED_PERIOD = timedelta(seconds=1), timedelta(minutes=1)


@dataclass
class _RateLimit:
    retry_at: datetime | None = None
    paced_until: datetime | None = None
    in_flight: int = 0


@dataclass
class RateLimits:
    """All gates. Empty ones are let go."""

    _gates: dict[Key, _RateLimit] = field(default_factory=dict)
    _left: asyncio.Event = field(default_factory=asyncio.Event)

    def retry_at(self, key: Key, now: datetime) -> datetime | None:
        """When this kind of call is welcome again; None: now."""
        gate = self._gates.get(key)
        return gate.retry_at if gate and gate.retry_at and gate.retry_at > now else None

    def has_capacity(self, key: Key, now: datetime) -> bool:
        """Whether one more such call may be under way."""
        gate = self._gates.get(key)
        if gate is None:
            return True
        return gate.in_flight < (1 if gate.paced_until and gate.paced_until > now else MAX_CALLS_IN_FLIGHT)

    def acquire(self, key: Key) -> None:
        """Such a call begins."""
        self._gates.setdefault(key, _RateLimit()).in_flight += 1

    def release(self, key: Key, now: datetime) -> None:
        """It has ended; who waits for a place looks again."""
        self._left.set()
        self._left = asyncio.Event()
        gate = self._gates[key]
        gate.in_flight -= 1
        _, call, _ = key
        if call == Call.POST and gate.paced_until and gate.paced_until > now and not self.retry_at(key, now):
            gate.retry_at = now + POST_INTERVAL
        if not gate.in_flight and not self.retry_at(key, now) and not (gate.paced_until and gate.paced_until > now):
            del self._gates[key]

    def next_release(self) -> asyncio.Event:
        """Set when the next call, of whatever kind, has ended. Taken before `has_capacity` is asked, so that none is
        missed.
        """
        return self._left

    def block_until(self, key: Key, until: datetime) -> None:
        """Slack asks to wait until then."""
        gate = self._gates.setdefault(key, _RateLimit())
        gate.retry_at = max(until, gate.retry_at) if gate.retry_at else until
        gate.paced_until = gate.retry_at + PACED_PERIOD
