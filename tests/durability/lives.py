"""Bots in virtual time: each with a clock that may be wrong, a store and a Room; each can die, or stand still, at any
point."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from bot.domain.errors import Conflict, Refused, StoreUnavailable
from bot.domain.incident import Incident
from bot.ports import CallRefused, OutcomeUnknown, RetryAfter
from bot.reconciler import Scheduler, WorkspaceContext
from bot.reconciler.publish_effector import publish_effectors
from bot.service import ActResult, Service
from bot.slack.outbound.effectors import slack_effectors
from bot.slack.outbound.publisher import SlackPublisher
from bot.slack.surfaces.topic import channel_topic
from bot.store import SqlStore
from tests.durability.mortal import Died, Fate, MortalRoom, MortalStore
from tests.durability.simulated_slack import Slack
from tests.durability.stories import POLICY
from tests.durability.virtual_time import VirtualLoop
from tests.world import BEGIN, KEY

if TYPE_CHECKING:
    from tests.durability.simulation import World

T = TypeVar("T")

#: seconds of a lease
LEASE = 10.0
#: what a call may raise towards somebody who is gone
EXPECTED = (Died, CallRefused, RetryAfter, OutcomeUnknown, Refused, StoreUnavailable, Conflict)


class BotClock:
    """A machine's clock, which may be wrong."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self.wrong = 0.0

    def now(self) -> datetime:
        return (BEGIN + timedelta(seconds=self._loop.time() + self.wrong)).astimezone(UTC)

    async def sleep_until(self, at: datetime) -> None:
        await asyncio.sleep(max(0.0, (at - self.now()).total_seconds()))


class FrozenFate(Fate):
    """A process that can also stand still at a point."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop
        self.freezes_at, self.freezes_for = 0, 0.0
        self.until = 0.0

    def point(self, name: str) -> None:
        super().point(name)
        if self.passed == self.freezes_at:
            self.until = self._loop.time() + self.freezes_for

    @property
    def frozen(self) -> bool:
        return self.until > self._loop.time()

    async def thawed(self) -> None:
        """Return when it goes on."""
        while self.frozen:  # noqa: ASYNC110  (in virtual time)
            await asyncio.sleep(0.5)


class SimulatedRoom:
    """The Room of one bot. A call that has begun is Slack's, whatever becomes of the bot."""

    def __init__(self, slack: Slack, fate: FrozenFate) -> None:
        self._slack = slack
        self._fate = fate

    def __getattr__(self, method: str) -> Any:
        async def call(*arguments: Any, **named: Any) -> Any:
            await self._fate.thawed()
            return await asyncio.shield(asyncio.ensure_future(self._slack.call(method, *arguments, *named.values())))

        return call

    def permalink(self, channel: str, ts: str) -> str:
        return f"https://slack.test/archives/{channel}/p{ts}"


class SimulatedLeases:
    """The claims of one bot, kept by the database."""

    def __init__(self, claims: Any, life: Life) -> None:
        self._claims = claims
        self._life = life
        self.renew_every_seconds: float | None = claims.renew_every_seconds
        self.claim_ahead: timedelta = claims.claim_ahead

    async def release(self, id: str, last: Any = None) -> None:
        given = (id,) if last is None else (id, last)  # `last` goes to the database by itself
        release = self._claims.release
        await (self._life.outside(lambda: release(*given)) if last is None else release(*given))

    def holds(self, id: str) -> bool:
        return bool(self._claims.holds(id))

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments: self._life.outside(lambda: getattr(self._claims, name)(*arguments))


class SimulatedStore:
    """The store of one bot: one call at a time is in the database, which is what makes a history repeat itself."""

    def __init__(self, life: Life) -> None:
        self._life = life
        self.leases = SimulatedLeases(life.store.leases, life)

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments, **named: self._life.outside(
            lambda: getattr(self._life.store, name)(*arguments, **named)
        )

    async def write(self, job: Callable[[Any], Any], **how: Any) -> Any:
        world = self._life.world

        async def write() -> Any:
            if world.away:
                world.away -= 1
                raise StoreUnavailable("The database is away.")
            value = await self._life.store.write(job, **how)
            if isinstance(value, ActResult) and value.events:
                world.committed.append(value)
            return value

        return await self._life.outside(write)


class Life:
    """A bot from its start to its death."""

    def __init__(self, world: World, number: int, clock: BotClock) -> None:
        self.world = world
        self.number = number
        self.clock = clock
        self.fate = FrozenFate(world.loop)
        self.store = SqlStore.open(world.url, KEY.encode(), lease_seconds=LEASE)
        kept: Any = MortalStore(SimulatedStore(self), self.fate)  # type: ignore[arg-type]
        room: Any = MortalRoom(SimulatedRoom(world.slack, self.fate), self.fate)  # type: ignore[arg-type]
        self.kept = kept
        self.service = Service(kept, POLICY, clock)
        publishers = {"customers": SlackPublisher(room, lambda: world.slack.customers.id)}
        ground = WorkspaceContext(
            slack_effectors(room, self._postmortem) | publish_effectors(publishers), world.render,
            lambda incident: channel_topic(incident, POLICY), {"announcements": world.slack.incidents.id}.__getitem__,
        )  # fmt: skip
        self.scheduler = Scheduler(self.service, lambda team: asyncio.sleep(0, ground))
        self.service.on_change = self._changed
        self.keeping = asyncio.create_task(self.scheduler.renew_leases())

    @staticmethod
    async def _postmortem(incident: Incident) -> tuple[str, str]:
        return "postmortem.md", "What happened, and when."

    def _changed(self, id: str) -> None:
        self.scheduler.incident_changed(id)
        for other in self.world.lives:
            if other is not self and other is not None and not other.fate.dead:
                other.scheduler.incident_changed_elsewhere(id)

    async def outside(self, work: Callable[[], Awaitable[T]]) -> T:
        """Let the database work; a bot that dies meanwhile changes nothing of it."""
        return await asyncio.shield(asyncio.ensure_future(self._outside(work)))

    async def _outside(self, work: Callable[[], Awaitable[T]]) -> T:
        await self.fate.thawed()
        async with self.world.database:
            if self.fate.dead:
                raise Died(self.fate.dead)
            with self.world.loop.outside():
                await self.world.tell_the_database()
                return await work()

    async def end(self) -> None:
        """Nothing of it runs any more."""
        self.fate.dead = self.fate.dead or "killed"
        self.keeping.cancel()
        with contextlib.suppress(*EXPECTED):
            await self.scheduler.stop(within=0)
        await asyncio.gather(self.keeping, return_exceptions=True)
        async with self.world.database:
            with self.world.loop.outside():
                await self.store.close()
