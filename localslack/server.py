"""The local Slack: a workspace on a loopback port, started and stopped by whoever needs one."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from aiohttp import web

from localslack import team_members
from localslack.app_manifest import AppManifest
from localslack.clock import WorkspaceClock
from localslack.clock_feed import ClockFeed
from localslack.consent import Consent
from localslack.control import Control
from localslack.extension import Extension
from localslack.faults import Faults
from localslack.install import Grant, Install
from localslack.journal import Journal
from localslack.origin import kept_out
from localslack.people import Person
from localslack.rate_limits import RateLimits
from localslack.records import Channel, Json, User
from localslack.sample import APP_ID, Sample, Team, another_team
from localslack.sockets import CONNECTION_SECONDS, Sockets
from localslack.stream import Stream
from localslack.switches import Switch
from localslack.tour import Tour
from localslack.web_api import WebApi
from localslack.workspace import Workspace

QUIET_SECONDS, QUIET_LOOKS = 0.02, 6
"""Real time without a call or a delivery after which the workspace counts as idle."""


class LocalSlack:
    """A workspace with one app installed.

    `manifest`: the app's parsed manifest. `clock`: frozen for tests, running otherwise. `latency`: seconds added to
    every Web API call. `event_url`: where signed HTTP requests go; None means Socket Mode. `tour`: path of a JSON file
    with the page's "Try this". `files_dir`: where uploaded files are written as well. `people`: another cast.
    `strict`: rate limits at Slack's numbers, and Socket Mode connections that have to be renewed after some hours. What
    a call may contain is checked either way (docs/slack-rules.md). `extensions`: other services, served
    on the same port.
    """

    def __init__(
        self, manifest: Json, clock: WorkspaceClock | None = None, latency: float = 0.0, event_url: str | None = None,
        tour: str | Path | None = None, files_dir: str | Path | None = None, people: Sample | None = None,
        switches: Sequence[Switch] = (), strict: bool = False, extensions: Sequence[Extension] = (),
    ) -> None:  # fmt: skip
        self.clock = clock or WorkspaceClock()
        self.bot_token = f"xoxb-{secrets.randbelow(10**12):012d}-{secrets.token_hex(12)}"
        self.app_token = f"xapp-1-A01SANDBOX1-{secrets.token_hex(16)}"
        self.signing_secret = secrets.token_hex(16)
        self.journal = Journal()
        self.faults = Faults()
        self.limits = RateLimits(self.clock.now)
        self.sockets = Sockets(self.clock, APP_ID)
        self.app = AppManifest.read(manifest)
        self.stream = Stream()
        self.workspaces: list[Workspace] = []
        main = self._open(people, None)
        self.world, self.interactivity, self.delivery, self.user_actions = (
            main.world,
            main.interactivity,
            main.delivery,
            main.user_actions,
        )
        self.event_url = event_url
        self.install = Install(self.workspaces, self.clock.now, self.app_token)
        self.install.grants[self.bot_token] = Grant(main, self.app.scopes)
        self.web_api = WebApi(self.install, self.journal, self.faults, self.limits, self.clock, self.sockets)
        if strict:
            self.limits.on = True
            self.sockets.renew_after = CONNECTION_SECONDS
        self.web_api.latency = latency
        self.web_api.files_dir = None if files_dir is None else Path(files_dir)
        self.clock_feed = ClockFeed(self.clock)
        self.extensions = tuple(extensions)
        self.tour = None if tour is None else Tour.load(Path(tour))
        self.switches: list[Switch] = [*(one for each in self.extensions for one in each.switches), *switches]
        self.control = Control(self)
        self._runner: web.AppRunner | None = None
        self.port = 0

    # --- life --------------------------------------------------------------------------------------------------

    async def start(self, port: int = 0) -> None:
        """Listen on 127.0.0.1; port 0 takes a free one."""
        app = web.Application(client_max_size=64 << 20, middlewares=[kept_out])
        app.router.add_get("/link/", self.sockets.accept)
        app.add_routes(self.web_api.routes())
        app.add_routes(Consent(self.install).routes())
        for extension in self.extensions:
            app.add_routes(extension.routes())
        app.add_routes(self.control.routes())
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        for workspace in self.workspaces:
            workspace.world.url = self.url
        self.control.listen()

    async def stop(self) -> None:
        self.web_api.closing.set()
        self.control.deafen()
        for workspace in self.workspaces:
            await workspace.delivery.stop()
        await self.sockets.stop()
        self.stream.close()
        self.clock_feed.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> LocalSlack:
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
        for workspace in self.workspaces:
            workspace.delivery.event_url = url

    @property
    def client_id(self) -> str:
        """The app's OAuth client id, with `client_secret` for oauth.v2.access."""
        return self.install.client_id

    @property
    def client_secret(self) -> str:
        return self.install.client_secret

    @property
    def authorize_url(self) -> str:
        """Where an installation begins, as https://slack.com/oauth/v2/authorize."""
        return f"{self.url}/oauth/v2/authorize"

    @property
    def latency(self) -> float:
        return self.web_api.latency

    @latency.setter
    def latency(self, seconds: float) -> None:
        self.web_api.latency = seconds

    def _socket_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/link/?ticket={self.sockets.new_ticket()}&app_id={self.world.app_id}"

    def _open(self, people: Sample | None, team: Team | None) -> Workspace:
        workspace = Workspace(
            self.app, self.clock, self.journal, self.faults, self.sockets, self.signing_secret, people, team
        )
        workspace.world.tell = partial(self.stream.tell, team=workspace.team_id)
        workspace.world.watched = self.stream.watched
        workspace.interactivity.new_socket_url = self._socket_url
        if self.workspaces:
            # One table of the app's events, of whichever workspace.
            workspace.delivery.contexts = workspace.interactivity.event_contexts = self.workspaces[
                0
            ].interactivity.event_contexts
        self.workspaces.append(workspace)
        return workspace

    def add_workspace(self, name: str) -> Workspace:
        """Another workspace, where the app is not installed yet: that is done at `authorize_url`."""
        team, people = another_team(len(self.workspaces) + 1, name)
        workspace = self._open(people, team)
        workspace.world.installed = False
        workspace.world.url = self.url
        workspace.delivery.event_url = self.event_url
        return workspace

    # --- driving it --------------------------------------------------------------------------------------------

    def person(self, who: str) -> Person:
        """Somebody of the workspace, by handle or id. Raises NotPossible."""
        return Person(self.user_actions, self.world.user(who))

    def channel(self, where: str) -> Channel:
        """A channel by id or name. Raises NotPossible."""
        return self.world.channel(where)

    @property
    def channels(self) -> list[Channel]:
        return list(self.world.channels.values())

    def hire(self, handle: str, real_name: str, **more: Any) -> Person:
        """Somebody new joins the team; `more` are fields of User (is_guest, tz, …)."""
        user = User(id=self.world.new_id("U"), handle=handle, real_name=real_name, **more)
        team_members.hire(self.world, user)
        return self.person(user.id)

    def change_person(self, who: str, **changes: Any) -> None:
        """Change fields of somebody's User record, as an administrator or the person would."""
        team_members.change(self.world, self.world.user(who), **changes)

    def set_group(self, handle: str, users: Sequence[str]) -> None:
        """Set who is in a user group, by handles or ids. Raises NotPossible."""
        team_members.regroup(self.world, self.world.group(handle), [self.world.user(who).id for who in users])

    def create_group(self, handle: str, users: Sequence[str], name: str = "") -> str:
        """Make a user group; its id. Raises NotPossible where the handle is taken."""
        bare, people = handle.removeprefix("@"), [self.world.user(who).id for who in users]
        return team_members.create_group(self.world, bare, name or bare, people).id

    def rename_group(self, handle: str, new_handle: str) -> None:
        """Give a user group another handle. Raises NotPossible."""
        team_members.rename_group(self.world, self.world.group(handle), new_handle.removeprefix("@"))

    def disable_group(self, handle: str) -> None:
        """Take a user group out of use. Raises NotPossible."""
        team_members.enable_group(self.world, self.world.group(handle), enabled=False)

    def enable_group(self, handle: str) -> None:
        """Take a disabled user group into use again. Raises NotPossible."""
        team_members.enable_group(self.world, self.world.group(handle))

    def uninstall(self) -> None:
        """Uninstall the app from the workspace."""
        team_members.uninstall(self.world)

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
        """Return when no delivery is in flight and no call was under way for 20 ms of real time.

        This process has to have run in that time: one that stood still has seen nothing.
        """
        until = time.monotonic() + timeout
        looks, seen = 0, 0.0
        while True:
            deliveries = [workspace.delivery for workspace in self.workspaces]
            busy = self.web_api.under_way or any(each.in_flight for each in deliveries)
            last = max(self.web_api.last_activity, *(each.last_activity for each in deliveries))
            looks, seen = (0 if busy or last != seen else looks + 1), last
            if looks >= QUIET_LOOKS and time.monotonic() - last >= QUIET_SECONDS:
                return
            if time.monotonic() > until:
                raise TimeoutError("the workspace did not come to rest")
            await asyncio.sleep(0.002)
