"""The least that acknowledges durably: aiohttp, the signature, one insert through aiosqlite, a commit, 200.

Run as `python -m bench.bare PORT FILE KIND`; the signing secret stands in SLACK_SIGNING_SECRET. KIND `aiosqlite` speaks
to the driver (execute, then commit). `asyncpg` inserts into PostgreSQL (FILE is its URL) over five connections.
`sqlalchemy` has SQLAlchemy's asyncio engine before the one or the other. `verify` stores nothing. What is inserted is
as durable as the product's: WAL and synchronous=FULL, fsync on. None of these parses the body, decides anything, or
does anything afterwards. `bolt` is slack-bolt as it ships (its own aiohttp application)
with a listener that only acknowledges.
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
import asyncpg
from aiohttp import web
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import event, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

TABLE = "CREATE TABLE IF NOT EXISTS inbox (id INTEGER PRIMARY KEY, at REAL, body BLOB)"
SHARED_TABLE = "CREATE TABLE IF NOT EXISTS inbox (id SERIAL PRIMARY KEY, at FLOAT, body BYTEA)"
#: connections to PostgreSQL: as many as the product writes with
PLACES = 5
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
    """A pool of one connection to the file, of a few to PostgreSQL."""
    shared = file.startswith("postgresql:")
    url = make_url(file).set(drivername="postgresql+asyncpg") if shared else f"sqlite+aiosqlite:///{file}"
    engine = create_async_engine(url, pool_size=PLACES if shared else 1, max_overflow=0)

    @event.listens_for(engine.sync_engine, "connect")
    def connected(connection: object, _: object) -> None:
        cursor = connection.cursor()  # type: ignore[attr-defined]
        for pragma in () if shared else PRAGMAS:
            cursor.execute(pragma)
        cursor.close()

    async with engine.begin() as connection:
        await connection.execute(text(SHARED_TABLE if shared else TABLE))
    statement = text("INSERT INTO inbox (at, body) VALUES (:at, :body)")

    async def insert(body: bytes) -> None:
        async with engine.begin() as connection:
            await connection.execute(statement, {"at": time.time(), "body": body})

    return insert


async def by_asyncpg(url: str) -> Insert:
    """A pool of as many connections as the product writes with."""
    pool = await asyncpg.create_pool(url, min_size=PLACES, max_size=PLACES)
    await pool.execute(SHARED_TABLE)

    async def insert(body: bytes) -> None:
        await pool.execute("INSERT INTO inbox (at, body) VALUES ($1, $2)", time.time(), body)

    return insert


async def nowhere(_: str) -> Insert:
    """Nothing is stored."""

    async def insert(_: bytes) -> None:
        return

    return insert


KINDS = {"aiosqlite": by_driver, "sqlalchemy": by_engine, "asyncpg": by_asyncpg, "verify": nowhere}
#: by database: what the product is compared with
BESIDE = {
    "sqlite": ("verify", "bolt", "aiosqlite", "sqlalchemy"),
    "postgresql": ("verify", "bolt", "asyncpg", "sqlalchemy"),
}


def stock(secret: str) -> web.Application:
    """slack-bolt as its README has it: one workspace's token, listeners that only acknowledge."""
    # The local Slack is asked once who this is; everything else is left as it ships.
    client = AsyncWebClient(token=os.environ["SLACK_BOT_TOKEN"], base_url=os.environ["SLACK_API_URL"])
    app = AsyncApp(client=client, signing_secret=secret)

    async def acknowledge(ack: Callable[[], Awaitable[None]]) -> None:
        await ack()

    app.command("/incident")(acknowledge)
    app.action("inc:tick")(acknowledge)
    site = app.server(0, "/slack/events").web_app

    async def alive(_: web.Request) -> web.Response:
        return web.Response(text="ok")

    site.router.add_get("/readyz", alive)
    return site


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

    expected = hashlib.sha256(secret).digest()

    async def hear(request: web.Request) -> web.Response:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(hashlib.sha256(given.encode()).digest(), expected):
            return web.Response(status=401)
        await insert(await request.read())
        return web.Response()

    app = web.Application()
    app.router.add_post("/slack/events", handle)
    app.router.add_post("/alerts/alertmanager", hear)
    app.router.add_get("/readyz", alive)
    return app


async def _serve(port: int, file: str, kind: str) -> None:
    secret = os.environ["SLACK_SIGNING_SECRET"].encode()
    site = stock(secret.decode()) if kind == "bolt" else application(await KINDS[kind](file), secret)
    runner = web.AppRunner(site, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), sys.argv[2], sys.argv[3]))
