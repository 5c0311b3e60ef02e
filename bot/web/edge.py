"""What listens on the port: signed requests from Slack, and what machines ask about the bot's health.

A request from Slack is verified over its raw body before anything of it is parsed
(https://docs.slack.dev/authentication/verifying-requests-from-slack); malformed input gets 400 or 401, never a trace.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import prometheus_client
import structlog
from aiohttp import web
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from yarl import URL

log = structlog.get_logger(__name__)

#: Slack's requests are small; its longest form is 250 kB
BODY_LIMIT = 1024 * 1024
#: characters of a form that yarl takes apart; it keeps the last 128 in a cache, so that larger ones are not for it
QUICK = 16 * 1024
#: seconds by which a request's time may differ from ours
SKEW = 300


@dataclass(frozen=True)
class Health:
    """What `/readyz` tells: `problems` is empty when all is well. Figures go to `/metrics` as well."""

    problems: tuple[str, ...]
    open_incidents: int = 0
    overdue_seconds: float = 0.0
    parked: int = 0


Look = Callable[[], Awaitable[Health]]


def verified(secret: str, timestamp: str, signature: str, body: bytes, now: float) -> bool:
    """Whether Slack signed exactly this body within the last five minutes (either way, for clocks that differ)."""
    if not secret or not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
        return False
    if abs(now - int(timestamp)) > SKEW:
        return False
    digest = hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(b"v0=" + digest.encode(), signature.encode("utf-8", "replace"))


#: parts of a delivery that are objects wherever Slack sends them (commands have user_id and the like instead)
OBJECTS = ("event", "user", "team", "view", "message", "channel", "container")


def shaped(body: Any) -> bool:
    """Whether a delivery has the shape that Bolt relies on without looking."""
    if not isinstance(body, Mapping):
        return False
    actions = body.get("actions") or []
    return all(isinstance(body.get(name) or {}, Mapping) for name in OBJECTS) and (
        isinstance(actions, list) and all(isinstance(one, Mapping) for one in actions)
    )


def parsed(text: str, kind: str) -> Any:
    """The delivery in a request's body: JSON, a form with JSON in its field `payload`, or a command's form.

    Raises ValueError or RecursionError for what is none of these. urllib's way of undoing a form takes longer than
    everything else that is done here with a click; yarl, which aiohttp brings along, does it in C.
    """
    if kind == "application/json" or text.startswith("{"):
        return json.loads(text)
    quick = len(text) <= QUICK
    form = URL.build(query_string=text, encoded=True).query if quick else dict(parse_qsl(text, keep_blank_values=True))
    return json.loads(form["payload"]) if "payload" in form else dict(form)


def edge(app: AsyncApp | None, signing_secret: str, look: Look) -> web.Application:
    """The application. `app` None: Slack comes by Socket Mode, and only machines ask here."""
    site = web.Application(client_max_size=BODY_LIMIT)

    async def slack(request: web.Request) -> web.Response:
        if app is None:
            raise web.HTTPNotFound
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return web.Response(status=413, text="too large")
        headers = request.headers
        signed = verified(
            signing_secret,
            headers.get("X-Slack-Request-Timestamp", ""),
            headers.get("X-Slack-Signature", ""),
            body,
            time.time(),
        )
        if not signed:
            return web.Response(status=401, text="not signed by Slack, or too old")
        try:
            delivery = parsed(body.decode(), request.content_type)
            if not shaped(delivery):
                return web.Response(status=400, text="not readable")
            # As over Socket Mode: parsed already, and Bolt need not do it again.
            bolt = AsyncBoltRequest(body=delivery, mode="socket_mode")
        except (ValueError, TypeError, AttributeError, RecursionError):  # Bolt takes any JSON for an object
            return web.Response(status=400, text="not readable")
        answer = await app.async_dispatch(bolt)
        content = answer.body.encode() if isinstance(answer.body, str) else answer.body
        return web.Response(
            status=answer.status,
            body=content,
            content_type=answer.first_headers_without_set_cookie().get("content-type", "text/plain").split(";")[0],
            charset="utf-8",
        )

    async def alive(_: web.Request) -> web.Response:
        return web.json_response({"alive": True})

    async def ready(_: web.Request) -> web.Response:
        health = await look()
        body = {
            "ready": not health.problems,
            "problems": list(health.problems),
            "open_incidents": health.open_incidents,
            "overdue_seconds": round(health.overdue_seconds, 1),
            "parked_duties": health.parked,
        }
        return web.json_response(body, status=503 if health.problems else 200)

    async def metrics(_: web.Request) -> web.Response:
        health = await look()
        READY.set(0 if health.problems else 1)
        OPEN.set(health.open_incidents)
        OVERDUE.set(health.overdue_seconds)
        PARKED.set(health.parked)
        return web.Response(
            body=prometheus_client.generate_latest(REGISTRY),
            headers={"Content-Type": prometheus_client.CONTENT_TYPE_LATEST},
        )

    site.router.add_post("/slack/events", slack)
    site.router.add_get("/healthz", alive)
    site.router.add_get("/readyz", ready)
    site.router.add_get("/metrics", metrics)
    return site


REGISTRY = prometheus_client.CollectorRegistry()
READY = prometheus_client.Gauge("incident_commander_ready", "1 when the bot can work", registry=REGISTRY)
OPEN = prometheus_client.Gauge("incident_commander_open_incidents", "Incidents that are open", registry=REGISTRY)
OVERDUE = prometheus_client.Gauge(
    "incident_commander_overdue_seconds", "Age of the oldest duty that is due and not paid", registry=REGISTRY
)
PARKED = prometheus_client.Gauge(
    "incident_commander_parked_duties", "Duties that Slack refuses and that wait for a person", registry=REGISTRY
)
