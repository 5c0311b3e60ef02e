"""Who may talk to the page and the control API: this machine by its own names, and no other site's pages."""

from __future__ import annotations

from aiohttp import web

_LOCAL = ("127.0.0.1", "localhost", "[::1]")


def local_name(http: web.Request) -> bool:
    """Whether the Host header names this machine; another name means DNS rebinding."""
    return http.host.rpartition(":")[0] in _LOCAL or http.host in _LOCAL


def same_origin(http: web.Request) -> bool:
    """Browsers send Origin with every write; scripts without a browser send none."""
    if http.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site"):
        return False
    origin = http.headers.get("Origin")
    return origin is None or origin == f"http://{http.host}"
