"""Rate limits: token buckets by the workspace's clock. Off unless asked for (`LocalSlack(strict=True)`).

Figures: docs "Rate limits" (docs/slack-rules.md, SR-RAT). Slack promises at least these numbers and counts in ways that
it does not tell. Here a bucket holds a minute's worth and fills evenly, and a refused call costs nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

PER_MINUTE = {1: 1, 2: 20, 3: 50, 4: 100, 0: 600}
"""Calls a minute by tier: SR-RAT-01, SR-RAT-02, SR-RAT-03; 0 stands for what Slack calls special (SR-RAT-04)."""

MAX_POST_BURST = 5  # SR-RAT-05
POSTS_PER_SECOND = 1.0
POSTS_PER_MINUTE = 300  # SR-RAT-08


@dataclass
class _Bucket:
    size: float
    rate: float
    left: float
    at: float

    def wait(self, now: float) -> float:
        """Seconds to wait, 0 when the call may go ahead."""
        self.left = min(self.size, self.left + max(0.0, now - self.at) * self.rate)
        self.at = now
        # A hair's breadth for the rounding of a clock that counts from 1970.
        return 0.0 if self.left >= 1.0 - 1e-6 else (1.0 - self.left) / self.rate


@dataclass
class RateLimits:
    """`take` says how many whole seconds a call has to wait, 0: go ahead (SR-RAT-07)."""

    now: Callable[[], float]
    on: bool = False
    _buckets: dict[tuple[str, str, str], _Bucket] = field(default_factory=dict)

    def take(self, method: str, tier: int, channel: str = "", team: str = "") -> int:
        """Count one call of a method in a workspace (SR-RAT-06)."""
        if not self.on:
            return 0
        if method == "chat.postMessage":
            in_channel = self._bucket((team, method, channel), MAX_POST_BURST, POSTS_PER_SECOND)
            in_all = self._bucket((team, method, ""), POSTS_PER_MINUTE, POSTS_PER_MINUTE / 60)
            buckets = [in_channel, in_all] if channel else [in_all]
        else:
            size = PER_MINUTE[tier]
            buckets = [self._bucket((team, method, ""), size, size / 60)]
        wait = max(bucket.wait(self.now()) for bucket in buckets)
        if wait > 0:
            return math.ceil(wait)
        for bucket in buckets:
            bucket.left -= 1.0
        return 0

    def _bucket(self, key: tuple[str, str, str], size: float, rate: float) -> _Bucket:
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = _Bucket(size, rate, size, self.now())
        return bucket
