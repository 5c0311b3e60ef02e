"""One bot works on a SQLite file at a time: two would each make all calls. Several share PostgreSQL, by leases."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
from pathlib import Path

from bot.store.errors import StoreRefused

#: seconds to wait for a bot that is stopping, and between two looks
LOCK_TIMEOUT_SECONDS, RETRY_SECONDS = 12.0, 0.1


class ProcessLock:
    """The lock file beside the database. The system gives it back however the process ends."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock: int | None = None

    async def acquire(self, patience: float = LOCK_TIMEOUT_SECONDS) -> None:
        """Be the only one; wait for one that is stopping. Raises StoreRefused while another one works on."""
        loop = asyncio.get_running_loop()
        until = loop.time() + patience
        while loop.time() < until:
            with contextlib.suppress(StoreRefused):
                self.acquire_nowait()
                return
            await asyncio.sleep(RETRY_SECONDS)
        self.acquire_nowait()

    def acquire_nowait(self) -> None:
        """The same without waiting."""
        handle = os.open(self._file.with_name(self._file.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise StoreRefused(
                f"Another bot works on {self._file}. Stop it first; several bots share a PostgreSQL database."
            ) from None
        self._lock = handle

    def release(self) -> None:
        """Let the next one work."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
