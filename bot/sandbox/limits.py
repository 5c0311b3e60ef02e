"""Rate limits: token buckets by the workspace's clock. Off unless asked for.

Tier numbers: docs "Rate limits" (T1 1+, T2 20+, T3 50+, T4 100+ calls a minute, per method, workspace and app);
posting is about one message a second a channel with short bursts allowed (five here; Slack names no number).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

PER_MINUTE = {1: 1, 2: 20, 3: 50, 4: 100, 0: 600}
"""Calls a minute by tier; 0 stands for the methods that Slack calls special and gives several hundred."""

POST_BURST = 5
POST_RATE = 1.0


@dataclass
class _Bucket:
    size: float
    rate: float
    left: float
    at: float

    def take(self, now: float) -> float:
        """Seconds to wait, 0 when the call may go ahead."""
        self.left = min(self.size, self.left + max(0.0, now - self.at) * self.rate)
        self.at = now
        if self.left >= 1.0:
            self.left -= 1.0
            return 0.0
        return (1.0 - self.left) / self.rate


@dataclass
class Limits:
    """`take` says how many whole seconds a call has to wait (0: go ahead)."""

    now: Callable[[], float]
    on: bool = False
    _buckets: dict[tuple[str, str], _Bucket] = field(default_factory=dict)

    def take(self, method: str, tier: int, channel: str = "") -> int:
        if not self.on:
            return 0
        if method == "chat.postMessage":
            wait = self._take(method, channel, POST_BURST, POST_RATE)
        else:
            size = PER_MINUTE[tier]
            wait = self._take(method, "", size, size / 60)
        return math.ceil(wait)

    def _take(self, method: str, key: str, size: float, rate: float) -> float:
        now = self.now()
        bucket = self._buckets.get((method, key))
        if bucket is None:
            bucket = self._buckets[method, key] = _Bucket(size, rate, size, now)
        return bucket.take(now)
