"""The body of a request, as it came over the wire, within size and time; and who is turned away, in a few words."""

from __future__ import annotations

import asyncio

import structlog
from aiohttp import web

from bot.metrics import REQUESTS_REJECTED

log = structlog.get_logger(__name__)

#: bytes. Slack's requests are small, its longest form is 250 kB; an alert has about 600 bytes
MAX_BODY_BYTES = 1024 * 1024
#: seconds within which a request's body has to be here; Slack itself gives up after 3
BODY_TIMEOUT_SECONDS = 10.0


async def read_body(request: web.Request, within: float = BODY_TIMEOUT_SECONDS) -> bytes | web.Response:
    """The body, or the answer to whoever sent too much or too slowly."""
    if (request.content_length or 0) > MAX_BODY_BYTES:
        return reject("too_large", 413, "too large")
    try:
        async with asyncio.timeout(within):
            return await request.read()
    except web.HTTPRequestEntityTooLarge:
        return reject("too_large", 413, "too large")
    except TimeoutError:
        answer = reject("too_slow", 408, "too slow")
        answer.force_close()
        return answer
    except (ConnectionError, web.RequestPayloadError):
        return reject("cut_off", 400, "cut off")


def reject(reason: str, status: int, words: str) -> web.Response:
    """Turn a request away, and count it."""
    count_rejected(reason)
    return web.Response(status=status, text=words)


def count_rejected(reason: str) -> None:
    """Count a request that is not taken."""
    REQUESTS_REJECTED.labels(reason).inc()
    log.info("edge.turned_away", reason=reason)
