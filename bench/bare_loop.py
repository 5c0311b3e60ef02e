"""The least that pays reminders from a shared table: claim due rows with SKIP LOCKED, post, mark each row.

Run as `python -m bench.bare_loop URL API OFFSET`. No timeline, no rules, no rendering, no leases, no look before a
repetition: what a crash leaves claimed stays claimed. For comparison only.
"""

from __future__ import annotations

import asyncio
import sys
import time

import aiohttp
import asyncpg

TABLE = "CREATE TABLE bare (id TEXT PRIMARY KEY, due_at FLOAT NOT NULL, state INT NOT NULL DEFAULT 0)"
INDEX = "CREATE INDEX ON bare (due_at) WHERE state = 0"
CLAIM = """UPDATE bare SET state = 1 WHERE id IN (
    SELECT id FROM bare WHERE state = 0 AND due_at <= $1 ORDER BY due_at LIMIT 16 FOR UPDATE SKIP LOCKED)
    RETURNING id"""
NEXT = "SELECT min(due_at) FROM bare WHERE state = 0"
DONE = "UPDATE bare SET state = 2 WHERE id = $1"


async def loop(url: str, api: str, offset: float) -> None:
    """Until nothing is left."""
    async with asyncpg.create_pool(url, min_size=5, max_size=5) as pool, aiohttp.ClientSession() as session:

        async def pay(id: str) -> None:
            message = {"channel": id, "text": "An update is due.", "metadata": {"event_payload": {"id": id}}}
            async with session.post(f"{api}/api/chat.postMessage", json=message) as answer:
                await answer.read()
            await pool.execute(DONE, id)

        while True:
            claimed = await pool.fetch(CLAIM, time.time() + offset)
            if claimed:
                await asyncio.gather(*(pay(row["id"]) for row in claimed))
                continue
            following = await pool.fetchval(NEXT)
            if following is None:
                return
            await asyncio.sleep(min(1.0, max(0.0, following - time.time() - offset)))


if __name__ == "__main__":
    asyncio.run(loop(sys.argv[1], sys.argv[2], float(sys.argv[3])))
