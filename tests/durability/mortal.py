"""A bot that can die at any point: before and after each call to Slack, and before and after each commit.

It is the bot without its ears: the store, the rules, the scheduler and the real Room, on the local Slack. Dying drops
everything that is in memory at that instant; a new one starts on the same database and the same Slack.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import aiohttp

from bot.domain.actor import Actor
from bot.domain.errors import Refused, StoreUnavailable
from bot.domain.incident import Incident
from bot.domain.policy import Policy
from bot.reconciler import Scheduler, WorkspaceContext
from bot.reconciler.publish_effector import publish_effectors
from bot.service import Service, incident_id
from bot.slack.outbound.effectors import slack_effectors
from bot.slack.outbound.publisher import SlackPublisher
from bot.slack.outbound.room import SlackRoom
from bot.slack.outbound.web_api import web_client
from bot.slack.surfaces.messages import messages
from bot.slack.surfaces.messages.parked import parked
from bot.slack.surfaces.render_context import RenderEnvironment
from bot.slack.surfaces.topic import channel_topic
from bot.slack.workspace.directory import Directory
from bot.store import SqlStore
from localslack import LocalSlack
from tests.world import KEY, WorldClock

Job = Callable[[Any], Any]
T = TypeVar("T")

#: whose delivery declares the incident of a story
DECLARED = "the command that declares"


class Died(BaseException):
    """The process is gone: nothing of it catches this."""


class Fate:
    """Counts the points at which the process could die, and lets it die at one of them (0: it lives)."""

    def __init__(self, at: int = 0, but: str = "") -> None:
        self.at = at
        self._but = but  # what this is the name of is no point
        #: seconds after which a call to Slack counts as lost
        self.lost_after = 10.0
        self.passed = 0
        self.dead = ""

    def around(self, job: Job) -> Job:
        """What runs as this job, in its transaction."""
        return job

    def point(self, name: str) -> None:
        """A point is reached. Once dead, whatever else still runs dies at its next one."""
        if self.dead:
            raise Died(self.dead)
        if name == self._but:
            return
        self.passed += 1
        if self.passed == self.at:
            self.dead = name
            raise Died(name)


class MortalRoom:
    """A Room in which the process may die before and after each call."""

    def __init__(self, room: SlackRoom, fate: Fate) -> None:
        self._room = room
        self._fate = fate

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._room, name)
        if not asyncio.iscoroutinefunction(real):
            return real

        async def call(*arguments: Any, **named: Any) -> Any:
            self._fate.point(f"before {name}")
            answer = await real(*arguments, **named)
            self._fate.point(f"after {name}")
            return answer

        return call


class MortalStore:
    """A Store in which the process may die once something is on the disk and before anybody knows."""

    def __init__(self, store: SqlStore, fate: Fate) -> None:
        self._store = store
        self._fate = fate

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    @property
    def leases(self) -> Any:
        claims = self._store.leases
        return claims if claims.renew_every_seconds is None else MortalLeases(claims, self._fate)

    async def write(self, job: Job, **how: Any) -> Any:
        self._fate.point("before a commit")
        value = await self._store.write(self._fate.around(job), **how)
        self._fate.point("after a commit")
        return value


class MortalLeases:
    """Where several processes share the database, claiming is a commit, too."""

    def __init__(self, claims: Any, fate: Fate) -> None:
        self._claims = claims
        self._fate = fate

    def __getattr__(self, name: str) -> Any:
        return getattr(self._claims, name)

    async def claim_due(self, *arguments: Any, **named: Any) -> Any:
        ids = await self._claims.claim_due(*arguments, **named)
        self._fate.point("after a claim")
        return ids

    async def claim(self, id: str) -> Any:
        held = self._claims.holds(id)
        won = await self._claims.claim(id)
        if not held:
            self._fate.point("after a claim")
        return won

    async def release(self, id: str, last: Any = None) -> None:
        if last is not None:  # a write, with its own points
            await self._claims.release(id, last)
        elif not self._fate.dead:
            await self._claims.release(id)
            self._fate.point("after a release")


class Mortal:
    """One life of the bot."""

    def __init__(self, slack: LocalSlack, store: SqlStore, room: SlackRoom, directory: Directory, clock: WorldClock,
                 policy: Policy, fate: Fate) -> None:  # fmt: skip
        self.slack = slack
        self.store = store
        self.clock = clock
        self.fate = fate
        self.policy = policy
        setup = RenderEnvironment(policy=policy, names=directory.names)
        mortal: Any = MortalRoom(room, fate)
        kept: Any = MortalStore(store, fate)
        self.service = Service(kept, policy, clock)
        publishers = {"customers": SlackPublisher(mortal, lambda: directory.channel("customer-comms"))}
        ground = WorkspaceContext(
            slack_effectors(mortal, self._postmortem) | publish_effectors(publishers),
            lambda incident, now: messages(incident, now, setup),
            lambda incident: channel_topic(incident, policy),
            {"announcements": directory.channel("incidents")}.__getitem__,
            parked,
        )
        self.scheduler = Scheduler(self.service, lambda team: asyncio.sleep(0, ground))
        self.service.on_change = self.scheduler.incident_changed
        self.team = directory.team
        self.id = incident_id(self.team, DECLARED)

    async def _postmortem(self, incident: Incident) -> tuple[str, str]:
        return "postmortem.md", "What happened, and when."

    async def incident(self) -> Incident:
        incident = await self.until_answered(lambda: self.store.incident(self.id))
        assert incident is not None
        return incident

    async def until_answered(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Ask the database again and again while it is away, as people and Slack do."""
        while True:
            try:
                return await ask()
            except StoreUnavailable:
                await asyncio.sleep(0.05)

    async def declare(self, rule: Callable[..., Any], actor: Actor) -> None:
        """Begin the story's incident: one delivery, however often it comes."""
        await self.until_answered(
            lambda: self.service.declare("declare", lambda i, **more: rule(i, **more), actor, key=DECLARED)
        )

    async def act(self, key: str, rule: Callable[..., Any], actor: Actor) -> None:
        """What a person does, delivered under this key. A refusal says that it was done by an earlier delivery."""
        with contextlib.suppress(Refused):
            await self.until_answered(lambda: self.service.act(self.id, key, rule, actor, key=key))

    async def settle(self, within: timedelta = timedelta(seconds=40)) -> None:
        """Let everything happen that is due now or within so much time, each at its moment."""
        end = self.clock.now() + within
        while True:
            await self.until_answered(self.scheduler.start_due)
            await self.scheduler.wait_until_idle()
            if self.fate.dead:
                raise Died(self.fate.dead)
            due = await self.until_answered(self.store.next_due)
            if due is None or due > end:
                return
            if due <= self.clock.now():  # it failed and rests for a moment of real time
                await asyncio.sleep(0.01)
            await self.pass_to(due)

    async def pass_to(self, moment: datetime) -> None:
        """Let time pass."""
        self.slack.clock.advance(max(0.0, (moment - self.clock.now()).total_seconds()))
        self.clock.moved()


def _mourn(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    if not isinstance(context.get("exception"), Died):  # of those nobody can be told
        loop.default_exception_handler(context)


@contextlib.asynccontextmanager
async def life(slack: LocalSlack, database: Path | str, policy: Policy, fate: Fate) -> AsyncIterator[Mortal]:
    """A bot on this database (a file of SQLite, or a URL) and this Slack, until the block ends or it dies; then nothing
    of it runs any more."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_mourn)
    store = SqlStore.open(database if isinstance(database, str) else f"sqlite:///{database}", KEY.encode())
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=fate.lost_after)) as session:
            client = web_client(slack.bot_token, slack.api_url, session)
            directory = Directory(client)
            await directory.warm(("incidents", "customer-comms"))
            await directory.join_channels()
            room = SlackRoom(client, directory.bot_user, directory.workspace_url)
            one = Mortal(slack, store, room, directory, WorldClock(slack.clock), policy, fate)
            try:
                yield one
            finally:
                await one.scheduler.stop(within=0)
    finally:
        await store.close()
