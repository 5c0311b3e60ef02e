"""The body of a request, as it came over the wire, within size and time; and who is turned away, in a few words."""

from __future__ import annotations

import asyncio

import structlog
from aiohttp import web

from bot.metrics import TURNED_AWAY

log = structlog.get_logger(__name__)

#: bytes. Slack's requests are small, its longest form is 250 kB; an alert has about 600 bytes
BODY_LIMIT = 1024 * 1024
#: seconds within which a request's body has to be here; Slack itself gives up after 3
BODY_WITHIN = 10.0


async def received(request: web.Request, within: float = BODY_WITHIN) -> bytes | web.Response:
    """The body, or the answer to whoever sent too much or too slowly."""
    if (request.content_length or 0) > BODY_LIMIT:
        return away("too_large", 413, "too large")
    try:
        async with asyncio.timeout(within):
            return await request.read()
    except web.HTTPRequestEntityTooLarge:
        return away("too_large", 413, "too large")
    except TimeoutError:
        answer = away("too_slow", 408, "too slow")
        answer.force_close()
        return answer
    except (ConnectionError, web.RequestPayloadError):
        return away("cut_off", 400, "cut off")


def away(reason: str, status: int, words: str) -> web.Response:
    """Turn a request away, and count it."""
    turned_away(reason)
    return web.Response(status=status, text=words)


def turned_away(reason: str) -> None:
    """Count a request that is not taken."""
    TURNED_AWAY.labels(reason).inc()
    log.info("edge.turned_away", reason=reason)
