"""A line to a server, in the ways in which lines fail.

    with Proxy(postgres18.upstream) as proxy:  # or `async with`
        store = Store.open(proxy.url(postgres18.create()), KEY)
        proxy.mode = "blackhole"

It runs in a thread of its own, so that a program which blocks its loop is served like any other.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from pathlib import Path
from types import TracebackType
from typing import Literal, get_args

from sqlalchemy import make_url

#: What happens to connections, to those there are as to those to come, from the moment on at which it is set.
Mode = Literal[
    "ok",  # what is said is passed on
    "latency",  # ... `delay` seconds later
    "slow",  # ... `rate` bytes a second
    "blackhole",  # nothing is passed on, nothing is closed; what was said meanwhile goes on with the next mode
    "mute",  # requests are passed on, answers wait: whoever gives up does not know what became of it
    "reset",  # cut with a RST
    "refuse",  # cut with a RST, and nobody listens any more
]


class Proxy:
    """Passes on what is said to `upstream`: a Unix socket, or host and port."""

    def __init__(self, upstream: Path | tuple[str, int], *, delay: float = 0.05, rate: int = 1000) -> None:
        self.delay, self.rate = delay, rate
        self.connections = 0  # so many were accepted
        self._upstream = upstream
        self._mode: Mode = "ok"
        self._changed = asyncio.Event()
        self._open: set[asyncio.StreamWriter] = set()
        self._pumps: set[asyncio.Task[None]] = set()
        self._handled: set[asyncio.Future[None]] = set()  # one for each connection, done when it is closed
        self._server: asyncio.Server | None = None
        self._port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    @property
    def mode(self) -> Mode:
        return self._mode

    @mode.setter
    def mode(self, mode: Mode) -> None:
        assert mode in get_args(Mode), mode
        asyncio.run_coroutine_threadsafe(self._turn(mode), self._loop).result(10)

    def url(self, database: str) -> str:
        """The way through the proxy to a database: its name, or its URL as `Postgres.create` gives it."""
        url = make_url(database if "://" in database else f"postgresql://nobody@/{database}")
        url = url.difference_update_query(["host"]).set(host="127.0.0.1", port=self._port)
        return url.render_as_string(hide_password=False)

    def __enter__(self) -> Proxy:
        self._thread.start()
        self.mode = "ok"
        return self

    def __exit__(self, *_: object) -> None:
        self.mode = "refuse"
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def __aenter__(self) -> Proxy:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__()

    async def _turn(self, mode: Mode) -> None:
        self._mode = mode
        self._changed.set()  # those who wait look again
        self._changed = asyncio.Event()
        if mode in ("reset", "refuse"):
            for task in self._pumps:
                task.cancel()
            for writer in self._open:
                _cut(writer)
            if self._handled:
                await asyncio.wait(self._handled)
        if mode == "refuse" and self._server is not None:
            self._server.close()
            self._server = None
        elif mode != "refuse" and self._server is None:
            self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._port)
            self._port = self._server.sockets[0].getsockname()[1]  # the same one ever after

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            if isinstance(self._upstream, Path):
                there = await asyncio.open_unix_connection(str(self._upstream))
            else:
                there = await asyncio.open_connection(*self._upstream)
        except OSError:  # the server is down
            _cut(writer)
            return
        ends = {writer, there[1]}
        if self._mode in ("reset", "refuse"):
            for end in ends:
                _cut(end)
            return
        self._open |= ends
        pumps = {
            asyncio.ensure_future(self._pump(reader, there[1], answers=False)),
            asyncio.ensure_future(self._pump(there[0], writer, answers=True)),
        }
        self._pumps |= pumps
        self._handled.add(handled := asyncio.get_running_loop().create_future())
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in pumps:
                task.cancel()
            for end in ends:
                end.close()
            self._open -= ends
            self._pumps -= pumps
            self._handled.discard(handled)
            handled.set_result(None)

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, *, answers: bool) -> None:
        try:
            while True:
                data = await source.read(65536)
                while self._mode == "blackhole" or (self._mode == "mute" and answers):
                    await self._changed.wait()
                if not data:  # the end of what is said is passed on as what was said before it
                    return
                if self._mode == "latency":
                    await asyncio.sleep(self.delay)
                while self._mode == "slow" and data:
                    part = max(1, self.rate // 20)
                    target.write(data[:part])
                    data = data[part:]
                    await asyncio.sleep(0.05)
                target.write(data)
                await target.drain()
        except OSError:
            return


def _cut(writer: asyncio.StreamWriter) -> None:
    """Close without the usual goodbye: the other side reads ECONNRESET."""
    raw = writer.get_extra_info("socket")
    if raw is not None and raw.family != socket.AF_UNIX:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
