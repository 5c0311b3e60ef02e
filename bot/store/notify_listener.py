"""Hears from PostgreSQL which incidents other processes have changed, so that nobody has to ask all the time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import structlog
from sqlalchemy import URL

from bot.store import postgres
from bot.store.append_sql import INCIDENT_CHANGED_CHANNEL
from bot.store.transaction import PEOPLE_CHANGED_CHANNEL

log = structlog.get_logger(__name__)

#: seconds between two looks whether the connection still answers, and between two tries to open it. A link that is cut
#: silently is noticed within LOOK and a statement's time: so long may what is remembered of others' acts be old.
PING_INTERVAL_SECONDS, RECONNECT_SECONDS = 5.0, 1.0


class NotifyListener:
    """Listens from `start` to `stop`. `heard` gets the id of each incident that somebody else has changed, `learned`
    that of each team whose people somebody else has learned anew."""

    def __init__(
        self, url: URL, holder: str, heard: Callable[[str], None], learned: Callable[[str], None],
        on_gap: Callable[[], None], *, look: float = PING_INTERVAL_SECONDS, again: float = RECONNECT_SECONDS,
    ) -> None:  # fmt: skip
        self._url = url
        self._holder = holder
        self._told = {INCIDENT_CHANGED_CHANNEL: heard, PEOPLE_CHANGED_CHANNEL: learned}
        self._on_gap = on_gap
        self._look, self._again = look, again
        self._task: asyncio.Task[None] | None = None
        #: whether everything that is committed is heard of
        self.is_listening = False
        #: whether it has heard anything since it said that it does not
        self._listened = True

    def start(self) -> None:
        self._task = asyncio.create_task(self._listen(), name="hearing")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _listen(self) -> None:
        while True:
            try:
                await self._while_connected()
            except Exception as error:  # whatever it was: it listens again
                if self._listened:  # once, not at every try to come back
                    log.warning("store.deaf", error=type(error).__name__)
                self._listened = False
            self.is_listening = False
            # What happened meanwhile was not heard: nothing that is remembered can be trusted.
            self._on_gap()
            await asyncio.sleep(self._again)

    async def _while_connected(self) -> None:
        engine = postgres.single_connection_engine(self._url, "AUTOCOMMIT")
        try:
            async with asyncio.timeout(postgres.CONNECT_TIMEOUT_SECONDS + postgres.STATEMENT_TIMEOUT_SECONDS):
                connection = await engine.connect()
            raw: Any = (await connection.get_raw_connection()).driver_connection
            gone = asyncio.Event()
            raw.add_termination_listener(lambda _: gone.set())
            try:
                for channel in self._told:
                    async with asyncio.timeout(postgres.STATEMENT_TIMEOUT_SECONDS):
                        await raw.add_listener(channel, self._tell)
                self.is_listening = self._listened = True
                self._on_gap()
                while True:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(self._look):
                            await gone.wait()
                    async with asyncio.timeout(postgres.STATEMENT_TIMEOUT_SECONDS):
                        await raw.execute("SELECT 1")
            finally:
                self.is_listening = False
                raw.terminate()  # a goodbye could wait for ever
                await connection.close()
        finally:
            await engine.dispose()

    def _tell(self, _connection: Any, _pid: int, channel: str, what: str) -> None:
        who, _, id = what.partition(":")
        if who != self._holder:
            self._told[channel](id)
