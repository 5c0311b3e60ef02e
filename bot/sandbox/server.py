"""The sandbox: a local Slack workspace on a loopback port, started and stopped by whoever needs one."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.sandbox import staff
from bot.sandbox.app_manifest import AppManifest
from bot.sandbox.chain import Chain
from bot.sandbox.clock import SandboxClock
from bot.sandbox.clock_feed import ClockFeed
from bot.sandbox.control import Control
from bot.sandbox.delivery import Delivery
from bot.sandbox.desk import Desk
from bot.sandbox.errors import NotPossible
from bot.sandbox.faults import Faults
from bot.sandbox.gestures import Gestures
from bot.sandbox.journal import Journal
from bot.sandbox.limits import Limits
from bot.sandbox.people import Person
from bot.sandbox.records import Channel, Json, User
from bot.sandbox.sample import Sample
from bot.sandbox.sockets import Sockets
from bot.sandbox.stream import Stream
from bot.sandbox.switches import Switch
from bot.sandbox.tour import Tour
from bot.sandbox.web_api import WebApi
from bot.sandbox.world import World

QUIET_SECONDS = 0.02
"""Real time without a call or a delivery after which the workspace counts as idle."""


class Sandbox:
    """A workspace with one app installed.

    `manifest`: the app's parsed manifest. `clock`: frozen for tests, running otherwise. `latency`: seconds added to
    every Web API call. `event_url`: where signed HTTP requests go; None means Socket Mode. `tour`: path of a JSON file
    with the page's "Try this". `files_dir`: where uploaded files are written as well. `people`: another cast.
    """

    def __init__(
        self, manifest: Json, clock: SandboxClock | None = None, latency: float = 0.0, event_url: str | None = None,
        tour: str | Path | None = None, files_dir: str | Path | None = None, people: Sample | None = None,
        switches: Sequence[Switch] = (),
    ) -> None:  # fmt: skip
        self.clock = clock or SandboxClock()
        self.bot_token = f"xoxb-{secrets.randbelow(10**12):012d}-{secrets.token_hex(12)}"
        self.app_token = f"xapp-1-A01SANDBOX1-{secrets.token_hex(16)}"
        self.signing_secret = secrets.token_hex(16)
        self.journal = Journal()
        self.faults = Faults()
        self.limits = Limits(self.clock.now)
        self.world = World(AppManifest.read(manifest), self.clock, people)
        self.desk = Desk(self.world)
        self.sockets = Sockets(self.clock, self.world.app_id)
        self.delivery = Delivery(self.world, self.journal, self.faults, self.sockets, self.signing_secret)
        self.delivery.event_url = event_url
        self.gestures = Gestures(self.world, self.desk, self.delivery)
        self.web_api = WebApi(
            self.world, self.desk, self.gestures, self.journal, self.faults, self.limits, self.bot_token, self.app_token
        )
        self.web_api.latency = latency
        self.web_api.files_dir = None if files_dir is None else Path(files_dir)
        self.stream = Stream()
        self.clock_feed = ClockFeed(self.clock)
        self.chain = Chain(self.clock)
        self.tour = None if tour is None else Tour.load(Path(tour))
        self.switches: list[Switch] = [*self.chain.switches, *switches]
        self.control = Control(self)
        self.world.tell = self.stream.tell
        self.world.watched = self.stream.watched
        self.world.announce = self.delivery.event
        self.desk.new_socket_url = self._socket_url
        self._runner: web.AppRunner | None = None
        self.port = 0

    # --- life --------------------------------------------------------------------------------------------------

    async def start(self, port: int = 0) -> None:
        """Listen on 127.0.0.1; port 0 takes a free one."""
        app = web.Application(client_max_size=64 << 20)
        app.router.add_get("/link/", self.sockets.accept)
        app.add_routes(self.web_api.routes())
        app.add_routes(self.chain.routes())
        app.add_routes(self.control.routes())
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        self.world.url = self.url
        self.control.listen()

    async def stop(self) -> None:
        self.web_api.closing.set()
        self.control.deafen()
        await self.delivery.stop()
        await self.sockets.cut()
        self.stream.close()
        self.clock_feed.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Sandbox:
        if self._runner is None:
            await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    # --- where and who -----------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/"

    @property
    def team_id(self) -> str:
        return self.world.team_id

    @property
    def bot_user_id(self) -> str:
        return self.world.bot.id

    @property
    def app_id(self) -> str:
        return self.world.app_id

    @property
    def event_url(self) -> str | None:
        return self.delivery.event_url

    @event_url.setter
    def event_url(self, url: str | None) -> None:
        self.delivery.event_url = url

    @property
    def latency(self) -> float:
        return self.web_api.latency

    @latency.setter
    def latency(self, seconds: float) -> None:
        self.web_api.latency = seconds

    def _socket_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/link/?ticket={self.sockets.new_ticket()}&app_id={self.world.app_id}"

    # --- driving it --------------------------------------------------------------------------------------------

    def person(self, who: str) -> Person:
        """Somebody of the workspace, by handle or id. Raises NotPossible."""
        return Person(self.gestures, self.world.user(who))

    def channel(self, where: str) -> Channel:
        """A channel by id or name. Raises NotPossible."""
        return self.world.channel(where)

    @property
    def channels(self) -> list[Channel]:
        return list(self.world.channels.values())

    def hire(self, handle: str, real_name: str, **more: Any) -> Person:
        """Somebody new joins the team; `more` are fields of User (is_guest, tz, …)."""
        user = User(id=self.world.new_id("U"), handle=handle, real_name=real_name, **more)
        staff.hire(self.world, user)
        return self.person(user.id)

    def change_person(self, who: str, **changes: Any) -> None:
        """Change fields of somebody's User record, as an administrator or the person would."""
        staff.change(self.world, self.world.user(who), **changes)

    def set_group(self, handle: str, users: Sequence[str]) -> None:
        """Set who is in a user group, by handles or ids. Raises NotPossible."""
        for group in self.world.groups.values():
            if handle.removeprefix("@") in (group.handle, group.id):
                staff.regroup(self.world, group, [self.world.user(who).id for who in users])
                return
        raise NotPossible(f"there is no group {handle}")

    def uninstall(self) -> None:
        """Uninstall the app from the workspace."""
        staff.uninstall(self.world)

    async def connected(self, timeout: float = 10.0) -> None:
        """Return once a program is connected by Socket Mode; TimeoutError after `timeout` real seconds."""
        await self.sockets.wait_connected(timeout)

    async def verify_event_url(self) -> bool:
        """Whether the program at `event_url` answers Slack's challenge."""
        return await self.delivery.verify()

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Send Socket Mode's disconnect message to every connection."""
        await self.sockets.disconnect(reason)

    async def idle(self, timeout: float = 30.0) -> None:
        """Return when no delivery is in flight and no call was under way for 20 ms of real time."""
        until = time.monotonic() + timeout
        while True:
            busy = self.delivery.in_flight or self.web_api.under_way
            quiet = time.monotonic() - max(self.delivery.last_activity, self.web_api.last_activity)
            if not busy and quiet >= QUIET_SECONDS:
                return
            if time.monotonic() > until:
                raise TimeoutError("the workspace did not come to rest")
            await asyncio.sleep(0.002)
