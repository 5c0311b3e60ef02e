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

from bot.ports import NotDone, TryLater, Unsure
from bot.slack.inbound.connection import Connection, NotConnected, Times
from bot.slack.outbound.room import call

log = structlog.get_logger(__name__)

#: Slack's or our word for why nothing is connected -> what it means, and what a person does about it
WHY = {
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
_NO_USE = frozenset({"link_disabled", "too_many_websockets"})


def why(code: str) -> str:
    """What a person reads about a code; "" for none."""
    return WHY.get(code, f"Slack's word: {code}") if code else ""


@dataclass(frozen=True)
class Standing:
    """How many connections there are of those wanted; `gone` seconds since there was one, None while there is."""

    connected: int
    wanted: int
    gone: float | None = None
    code: str = ""

    @property
    def problem(self) -> str:
        """What /readyz says; "" while a connection stands."""
        if self.gone is None:
            return ""
        reason = why(self.code)
        return f"slack: not connected for {self.gone:.0f} s" + (f"; {reason}" if reason else "")


def staggered(now: float, life: float, others: Iterable[float], apart: float) -> float:
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


class Sockets:
    """Keeps `connections` WebSockets to Slack, each in a place of its own that is never given up."""

    def __init__(
        self, app: AsyncApp, app_token: str, api_url: str, connections: int = 2, times: Times | None = None
    ) -> None:
        self._app = app
        self._token = app_token
        self._api_url = api_url
        self._wanted = connections
        self._times = times or Times()
        self._held: set[Connection] = set()
        self._places: list[asyncio.Task[None]] = []
        self._finishing: set[asyncio.Task[None]] = set()
        self._known = asyncio.Event()
        self._gone = 0.0
        self._code = ""

    async def start(self) -> None:
        """Connect; returns with the first connection, or once it is clear that there will be none for now."""
        self._gone = asyncio.get_running_loop().time()
        self._places = [asyncio.create_task(self._keep(), name=f"place {n}") for n in range(self._wanted)]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._times.patience):
                await self._known.wait()

    async def stop(self) -> None:
        """Take nothing more, acknowledge what was taken, close. Slack gives what comes meanwhile to other replicas."""
        for connection in self._held:
            connection.taking = False
        for place in self._places:
            place.cancel()
        await asyncio.gather(*self._places, return_exceptions=True)
        self._places = []
        await asyncio.gather(*(connection.finish() for connection in list(self._held)))
        await asyncio.gather(*self._finishing)

    @property
    def connected(self) -> int:
        """How many connections stand, those that have a successor already among them."""
        return sum(not connection.ended.is_set() for connection in self._held)

    def standing(self) -> Standing:
        """For /readyz: the connections, and since when there is none."""
        if connected := self.connected:
            return Standing(connected, self._wanted)
        return Standing(0, self._wanted, asyncio.get_running_loop().time() - self._gone, self._code)

    # -- one place ------------------------------------------------------------------------------------

    async def _keep(self) -> None:
        """Keep one place taken: open, wait until the connection asks for a successor, open that, let the old one go."""
        times = self._times
        old: Connection | None = None
        failed = short = 0
        while True:
            try:
                new = await self._opened()
            except NotConnected as problem:
                failed += 1
                self._note(problem)
                await _rest(self._pause(problem, failed), old)
                continue
            failed = 0
            if old is not None and not old.ended.is_set():
                self._let_go(old)
            await new.leaving.wait()
            log.info("socket.leaving", reason=new.reason, connected=self.connected)
            old = new
            self._code = new.reason
            if new.reason in _NO_USE:
                await asyncio.sleep(_jittered(times.slow_pause))
                continue
            # Two may be short-lived in a row; after that Slack is not asked in a loop.
            lived = asyncio.get_running_loop().time() - new.opened
            short = 0 if lived >= times.steady else short + 1
            if short > 2:
                await _rest(_jittered(self._doubled(short - 2)), None)

    def _pause(self, problem: NotConnected, failed: int) -> float:
        """Seconds until the next attempt: as Slack says, long where a person has to act, else longer each time."""
        if problem.seconds:
            return problem.seconds + _jittered(self._times.first_pause)
        if problem.mend or problem.code in _NO_USE:
            return _jittered(self._times.slow_pause)
        return _jittered(self._doubled(failed))

    def _doubled(self, count: int) -> float:
        return min(self._times.longest_pause, self._times.first_pause * 2.0 ** min(count - 1, 16))

    def _note(self, problem: NotConnected) -> None:
        self._code = problem.code
        if problem.mend or problem.code in _NO_USE:
            self._known.set()
        log.warning("socket.refused", code=problem.code, connected=self.connected)

    def _let_go(self, old: Connection) -> None:
        task = asyncio.create_task(old.finish(self._times.linger), name="finishing")
        self._finishing.add(task)
        task.add_done_callback(self._finishing.discard)

    # -- opening --------------------------------------------------------------------------------------

    async def _opened(self) -> Connection:
        """A new connection after its hello. Raises NotConnected, and nothing of the address, which is a secret."""
        times = self._times
        session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=times.open))
        connection: Connection | None = None
        try:
            async with asyncio.timeout(times.open):
                client = AsyncWebClient(
                    token=self._token, base_url=self._api_url, session=session, retry_handlers=[], timeout=60
                )
                answer = await call(client, "apps.connections.open")
                socket = await session.ws_connect(
                    str(answer["url"]),
                    autoping=False,
                    timeout=aiohttp.ClientWSTimeout(ws_close=times.close),
                    proxy=client.proxy,
                    ssl=client.ssl if client.ssl is not None else True,
                )
                connection = Connection(self._app, socket, session, times)
                life = await connection.hello()
        except BaseException as error:
            await (session.close() if connection is None else connection.finish())
            raise _told(error) from None
        self._stands(connection, life)
        return connection

    def _stands(self, connection: Connection, life: float) -> None:
        if life:
            ends = [other.until for other in self._held if not other.leaving.is_set()]
            apart = life / (2 * self._wanted)
            connection.renew_at(staggered(connection.opened, life, ends, apart))
        self._held.add(connection)
        connection.on_end = self._ended
        connection.reading.add_done_callback(lambda _: self._held.discard(connection))
        self._known.set()
        log.info("socket.connected", connected=self.connected, wanted=self._wanted)

    def _ended(self) -> None:
        if not self.connected:
            self._gone = asyncio.get_running_loop().time()


def _told(error: BaseException) -> BaseException:
    """An error of an attempt as NotConnected; what is not an attempt's stays what it is."""
    match error:
        case NotDone():
            return NotConnected(error.code, mend=True)
        case TryLater():
            return NotConnected("ratelimited" if error.seconds else "no_answer", error.seconds)
        case aiohttp.WSServerHandshakeError():
            return NotConnected(f"http_{error.status}")
        case Unsure() | TimeoutError() | OSError() | aiohttp.ClientError() | KeyError() | ValueError():
            return NotConnected("no_answer")
        case Exception():
            # A place is never given up, whatever Slack sends; the message may hold the address.
            log.error("socket.unexpected", error=type(error).__name__)
            return NotConnected("unexpected")
        case _:
            return error


async def _rest(seconds: float, old: Connection | None) -> None:
    """Wait; shorter where an old connection still stands, and goes: its place is empty then, and free at Slack's."""
    if old is None or old.ended.is_set():
        await asyncio.sleep(seconds)
        return
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await old.ended.wait()


def _jittered(seconds: float) -> float:
    # Replicas that lost Slack together do not come back together.
    return seconds * (0.5 + random.random() / 2)
