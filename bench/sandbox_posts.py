"""How many chat.postMessage a second the local Slack takes on one processor, blocks checked, rate limits off.

    python -m bench.sandbox_posts [--seconds 5] [--connections 8]

The local Slack runs in a process of its own, bound to one processor where the machine has several; this process asks
from another. Each message carries a header, a section with a checkbox and three buttons, as an incident's card does.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import statistics
import time
from multiprocessing.connection import Connection

from localslack import LocalSlack, WorkspaceClock

MANIFEST = {
    "display_information": {"name": "Bench"},
    "oauth_config": {"scopes": {"bot": ["chat:write", "chat:write.public"]}},
}
CARD = [
    {"type": "header", "text": {"type": "plain_text", "text": "INC-1 Withdrawals are stuck"}},
    {
        "type": "section",
        "text": {"type": "mrkdwn", "text": "*Pause withdrawals* by <@U01ANASILVA>, 14:32 UTC"},
        "accessory": {
            "type": "checkboxes",
            "action_id": "tick",
            "options": [{"text": {"type": "plain_text", "text": "Done"}, "value": "1"}],
        },
    },
    {
        "type": "actions",
        "elements": [
            {"type": "button", "action_id": f"b{n}", "text": {"type": "plain_text", "text": "Update"}, "value": "1"}
            for n in range(3)
        ],
    },
]


def serve(pipe: Connection) -> None:
    """The process under measurement."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if len(cores) > 1:
        os.sched_setaffinity(0, cores[:1])

    async def work() -> None:
        async with LocalSlack(MANIFEST, WorkspaceClock()) as slack:
            pipe.send((slack.port, slack.bot_token))
            await asyncio.get_running_loop().run_in_executor(None, pipe.recv)

    asyncio.run(work())


def request(port: int, token: str) -> bytes:
    body = json.dumps({"channel": "C01GENERAL1", "text": "INC-1 Withdrawals are stuck", "blocks": CARD}).encode()
    head = (
        f"POST /api/chat.postMessage HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def ask(port: int, raw: bytes, until: float, took: list[float]) -> None:
    """One connection that posts one message after the other."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while (begun := time.perf_counter()) < until:
        writer.write(raw)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        body = await reader.readexactly(length)
        if not body.startswith(b'{"ok": true'):
            raise RuntimeError(body[:200])
        took.append(time.perf_counter() - begun)
    writer.close()


async def measure(port: int, token: str, seconds: float, connections: int) -> None:
    raw = request(port, token)
    await asyncio.gather(*(ask(port, raw, time.perf_counter() + 0.5, []) for _ in range(connections)))
    took: list[float] = []
    begun = time.perf_counter()
    await asyncio.gather(*(ask(port, raw, begun + seconds, took) for _ in range(connections)))
    spent = time.perf_counter() - begun
    percentiles = statistics.quantiles(took, n=100)
    print(
        f"{len(took) / spent:,.0f} chat.postMessage a second over {connections} connections in {spent:.1f} s; "
        f"p50 {percentiles[49] * 1000:.2f} ms, p99 {percentiles[98] * 1000:.2f} ms"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--connections", type=int, default=8)
    given = parser.parse_args()
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(there,))
    process.start()
    try:
        port, token = here.recv()
        asyncio.run(measure(port, token, given.seconds, given.connections))
    finally:
        here.send("stop")
        process.join(10)


if __name__ == "__main__":
    main()
