"""POST /alerts/<source>: who may send, and what a sender is answered.

The secret is looked at before anything of the body is read. 200 says that the alerts are stored; whoever gets 503 sends
them again, and what was stored all the same does nothing a second time.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

import structlog
from aiohttp import web

from bot.domain.errors import Conflict, InvalidPayload, Refused, StoreUnavailable
from bot.metrics import ALERT_DELIVERIES
from bot.web.body_reader import BODY_TIMEOUT_SECONDS, read_body, reject

log = structlog.get_logger(__name__)

#: seconds after which a sender is told to send again
RESPONSE_TIMEOUT_SECONDS = 2.8
#: the digest of a secret that nobody has
UNKNOWN_SOURCE_DIGEST = hashlib.sha256(secrets.token_bytes(32)).digest()


class IntakeOutcome(Protocol):
    """What a delivery came to."""

    @property
    def outcome(self) -> str: ...
    @property
    def incident(self) -> str: ...


#: source and body in; raises Unreadable where nothing can be made of the body
TakeAlerts = Callable[[str, bytes], Awaitable[IntakeOutcome]]


class AlertsEndpoint:
    """The address. `known`: the secrets of each source, one, or two while it is changed."""

    def __init__(
        self, known: Mapping[str, Sequence[str]], take: TakeAlerts, *, body_timeout: float = BODY_TIMEOUT_SECONDS
    ) -> None:
        self._digests = {source: [_digest(one) for one in some] for source, some in known.items()}
        self._take = take
        self._body_within = body_timeout

    def routes(self) -> list[web.RouteDef]:
        """What the site serves."""
        return [web.post("/alerts/{source}", self._post)]

    def is_authorized(self, source: str, authorization: str) -> bool:
        """Whether that header holds a secret of this source. As much is compared for a source that is not known."""
        scheme, _, said = authorization.partition(" ")
        given, fits = _digest(said.strip()), False
        for digest in (*self._digests.get(source, ()), UNKNOWN_SOURCE_DIGEST, UNKNOWN_SOURCE_DIGEST)[:2]:
            fits = hmac.compare_digest(digest, given) or fits
        return fits and scheme.lower() == "bearer"

    async def _post(self, request: web.Request) -> web.Response:
        source = request.match_info["source"]
        if not self.is_authorized(source, request.headers.get("Authorization", "")):
            return reject("alert_secret", 401, "not known here")
        body = await read_body(request, self._body_within)
        if isinstance(body, web.Response):
            return body
        try:
            async with asyncio.timeout(RESPONSE_TIMEOUT_SECONDS):
                taken = await self._take(source, body)
        except InvalidPayload as error:
            ALERT_DELIVERIES.labels(source, "unreadable").inc()
            log.info("alerts.unreadable", source=source, why=str(error))
            return web.json_response({"error": f"not readable: {error}"}, status=400)
        except (StoreUnavailable, Conflict, TimeoutError, Refused) as error:  # refused: written by a newer version
            ALERT_DELIVERIES.labels(source, "not_stored").inc()
            log.warning("alerts.not_stored", source=source, why=str(error) or type(error).__name__)
            return web.json_response({"error": "not stored: send it again"}, status=503)
        except Exception as error:
            ALERT_DELIVERIES.labels(source, "failed").inc()
            log.error("alerts.failed", source=source, exc_info=error)
            return web.json_response({"error": "not stored: a mistake here, it is logged"}, status=500)
        ALERT_DELIVERIES.labels(source, taken.outcome).inc()
        said = {"outcome": taken.outcome} | ({"incident": taken.incident} if taken.incident else {})
        return web.json_response(said)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()
