"""The workspaces that the bot serves: the one of SLACK_BOT_TOKEN, or those that installed it by OAuth.

A workspace that refuses our token is shut once, said in health, and opened again when it installs the bot anew;
meanwhile its duties rest. What is installed stands in the database, so that every replica finds it: at the start, at
the first delivery or duty of a workspace that it does not know yet, and every few seconds.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator
from datetime import datetime, timedelta
from functools import partial

import structlog

from bot.domain.errors import StoreUnavailable
from bot.ports import Clock, Installation, Installations, NotDone, TryLater, Unsure
from bot.reconciler import SHUT_OUT, Ground
from bot.slack.outbound.room import Client, call
from bot.slack.workspace.deactivated_users import see_off
from bot.slack.workspace.directory import Directory
from bot.slack.workspace.workspace import Workspace

log = structlog.get_logger(__name__)

#: a workspace that could not be opened is tried again so much later
AGAIN = timedelta(minutes=1)
#: opened at the same time
WIDE = 8

#: a client for a token
Connect = Callable[[str], Client]
#: makes the rest of a workspace whose people are known
Furnish = Callable[[Client, Directory, Installation | None], Workspace]


class Workspaces:
    """By id. `meet` makes a client's directory; `channels` are the names that policy speaks of, joined in each;
    `rearm` lets what was given up in a workspace be tried again, and answers whether it could."""

    def __init__(
        self,
        connect: Connect,
        furnish: Furnish,
        meet: Callable[[Client], Directory],
        channels: Iterable[str],
        clock: Clock,
        rearm: Callable[[str], Awaitable[bool]],
        installations: Installations | None = None,
    ) -> None:
        self._connect = connect
        self._furnish = furnish
        self._meet = meet
        self._channels = tuple(channels)
        self._clock = clock
        self._rearm = rearm
        self._installations = installations
        self._open: dict[str, Workspace] = {}
        #: workspaces where nothing can be done -> since when, Slack's word for why
        self._away: dict[str, tuple[datetime, str]] = {}
        #: installed, and not opened yet because Slack was away: what it has told so far is kept
        self._meeting: dict[str, tuple[datetime, Client, Directory]] = {}
        #: whether deliveries are heard
        self._heard = False
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.home: Workspace | None = None

    def __iter__(self) -> Iterator[Workspace]:
        """Those that are served now."""
        return iter(tuple(self._open.values()))

    @property
    def away(self) -> dict[str, str]:
        """Workspaces where nothing can be done -> Slack's word for why."""
        return {team: code for team, (_, code) in sorted(self._away.items())}

    def known(self, team: str) -> Workspace | None:
        """The workspace, if it is served now; nobody is asked."""
        return self._open.get(team)

    async def find(self, team: str) -> Workspace | None:
        """The workspace, if the bot is installed there. Raises TryLater, Unsure or StoreUnavailable where that cannot
        be told now."""
        if (one := self._open.get(team)) is not None or self._installations is None or not team:
            return one
        row = await self._installations.one(team)
        return await self._enter(row) if row is not None and row.revoked_at is None else None

    async def anew(self, team: str) -> bool:
        """Somebody has just installed the bot there: whether it is served already. Raises StoreUnavailable."""
        self._open.pop(team, None)
        self._away.pop(team, None)
        try:
            return await self.find(team) is not None
        except (TryLater, Unsure) as error:
            log.warning("slack.away", team=team, error=str(error))
            return False

    async def ground(self, team: str) -> Ground | None:
        """Where the caretaker makes this workspace's calls."""
        one = await self.find(team)
        return one.ground if one else None

    # -- opening ------------------------------------------------------------------------------------

    async def begin(self, token: str) -> Workspace:
        """Open the workspace of this token. While Slack is away: wait for it. Raises NotDone where it refuses us."""
        client = self._connect(token)
        directory = self._meet(client)
        pause = 1.0
        while True:
            try:
                await directory.meet(self._channels)
                break
            except (TryLater, Unsure) as error:
                asked = error.seconds if isinstance(error, TryLater) else 0.0
                log.warning("slack.away", error=str(error), seconds=max(pause, asked))
                await asyncio.sleep(max(pause, asked))
                pause = min(30.0, pause * 2)
        self.home = await self._keep(client, directory, None)
        return self.home

    async def join(self) -> None:
        """Deliveries are heard from here on: be in the channels that policy speaks of, in each workspace."""
        self._heard = True
        for one in self:
            await one.directory.join()

    async def look(self) -> None:
        """Serve exactly those that are installed now. Raises StoreUnavailable, or what the keys of tokens raise."""
        if self._installations is None:
            await self._return()
            return
        rows = await self._installations.all()
        wanted = {row.team: row for row in rows if row.revoked_at is None}
        for one in self:
            row = wanted.get(one.team)
            if row is None or one.installation is None or row.installed_at != one.installation.installed_at:
                self._open.pop(one.team, None)
        for row in rows:
            if row.revoked_at is not None:
                self._away.setdefault(row.team, (row.revoked_at, "not installed any more"))
        new = [row for row in wanted.values() if row.team not in self._open]
        places = asyncio.Semaphore(WIDE)

        async def enter(row: Installation) -> None:
            async with places:
                try:
                    await self._enter(row)
                except (TryLater, Unsure, StoreUnavailable) as error:
                    log.warning("slack.away", team=row.team, error=str(error))

        await asyncio.gather(*map(enter, new))

    async def _enter(self, row: Installation) -> Workspace | None:
        """Open an installed workspace, once; None where it refuses us. Raises TryLater, Unsure, StoreUnavailable."""
        async with self._turns[row.team]:
            one = self._open.get(row.team)
            if one is not None and one.installation is not None:
                if one.installation.installed_at >= row.installed_at:
                    return one
                self._open.pop(row.team)
            since, _ = self._away.get(row.team, (None, ""))
            if since is not None and since > row.installed_at and self._clock.now() < since + AGAIN:
                return None
            begun = self._meeting.get(row.team)
            if begun is None or begun[0] != row.installed_at:
                client = self._connect(row.token)
                begun = self._meeting[row.team] = row.installed_at, client, self._meet(client)
            _, client, directory = begun
            try:
                await directory.meet(self._channels)
            except NotDone as refusal:
                self._meeting.pop(row.team)
                await self._shut(row.team, row, refusal.code)
                return None
            self._meeting.pop(row.team)
            if directory.team != row.team:
                await self._shut(row.team, row, "token_of_another_workspace")
                return None
            return await self._keep(client, directory, row)

    async def _keep(self, client: Client, directory: Directory, installation: Installation | None) -> Workspace:
        one = self._furnish(client, directory, installation)
        client.shut_out = partial(self._refused, client, one)
        client.let_in = partial(self._rearm, one.team)
        self._away.pop(one.team, None)
        self._open[one.team] = one
        log.info("workspace.open", team=one.team, people=len(directory.names))
        if self._heard:
            await directory.join()
        await see_off(one.desk)
        return one

    # -- shutting -----------------------------------------------------------------------------------

    async def _refused(self, client: Client, one: Workspace, code: str) -> None:
        """A call to this workspace said that its token is worth nothing: it is shut, unless that was a slip."""
        async with self._turns[one.team]:
            if self._open.get(one.team) is not one:
                return
            try:
                await call(self._connect(client.token or ""), "auth.test")
            except NotDone as refusal:
                if refusal.code in SHUT_OUT:
                    await self._shut(one.team, one.installation, code)
            except (TryLater, Unsure):
                return  # the next call tells

    async def _shut(self, team: str, installation: Installation | None, code: str) -> None:
        """Slack refuses the token of this installation."""
        self._open.pop(team, None)
        if team not in self._away:
            log.error("workspace.shut", team=team, code=code)
        self._away[team] = (self._clock.now(), code)
        if installation is None or self._installations is None or code not in SHUT_OUT:
            return
        try:
            await self._installations.revoke(installation, self._clock.now())
        except StoreUnavailable as error:  # the token goes on being refused, and that is found out again
            log.error("workspace.not_marked", team=team, error=str(error))

    async def _return(self) -> None:
        """Try the workspace of the settings again if it refused us: somebody may have mended that."""
        home = self.home
        if home is None or home.team in self._open or self._clock.now() < self._away[home.team][0] + AGAIN:
            return
        try:
            await call(self._connect(home.client.token or ""), "auth.test")
        except (NotDone, TryLater, Unsure) as error:
            self._away[home.team] = (self._clock.now(), self._away[home.team][1])
            log.warning("slack.away", team=home.team, error=str(error))
            return
        self._away.pop(home.team, None)
        self._open[home.team] = home
