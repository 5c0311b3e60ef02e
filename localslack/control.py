"""The control API: what the page and scripts may see and do. Loopback names only, no writes from other sites."""

from __future__ import annotations

from aiohttp import web

from localslack import acts, conversations, messages, views
from localslack.controlled import Controlled
from localslack.errors import NotPossible, SlackError
from localslack.journal import Call
from localslack.objects import file_object
from localslack.page_files import page_file, portrait
from localslack.records import Channel, Json, Message, User
from localslack.tools import Handler, Tools, body_of, clock_object
from localslack.workspace import Workspace
from localslack.world import World

MAX_NOTIFICATIONS = 100
"""Notifications that a page gets when it opens."""


class Control:
    """The routes under /_sandbox and the page's files."""

    def __init__(self, slack: Controlled) -> None:
        self.slack = slack

    def routes(self) -> list[web.RouteDef]:
        table: list[tuple[str, str, Handler]] = [
            ("GET", "/_sandbox/bootstrap", self.bootstrap),
            ("GET", "/_sandbox/channels/{id}/messages", self.messages),
            ("GET", "/_sandbox/channels/{id}/thread", self.thread),
            ("GET", "/_sandbox/channels/{id}/details", self.details),
            ("GET", "/_sandbox/views", self.views),
            ("POST", "/_sandbox/act", self.act),
            ("GET", "/_sandbox/stream", self.stream),
            ("GET", "/_sandbox/state", self.state),
            ("GET", "/avatars/{id}.svg", self.avatar),
            ("GET", "/", page_file),
            ("GET", "/{name:[a-z0-9_.-]+}", page_file),
        ]
        table = [*Tools(self.slack).table(), *table]
        return [web.route(method, path, self._in_words(handler)) for method, path, handler in table]

    def _in_words(self, handler: Handler) -> Handler:
        """Answer errors as JSON."""

        async def answered(http: web.Request) -> web.StreamResponse:
            try:
                return await handler(http)
            except (NotPossible, TimeoutError) as error:
                return web.json_response({"ok": False, "error": str(error)}, status=400)
            except SlackError as error:
                return web.json_response({"ok": False, "error": error.code}, status=400)
            except KeyError as missing:
                return web.json_response({"ok": False, "error": f"missing: {missing.args[0]}"}, status=400)
            except (TypeError, ValueError) as error:
                return web.json_response({"ok": False, "error": f"not understood: {error}"}, status=400)

        return answered

    # --- what happens goes to the pages ------------------------------------------------------------------------

    def listen(self) -> None:
        self.slack.journal.on_done.append(self._on_call)
        self.slack.clock.on_move.append(self._on_move)
        self.slack.sockets.on_change.append(self._on_connections)

    def deafen(self) -> None:
        if self._on_move in self.slack.clock.on_move:
            self.slack.clock.on_move.remove(self._on_move)

    def _on_call(self, call: Call) -> None:
        stream, tour = self.slack.stream, self.slack.tour
        if stream.readers:
            stream.tell({"type": "journal", "call": call.shown()}, None)
        if tour is not None and tour.hear(call):
            stream.tell({"type": "tour", "tour": tour.shown()}, None)

    def _on_move(self) -> None:
        self.slack.stream.tell({"type": "clock", **clock_object(self.slack.clock)}, None)

    def _on_connections(self) -> None:
        self.slack.stream.tell({"type": "connected", "connected": self.slack.sockets.connected}, None)

    # --- reading -----------------------------------------------------------------------------------------------

    def _workspace(self, team: object) -> Workspace:
        """The workspace with this id, the first where none is named. Raises NotPossible."""
        for each in self.slack.workspaces:
            if team in (None, "", each.team_id):
                return each
        raise NotPossible(f"there is no workspace {team}")

    def _here(self, http: web.Request) -> Workspace:
        return self._workspace(http.query.get("team"))

    def _who(self, http: web.Request) -> tuple[Workspace, User]:
        """Which workspace is looked at, and by whom."""
        here = self._here(http)
        user = here.world.user(http.query.get("as") or next(iter(here.world.users)))
        if user.is_bot:
            raise NotPossible("only people look at the page")
        return here, user

    def _place(self, http: web.Request) -> tuple[Workspace, User, Channel]:
        """The same, and the channel that the address names."""
        here, me = self._who(http)
        channel = here.world.channel(http.match_info["id"])
        if not here.world.visible(channel, me):
            raise NotPossible(f"{me.handle} cannot see that channel")
        return here, me, channel

    async def bootstrap(self, http: web.Request) -> web.Response:
        here, me = self._who(http)
        world = here.world
        home = world.homes.get(me.id)
        app = world.app
        return web.json_response(
            {
                "me": acts.page_person(me),
                "team": _team(world),
                "teams": [_team(each.world) for each in self.slack.workspaces],
                "people": [acts.page_person(user) for user in world.users.values()],
                "bot": acts.page_person(world.bot),
                "channels": [
                    conversations.page_channel(world, channel, me.id)
                    for channel in world.channels.values()
                    if world.visible(channel, me)
                ],
                "usergroups": [
                    {"id": group.id, "handle": group.handle, "name": group.name, "users": group.users}
                    for group in world.enabled_groups()
                ],
                "commands": [
                    {"command": each.command, "description": each.description, "usage_hint": each.usage_hint}
                    for each in app.commands
                ],
                "shortcuts": [
                    {"name": s.name, "type": s.type, "callback_id": s.callback_id, "description": s.description}
                    for s in app.shortcuts
                ],
                "clock": clock_object(self.slack.clock),
                "switches": [switch.shown() for switch in self.slack.switches],
                "tour": self.slack.tour.shown() if self.slack.tour else None,
                "delivery": "socket" if self.slack.event_url is None else "http",
                "connected": self.slack.sockets.connected,
                "home": views.page_view(world, home) if home else None,
                "app": {"name": app.name, "home_tab": app.home_tab, "dm_read_only": app.dm_read_only},
                "notifications": _notifications(world, me),
                "told": self.slack.stream.told,
                "stack_depth": len(world.stacks.get(me.id) or []),
            }
        )

    async def messages(self, http: web.Request) -> web.Response:
        here, me, channel = self._place(http)
        person = here.person(me.id)
        before, limit = http.query.get("before"), int(http.query.get("limit") or 100)
        rows = [m for m in _seen(channel, person.messages(channel.id)) if not before or m.ts < before]
        page = rows[-limit:] if limit > 0 else []
        shown = [_shown(here.world, me, message) for message in page]
        return web.json_response({"messages": shown, "has_more": len(rows) > len(page)})

    async def thread(self, http: web.Request) -> web.Response:
        here, me, channel = self._place(http)
        ts = http.query["ts"]
        rows = here.person(me.id).messages(channel.id, ts)
        parent = channel.by_ts.get(ts)
        if parent is not None and parent.deleted and parent.replies:
            rows = [parent, *rows]
        return web.json_response({"messages": [_shown(here.world, me, message) for message in rows]})

    async def details(self, http: web.Request) -> web.Response:
        here, me, channel = self._place(http)
        world = here.world
        files = [file_object(world, file) for file in world.files.values() if channel.id in file.shares]
        return web.json_response(
            {
                "members": list(channel.members),
                "pins": [
                    {"by": pin.by, "created": pin.created, "message": _shown(world, me, channel.by_ts[pin.ts])}
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
        here, me = self._who(http)
        stack = [views.page_view(here.world, view) for view in here.world.stacks.get(me.id) or []]
        return web.json_response({"views": stack})

    async def state(self, http: web.Request) -> web.Response:
        world = self._here(http).world
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
                "messages": [messages.page_object(world, m) for m in channel.by_ts.values() if not m.deleted],
            }
            for channel in world.channels.values()
        ]
        people = [acts.page_person(user) for user in world.users.values()]
        return web.json_response(
            {"team": _team(world), "people": people, "channels": channels, "clock": clock_object(self.slack.clock)}
        )

    # --- streams -----------------------------------------------------------------------------------------------

    async def stream(self, http: web.Request) -> web.StreamResponse:
        here, me = self._who(http)
        return await self.slack.stream.serve(http, here.team_id, me.id)

    # --- writing -----------------------------------------------------------------------------------------------

    async def act(self, http: web.Request) -> web.Response:
        body = await body_of(http)
        answer = await acts.act(self._workspace(body.get("team")), body)
        return web.json_response({"ok": True} | answer)

    async def avatar(self, http: web.Request) -> web.Response:
        who = http.match_info["id"]
        here = next((each for each in self.slack.workspaces if who in each.world.users), self.slack.workspaces[0])
        return portrait(here.world.user(who))


def _team(world: World) -> Json:
    return {"id": world.team_id, "name": world.team_name, "installed": world.installed}


def _notifications(world: World, me: User) -> list[Json]:
    """The last ones, oldest first, each with whether its place has been read since."""
    channels, found = world.channels, world.notifications.get(me.id, [])[-MAX_NOTIFICATIONS:]
    return [
        {**each, "read": each["ts"] <= channels[each["channel"]].last_read.get(me.id, "")}
        for each in found
        if each["channel"] in channels
    ]


def _shown(world: World, me: User, message: Message) -> Json:
    """A message with this person's own choices in its elements."""
    shown = messages.page_object(world, message)
    state = world.local_state.get((message.channel, message.ts), {}).get(me.id)
    if state:
        shown["state"] = {"values": state}
    return shown


def _seen(channel: Channel, rows: list[Message]) -> list[Message]:
    """What a person sees at top level, tombstones of deleted parents with replies included."""
    stones = [m for m in channel.by_ts.values() if m.deleted and m.replies and not m.ephemeral]
    return sorted([*rows, *stones], key=lambda message: message.ts) if stones else rows
