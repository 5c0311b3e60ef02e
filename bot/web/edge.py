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

from bot.metrics import OPEN_INCIDENTS, OVERDUE_SECONDS, PARKED_EFFECTS, READY, REGISTRY, SLACK_CONNECTIONS
from bot.web.body_reader import BODY_TIMEOUT_SECONDS, MAX_BODY_BYTES, count_rejected, read_body, reject
from bot.web.signature import is_valid_signature
from bot.web.slack_payload import app_id_of, has_expected_shape, parse_delivery, teams_of

#: seconds after which a connection is closed that has not begun a request, or not ended its headers
IDLE_TIMEOUT_SECONDS = 75.0
#: seconds in which what is being answered may end when the bot stops: Slack waits no longer
SHUTDOWN_TIMEOUT_SECONDS = 3.0
#: seconds for which the rest of a body is let in that was turned away, so that its sender can read why
LINGERING_SECONDS = 2.0

#: on every answer: nothing here is a page, nothing is to be kept, and who serves it is nobody's business
SECURITY_HEADERS = {
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
    refusing_workspaces: tuple[str, ...] = ()
    #: what the bot does without for now, a sentence each: it works, so these are no problems
    missing: tuple[str, ...] = ()


HealthCheck = Callable[[], Awaitable[Health]]
#: whether a delivery is for us: the app's id ("" where none is named), and the workspaces that it names
AcceptsDelivery = Callable[[str, frozenset[str]], Awaitable[bool]]


async def accept_any(app: str, teams: frozenset[str]) -> bool:
    """Every delivery is ours."""
    return True


def web_application(
    app: AsyncApp | None,
    signing_secrets: Sequence[str],
    health_check: HealthCheck,
    accepts: AcceptsDelivery = accept_any,
    *,
    pages: Sequence[web.RouteDef] = (),
    missing: Callable[[], Sequence[str]] = tuple,
    body_timeout: float = BODY_TIMEOUT_SECONDS,
) -> web.Application:
    """The application. `app` None: Slack comes by Socket Mode, and only machines ask here; `pages`: more to serve;
    `missing`: what the bot does without, for `/healthz`, which asks nobody.

    `signing_secrets`: one, or two while it is being changed. Raises ValueError where there is none and Slack comes.
    """
    if app is not None and not any(signing_secrets):
        raise ValueError("without a signing secret anybody could speak as Slack")
    site = web.Application(client_max_size=MAX_BODY_BYTES)
    site.on_response_prepare.append(_add_security_headers)

    async def slack(request: web.Request) -> web.Response:
        if app is None:
            raise web.HTTPNotFound
        body = await read_body(request, body_timeout)
        if isinstance(body, web.Response):
            return body
        stamp = request.headers.get("X-Slack-Request-Timestamp", "")
        signature = request.headers.get("X-Slack-Signature", "")
        if not is_valid_signature(signing_secrets, stamp, signature, body, time.time()):
            return reject("unsigned", 401, "not signed by Slack, or too old")
        try:
            delivery = parse_delivery(body.decode(), request.content_type)
            if not has_expected_shape(delivery):
                return reject("unreadable", 400, "not readable")
            if not await accepts(app_id_of(delivery), teams_of(delivery)):
                return reject("foreign", 401, "not for this app or workspace")
            # As over Socket Mode: parsed already, and Bolt need not do it again.
            bolt = AsyncBoltRequest(body=delivery, mode="socket_mode")
        except (ValueError, TypeError, AttributeError, RecursionError):  # Bolt takes any JSON for an object
            return reject("unreadable", 400, "not readable")
        answer_ = await app.async_dispatch(bolt)
        content = answer_.body.encode() if isinstance(answer_.body, str) else answer_.body
        return web.Response(
            status=answer_.status,
            body=content,
            content_type=answer_.first_headers_without_set_cookie().get("content-type", "text/plain").split(";")[0],
            charset="utf-8",
        )

    async def alive(_: web.Request) -> web.Response:
        return web.json_response({"alive": True} | _missing(missing()))

    async def ready(_: web.Request) -> web.Response:
        health = await health_check()
        body = {
            "ready": not health.problems,
            "problems": list(health.problems),
            "open_incidents": health.open_incidents,
            "overdue_seconds": round(health.overdue_seconds, 1),
            "parked_duties": health.parked,
        }
        body |= _missing(health.missing)
        if health.refusing_workspaces:
            body["resting_workspaces"] = list(health.refusing_workspaces)
        if health.connections is not None:
            body["slack_connections"], body["slack_connections_wanted"] = health.connections
        return web.json_response(body, status=503 if health.problems else 200)

    async def metrics(_: web.Request) -> web.Response:
        health = await health_check()
        READY.set(0 if health.problems else 1)
        OPEN_INCIDENTS.set(health.open_incidents)
        OVERDUE_SECONDS.set(health.overdue_seconds)
        PARKED_EFFECTS.set(health.parked)
        SLACK_CONNECTIONS.set(health.connections[0] if health.connections else 0)
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


def _missing(sentences: Sequence[str]) -> dict[str, list[str]]:
    return {"missing": list(sentences)} if sentences else {}


async def _add_security_headers(_: web.Request, answer: web.StreamResponse) -> None:
    for name, value in SECURITY_HEADERS.items():
        answer.headers.setdefault(name, value)
    answer.headers["Server"] = "incident-commander"


class _BadHttpFilter(logging.Filter):
    """What is no HTTP is turned away by aiohttp, which would write a traceback with the sender's bytes each time."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether aiohttp's own entry is written."""
        if record.exc_info and isinstance(record.exc_info[1], HttpProcessingError):
            count_rejected("no_http")
            return False
        return True


_LOGGER = logging.getLogger("bot.web")
_LOGGER.addFilter(_BadHttpFilter())


def app_runner(site: web.Application, *, idle_timeout: float = IDLE_TIMEOUT_SECONDS) -> web.AppRunner:
    """What serves the application: bodies as they came over the wire, nobody waited for longer than `idle_timeout`
    seconds.
    """
    # The signature is over the packed bytes, and Slack packs none: unpacking would serve only who floods us.
    return web.AppRunner(
        site,
        access_log=None,
        logger=_LOGGER,
        auto_decompress=False,
        keepalive_timeout=idle_timeout,
        lingering_time=min(idle_timeout, LINGERING_SECONDS),
        shutdown_timeout=SHUTDOWN_TIMEOUT_SECONDS,
    )
