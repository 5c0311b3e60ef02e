"""The control API: what the page and scripts may see and do. Loopback names only, no writes from other sites."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot.sandbox import acts, rooms, talk, windows
from bot.sandbox.errors import NotPossible, SlackError
from bot.sandbox.faults import KINDS
from bot.sandbox.journal import Call
from bot.sandbox.origin import local_name, same_origin
from bot.sandbox.records import Channel, Json, Message, User
from bot.sandbox.shapes import file_object

if TYPE_CHECKING:
    from bot.sandbox.server import Sandbox

PAGE = Path(__file__).parent / "page"
TYPES = {
    ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".png": "image/png",
    ".json": "application/json", ".woff2": "font/woff2",
}  # fmt: skip

NOTIFICATIONS = 100
"""Notifications that a page gets when it opens."""

PAGE_HEADERS = {
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
    # The page's own <meta> says the rest; only a header can say who may frame it.
    "Content-Security-Policy": "frame-ancestors 'none'",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Control:
    """The routes under /_sandbox and the page's files."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.world = sandbox.world

    def routes(self) -> list[web.RouteDef]:
        table: list[tuple[str, str, Handler]] = [
            ("GET", "/_sandbox/bootstrap", self.bootstrap),
            ("GET", "/_sandbox/channels/{id}/messages", self.messages),
            ("GET", "/_sandbox/channels/{id}/thread", self.thread),
            ("GET", "/_sandbox/channels/{id}/details", self.details),
            ("GET", "/_sandbox/views", self.views),
            ("POST", "/_sandbox/act", self.act),
            ("GET", "/_sandbox/stream", self.stream),
            ("GET", "/_sandbox/clock", self.clock),
            ("POST", "/_sandbox/clock", self.move_clock),
            ("GET", "/_sandbox/clock/stream", self.clock_stream),
            ("GET", "/_sandbox/journal", self.journal),
            ("GET", "/_sandbox/faults", self.faults),
            ("POST", "/_sandbox/faults", self.add_fault),
            ("DELETE", "/_sandbox/faults", self.clear_faults),
            ("POST", "/_sandbox/sockets", self.sockets),
            ("GET", "/_sandbox/switches", self.switches),
            ("POST", "/_sandbox/switches", self.set_switch),
            ("GET", "/_sandbox/state", self.state),
            ("GET", "/avatars/{id}.svg", self.avatar),
            ("GET", "/", self.page),
            ("GET", "/{name:[a-z0-9_.-]+}", self.page),
        ]
        return [web.route(method, path, self._guarded(handler)) for method, path, handler in table]

    def _guarded(self, handler: Handler) -> Handler:
        """Refuse foreign Host headers (DNS rebinding) and writes from other sites; answer errors as JSON."""

        async def guarded(http: web.Request) -> web.StreamResponse:
            if not local_name(http):
                return web.json_response({"ok": False, "error": "foreign Host header"}, status=403)
            if http.method != "GET" and not same_origin(http):
                return web.json_response({"ok": False, "error": "a write from another site"}, status=403)
            try:
                return await handler(http)
            except NotPossible as error:
                return web.json_response({"ok": False, "error": str(error)}, status=400)
            except SlackError as error:
                return web.json_response({"ok": False, "error": error.code}, status=400)
            except (KeyError, TypeError, ValueError) as error:
                return web.json_response({"ok": False, "error": f"not understood: {error}"}, status=400)

        return guarded

    # --- what happens goes to the pages ------------------------------------------------------------------------

    def listen(self) -> None:
        self.sandbox.journal.on_done.append(self._on_call)
        self.sandbox.clock.on_move.append(self._on_move)
        self.sandbox.sockets.on_change.append(self._on_connections)

    def deafen(self) -> None:
        if self._on_move in self.sandbox.clock.on_move:
            self.sandbox.clock.on_move.remove(self._on_move)

    def _on_call(self, call: Call) -> None:
        stream, tour = self.sandbox.stream, self.sandbox.tour
        if stream.readers:
            stream.tell({"type": "journal", "call": call.shown()}, None)
        if tour is not None and tour.hear(call):
            stream.tell({"type": "tour", "tour": tour.shown()}, None)

    def _on_move(self) -> None:
        self.sandbox.stream.tell({"type": "clock", **self._clock()}, None)

    def _on_connections(self) -> None:
        self.sandbox.stream.tell({"type": "connected", "connected": self.sandbox.sockets.connected}, None)

    def _clock(self) -> Json:
        clock = self.sandbox.clock
        return {"now": clock.now(), "offset": clock.offset, "frozen": clock.frozen}

    # --- reading -----------------------------------------------------------------------------------------------

    def _me(self, http: web.Request) -> User:
        user = self.world.user(http.query.get("as") or next(iter(self.world.users)))
        if user.is_bot:
            raise NotPossible("only people look at the page")
        return user

    def _channel(self, http: web.Request, user: User) -> Channel:
        channel = self.world.channel(http.match_info["id"])
        if not self.world.visible(channel, user):
            raise NotPossible(f"{user.handle} cannot see that channel")
        return channel

    async def bootstrap(self, http: web.Request) -> web.Response:
        me, world = self._me(http), self.world
        home = world.homes.get(me.id)
        app = world.app
        return web.json_response(
            {
                "me": acts.page_person(me),
                "team": {"id": world.team_id, "name": world.team_name},
                "people": [acts.page_person(user) for user in world.users.values()],
                "bot": acts.page_person(world.bot),
                "channels": [
                    rooms.page_channel(world, channel, me.id)
                    for channel in world.channels.values()
                    if world.visible(channel, me)
                ],
                "usergroups": [
                    {"id": group.id, "handle": group.handle, "name": group.name, "users": group.users}
                    for group in world.groups.values()
                ],
                "commands": [
                    {"command": each.command, "description": each.description, "usage_hint": each.usage_hint}
                    for each in app.commands
                ],
                "shortcuts": [
                    {"name": s.name, "type": s.type, "callback_id": s.callback_id, "description": s.description}
                    for s in app.shortcuts
                ],
                "clock": self._clock(),
                "switches": [switch.shown() for switch in self.sandbox.switches],
                "tour": self.sandbox.tour.shown() if self.sandbox.tour else None,
                "delivery": "socket" if self.sandbox.event_url is None else "http",
                "connected": self.sandbox.sockets.connected,
                "home": windows.page_view(world, home) if home else None,
                "app": {"name": app.name, "home_tab": app.home_tab, "dm_read_only": app.dm_read_only},
                "notifications": self._notifications(me),
                "told": self.sandbox.stream.told,
                "stack_depth": len(world.stacks.get(me.id) or []),
            }
        )

    def _notifications(self, me: User) -> list[Json]:
        """The last ones, oldest first, each with whether its place has been read since."""
        channels, found = self.world.channels, self.world.notifications.get(me.id, [])[-NOTIFICATIONS:]
        return [
            {**each, "read": each["ts"] <= channels[each["channel"]].last_read.get(me.id, "")}
            for each in found
            if each["channel"] in channels
        ]

    async def messages(self, http: web.Request) -> web.Response:
        me = self._me(http)
        channel = self._channel(http, me)
        person = self.sandbox.person(me.id)
        before, limit = http.query.get("before"), int(http.query.get("limit") or 100)
        rows = [m for m in _seen(channel, person.messages(channel.id)) if not before or m.ts < before]
        page = rows[-limit:] if limit > 0 else []
        shown = [self._shown(me, message) for message in page]
        return web.json_response({"messages": shown, "has_more": len(rows) > len(page)})

    async def thread(self, http: web.Request) -> web.Response:
        me = self._me(http)
        channel = self._channel(http, me)
        ts = http.query["ts"]
        rows = self.sandbox.person(me.id).messages(channel.id, ts)
        parent = channel.by_ts.get(ts)
        if parent is not None and parent.deleted and parent.replies:
            rows = [parent, *rows]
        return web.json_response({"messages": [self._shown(me, message) for message in rows]})

    def _shown(self, me: User, message: Message) -> Json:
        """A message with this person's own choices in its elements."""
        shown = talk.page_object(self.world, message)
        state = self.world.local_state.get((message.channel, message.ts), {}).get(me.id)
        if state:
            shown["state"] = {"values": state}
        return shown

    async def details(self, http: web.Request) -> web.Response:
        me = self._me(http)
        channel = self._channel(http, me)
        files = [file_object(self.world, file) for file in self.world.files.values() if channel.id in file.shares]
        return web.json_response(
            {
                "members": list(channel.members),
                "pins": [
                    {"by": pin.by, "created": pin.created, "message": self._shown(me, channel.by_ts[pin.ts])}
                    for pin in channel.pins
                ],
                "bookmarks": [bookmark.shown() for bookmark in channel.bookmarks],
                "files": files,
                "topic": channel.topic,
                "purpose": channel.purpose,
                "creator": channel.creator,
                "created": channel.created,
            }
        )

    async def views(self, http: web.Request) -> web.Response:
        me = self._me(http)
        stack = [windows.page_view(self.world, view) for view in self.world.stacks.get(me.id) or []]
        return web.json_response({"views": stack})

    async def state(self, http: web.Request) -> web.Response:
        world = self.world
        channels = [
            {
                "id": channel.id,
                "name": channel.name,
                "is_private": channel.is_private,
                "is_im": channel.is_im,
                "is_archived": channel.is_archived,
                "creator": channel.creator,
                "topic": channel.topic,
                "members": channel.members,
                "messages": [talk.page_object(world, m) for m in channel.by_ts.values() if not m.deleted],
            }
            for channel in world.channels.values()
        ]
        people = [acts.page_person(user) for user in world.users.values()]
        return web.json_response({"people": people, "channels": channels, "clock": self._clock()})

    async def journal(self, http: web.Request) -> web.Response:
        calls = self.sandbox.journal.after(int(http.query.get("after") or 0))
        method, outcome = http.query.get("method"), http.query.get("outcome")
        if method or outcome:
            calls = [each for each in calls if method in (None, each.method) and outcome in (None, each.outcome)]
        limit = int(http.query.get("limit") or 500)
        return web.json_response({"calls": [call.shown() for call in calls[-limit:]]})

    # --- streams -----------------------------------------------------------------------------------------------

    async def stream(self, http: web.Request) -> web.StreamResponse:
        return await self.sandbox.stream.serve(http, self._me(http).id)

    async def clock(self, http: web.Request) -> web.Response:
        return web.json_response(self._clock())

    async def clock_stream(self, http: web.Request) -> web.StreamResponse:
        """The clock now, and after each move: `data: {now, offset, frozen}`."""
        return await self.sandbox.clock_feed.serve(http)

    # --- writing -----------------------------------------------------------------------------------------------

    async def act(self, http: web.Request) -> web.Response:
        body = await _body(http)
        answer = await acts.act(self.sandbox, body)
        return web.json_response({"ok": True} | answer)

    async def move_clock(self, http: web.Request) -> web.Response:
        seconds = float((await _body(http))["advance"])
        if not 0 <= seconds <= 366 * 86_400:
            raise ValueError("advance takes seconds, up to a year")
        self.sandbox.clock.advance(seconds)
        tour = self.sandbox.tour
        if tour is not None and tour.hear_clock(seconds):
            self.sandbox.stream.tell({"type": "tour", "tour": tour.shown()}, None)
        return web.json_response({"ok": True} | self._clock())

    async def faults(self, http: web.Request) -> web.Response:
        return web.json_response({"faults": self.sandbox.faults.shown(), "kinds": KINDS})

    async def add_fault(self, http: web.Request) -> web.Response:
        body = await _body(http)
        self.sandbox.faults.add(str(body["method"]), str(body["kind"]), int(body.get("times", 1)))
        return web.json_response({"ok": True, "faults": self.sandbox.faults.shown()})

    async def clear_faults(self, http: web.Request) -> web.Response:
        self.sandbox.faults.clear()
        return web.json_response({"ok": True, "faults": []})

    async def sockets(self, http: web.Request) -> web.Response:
        """What Socket Mode does to its connections: `do` is warning, refresh_requested, cut or expire_tickets."""
        what, sockets = (await _body(http))["do"], self.sandbox.sockets
        if what in ("warning", "refresh_requested", "link_disabled"):
            await sockets.disconnect(what)
        elif what == "cut":
            while sockets.connected:
                sockets.tear()
        elif what == "expire_tickets":
            sockets.expire_tickets()
        else:
            raise NotPossible(f"sockets cannot do {what!r}")
        return web.json_response({"ok": True, "connected": sockets.connected})

    async def switches(self, http: web.Request) -> web.Response:
        return web.json_response({"switches": [switch.shown() for switch in self.sandbox.switches]})

    async def set_switch(self, http: web.Request) -> web.Response:
        body = await _body(http)
        for switch in self.sandbox.switches:
            if switch.id == body["id"]:
                switch.set(str(body["value"]))
                self.sandbox.stream.tell({"type": "switch", "switch": switch.shown(), **switch.shown()}, None)
                return web.json_response({"ok": True, "switch": switch.shown()})
        raise NotPossible(f"there is no switch {body['id']}")

    # --- files -------------------------------------------------------------------------------------------------

    async def page(self, http: web.Request) -> web.StreamResponse:
        """The page's files: flat names in one folder, nothing else."""
        name = http.match_info.get("name") or "index.html"
        file = PAGE / name
        kind = TYPES.get(file.suffix)
        if name.startswith(".") or kind is None or not file.is_file():
            return web.Response(status=404, text="not found")
        return web.Response(body=file.read_bytes(), content_type=kind, charset="utf-8", headers=PAGE_HEADERS)

    async def avatar(self, http: web.Request) -> web.Response:
        user = self.world.user(http.match_info["id"])
        letter = user.real_name[:1].upper() if user.real_name[:1].isalnum() else "?"
        picture = (
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 72 72"><rect width="72" height="72" rx="12" '
            f'fill="#{user.color}"/><text x="36" y="48" font-size="36" font-family="sans-serif" fill="#fff" '
            f'text-anchor="middle">{letter}</text></svg>'
        )
        return web.Response(text=picture, content_type="image/svg+xml")


def _seen(channel: Channel, rows: list[Message]) -> list[Message]:
    """What a person sees at top level, tombstones of deleted parents with replies included."""
    stones = [m for m in channel.by_ts.values() if m.deleted and m.replies and not m.ephemeral]
    return sorted([*rows, *stones], key=lambda message: message.ts) if stones else rows


async def _body(http: web.Request) -> dict[str, Any]:
    if http.content_type != "application/json":
        # A form or text/plain body could come from another site without a preflight.
        raise ValueError("the body must be application/json")
    body = json.loads(await http.text())
    if not isinstance(body, dict):
        raise ValueError("the body must be an object")
    return body
