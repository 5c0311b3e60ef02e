"""Socket Mode: tickets, connections, envelopes and their acknowledgements (docs: "Using Socket Mode")."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from typing import Any

from aiohttp import WSMsgType, web

from localslack.clock import WorkspaceClock
from localslack.records import Json

MAX_CONNECTIONS = 10
"""SR-SOC-01: connections an app may hold at once."""

TICKET_SECONDS = 30.0  # SR-SOC-03
CONNECTION_SECONDS = 18_060.0  # SR-SOC-08
WARNING_SECONDS = 10.0
GRACE_SECONDS = 1.0
"""Real time that a connection stays open after it was asked to be renewed, so that its successor can come first."""


class Sockets:
    """The app's open WebSocket connections. Each envelope goes to one of them, in turn."""

    def __init__(self, clock: WorkspaceClock, app_id: str) -> None:
        self.clock = clock
        self.app_id = app_id
        self._tickets: dict[str, float] = {}
        self._connections: list[web.WebSocketResponse] = []
        self._waiting: dict[str, tuple[web.WebSocketResponse, asyncio.Future[Any]]] = {}
        self._turn = 0
        self._arrived = asyncio.Event()
        self.on_change: list[Any] = []
        self.renew_after: float | None = None
        self._transports: dict[web.WebSocketResponse, asyncio.Transport] = {}
        self._leaving: set[web.WebSocketResponse] = set()
        self._renewals: set[asyncio.Task[None]] = set()

    @property
    def connected(self) -> int:
        return len(self._connections)

    def new_ticket(self) -> str:
        """A ticket for one connection, good for half a minute."""
        now = self.clock.now()
        self._tickets = {ticket: until for ticket, until in self._tickets.items() if until > now}
        ticket = secrets.token_hex(16)
        self._tickets[ticket] = now + TICKET_SECONDS
        return ticket

    def expire_tickets(self) -> None:
        """Make every ticket that was given out and not used worthless."""
        self._tickets.clear()

    async def wait_connected(self, timeout: float = 10.0) -> None:
        """Return once a program is connected; TimeoutError after `timeout` real seconds."""
        await asyncio.wait_for(self._arrived.wait(), timeout)

    async def accept(self, request: web.Request) -> web.StreamResponse:
        """The WebSocket endpoint."""
        until = self._tickets.pop(request.query.get("ticket", ""), 0.0)  # SR-SOC-02
        if until <= self.clock.now():
            return web.Response(status=404, text="ticket unknown, used or expired")
        socket = web.WebSocketResponse(max_msg_size=1 << 20)
        await socket.prepare(request)
        if len(self._connections) >= MAX_CONNECTIONS:
            await self._say_goodbye(socket, "too_many_websockets")
            return socket
        self._connections.append(socket)
        if request.transport is not None:
            self._transports[socket] = request.transport
        await socket.send_json(self._hello())  # SR-SOC-07
        renewal = None if self.renew_after is None else asyncio.create_task(self._renew(socket, self.renew_after))
        if renewal is not None:
            self._renewals.add(renewal)
            renewal.add_done_callback(self._renewals.discard)
        self._arrived.set()
        self._changed()
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._take(message.data)
        finally:
            if renewal is not None:
                renewal.cancel()
            self._drop(socket)
        return socket

    async def _renew(self, socket: web.WebSocketResponse, after: float) -> None:
        """Warn a connection that it gets old, and then ask for a new one, by the workspace's clock (SR-SOC-08)."""
        end = self.clock.now() + after
        # It may be gone already when its time comes.
        with contextlib.suppress(ConnectionError):
            await self.clock.until(end - WARNING_SECONDS)
            await self._tell_to_go(socket, "warning")
            await self.clock.until(end)
            self._leaving.add(socket)
            await self._tell_to_go(socket, "refresh_requested")
            await asyncio.sleep(GRACE_SECONDS)
            await socket.close()

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self._connections),
            "debug_info": {"host": "applink-sandbox", "build_number": 1, "approximate_connection_time": 18060},
            "connection_info": {"app_id": self.app_id},
        }

    def _take(self, raw: str) -> None:
        try:
            ack = json.loads(raw)
        except ValueError:
            return
        if not isinstance(ack, dict):
            return
        _, waiting = self._waiting.pop(str(ack.get("envelope_id")), (None, None))
        if waiting is not None and not waiting.done():
            waiting.set_result(ack.get("payload"))

    def _drop(self, socket: web.WebSocketResponse) -> None:
        self._leaving.discard(socket)
        self._transports.pop(socket, None)
        if socket in self._connections:
            self._connections.remove(socket)
        if not self._connections:
            self._arrived.clear()
        for envelope_id, (owner, waiting) in list(self._waiting.items()):
            if owner is socket:
                del self._waiting[envelope_id]
                if not waiting.done():
                    waiting.set_exception(ConnectionResetError("the connection was closed"))
        self._changed()

    def _changed(self) -> None:
        for listener in self.on_change:
            listener()

    async def send(self, kind: str, payload: Json, more: Json) -> Any:
        """Send one envelope to one connection (SR-SOC-04) and return its acknowledgement's payload.

        ConnectionError where nobody is connected. The caller limits the wait.
        """
        if not self._connections:
            raise ConnectionResetError("nobody is connected")
        # Who was asked to leave gets nothing more, as soon as there is another.
        open_ones = [each for each in self._connections if each not in self._leaving] or self._connections
        self._turn += 1
        socket = open_ones[self._turn % len(open_ones)]
        envelope_id = secrets.token_hex(16)
        waiting: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[envelope_id] = (socket, waiting)
        try:
            await socket.send_str(json.dumps({"envelope_id": envelope_id, "type": kind, "payload": payload, **more}))
            return await waiting
        finally:
            self._waiting.pop(envelope_id, None)

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """SR-SOC-05: tell every connection to go (`warning` only warns; the other reasons close it)."""
        for socket in list(self._connections):
            await self._say_goodbye(socket, reason)

    async def _tell_to_go(self, socket: web.WebSocketResponse, reason: str) -> None:
        await socket.send_json({"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-sandbox"}})

    async def _say_goodbye(self, socket: web.WebSocketResponse, reason: str) -> None:
        await self._tell_to_go(socket, reason)
        if reason != "warning":
            await socket.close()

    async def stop(self) -> None:
        for renewal in list(self._renewals):
            renewal.cancel()
        await self.cut()

    def tear(self) -> None:
        """Break the connection whose turn it is, as a failing network does: no closing handshake."""
        if self._connections:
            socket = self._connections[(self._turn + 1) % len(self._connections)]
            transport = self._transports.get(socket)
            if transport is not None:
                transport.abort()
            self._drop(socket)

    async def cut(self) -> None:
        """Close every connection without a word."""
        for socket in list(self._connections):
            await socket.close(code=1001)
