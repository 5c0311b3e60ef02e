"""The least that can be Slack for a bot that only sends: it answers ok, remembers who posted what when, and tells it.

The local Slack validates every block and keeps a journal. That costs about a quarter of a millisecond a call, on the
processors that the bot needs. This costs a fraction of that, and its channels need not be made first.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

TEAM, BOT, PERSON = "T0BENCH", "U0BOT", "U0LEAD"
_PEOPLE = (
    {"id": BOT, "team_id": TEAM, "name": "incident", "is_bot": True, "profile": {"real_name": "Incident"}},
    {"id": PERSON, "team_id": TEAM, "name": "lead", "profile": {"real_name": "Lee Lead"}},
)
_CHANNELS = ({"id": "C0ALL", "name": "incidents", "is_member": True},
             {"id": "C0PUBLIC", "name": "customer-comms", "is_member": True})  # fmt: skip


@dataclass(frozen=True)
class Post:
    """A chat.postMessage: when it came (epoch seconds, this machine's clock), where, and its mark."""

    at: float
    channel: str
    id: str
    text: str
    ts: str


@dataclass
class Sink:
    """`offset`: seconds by which the bots' clock is ahead of the machine's. `delay`: seconds that a post takes."""

    offset: float = 0.0
    delay: float = 0.0
    #: whether posts are remembered
    keep: bool = True
    posts: list[Post] = field(default_factory=list)
    #: channels that were made: (id, name)
    opened: list[tuple[str, str]] = field(default_factory=list)
    calls: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    url: str = ""
    _listening: set[web.StreamResponse] = field(default_factory=set)
    _told: set[asyncio.Task[None]] = field(default_factory=set)
    _over: asyncio.Event = field(default_factory=asyncio.Event)
    _number: int = 0

    async def start(self) -> None:
        """Listen on a free port."""
        site = web.Application(client_max_size=1 << 20)
        site.router.add_post("/api/{method}", self._answer)
        site.router.add_get("/api/{method}", self._answer)
        site.router.add_get("/clock", self._clock)
        self._runner = web.AppRunner(site, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Stop listening."""
        self._over.set()
        await self._runner.cleanup()

    def forget(self) -> None:
        """Begin anew with an empty workspace."""
        self.posts.clear()
        self.calls.clear()

    async def _clock(self, request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await answer.prepare(request)
        await self._tell(answer)
        self._listening.add(answer)
        try:
            await self._over.wait()
        finally:
            self._listening.discard(answer)
        return answer

    def move(self, seconds: float) -> None:
        """Let the bots' clock go on."""
        self.offset += seconds
        for one in self._listening:
            task = asyncio.create_task(self._tell(one))
            self._told.add(task)
            task.add_done_callback(self._told.discard)

    async def _tell(self, to: web.StreamResponse) -> None:
        with contextlib.suppress(ConnectionError):
            await to.write(f"data: {json.dumps({'offset': self.offset})}\n\n".encode())

    async def _answer(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        self.calls[method] += 1
        if method == "chat.postMessage":
            return await self._post(json.loads(await request.read()))
        body = await request.read()
        form = request.content_type != "application/json"
        given: dict[str, Any] = dict(parse_qsl(body.decode())) if form else json.loads(body)
        given |= request.query
        return _json(self._other(method, given))

    async def _post(self, message: dict[str, Any]) -> web.Response:
        at = time.time()
        self._number = number = self._number + 1
        ts = f"{int(at + self.offset)}.{number % 1_000_000:06d}"
        mark = message.get("metadata", {}).get("event_payload", {}).get("id", "")
        if self.keep:
            self.posts.append(Post(at, message["channel"], mark, message.get("text", ""), ts))
        if self.delay:
            await asyncio.sleep(self.delay)
        return _json({"ok": True, "channel": message["channel"], "ts": ts})

    def _other(self, method: str, given: Any) -> dict[str, Any]:
        match method:
            case "auth.test":
                return {
                    "ok": True,
                    "team_id": TEAM,
                    "user_id": BOT,
                    "bot_id": "B0BOT",
                    "url": "https://bench.slack.com/",
                }
            case "users.list":
                return {"ok": True, "members": _PEOPLE}
            case "usergroups.list":
                return {"ok": True, "usergroups": []}
            case "conversations.list":
                return {"ok": True, "channels": _CHANNELS}
            case "conversations.history" | "conversations.replies":
                found = [
                    {"ts": one.ts, "metadata": {"event_type": "x", "event_payload": {"id": one.id}}}
                    for one in self.posts
                    if one.channel == given.get("channel")
                ]
                return {"ok": True, "messages": found[::-1]}
            case "conversations.create":
                id = f"C{len(self.opened) + 1:08d}N"
                self.opened.append((id, given["name"]))
                return {"ok": True, "channel": {"id": id, "name": given["name"]}}
            case "conversations.open":
                return {"ok": True, "channel": {"id": f"D{given.get('users', '')}"}}
        return {"ok": True}


def _json(answer: dict[str, Any]) -> web.Response:
    return web.Response(body=json.dumps(answer).encode(), content_type="application/json")
