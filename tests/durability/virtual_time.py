"""A loop whose time passes only when nobody has anything to do: a day of waiting takes no time, and every run of the
same script is the same run.

The database works outside, in threads or behind a socket. While it does (`outside`), time stands still; its answers
come in when the loop has nothing else to run, so that it does not matter how long they took.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import selectors
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

#: real seconds after which an answer from outside is not expected any more
PATIENCE = 30.0


class Stuck(Exception):
    """Nothing is left that could ever happen, and somebody still waits."""


class _Selector(selectors.DefaultSelector):
    """Asked by the loop how long it may sleep; it sleeps in virtual time."""

    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout <= 0:
            return []  # what is ready inside goes first
        if not self.loop.away:
            if timeout is None:
                raise Stuck("nobody can wake anybody any more")
            self.loop.pass_time(timeout)
            return super().select(0)
        ready = super().select(PATIENCE)
        if not ready:
            raise Stuck("the database does not answer")
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """`away`: how many calls are outside."""

    def __init__(self) -> None:
        self.away = 0
        self._seconds = 0.0
        self._thread = threading.get_ident()
        self._answers: queue.SimpleQueue[tuple[Callable[..., Any], tuple[Any, ...], Any]] = queue.SimpleQueue()
        selector = _Selector()
        selector.loop = self
        super().__init__(selector)
        self._bell, self._ear = socket.socketpair()
        self._ear.setblocking(False)
        self.add_reader(self._ear.fileno(), self._come_in)

    def time(self) -> float:
        return self._seconds

    def pass_time(self, seconds: float) -> None:
        """Let so many seconds pass at once; what was to happen meanwhile happens at their end."""
        self._seconds += seconds

    @contextlib.contextmanager
    def outside(self) -> Iterator[None]:
        """Something waits for a thread or a socket."""
        self.away += 1
        try:
            yield
        finally:
            self.away -= 1

    def call_soon_threadsafe(  # type: ignore[override]
        self, callback: Callable[..., Any], *args: Any, context: Any = None
    ) -> Any:
        if threading.get_ident() == self._thread:
            return self.call_soon(callback, *args, context=context)
        self._answers.put((callback, args, context))
        with contextlib.suppress(OSError):  # the loop is closed: nobody waits any more
            self._bell.send(b"!")
        return None

    def _come_in(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._ear.recv(4096)
        while not self._answers.empty():
            callback, args, context = self._answers.get()
            self.call_soon(callback, *args, context=context)

    async def shutdown_default_executor(self, *arguments: Any) -> None:
        with self.outside():
            await super().shutdown_default_executor(*arguments)

    def close(self) -> None:
        if not self.is_closed():
            self.remove_reader(self._ear.fileno())
            self._bell.close()
            self._ear.close()
        super().close()
