"""One WebSocket of Socket Mode's, from its hello to its end: it hears envelopes and answers each where it came from.

Protocol: https://docs.slack.dev/apis/events-api/using-socket-mode
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
import structlog
from aiohttp import WSMsgType
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

log = structlog.get_logger(__name__)

_CLOSING_MESSAGE_TYPES = (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR)


@dataclass(frozen=True)
class ConnectionTimeouts:
    """How long things may take, in seconds of the event loop: a moved clock of the bot's does not move these."""

    #: from asking for an address to the hello on the new connection
    connect_seconds: float = 10.0
    #: without a word before we ask with a ping, and then without an answer before the connection counts as dead
    idle_seconds: float = 10.0
    #: for which a connection that has a successor goes on hearing, so that Slack can be the one that closes it:
    #: what crosses with a closing of ours is not acknowledged any more
    overlap_seconds: float = 15.0
    #: for answers that are under way when a connection is closed; Slack waits 3 seconds for them
    drain_seconds: float = 3.0
    #: for Slack's word on our closing; it often gives none
    close_seconds: float = 1.0
    #: between attempts: the first pause, doubled each time up to the longest
    first_backoff_seconds: float = 0.5
    max_backoff_seconds: float = 30.0
    #: between attempts where a person has to fix something first
    operator_backoff_seconds: float = 60.0
    #: after which a connection has proved itself; one that ends sooner, again and again, is not replaced at once
    stable_after_seconds: float = 10.0
    #: that `start` waits for the first connection before the bot goes on without one
    start_wait_seconds: float = 10.0


class NotConnected(Exception):
    """There is no connection: `code` is Slack's word for why, or ours; `retry_after_seconds` when Slack said when to
    ask again.
    """

    def __init__(self, code: str, seconds: float = 0.0, *, needs_operator: bool = False) -> None:
        super().__init__(code)
        self.code = code
        self.retry_after_seconds = seconds
        #: whether a person has to fix something before an attempt can succeed
        self.needs_operator = needs_operator


