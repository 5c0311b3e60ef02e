"""The least that acknowledges durably: aiohttp, the signature, one insert through aiosqlite, a commit, 200.

Run as `python -m bench.bare PORT FILE KIND`; the signing secret stands in SLACK_SIGNING_SECRET. KIND `aiosqlite` speaks
to the driver (execute, then commit); `sqlalchemy` has SQLAlchemy's asyncio engine in between, as this product's reads.
Neither parses the body, decides anything, or does anything afterwards.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
import sys
import time
from collections.abc import Awaitable, Callable

import aiosqlite
from aiohttp import web
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import create_async_engine

TABLE = "CREATE TABLE IF NOT EXISTS inbox (id INTEGER PRIMARY KEY, at REAL, body BLOB)"
PRAGMAS = ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL")

Insert = Callable[[bytes], Awaitable[None]]


async def by_driver(file: str) -> Insert:
    """One connection, a transaction at a time: without the lock requests would commit each other's work."""
    connection = await aiosqlite.connect(file)
    for statement in (*PRAGMAS, TABLE):
        await connection.execute(statement)
    await connection.commit()
    lock = asyncio.Lock()

    async def insert(body: bytes) -> None:
        async with lock:
            await connection.execute("INSERT INTO inbox (at, body) VALUES (?, ?)", (time.time(), body))
            await connection.commit()

    return insert


async def by_engine(file: str) -> Insert:
    """A pool of one connection."""
    engine = create_async_engine(f"sqlite+aiosqlite:///{file}", pool_size=1, max_overflow=0)

    @event.listens_for(engine.sync_engine, "connect")
    def connected(connection: object, _: object) -> None:
        cursor = connection.cursor()  # type: ignore[attr-defined]
        for pragma in PRAGMAS:
            cursor.execute(pragma)
        cursor.close()

    async with engine.begin() as connection:
        await connection.execute(text(TABLE))
    statement = text("INSERT INTO inbox (at, body) VALUES (:at, :body)")

    async def insert(body: bytes) -> None:
        async with engine.begin() as connection:
            await connection.execute(statement, {"at": time.time(), "body": body})

    return insert


KINDS = {"aiosqlite": by_driver, "sqlalchemy": by_engine}


def application(insert: Insert, secret: bytes) -> web.Application:
    """The handler."""

    async def handle(request: web.Request) -> web.Response:
        body = await request.read()
        stamp = request.headers.get("X-Slack-Request-Timestamp", "")
        digest = hmac.new(secret, b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
        given = request.headers.get("X-Slack-Signature", "")
        if abs(time.time() - int(stamp)) > 300 or not hmac.compare_digest(f"v0={digest}", given):
            return web.Response(status=401)
        await insert(body)
        return web.Response()

    async def alive(_: web.Request) -> web.Response:
        return web.Response(text="ok")

    app = web.Application()
    app.router.add_post("/slack/events", handle)
    app.router.add_get("/readyz", alive)
    return app


async def _serve(port: int, file: str, kind: str) -> None:
    secret = os.environ["SLACK_SIGNING_SECRET"].encode()
    runner = web.AppRunner(application(await KINDS[kind](file), secret), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), sys.argv[2], sys.argv[3]))
