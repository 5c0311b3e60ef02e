"""The workspaces that the bot serves: the one of SLACK_BOT_TOKEN, or those that installed it by OAuth.

A workspace that refuses our token is shut once, said in health, and opened again when it installs the bot anew;
meanwhile its duties rest. What is installed stands in the database, so that every replica finds it. A replica looks at
the start, at the first delivery or duty of a workspace that it does not know yet, and every few seconds.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator
from datetime import datetime, timedelta
from functools import partial

import structlog

from bot.domain.errors import StoreUnavailable
from bot.ports import CallRefused, Clock, Installation, Installations, OutcomeUnknown, RetryAfter
from bot.reconciler import TOKEN_REVOKED_CODES, WorkspaceContext
from bot.slack.outbound.web_api import SlackClient, api_call
from bot.slack.workspace.deactivated_users import free_roles_of_deactivated
from bot.slack.workspace.directory import Directory
from bot.slack.workspace.late_responders import bring_in_late_responders
from bot.slack.workspace.workspace import InstalledWorkspace

log = structlog.get_logger(__name__)

#: a workspace that could not be opened is tried again so much later
REOPEN_DELAY = timedelta(minutes=1)
#: opened at the same time
MAX_CONCURRENT_OPENS = 8

#: a client for a token
CreateClient = Callable[[str], SlackClient]
#: makes the rest of a workspace whose people are known
CreateWorkspace = Callable[[SlackClient, Directory, Installation | None], InstalledWorkspace]


class Workspaces:
    """By id.

    `meet` makes a client's directory. `channels` are the names that policy speaks of, joined in each workspace. `rearm`
    lets what was given up in a workspace be tried again, and answers whether it could.
    """

    def __init__(
        self,
        connect: CreateClient,
        create_workspace: CreateWorkspace,
        create_directory: Callable[[SlackClient], Directory],
        channels: Iterable[str],
        clock: Clock,
        rearm: Callable[[str], Awaitable[bool]],
        installations: Installations | None = None,
    ) -> None:
        self._connect = connect
        self._create_workspace = create_workspace
        self._create_directory = create_directory
        self._channels = tuple(channels)
        self._clock = clock
        self._rearm = rearm
        self._installations = installations
        self._open: dict[str, InstalledWorkspace] = {}
        #: workspaces where nothing can be done -> since when, Slack's word for why
        self._unavailable: dict[str, tuple[datetime, str]] = {}
        #: installed, and not opened yet because Slack was away: what it has told so far is kept
        self._opening: dict[str, tuple[datetime, SlackClient, Directory]] = {}
        #: whether deliveries are heard
        self._receiving = False
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.token_workspace: InstalledWorkspace | None = None

    def __iter__(self) -> Iterator[InstalledWorkspace]:
        """Those that are served now."""
        return iter(tuple(self._open.values()))

    @property
    def unavailable(self) -> dict[str, str]:
        """Workspaces where nothing can be done -> Slack's word for why."""
        return {team: code for team, (_, code) in sorted(self._unavailable.items())}

    def get_open(self, team: str) -> InstalledWorkspace | None:
        """The workspace, if it is served now; nobody is asked."""
        return self._open.get(team)

    async def find(self, team: str) -> InstalledWorkspace | None:
        """The workspace, if the bot is installed there.

        Raises RetryAfter, OutcomeUnknown or StoreUnavailable where that cannot be told now.
        """
        if (one := self._open.get(team)) is not None or self._installations is None or not team:
            return one
        row = await self._installations.one(team)
        return await self._open_installed(row) if row is not None and row.revoked_at is None else None

    async def on_installed(self, team: str) -> bool:
        """Somebody has just installed the bot there: whether it is served already. Raises StoreUnavailable."""
        self._open.pop(team, None)
        self._unavailable.pop(team, None)
        try:
            return await self.find(team) is not None
        except (RetryAfter, OutcomeUnknown) as error:
            log.warning("slack.away", team=team, error=str(error))
            return False

    async def context_of(self, team: str) -> WorkspaceContext | None:
        """Where the reconciler makes this workspace's calls."""
        one = await self.find(team)
        return one.context if one else None

    # -- opening ------------------------------------------------------------------------------------

    async def open_by_token(self, token: str) -> InstalledWorkspace:
        """Open the workspace of this token. While Slack is away: wait. Raises CallRefused where it refuses us."""
        client = self._connect(token)
        directory = self._create_directory(client)
        pause = 1.0
        while True:
            try:
                await directory.warm_or_restore(self._channels)
                break
            except (RetryAfter, OutcomeUnknown) as error:
                asked = error.seconds if isinstance(error, RetryAfter) else 0.0
                log.warning("slack.away", error=str(error), seconds=max(pause, asked))
                await asyncio.sleep(max(pause, asked))
                pause = min(30.0, pause * 2)
        self.token_workspace = await self._register(client, directory, None)
        return self.token_workspace

    async def join_channels(self) -> None:
        """Deliveries are heard from here on: be in the channels that policy speaks of, in each workspace."""
        self._receiving = True
        for one in self:
            await one.directory.join_channels()

    async def close(self) -> None:
        """Ask Slack nothing more."""
        directories = {one.directory for one in self} | {directory for _, _, directory in self._opening.values()}
        if self.token_workspace is not None:
            directories.add(self.token_workspace.directory)
        await asyncio.gather(*(one.close() for one in directories))

    async def sync_installations(self) -> None:
        """Serve exactly those that are installed now. Raises StoreUnavailable, or what the keys of tokens raise."""
        if self._installations is None:
            await self._retry_token_workspace()
            return
        rows = await self._installations.all()
        wanted = {row.team: row for row in rows if row.revoked_at is None}
        for one in self:
            row = wanted.get(one.team)
            if row is None or one.installation is None or row.installed_at != one.installation.installed_at:
                self._open.pop(one.team, None)
        for row in rows:
            if row.revoked_at is not None:
                self._unavailable.setdefault(row.team, (row.revoked_at, "not installed any more"))
        new = [row for row in wanted.values() if row.team not in self._open]
        places = asyncio.Semaphore(MAX_CONCURRENT_OPENS)

        async def enter(row: Installation) -> None:
            async with places:
                try:
                    await self._open_installed(row)
                except (RetryAfter, OutcomeUnknown, StoreUnavailable) as error:
                    log.warning("slack.away", team=row.team, error=str(error))

        await asyncio.gather(*map(enter, new))

    async def _open_installed(self, row: Installation) -> InstalledWorkspace | None:
        """Open an installed workspace, once; None where it refuses us.

        Raises RetryAfter, OutcomeUnknown, StoreUnavailable.
        """
        async with self._locks[row.team]:
            one = self._open.get(row.team)
            if one is not None and one.installation is not None:
                if one.installation.installed_at >= row.installed_at:
                    return one
                self._open.pop(row.team)
            since, _ = self._unavailable.get(row.team, (None, ""))
            if since is not None and since > row.installed_at and self._clock.now() < since + REOPEN_DELAY:
                return None
            begun = self._opening.get(row.team)
            if begun is None or begun[0] != row.installed_at:
                client = self._connect(row.token)
                begun = self._opening[row.team] = row.installed_at, client, self._create_directory(client)
            _, client, directory = begun
            try:
                await directory.warm_or_restore(self._channels)
            except CallRefused as refusal:
                self._opening.pop(row.team)
                await self._close(row.team, row, refusal.code)
                return None
            self._opening.pop(row.team)
            if directory.team != row.team:
                await self._close(row.team, row, "token_of_another_workspace")
                return None
            return await self._register(client, directory, row)

    async def _register(
        self, client: SlackClient, directory: Directory, installation: Installation | None
    ) -> InstalledWorkspace:
        one = self._create_workspace(client, directory, installation)
        client.on_token_refused = partial(self._on_token_refused, client, one)
        client.on_scopes_granted = partial(self._rearm, one.team)
        self._unavailable.pop(one.team, None)
        self._open[one.team] = one
        log.info("workspace.open", team=one.team, people=len(directory.names))
        if self._receiving:
            await directory.join_channels()
        await free_roles_of_deactivated(one.services)
        await bring_in_late_responders(one.services)
        return one

    # -- shutting -----------------------------------------------------------------------------------

    async def _on_token_refused(self, client: SlackClient, one: InstalledWorkspace, code: str) -> None:
        """A call to this workspace said that its token is worth nothing: it is shut, unless that was a slip."""
        async with self._locks[one.team]:
            if self._open.get(one.team) is not one:
                return
            try:
                await api_call(self._connect(client.token or ""), "auth.test")
            except CallRefused as refusal:
                if refusal.code in TOKEN_REVOKED_CODES:
                    await self._close(one.team, one.installation, code)
            except (RetryAfter, OutcomeUnknown):
                return  # the next call tells

    async def _close(self, team: str, installation: Installation | None, code: str) -> None:
        """Slack refuses the token of this installation."""
        self._open.pop(team, None)
        if team not in self._unavailable:
            log.error("workspace.shut", team=team, code=code)
        self._unavailable[team] = (self._clock.now(), code)
        if installation is None or self._installations is None or code not in TOKEN_REVOKED_CODES:
            return
        try:
            await self._installations.revoke(installation, self._clock.now())
        except StoreUnavailable as error:  # the token goes on being refused, and that is found out again
            log.error("workspace.not_marked", team=team, error=str(error))

    async def _retry_token_workspace(self) -> None:
        """Try the workspace of the settings again if it refused us: somebody may have fixed that."""
        home = self.token_workspace
        if (
            home is None
            or home.team in self._open
            or self._clock.now() < self._unavailable[home.team][0] + REOPEN_DELAY
        ):
            return
        try:
            await api_call(self._connect(home.client.token or ""), "auth.test")
        except (CallRefused, RetryAfter, OutcomeUnknown) as error:
            self._unavailable[home.team] = (self._clock.now(), self._unavailable[home.team][1])
            log.warning("slack.away", team=home.team, error=str(error))
            return
        self._unavailable.pop(home.team, None)
        self._open[home.team] = home
