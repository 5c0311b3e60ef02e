"""What the page is made of: its files, and a picture for each person."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from localslack.records import User

PAGE = Path(__file__).parent / "page"
TYPES = {
    ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".png": "image/png",
    ".json": "application/json", ".woff2": "font/woff2",
}  # fmt: skip

HEADERS = {
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
    # The page's own <meta> says the rest; only a header can say who may frame it.
    "Content-Security-Policy": "frame-ancestors 'none'",
}


async def page_file(http: web.Request) -> web.StreamResponse:
    """One of the page's files: flat names in one folder, nothing else."""
    name = http.match_info.get("name") or "index.html"
    file = PAGE / name
    kind = TYPES.get(file.suffix)
    if name.startswith(".") or kind is None or not file.is_file():
        return web.Response(status=404, text="not found")
    return web.Response(body=file.read_bytes(), content_type=kind, charset="utf-8", headers=HEADERS)


def portrait(user: User) -> web.Response:
    """A square in the person's colour with the first letter of the name."""
    letter = user.real_name[:1].upper() if user.real_name[:1].isalnum() else "?"
    picture = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 72 72"><rect width="72" height="72" rx="12" '
        f'fill="#{user.color}"/><text x="36" y="48" font-size="36" font-family="sans-serif" fill="#fff" '
        f'text-anchor="middle">{letter}</text></svg>'
    )
    return web.Response(text=picture, content_type="image/svg+xml")
