"""A bot that can die at any point: before and after each call to Slack, and after each commit.

It is the bot without its ears: the store, the rules, the caretaker and the real Room, on the local Slack. Dying drops
everything that is in memory at that instant; a new one starts on the same database and the same Slack.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp

from bot.caretaker import Caretaker
from bot.domain.actor import Actor
from bot.domain.errors import Refused
from bot.domain.incident import Incident
from bot.domain.policy import Policy
from bot.sandbox import Sandbox
from bot.service import Service, incident_id
from bot.slack.directory import Directory
from bot.slack.messages import messages
from bot.slack.room import SlackPublisher, SlackRoom, web_client
from bot.slack.setup import Setup
from bot.store import Store
from tests.world import KEY, WorldClock

#: whose delivery declares the incident of a story
DECLARED = "the command that declares"


class Died(BaseException):
    """The process is gone: nothing of it catches this."""


class Fate:
    """Counts the points at which the process could die, and lets it die at one of them (0: it lives)."""

    def __init__(self, at: int = 0) -> None:
        self.at = at
        self.passed = 0
        self.dead = ""

    def point(self, name: str) -> None:
        """A point is reached. Once dead, whatever else still runs dies at its next one."""
        if self.dead:
            raise Died(self.dead)
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

    def __init__(self, store: Store, fate: Fate) -> None:
        self._store = store
        self._fate = fate

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def write(self, job: Callable[[Any], Any]) -> Any:
        if self._fate.dead:
            raise Died(self._fate.dead)
        value = await self._store.write(job)
        self._fate.point("after a commit")
        return value


class Mortal:
    """One life of the bot."""

    def __init__(self, slack: Sandbox, store: Store, room: SlackRoom, directory: Directory, clock: WorldClock,
                 policy: Policy, fate: Fate) -> None:  # fmt: skip
        self.slack = slack
        self.store = store
        self.clock = clock
        self.fate = fate
        self.policy = policy
        setup = Setup(policy=policy, names=directory.names)
        mortal: Any = MortalRoom(room, fate)
        kept: Any = MortalStore(store, fate)
        self.service = Service(kept, policy, clock)
        self.caretaker = Caretaker(
            self.service,
            mortal,
            lambda incident, now: messages(incident, now, setup),
            self._postmortem,
            {"customers": SlackPublisher(mortal, directory.channel("customer-comms"))},
            {"announcements": directory.channel("incidents")}.__getitem__,
        )
        self.service.on_change = self.caretaker.changed
        self.team = directory.team
        self.id = incident_id(self.team, DECLARED)

    async def _postmortem(self, incident: Incident) -> tuple[str, str]:
        return "postmortem.md", "What happened, and when."

    async def incident(self) -> Incident:
        incident = await self.store.incident(self.id)
        assert incident is not None
        return incident

    async def act(self, key: str, rule: Callable[..., Any], actor: Actor) -> None:
        """What a person does, delivered under this key. A refusal says that it was done by an earlier delivery."""
        with contextlib.suppress(Refused):
            await self.service.act(self.id, key, rule, actor, key=key)

    async def settle(self, within: timedelta = timedelta(seconds=40)) -> None:
        """Let everything happen that is due now or within so much time, each at its moment."""
        end = self.clock.now() + within
        while True:
            await self.caretaker.round()
            await self.caretaker.idle()
            if self.fate.dead:
                raise Died(self.fate.dead)
            due = await self.store.next_due()
            if due is None or due > end:
                return
            await self.pass_to(due)

    async def pass_to(self, moment: datetime) -> None:
        """Let time pass."""
        self.slack.clock.advance(max(0.0, (moment - self.clock.now()).total_seconds()))
        self.clock.moved()


def _mourn(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    if not isinstance(context.get("exception"), Died):  # of those nobody can be told
        loop.default_exception_handler(context)


@contextlib.asynccontextmanager
async def life(slack: Sandbox, database: Path, policy: Policy, fate: Fate) -> AsyncIterator[Mortal]:
    """A bot on this database and this Slack, until the block ends or it dies; then nothing of it runs any more."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_mourn)
    store = Store.open(f"sqlite:///{database}", KEY.encode())
    try:
        async with aiohttp.ClientSession() as session:
            client = web_client(slack.bot_token, slack.api_url, session)
            directory = Directory(client)
            await directory.warm(("incidents", "customer-comms"))
            room = SlackRoom(client, directory.bot_user, directory.url)
            one = Mortal(slack, store, room, directory, WorldClock(slack.clock), policy, fate)
            try:
                yield one
            finally:
                await one.caretaker.stop(within=0)
    finally:
        await store.close()