class SocketModeConnection:
    """An open WebSocket. `replacement_requested` is set when it wants a successor (`reason` says why), `closed` when it
    is gone.

    Between the two it goes on hearing: Slack warns some seconds before it closes a connection.
    """

    def __init__(
        self,
        app: AsyncApp,
        socket: aiohttp.ClientWebSocketResponse,
        session: aiohttp.ClientSession,
        times: ConnectionTimeouts,
    ) -> None:
        self._app = app
        self._socket = socket
        self._session = session
        self._times = times
        self._loop = asyncio.get_running_loop()
        self._hello: asyncio.Future[Mapping[str, Any]] = self._loop.create_future()
        self._answering: set[asyncio.Task[None]] = set()
        self._renewal: asyncio.TimerHandle | None = None
        self.replacement_requested = asyncio.Event()
        self.closed = asyncio.Event()
        self.reason = ""
        #: whether envelopes are taken; one that is not taken is not acknowledged, and Slack sends events again
        self.accepts_envelopes = True
        self.opened = self._loop.time()
        #: when a successor is due at the latest, by the loop's time
        self.replacement_due_at = self.opened
        #: called when it has ended
        self.on_close: Callable[[], None] = lambda: None
        self.receive_task = asyncio.create_task(self._receive_and_close(), name="socket")

    async def wait_for_hello(self) -> float:
        """Wait for Slack's hello. Returns for how long Slack means to keep the connection, in seconds; 0: unknown.

        Raises NotConnected where Slack says something else, or closes.
        """
        greeting = await asyncio.shield(self._hello)
        about = greeting.get("debug_info")
        life = about.get("approximate_connection_time") if isinstance(about, Mapping) else None
        return float(life) if isinstance(life, int | float) and life > 0 else 0.0

    def replace_at(self, until: float) -> None:
        """Ask for a successor at this moment of the loop's time, should nothing else come before."""
        self.replacement_due_at = until
        self._renewal = self._loop.call_at(until, self.request_replacement, "aged")

    def request_replacement(self, reason: str) -> None:
        """Ask for a successor; the first reason counts."""
        if not self.replacement_requested.is_set():
            self.reason = reason
            self.replacement_requested.set()

    async def drain_and_close(self, overlap_seconds: float = 0.0) -> None:
        """Close in order: hear on for `overlap_seconds` at most, take nothing new, acknowledge what was taken,
        close.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(overlap_seconds):
                await self.closed.wait()
        self.accepts_envelopes = False
        if self._answering:
            await asyncio.wait(set(self._answering), timeout=self._times.drain_seconds)
        if not self.closed.is_set():
            self.receive_task.cancel()
        await asyncio.wait([self.receive_task])

    # -- hearing --------------------------------------------------------------------------------------

    async def _receive_and_close(self) -> None:
        reason = "closed"
        try:
            reason = await self._receive_until_closed()
        except (OSError, TimeoutError, aiohttp.ClientError, RuntimeError) as error:
            log.warning("socket.broken", error=type(error).__name__)
        finally:
            self.closed.set()
            self.on_close()
            self.request_replacement(reason)
            if not self._hello.done():
                self._hello.set_exception(NotConnected(self.reason))
                self._hello.exception()  # whoever waits for the hello may have gone meanwhile
            if self._renewal is not None:
                self._renewal.cancel()
            if self._answering:
                await asyncio.wait(set(self._answering), timeout=self._times.drain_seconds)
            with contextlib.suppress(TimeoutError, OSError, aiohttp.ClientError, RuntimeError):
                async with asyncio.timeout(self._times.close_seconds):
                    await self._socket.close()
            await self._session.close()

    async def _receive_until_closed(self) -> str:
        """Hear until the end; why it came. Not aiohttp's own heartbeat: it knows only of pongs, this of any word."""
        asked = False
        while True:
            try:
                message = await self._socket.receive(timeout=self._times.idle_seconds)
            except TimeoutError:
                if asked:
                    return "silent"
                asked = True
                async with asyncio.timeout(self._times.idle_seconds):
                    await self._socket.ping()
                continue
            asked = False
            if message.type is WSMsgType.TEXT:
                self._on_message(message.data)
            elif message.type is WSMsgType.PING:
                await self._socket.pong(message.data)
            elif message.type in _CLOSING_MESSAGE_TYPES:
                return "closed"

    def _on_message(self, text: str) -> None:
        try:
            message = json.loads(text)
        except (ValueError, RecursionError):
            return
        if not isinstance(message, dict):
            return
        kind = message.get("type")
        if kind == "hello":
            if not self._hello.done():
                self._hello.set_result(message)
        elif kind == "disconnect":
            self.request_replacement(str(message.get("reason") or "refresh_requested"))
            if not self._hello.done():
                self._hello.set_exception(NotConnected(self.reason))
        elif "envelope_id" in message and self.accepts_envelopes:
            task = asyncio.create_task(self._handle_envelope(message), name="envelope")
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)

    # -- answering ------------------------------------------------------------------------------------

    async def _handle_envelope(self, envelope: Mapping[str, Any]) -> None:
        """Dispatch one envelope and acknowledge it here; without an acknowledgement Slack sends an event again."""
        try:
            headers: dict[str, str | Sequence[str]] = {
                f"x-slack-retry-{name}": str(envelope[key])
                for name, key in (("num", "retry_attempt"), ("reason", "retry_reason"))
                if envelope.get(key)
            }
            request = AsyncBoltRequest(mode="socket_mode", body=envelope.get("payload") or {}, headers=headers)
            answer = await self._app.async_dispatch(request)
            if answer.status != 200:
                log.warning("socket.unanswered", status=answer.status)
                return
            await self._socket.send_str(json.dumps({"envelope_id": envelope["envelope_id"], **_payload(answer)}))
        except (OSError, aiohttp.ClientError) as error:
            # It is done, and Slack does not know: an event comes again, its key is known, and it is answered then.
            log.warning("socket.lost_answer", error=type(error).__name__)
        except Exception as error:
            log.error("socket.failed", exc_info=error)


def _payload(answer: BoltResponse) -> dict[str, Any]:
    """What goes along with an acknowledgement, as slack_bolt's own adapter sends it."""
    if not answer.body:
        return {}
    kind = (answer.headers.get("content-type") or [""])[0]
    return {"payload": json.loads(answer.body) if kind.startswith("application/json") else {"text": answer.body}}
