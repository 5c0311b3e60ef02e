"""The load: so many connections, each with one request after the other, from a process of its own.

Run as `python -m bench.load`; a line of JSON on standard input ({port, secret, as: slack or alert, bodies: [[body, …] a
connection]}) gives a line of JSON on standard output ({seconds, latencies, bad}). Requests are made before the clock
starts.
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
import hmac
import json
import sys
import time
from collections.abc import Sequence
from functools import partial
from typing import Any


def request(body: bytes, secret: bytes, host: str) -> bytes:
    """The bytes of one signed request (https://docs.slack.dev/authentication/verifying-requests-from-slack)."""
    stamp = str(int(time.time()))
    digest = hmac.new(secret, b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    head = (
        f"POST /slack/events HTTP/1.1\r\nHost: {host}\r\nUser-Agent: Slackbot 1.0 (+https://api.slack.com/robots)\r\n"
        f"Accept: */*\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
        f"X-Slack-Request-Timestamp: {stamp}\r\nX-Slack-Signature: v0={digest}\r\n\r\n"
    )
    return head.encode() + body


def alert(body: bytes, secret: bytes, host: str) -> bytes:
    """The bytes of one request as Alertmanager posts it."""
    head = (
        f"POST /alerts/alertmanager HTTP/1.1\r\nHost: {host}\r\nUser-Agent: Alertmanager/0.34.0\r\n"
        f"Content-Length: {len(body)}\r\nAuthorization: Bearer {secret.decode()}\r\n"
        "Content-Type: application/json\r\n\r\n"
    )
    return head.encode() + body


#: by what `as` says in the task
REQUESTS = {"slack": request, "alert": alert}


class Connection(asyncio.Protocol):
    """Sends its requests one by one, each as soon as the last was answered."""

    def __init__(self, requests: Sequence[bytes]) -> None:
        self.latencies: list[float] = []
        self.bad = 0
        self.done = asyncio.get_running_loop().create_future()
        self._left = iter(requests)
        self._heard = b""
        self._sent = 0.0
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def begin(self) -> None:
        """Send the next request, or say that it was the last."""
        following = next(self._left, None)
        if following is None:
            self.done.set_result(None)
            return
        self._sent = time.perf_counter()
        self._transport.write(following)

    def data_received(self, data: bytes) -> None:
        self._heard += data
        head, found, rest = self._heard.partition(b"\r\n\r\n")
        if not found:
            return
        length = 0
        for line in head.split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        if len(rest) < length:
            return
        self.latencies.append(time.perf_counter() - self._sent)
        self.bad += not head.startswith(b"HTTP/1.1 200")
        self._heard = b""
        self.begin()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("the server hung up"))


async def run(task: dict[str, Any]) -> dict[str, Any]:
    """One round."""
    loop = asyncio.get_running_loop()
    secret, host, port = task["secret"].encode(), "127.0.0.1", int(task["port"])
    connections = []
    for bodies in task["bodies"]:
        ready = [REQUESTS[task["as"]](body.encode(), secret, host) for body in bodies]
        _, connection = await loop.create_connection(partial(Connection, ready), host, port)
        connections.append(connection)
    gc.collect()
    gc.disable()
    begun = time.perf_counter()
    for connection in connections:
        connection.begin()
    await asyncio.gather(*(connection.done for connection in connections))
    return {
        "seconds": time.perf_counter() - begun,
        "latencies": [one for connection in connections for one in connection.latencies],
        "bad": sum(connection.bad for connection in connections),
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(run(json.loads(sys.stdin.readline())))))
