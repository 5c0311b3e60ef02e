"""Socket Mode connections that hold: several at once, each replaced before it goes.

Not slack_sdk's client: that one closes a connection before it opens the next, answers on whichever is newest, and goes
on with an address that no longer serves (docs/design.md). Here nothing outlives a failure: every attempt asks for a new
address, in an HTTP session of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Iterable
from dataclasses import dataclass

import aiohttp
import structlog
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.ports import CallRefused, OutcomeUnknown, RetryAfter
from bot.slack.inbound.connection import ConnectionTimeouts, NotConnected, SocketModeConnection
from bot.slack.outbound.web_api import api_call

log = structlog.get_logger(__name__)

#: Slack's or our word for why nothing is connected -> what it means, and what a person does about it
DISCONNECT_ADVICE = {
    "link_disabled": "Socket Mode is switched off for this app; switch it on in the app's settings",
    "socket_mode_not_enabled": "Socket Mode is switched off for this app; switch it on in the app's settings",
    "too_many_websockets": "the app has as many connections as Slack allows; "
    "run fewer replicas or set SOCKET_CONNECTIONS lower",
    "invalid_auth": "Slack does not know SLACK_APP_TOKEN; make an app-level token in the app's settings and set it",
    "not_authed": "Slack does not know SLACK_APP_TOKEN; make an app-level token in the app's settings and set it",
    "token_revoked": "SLACK_APP_TOKEN was revoked; make an app-level token in the app's settings and set it",
    "account_inactive": "SLACK_APP_TOKEN is of an app that is gone; make an app-level token of this one and set it",
    "not_allowed_token_type": "SLACK_APP_TOKEN is no app-level token; those begin with xapp-",
    "missing_scope": "SLACK_APP_TOKEN lacks the scope connections:write; make one that has it",
    "no_answer": "Slack does not answer; check the network and SLACK_API_URL",
    "silent": "the last connection fell silent; check the network",
    "unexpected": "Slack's answer was not understood; the log has the kind of error",
    # What ends a connection is no reason why there is none: the next is being opened.
    **dict.fromkeys(("closed", "warning", "refresh_requested", "aged"), "a new connection is being opened"),
}
#: disconnects after which a new connection would be refused as well
_NO_RECONNECT_REASONS = frozenset({"link_disabled", "too_many_websockets"})


def disconnect_advice(code: str) -> str:
    """What a person reads about a code; "" for none."""
    return DISCONNECT_ADVICE.get(code, f"Slack's word: {code}") if code else ""


@dataclass(frozen=True)
class SocketModeStatus:
    """How many connections there are of those wanted; `disconnected_seconds` since there was one, None while there
    is.
    """

    connected: int
    wanted: int
    disconnected_seconds: float | None = None
    code: str = ""

    @property
    def problem(self) -> str:
        """What /readyz says; "" while a connection stands."""
        if self.disconnected_seconds is None:
            return ""
        reason = disconnect_advice(self.code)
        return f"slack: not connected for {self.disconnected_seconds:.0f} s" + (f"; {reason}" if reason else "")


def staggered_replacement(now: float, life: float, others: Iterable[float], apart: float) -> float:
    """When a connection opened now is replaced: at the end of its life, or earlier, `apart` from the others' ends.

    All in seconds. Connections that opened together would otherwise go together.
    """
    ends = list(others)
    end = now + life
    while clashing := [other for other in ends if abs(end - other) < apart * 0.99]:
        if min(clashing) - apart <= now:
            break  # more of them than a life has room for
        end = min(clashing) - apart
    return end


class SocketModePool:
    """Keeps `connections` WebSockets to Slack, each in a place of its own that is never given up."""

    def __init__(
        self, app: AsyncApp, app_token: str, api_url: str, connections: int = 2, times: ConnectionTimeouts | None = None
    ) -> None:
        self._app = app
        self._token = app_token
        self._api_url = api_url
        self._wanted = connections
        self._times = times or ConnectionTimeouts()
        self._connections: set[SocketModeConnection] = set()
        self._slot_tasks: list[asyncio.Task[None]] = []
        self._finishing: set[asyncio.Task[None]] = set()
        self._start_decided = asyncio.Event()
        self._disconnected_at = 0.0
        self._code = ""

    async def start(self) -> None:
        """Connect; returns with the first connection, or once it is clear that there will be none for now."""
        self._disconnected_at = asyncio.get_running_loop().time()
        self._slot_tasks = [
            asyncio.create_task(self._keep_slot_connected(), name=f"place {n}") for n in range(self._wanted)
        ]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._times.start_wait_seconds):
                await self._start_decided.wait()

    async def stop(self) -> None:
        """Take nothing more, acknowledge what was taken, close. Slack gives what comes meanwhile to other replicas."""
        for connection in self._connections:
            connection.accepts_envelopes = False
        for place in self._slot_tasks:
            place.cancel()
        await asyncio.gather(*self._slot_tasks, return_exceptions=True)
        self._slot_tasks = []
        await asyncio.gather(*(connection.drain_and_close() for connection in list(self._connections)))
        await asyncio.gather(*self._finishing)

    @property
    def connected(self) -> int:
        """How many connections stand, those that have a successor already among them."""
        return sum(not connection.closed.is_set() for connection in self._connections)

    def status(self) -> SocketModeStatus:
        """For /readyz: the connections, and since when there is none."""
        if connected := self.connected:
            return SocketModeStatus(connected, self._wanted)
        return SocketModeStatus(0, self._wanted, asyncio.get_running_loop().time() - self._disconnected_at, self._code)

    # -- one place ------------------------------------------------------------------------------------

    async def _keep_slot_connected(self) -> None:
        """Keep one place taken: open, wait until the connection asks for a successor, open that, let the old one go."""
        times = self._times
        old: SocketModeConnection | None = None
        failed = short = 0
        while True:
            try:
                new = await self._connect()
            except NotConnected as problem:
                failed += 1
                self._note(problem)
                await _sleep_or_until_closed(self._pause(problem, failed), old)
                continue
            failed = 0
            if old is not None and not old.closed.is_set():
                self._close_replaced(old)
            await new.replacement_requested.wait()
            log.info("socket.leaving", reason=new.reason, connected=self.connected)
            old = new
            self._code = new.reason
            if new.reason in _NO_RECONNECT_REASONS:
                await asyncio.sleep(_jittered(times.operator_backoff_seconds))
                continue
            # Two may be short-lived in a row; after that Slack is not asked in a loop.
            lived = asyncio.get_running_loop().time() - new.opened
            short = 0 if lived >= times.stable_after_seconds else short + 1
            if short > 2:
                await _sleep_or_until_closed(_jittered(self._doubled(short - 2)), None)

    def _pause(self, problem: NotConnected, failed: int) -> float:
        """Seconds until the next attempt: as Slack says, long where a person has to act, else longer each time."""
        if problem.retry_after_seconds:
            return problem.retry_after_seconds + _jittered(self._times.first_backoff_seconds)
        if problem.needs_operator or problem.code in _NO_RECONNECT_REASONS:
            return _jittered(self._times.operator_backoff_seconds)
        return _jittered(self._doubled(failed))

    def _doubled(self, count: int) -> float:
        return min(self._times.max_backoff_seconds, self._times.first_backoff_seconds * 2.0 ** min(count - 1, 16))

    def _note(self, problem: NotConnected) -> None:
        self._code = problem.code
        if problem.needs_operator or problem.code in _NO_RECONNECT_REASONS:
            self._start_decided.set()
        log.warning("socket.refused", code=problem.code, connected=self.connected)

    def _close_replaced(self, old: SocketModeConnection) -> None:
        task = asyncio.create_task(old.drain_and_close(self._times.overlap_seconds), name="finishing")
        self._finishing.add(task)
        task.add_done_callback(self._finishing.discard)

    # -- opening --------------------------------------------------------------------------------------

    async def _connect(self) -> SocketModeConnection:
        """A new connection after its hello. Raises NotConnected, and nothing of the address, which is a secret."""
        times = self._times
        session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=times.connect_seconds))
        connection: SocketModeConnection | None = None
        try:
            async with asyncio.timeout(times.connect_seconds):
                client = AsyncWebClient(
                    token=self._token, base_url=self._api_url, session=session, retry_handlers=[], timeout=60
                )
                answer = await api_call(client, "apps.connections.open")
                socket = await session.ws_connect(
                    str(answer["url"]),
                    autoping=False,
                    timeout=aiohttp.ClientWSTimeout(ws_close=times.close_seconds),
                    proxy=client.proxy,
                    ssl=client.ssl if client.ssl is not None else True,
                )
                connection = SocketModeConnection(self._app, socket, session, times)
                life = await connection.wait_for_hello()
        except BaseException as error:
            await (session.close() if connection is None else connection.drain_and_close())
            raise _as_not_connected(error) from None
        self._register(connection, life)
        return connection

    def _register(self, connection: SocketModeConnection, life: float) -> None:
        if life:
            ends = [other.replacement_due_at for other in self._connections if not other.replacement_requested.is_set()]
            apart = life / (2 * self._wanted)
            connection.replace_at(staggered_replacement(connection.opened, life, ends, apart))
        self._connections.add(connection)
        connection.on_close = self._on_connection_closed
        connection.receive_task.add_done_callback(lambda _: self._connections.discard(connection))
        self._start_decided.set()
        log.info("socket.connected", connected=self.connected, wanted=self._wanted)

    def _on_connection_closed(self) -> None:
        if not self.connected:
            self._disconnected_at = asyncio.get_running_loop().time()


def _as_not_connected(error: BaseException) -> BaseException:
    """An error of an attempt as NotConnected; what is not an attempt's stays what it is."""
    match error:
        case CallRefused():
            return NotConnected(error.code, needs_operator=True)
        case RetryAfter():
            return NotConnected("ratelimited" if error.seconds else "no_answer", error.seconds)
        case aiohttp.WSServerHandshakeError():
            return NotConnected(f"http_{error.status}")
        case OutcomeUnknown() | TimeoutError() | OSError() | aiohttp.ClientError() | KeyError() | ValueError():
            return NotConnected("no_answer")
        case Exception():
            # A place is never given up, whatever Slack sends; the message may hold the address.
            log.error("socket.unexpected", error=type(error).__name__)
            return NotConnected("unexpected")
        case _:
            return error


async def _sleep_or_until_closed(seconds: float, old: SocketModeConnection | None) -> None:
    """Wait; shorter where an old connection still stands, and goes: its place is empty then, and free at Slack's."""
    if old is None or old.closed.is_set():
        await asyncio.sleep(seconds)
        return
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await old.closed.wait()


def _jittered(seconds: float) -> float:
    # Replicas that lost Slack together do not come back together.
    return seconds * (0.5 + random.random() / 2)
