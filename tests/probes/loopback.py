"""A server on loopback that answers like a healthy Horizon and Stellar RPC until a test tells it otherwise."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

FIXTURES = Path(__file__).parent / "fixtures"
PUBLIC = "Public Global Stellar Network ; September 2015"
#: Four seconds after the fixtures' last ledger closed.
NOW = datetime(2026, 3, 2, 14, 32, tzinfo=UTC)

Say = Callable[[web.Request], Awaitable[web.StreamResponse]]


def fixture(name: str) -> Any:
    return json.loads((FIXTURES / f"{name}.json").read_text())


def says(
    body: object = b"", status: int = 200, kind: str = "application/json", headers: dict[str, str] | None = None
) -> Say:
    """Always the same answer. Bytes go out as they are, anything else as JSON."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(body=raw, status=status, headers={"Content-Type": kind, **(headers or {})})

    return answer


@dataclass
class Loopback:
    """Keys of `answers`: "/" and "/health" for Horizon, the method's name for RPC."""

    answers: dict[str, Say] = field(
        default_factory=lambda: {
            "/": says(fixture("root")),
            "/health": says(fixture("health")),
            **{name: says(fixture(name)) for name in ("getHealth", "getNetwork", "getTransaction")},
        }
    )
    seen: list[str] = field(default_factory=list)
    url: str = ""
    #: set when the test ends, so that hanging handlers do not outlive it
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        raw = await request.text()
        if request.method == "GET":
            key = "/health" if request.path.endswith("/health") else "/"
        else:
            key = json.loads(raw)["method"] if raw.startswith("{") else "form"
        self.seen.append(f"{request.method} {key if request.method == 'POST' else request.path}")
        return await self.answers[key](request)

    async def hang(self, request: web.Request) -> web.StreamResponse:
        """No answer for as long as the test lasts."""
        await self.over.wait()
        return web.Response()

    async def hang_in_the_body(self, request: web.Request) -> web.StreamResponse:
        """Status, headers and half of a body, then nothing."""
        response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "100"})
        await response.prepare(request)
        await response.write(b'{"horizon_version"')
        await self.over.wait()
        return response


@asynccontextmanager
async def serving() -> AsyncIterator[Loopback]:
    loopback = Loopback()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", loopback.handle)
    server = TestServer(app)
    await server.start_server()
    loopback.url = str(server.make_url("/"))
    try:
        yield loopback
    finally:
        loopback.over.set()
        await server.close()


@asynccontextmanager
async def raw_server(sends: bytes) -> AsyncIterator[str]:
    """A TCP server that reads one request, sends these bytes, and resets the connection."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(sends)
        if sends:
            await writer.drain()
            writer.close()
        else:
            writer.transport.abort()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.close()
