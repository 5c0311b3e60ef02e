"""The least that can acknowledge durably: aiohttp, the signature, one insert through aiosqlite, a commit, 200.

Run as `python -m bench.bare PORT FILE HOPS`; the signing secret stands in SLACK_SIGNING_SECRET. HOPS 2 is aiosqlite
as everybody writes it (execute, then commit, each a hop to its thread and back); HOPS 1 lets SQLite commit the
statement by itself.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
import sys
import time

import aiosqlite
from aiohttp import web


async def application(file: str, secret: bytes, hops: int) -> web.Application:
    """The handler and its database."""
    connection = await aiosqlite.connect(file, isolation_level=None if hops == 1 else "")
    await connection.execute("PRAGMA journal_mode=WAL")
    await connection.execute("PRAGMA synchronous=FULL")
    await connection.execute("CREATE TABLE IF NOT EXISTS inbox (id INTEGER PRIMARY KEY, at REAL, body BLOB)")
    await connection.commit()
    # one transaction at a time on one connection: without the lock requests would commit each other's work
    lock = asyncio.Lock()

    async def handle(request: web.Request) -> web.Response:
        body = await request.read()
        stamp = request.headers.get("X-Slack-Request-Timestamp", "")
        digest = hmac.new(secret, b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
        given = request.headers.get("X-Slack-Signature", "")
        if abs(time.time() - int(stamp)) > 300 or not hmac.compare_digest(f"v0={digest}", given):
            return web.Response(status=401)
        async with lock:
            await connection.execute("INSERT INTO inbox (at, body) VALUES (?, ?)", (time.time(), body))
            if hops > 1:
                await connection.commit()
        return web.Response()

    async def alive(_: web.Request) -> web.Response:
        return web.Response(text="ok")

    app = web.Application()
    app.router.add_post("/slack/events", handle)
    app.router.add_get("/readyz", alive)
    return app


async def _serve(port: int, file: str, hops: int) -> None:
    secret = os.environ["SLACK_SIGNING_SECRET"].encode()
    runner = web.AppRunner(await application(file, secret, hops), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
