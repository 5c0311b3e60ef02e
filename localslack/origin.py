"""Who may talk to the local Slack: this machine by its own names, and no other site's pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

_LOCAL = ("127.0.0.1", "localhost", "[::1]")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def kept_out(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse foreign Host headers (DNS rebinding), and what another site's page sends or listens to.

    A link to the page and the way through the consent page stay open: those come from other sites.
    """
    if not _local_name(request):
        return web.json_response({"ok": False, "error": "foreign Host header"}, status=403)
    reads = request.method in ("GET", "HEAD") and "Upgrade" not in request.headers
    if not _same_origin(request) and not (reads and not request.path.startswith("/_sandbox/")):
        return web.json_response({"ok": False, "error": "a request from another site"}, status=403)
    return await handler(request)


def _local_name(http: web.Request) -> bool:
    """Whether the Host header names this machine."""
    return http.host.rpartition(":")[0] in _LOCAL or http.host in _LOCAL


def _same_origin(http: web.Request) -> bool:
    """Browsers send one of these headers with what a page asks for; scripts without a browser send none."""
    if http.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site"):
        return False
    origin = http.headers.get("Origin")
    return origin is None or origin == f"http://{http.host}"
