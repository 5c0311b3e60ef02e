"""The control API's tools, which are of all workspaces: clock, journal, faults, connections, switches."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from localslack.clock import WorkspaceClock
from localslack.controlled import Controlled
from localslack.errors import NotPossible
from localslack.faults import KINDS
from localslack.records import Json

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Tools:
    """The handlers of `table`: (HTTP method, path, handler)."""

    def __init__(self, slack: Controlled) -> None:
        self.slack = slack

    def table(self) -> list[tuple[str, str, Handler]]:
        return [
            ("GET", "/_sandbox/clock", self.clock),
            ("POST", "/_sandbox/clock", self.move_clock),
            ("GET", "/_sandbox/clock/stream", self.clock_stream),
            ("GET", "/_sandbox/journal", self.journal),
            ("GET", "/_sandbox/faults", self.faults),
            ("POST", "/_sandbox/faults", self.add_fault),
            ("DELETE", "/_sandbox/faults", self.remove_faults),
            ("POST", "/_sandbox/sockets", self.sockets),
            ("GET", "/_sandbox/switches", self.switches),
            ("POST", "/_sandbox/switches", self.set_switch),
            ("GET", "/_sandbox/idle", self.idle),
        ]

    async def clock(self, http: web.Request) -> web.Response:
        return web.json_response(clock_object(self.slack.clock))

    async def clock_stream(self, http: web.Request) -> web.StreamResponse:
        """The clock now, and after each move: `data: {now, offset, frozen}`."""
        return await self.slack.clock_feed.serve(http)

    async def move_clock(self, http: web.Request) -> web.Response:
        seconds = float((await body_of(http))["advance"])
        if not 0 <= seconds <= 366 * 86_400:
            raise ValueError("advance takes seconds, up to a year")
        self.slack.clock.advance(seconds)
        tour = self.slack.tour
        if tour is not None and tour.hear_clock(seconds):
            self.slack.stream.tell({"type": "tour", "tour": tour.shown()}, None)
        return web.json_response({"ok": True} | clock_object(self.slack.clock))

    async def journal(self, http: web.Request) -> web.Response:
        calls = self.slack.journal.after(int(http.query.get("after") or 0))
        method, outcome = http.query.get("method"), http.query.get("outcome")
        if method or outcome:
            calls = [each for each in calls if method in (None, each.method) and outcome in (None, each.outcome)]
        limit = int(http.query.get("limit") or 500)
        return web.json_response({"calls": [call.shown() for call in calls[-limit:]]})

    async def faults(self, http: web.Request) -> web.Response:
        return web.json_response({"faults": self.slack.faults.shown(), "kinds": KINDS})

    async def add_fault(self, http: web.Request) -> web.Response:
        body = await body_of(http)
        fault = self.slack.faults.add(str(body["method"]), str(body["kind"]), int(body.get("times", 1)))
        return web.json_response({"ok": True, "id": fault.id, "faults": self.slack.faults.shown()})

    async def remove_faults(self, http: web.Request) -> web.Response:
        """One, by its id; without an id all."""
        if "id" in http.query:
            self.slack.faults.remove(int(http.query["id"]))
        else:
            self.slack.faults.clear()
        return web.json_response({"ok": True, "faults": self.slack.faults.shown()})

    async def sockets(self, http: web.Request) -> web.Response:
        """What Socket Mode does to its connections: `do` is warning, refresh_requested, cut or expire_tickets."""
        what, sockets = (await body_of(http))["do"], self.slack.sockets
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
        return web.json_response({"switches": [switch.shown() for switch in self.slack.switches]})

    async def set_switch(self, http: web.Request) -> web.Response:
        body = await body_of(http)
        for switch in self.slack.switches:
            if switch.id == body["id"]:
                switch.set(str(body["value"]))
                self.slack.stream.tell({"type": "switch", "switch": switch.shown(), **switch.shown()}, None)
                return web.json_response({"ok": True, "switch": switch.shown()})
        raise NotPossible(f"there is no switch {body['id']}")

    async def idle(self, http: web.Request) -> web.Response:
        """Answers when nothing is under way between the program and the workspaces: a script's pause."""
        await self.slack.idle()
        return web.json_response({"ok": True})


def clock_object(clock: WorkspaceClock) -> Json:
    return {"now": clock.now(), "offset": clock.offset, "frozen": clock.frozen}


async def body_of(http: web.Request) -> dict[str, Any]:
    """A request's JSON object. Raises ValueError for anything else."""
    if http.content_type != "application/json":
        # A form or text/plain body could come from another site without a preflight.
        raise ValueError("the body must be application/json")
    body = json.loads(await http.text())
    if not isinstance(body, dict):
        raise ValueError("the body must be an object")
    return body
