"""Deliveries to the program: signed HTTP or Socket Mode, the 3 seconds, retries of events.

Rules: docs.slack.dev, "Using Socket Mode", "The Events API" (retries), "Verifying requests from Slack".
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import aiohttp

from localslack.faults import Faults
from localslack.journal import Journal
from localslack.records import Channel, Json
from localslack.sockets import Sockets
from localslack.world import MESSAGE_EVENTS, World

ACK_SECONDS = 3.0  # SR-INT-05, SR-DLV-02
RETRIES = (0.0, 60.0, 300.0)
"""SR-DLV-03: seconds after the first attempt at which an event is tried again, by the workspace's clock."""

MAX_REDIRECTS = 2  # SR-DLV-07
EVENTS_PER_HOUR = 30_000  # SR-RAT-09
MAX_CONTEXTS = 1_000
"""Event contexts that apps.event.authorizations.list still knows."""


@dataclass(frozen=True)
class Ack:
    """What came back. `error` is Slack's word for the failure (operation_timeout, dispatch_failed), else None."""

    body: Any = None
    error: str | None = None
    reason: str | None = None

    @property
    def ok(self) -> bool:
        return self.error is None


class Delivery:
    """Carries payloads to the program; `in_flight` counts what has not been answered yet."""

    def __init__(self, world: World, journal: Journal, faults: Faults, sockets: Sockets, signing_secret: str) -> None:
        self.world = world
        self.journal = journal
        self.faults = faults
        self.sockets = sockets
        self.signing_secret = signing_secret
        self.event_url: str | None = None
        self.ack_seconds = ACK_SECONDS
        self.contexts: dict[str, str] = {}
        self.events_per_hour = EVENTS_PER_HOUR
        self._hour = (0, 0)
        self._told_minute = 0
        self._overtaken: list[asyncio.Event] = []
        self.in_flight = 0
        self.last_activity = time.monotonic()
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None
        # A moved clock wakes retries (and whoever follows it): not idle until they had their turn.
        world.clock.on_move.append(self._stir)

    def _stir(self) -> None:
        self.last_activity = time.monotonic()
        self._let_go()

    def _let_go(self) -> None:
        """Send what a planted fault held back: something else has gone before, or time has passed."""
        held, self._overtaken = self._overtaken, []
        for each in held:
            # Counted from now on, as a new event is.
            self.in_flight += 1
            each.set()

    async def stop(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
            self._session = None

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- what is delivered -------------------------------------------------------------------------------------

    async def command(self, fields: Json) -> Ack:
        """A slash command; never tried again (SR-INT-05)."""
        return await self._gesture("slash_commands", "slash_commands", fields, fields["user_id"])

    async def interaction(self, payload: Json) -> Ack:
        """A block action, view submission, shortcut and the like; never tried again."""
        return await self._gesture("interactive", payload["type"], payload, payload["user"]["id"])

    async def _gesture(self, envelope: str, kind: str, payload: Json, caller: str) -> Ack:
        call = self.journal.begin(f"delivery:{kind}", payload, self.world.clock.now(), caller)
        call.team = self.world.team_id
        fault = self.faults.take(call.method)
        with self._counted():
            if not await self._passed(fault):
                ack = Ack(error="operation_timeout", reason="timeout")
            else:
                ack = await self._send(envelope, payload, None)
                if fault == "duplicate":
                    await self._send(envelope, payload, None)
        call.answer = {"body": ack.body}
        self.journal.end(call, self.world.clock.now(), "ok" if ack.ok else "failed", ack.error)
        return ack

    async def _passed(self, fault: str | None) -> bool:
        """Whether the delivery leaves for the bot; carries out what a fault does before that."""
        if fault == "socket_cut":
            self.sockets.tear()
        if fault is not None and fault.startswith("slow:"):
            await asyncio.sleep(float(fault.partition(":")[2]))
        return fault not in ("drop", "socket_cut")

    async def verify(self) -> bool:
        """Ask the event URL to echo a challenge, as Slack does when the URL is saved (SR-DLV-09)."""
        challenge = self.world.hex(32)
        payload: Json = {"token": "verification-token", "challenge": challenge, "type": "url_verification"}
        with self._counted():
            ack = await self._by_http("events_api", payload, None)
        return ack.body in (challenge, {"challenge": challenge})

    def event(self, event: Json, channel: Channel | None) -> None:
        """An Events API event, where the app subscribed to it and may hear it; tried again when not acknowledged."""
        last_words = event["type"] in ("app_uninstalled", "tokens_revoked")
        if not (self.world.installed or last_words) or not self.world.hears(event["type"], channel, event.get("user")):
            return
        if not self._within_hour():
            return
        kind = MESSAGE_EVENTS[channel.kind] if event["type"] == "message" and channel is not None else event["type"]
        # Counted from now on, so that nobody takes the workspace for idle before the task has begun.
        self.in_flight += 1
        self.spawn(self._event(kind, self._wrap(event)))

    def _within_hour(self) -> bool:
        """SR-RAT-09: past the hour's number, events are lost; the app is told so once a minute."""
        now = self.world.seconds()
        hour, count = self._hour
        self._hour = (now // 3600, count + 1 if hour == now // 3600 else 1)
        if self._hour[1] <= self.events_per_hour:
            return True
        if self._told_minute != now // 60:
            self._told_minute = now // 60
            told = {
                "token": "verification-token",
                "type": "app_rate_limited",
                "team_id": self.world.team_id,
                "minute_rate_limited": now // 60 * 60,
                "api_app_id": self.world.app_id,
            }
            self.in_flight += 1
            self.spawn(self._event("app_rate_limited", told))
        return False

    def _wrap(self, event: Json) -> Json:
        """The envelope of an event; `authorizations` names one installation only (SR-OAU-08)."""
        world = self.world
        context = f"4-{world.hex(24)}"
        self.contexts[context] = world.team_id
        while len(self.contexts) > MAX_CONTEXTS:
            del self.contexts[next(iter(self.contexts))]
        return {
            "token": "verification-token",
            "team_id": world.team_id,
            "context_team_id": world.team_id,
            "context_enterprise_id": None,
            "api_app_id": world.app_id,
            "event": event,
            "type": "event_callback",
            "event_id": world.new_id("Ev"),
            "event_time": int(float(event.get("event_ts") or world.clock.now())),
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": world.team_id,
                    "user_id": world.bot.id,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
            "is_ext_shared_channel": False,
            "event_context": context,
        }

    async def _event(self, kind: str, payload: Json) -> None:
        """Send an event until it is acknowledged, the same each time (SR-DLV-06).

        While nobody is connected by Socket Mode, attempts fail like any other, so that the event comes with a later one
        (SR-SOC-06).
        """
        first = self.world.clock.now()
        reason: str | None = None
        for attempt in range(len(RETRIES) + 1):
            if attempt:
                await self.world.clock.until(first + RETRIES[attempt - 1])
                self.in_flight += 1
            fault = self.faults.take(f"delivery:event:{kind}")
            if fault == "reorder":
                await self._step_aside()
            call = self.journal.begin(
                f"delivery:event:{kind}", payload, self.world.clock.now(), payload.get("event", {}).get("user")
            )
            call.team = self.world.team_id
            try:
                ack = await self._attempt(payload, (attempt, reason) if attempt else None, fault)
            finally:
                self.in_flight -= 1
                self.last_activity = time.monotonic()
            self._let_go()
            self.journal.end(call, self.world.clock.now(), "ok" if ack.ok else "failed", ack.error)
            if ack.ok or ack.reason == "no_retry":  # SR-DLV-05
                return
            reason = ack.reason or "unknown_error"

    async def _step_aside(self) -> None:
        """Wait until another event has gone before. Meanwhile nothing is in flight: nobody is kept waiting for it."""
        overtaken = asyncio.Event()
        self._overtaken.append(overtaken)
        self.in_flight -= 1
        self.last_activity = time.monotonic()
        await overtaken.wait()

    async def _attempt(self, payload: Json, retry: tuple[int, str | None] | None, fault: str | None) -> Ack:
        if not await self._passed(fault):
            return Ack(error="operation_timeout", reason="http_timeout")
        ack = await self._send("events_api", payload, retry)
        if fault == "duplicate":
            await self._send("events_api", payload, (1, "http_timeout"))
        return ack

    # --- how it is carried -------------------------------------------------------------------------------------

    async def _send(self, envelope: str, payload: Json, retry: tuple[int, str | None] | None) -> Ack:
        if self.event_url is None:
            return await self._by_socket(envelope, payload, retry)
        return await self._by_http(envelope, payload, retry)

    async def _by_socket(self, envelope: str, payload: Json, retry: tuple[int, str | None] | None) -> Ack:
        more: Json = {"accepts_response_payload": envelope != "events_api"}
        if envelope == "events_api":
            more |= {"retry_attempt": retry[0] if retry else 0, "retry_reason": (retry[1] if retry else "") or ""}
        try:
            # Not wait_for: in 3.11 it can swallow a cancellation that comes together with the answer.
            async with asyncio.timeout(self.ack_seconds):
                body = await self.sockets.send(envelope, payload, more)
        except TimeoutError:
            return Ack(error="operation_timeout", reason="timeout")
        except ConnectionError:
            return Ack(error="dispatch_failed", reason="connection_failed")
        return Ack(body)

    async def _by_http(self, envelope: str, payload: Json, retry: tuple[int, str | None] | None) -> Ack:
        if envelope == "events_api":
            kind, raw = "application/json", json.dumps(payload)
        elif envelope == "slash_commands":
            kind, raw = "application/x-www-form-urlencoded", urlencode(payload)
        else:
            kind, raw = "application/x-www-form-urlencoded", urlencode({"payload": json.dumps(payload)})
        headers = {"Content-Type": kind, "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)"}
        headers |= signature(self.signing_secret, raw)
        if retry is not None:
            # SR-DLV-04
            headers |= {"X-Slack-Retry-Num": str(retry[0]), "X-Slack-Retry-Reason": retry[1] or "unknown_error"}
        if self._session is None:
            self._session = aiohttp.ClientSession()
        try:
            assert self.event_url is not None
            async with self._session.post(
                self.event_url, data=raw.encode(), headers=headers, max_redirects=MAX_REDIRECTS + 1,
                timeout=aiohttp.ClientTimeout(total=self.ack_seconds),
            ) as response:  # fmt: skip
                text = await response.text()
                # SR-DLV-02: any success will do for an event; a gesture is acknowledged with 200.
                taken = 200 <= response.status < 300 if envelope == "events_api" else response.status == 200
                if not taken:
                    final = response.headers.get("X-Slack-No-Retry") == "1"
                    return Ack(error="dispatch_failed", reason="no_retry" if final else "http_error")
                return Ack(_parsed(text, response.content_type))
        except TimeoutError:
            return Ack(error="operation_timeout", reason="http_timeout")
        except aiohttp.TooManyRedirects:
            return Ack(error="dispatch_failed", reason="too_many_redirects")
        except aiohttp.ClientSSLError:
            return Ack(error="dispatch_failed", reason="ssl_error")
        except aiohttp.ClientError:
            return Ack(error="dispatch_failed", reason="connection_failed")

    def _counted(self) -> _Counted:
        return _Counted(self)


class _Counted:
    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery

    def __enter__(self) -> None:
        self._delivery.in_flight += 1

    def __exit__(self, *_: object) -> None:
        self._delivery.in_flight -= 1
        self._delivery.last_activity = time.monotonic()


def signature(secret: str, raw: str) -> dict[str, str]:
    """Slack's v0 request signature (SR-DLV-01), by real time: the receiver checks its age."""
    stamp = str(int(time.time()))
    digest = hmac.new(secret.encode(), f"v0:{stamp}:{raw}".encode(), hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}


def _parsed(text: str, content_type: str) -> Any:
    if not text.strip():
        return None
    if "json" in content_type or text.lstrip().startswith("{"):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text
