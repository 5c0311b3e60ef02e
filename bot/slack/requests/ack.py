"""Slack waits three seconds for an acknowledgement: one that is given in time whatever else takes its time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import structlog

log = structlog.get_logger(__name__)

#: seconds after which it is given by itself
AUTO_ACK_AFTER_SECONDS = 2.6

Ack = Callable[..., Awaitable[Any]]


class DeadlineAck:
    """An acknowledgement. `auto_acked` once it was given by itself: what a handler then says reaches people another
    way.
    """

    def __init__(self, ack: Ack) -> None:
        self._ack = ack
        self._ack_task: asyncio.Task[None] | None = None
        self.acked = self.auto_acked = False

    async def __call__(self, **said: Any) -> None:
        """Acknowledge, unless that has happened."""
        if not self.acked:
            self.acked = True
            await self._ack(**said)

    def ack_now(self, said: Mapping[str, Any]) -> None:
        """Acknowledge now, with this, if the handler has not."""
        if not self.acked:
            log.warning("answer.slow", seconds=AUTO_ACK_AFTER_SECONDS)
            self.auto_acked = True
            self._ack_task = asyncio.create_task(self(**said))


def was_auto_acked(ack: Ack) -> bool:
    """Whether Slack has been answered already, with other words."""
    return isinstance(ack, DeadlineAck) and ack.auto_acked


@contextlib.asynccontextmanager
async def ack_before_deadline(ack: Ack, fallback: Mapping[str, Any]) -> AsyncIterator[DeadlineAck]:
    """The acknowledgement for a handler; `fallback` is said when it has said nothing after SOON seconds."""
    one = DeadlineAck(ack)
    timer = asyncio.get_running_loop().call_later(AUTO_ACK_AFTER_SECONDS, one.ack_now, fallback)
    try:
        yield one
    finally:
        timer.cancel()
