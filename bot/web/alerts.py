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

from bot.domain.errors import Conflict, Refused, StoreUnavailable, Unreadable
from bot.metrics import ALERTS
from bot.web.receiving import BODY_WITHIN, away, received

log = structlog.get_logger(__name__)

#: seconds after which a sender is told to send again
ANSWER_WITHIN = 2.8
#: the digest of a secret that nobody has
NOBODY = hashlib.sha256(secrets.token_bytes(32)).digest()


class Taken(Protocol):
    """What a delivery came to."""

    @property
    def outcome(self) -> str: ...
    @property
    def incident(self) -> str: ...


#: source and body in; raises Unreadable where nothing can be made of the body
Take = Callable[[str, bytes], Awaitable[Taken]]


class Door:
    """The address. `known`: the secrets of each source, one, or two while it is changed."""

    def __init__(self, known: Mapping[str, Sequence[str]], take: Take, *, body_within: float = BODY_WITHIN) -> None:
        self._digests = {source: [_digest(one) for one in some] for source, some in known.items()}
        self._take = take
        self._body_within = body_within

    def routes(self) -> list[web.RouteDef]:
        """What the site serves."""
        return [web.post("/alerts/{source}", self._hear)]

    def lets_in(self, source: str, authorization: str) -> bool:
        """Whether that header holds a secret of this source. As much is compared for a source that is not known."""
        scheme, _, said = authorization.partition(" ")
        given, fits = _digest(said.strip()), False
        for digest in (*self._digests.get(source, ()), NOBODY, NOBODY)[:2]:
            fits = hmac.compare_digest(digest, given) or fits
        return fits and scheme.lower() == "bearer"

    async def _hear(self, request: web.Request) -> web.Response:
        source = request.match_info["source"]
        if not self.lets_in(source, request.headers.get("Authorization", "")):
            return away("alert_secret", 401, "not known here")
        body = await received(request, self._body_within)
        if isinstance(body, web.Response):
            return body
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                taken = await self._take(source, body)
        except Unreadable as error:
            ALERTS.labels(source, "unreadable").inc()
            log.info("alerts.unreadable", source=source, why=str(error))
            return web.json_response({"error": f"not readable: {error}"}, status=400)
        except (StoreUnavailable, Conflict, TimeoutError, Refused) as error:  # refused: written by a newer version
            ALERTS.labels(source, "not_stored").inc()
            log.warning("alerts.not_stored", source=source, why=str(error) or type(error).__name__)
            return web.json_response({"error": "not stored: send it again"}, status=503)
        except Exception as error:
            ALERTS.labels(source, "failed").inc()
            log.error("alerts.failed", source=source, exc_info=error)
            return web.json_response({"error": "not stored: a mistake here, it is logged"}, status=500)
        ALERTS.labels(source, taken.outcome).inc()
        said = {"outcome": taken.outcome} | ({"incident": taken.incident} if taken.incident else {})
        return web.json_response(said)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()
