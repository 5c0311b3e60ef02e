"""What listens on the port: signed requests from Slack, and what machines ask about the bot's health.

A request from Slack is verified over its raw body before anything of it is parsed; malformed input gets 400 or 401,
never a trace. Rules: durations and sizes below; docs/security.md tells why.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import prometheus_client
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest

from bot.metrics import CONNECTED, OPEN, OVERDUE, PARKED, READY, REGISTRY
from bot.web.delivery import app_of, parsed, shaped, teams_of
from bot.web.receiving import BODY_LIMIT, BODY_WITHIN, away, received, turned_away
from bot.web.signature import verified

#: seconds after which a connection is closed that has not begun a request, or not ended its headers
IDLE = 75.0
#: seconds in which what is being answered may end when the bot stops: Slack waits no longer
STOPPING = 3.0
#: seconds for which the rest of a body is let in that was turned away, so that its sender can read why
LINGERING = 2.0

#: on every answer: nothing here is a page, nothing is to be kept, and who serves it is nobody's business
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True)
class Health:
    """What `/readyz` tells: `problems` is empty when all is well. Figures go to `/metrics` as well."""

    problems: tuple[str, ...]
    open_incidents: int = 0
    overdue_seconds: float = 0.0
    parked: int = 0
    #: Socket Mode's, those that stand and those wanted; None by HTTP
    connections: tuple[int, int] | None = None
    #: workspaces that took our token away, and Slack's word for it; their duties rest, the others go on
    resting: tuple[str, ...] = ()


Look = Callable[[], Awaitable[Health]]
#: whether a delivery is for us: the app's id ("" where none is named), and the workspaces that it names
Ours = Callable[[str, frozenset[str]], Awaitable[bool]]


async def anybody(app: str, teams: frozenset[str]) -> bool:
    """Every delivery is ours."""
    return True


def edge(
    app: AsyncApp | None,
    signing_secrets: Sequence[str],
    look: Look,
    ours: Ours = anybody,
    *,
    pages: Sequence[web.RouteDef] = (),
    body_within: float = BODY_WITHIN,
) -> web.Application:
    """The application. `app` None: Slack comes by Socket Mode, and only machines ask here; `pages`: more to serve.

    `signing_secrets`: one, or two while it is being changed. Raises ValueError where there is none and Slack comes.
    """
    if app is not None and not any(signing_secrets):
        raise ValueError("without a signing secret anybody could speak as Slack")
    site = web.Application(client_max_size=BODY_LIMIT)
    site.on_response_prepare.append(_guarded)

    async def slack(request: web.Request) -> web.Response:
        if app is None:
            raise web.HTTPNotFound
        body = await received(request, body_within)
        if isinstance(body, web.Response):
            return body
        stamp = request.headers.get("X-Slack-Request-Timestamp", "")
        signature = request.headers.get("X-Slack-Signature", "")
        if not verified(signing_secrets, stamp, signature, body, time.time()):
            return away("unsigned", 401, "not signed by Slack, or too old")
        try:
            delivery = parsed(body.decode(), request.content_type)
            if not shaped(delivery):
                return away("unreadable", 400, "not readable")
            if not await ours(app_of(delivery), teams_of(delivery)):
                return away("foreign", 401, "not for this app or workspace")
            # As over Socket Mode: parsed already, and Bolt need not do it again.
            bolt = AsyncBoltRequest(body=delivery, mode="socket_mode")
        except (ValueError, TypeError, AttributeError, RecursionError):  # Bolt takes any JSON for an object
            return away("unreadable", 400, "not readable")
        answer_ = await app.async_dispatch(bolt)
        content = answer_.body.encode() if isinstance(answer_.body, str) else answer_.body
        return web.Response(
            status=answer_.status,
            body=content,
            content_type=answer_.first_headers_without_set_cookie().get("content-type", "text/plain").split(";")[0],
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
        if health.resting:
            body["resting_workspaces"] = list(health.resting)
        if health.connections is not None:
            body["slack_connections"], body["slack_connections_wanted"] = health.connections
        return web.json_response(body, status=503 if health.problems else 200)

    async def metrics(_: web.Request) -> web.Response:
        health = await look()
        READY.set(0 if health.problems else 1)
        OPEN.set(health.open_incidents)
        OVERDUE.set(health.overdue_seconds)
        PARKED.set(health.parked)
        CONNECTED.set(health.connections[0] if health.connections else 0)
        return web.Response(
            body=prometheus_client.generate_latest(REGISTRY),
            headers={"Content-Type": prometheus_client.CONTENT_TYPE_LATEST},
        )

    site.router.add_post("/slack/events", slack)
    site.router.add_routes(pages)
    site.router.add_get("/healthz", alive)
    site.router.add_get("/readyz", ready)
    site.router.add_get("/metrics", metrics)
    return site


async def _guarded(_: web.Request, answer: web.StreamResponse) -> None:
    for name, value in HEADERS.items():
        answer.headers.setdefault(name, value)
    answer.headers["Server"] = "incident-commander"


class _Terse(logging.Filter):
    """What is no HTTP is turned away by aiohttp, which would write a traceback with the sender's bytes each time."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether aiohttp's own entry is written."""
        if record.exc_info and isinstance(record.exc_info[1], HttpProcessingError):
            turned_away("no_http")
            return False
        return True


_LOGGER = logging.getLogger("bot.web")
_LOGGER.addFilter(_Terse())


def runner(site: web.Application, *, idle: float = IDLE) -> web.AppRunner:
    """What serves the application: bodies as they came over the wire, nobody waited for longer than `idle` seconds."""
    # The signature is over the packed bytes, and Slack packs none: unpacking would serve only who floods us.
    return web.AppRunner(
        site,
        access_log=None,
        logger=_LOGGER,
        auto_decompress=False,
        keepalive_timeout=idle,
        lingering_time=min(idle, LINGERING),
        shutdown_timeout=STOPPING,
    )
