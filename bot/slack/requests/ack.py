"""Slack waits three seconds for an acknowledgement: one that is given in time whatever else takes its time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import structlog

log = structlog.get_logger(__name__)

#: seconds after which it is given by itself
SOON = 2.6

Ack = Callable[..., Awaitable[Any]]


class Prompt:
    """An acknowledgement. `late` once it was given by itself: what a handler then says reaches people another way."""

    def __init__(self, ack: Ack) -> None:
        self._ack = ack
        self._giving: asyncio.Task[None] | None = None
        self.given = self.late = False

    async def __call__(self, **said: Any) -> None:
        """Acknowledge, unless that has happened."""
        if not self.given:
            self.given = True
            await self._ack(**said)

    def give(self, said: Mapping[str, Any]) -> None:
        """Acknowledge now, with this, if the handler has not."""
        if not self.given:
            log.warning("answer.slow", seconds=SOON)
            self.late = True
            self._giving = asyncio.create_task(self(**said))


def is_late(ack: Ack) -> bool:
    """Whether Slack has been answered already, with other words."""
    return isinstance(ack, Prompt) and ack.late


@contextlib.asynccontextmanager
async def prompt(ack: Ack, late: Mapping[str, Any]) -> AsyncIterator[Prompt]:
    """The acknowledgement for a handler; `late` is said when it has said nothing after SOON seconds."""
    one = Prompt(ack)
    timer = asyncio.get_running_loop().call_later(SOON, one.give, late)
    try:
        yield one
    finally:
        timer.cancel()
