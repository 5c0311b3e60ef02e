"""Histories happen: real rules, store, renderers and schedulers, in virtual time, with a Slack that is in memory.

Nothing sleeps and nothing is left to chance: a history that is told again is the same one, call by call.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import asyncpg

from bot.domain import events as e
from bot.domain import lifecycle
from bot.domain.actor import Actor
from bot.domain.desired_message import DesiredMessage
from bot.domain.effect import EffectState
from bot.domain.errors import Conflict, Refused, StoreUnavailable
from bot.domain.incident import Incident
from bot.service import ActResult, incident_id
from bot.slack.surfaces.messages import messages
from bot.slack.surfaces.render_context import RenderEnvironment
from tests.domain.story import PAYOUTS
from tests.durability.histories import (
    ACTS,
    PEOPLE,
    TEAM,
    VERBS,
    Away,
    Clock,
    Crash,
    Do,
    Freeze,
    History,
    Lag,
    Pass,
    Step,
)
from tests.durability.lives import EXPECTED, BotClock, Life
from tests.durability.mortal import Died
from tests.durability.simulated_slack import Slack, Trouble
from tests.durability.stories import BEN, CARLA, POLICY
from tests.durability.virtual_time import VirtualLoop

#: virtual seconds in which everything is done once nothing goes wrong any more: pauses double up to ten minutes
HEALED = 40 * 60
#: states after which nothing is owed
SETTLED = (EffectState.SENT, EffectState.REFUSED)
#: PostgreSQL's own clock would not pass with ours: leases are counted by this one
DATABASE_CLOCK = """
CREATE SCHEMA simulation;
CREATE TABLE simulation.clock AS SELECT timestamptz '2026-03-02T14:00:00Z' AS at;
CREATE FUNCTION simulation.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS 'SELECT at FROM simulation.clock';
DO $$ BEGIN
    EXECUTE format('ALTER DATABASE %I SET search_path = simulation, public, pg_catalog', current_database());
END $$;
"""


class World:
    """Bots on one database, their Slack, people, and time."""

    def __init__(self, loop: VirtualLoop, url: str, history: History) -> None:
        self.loop = loop
        self.url = url
        self.history = history
        self.slack = Slack(loop)
        self.database = asyncio.Lock()
        self.away = 0
        #: whatever was written, by people and by the bots' own rules, in the order in which it was
        self.committed: list[ActResult] = []
        #: the delivery that brought an event about, by the event's identity
        self.born: dict[int, tuple[str, e.Event]] = {}
        self.declared: list[str] = []
        self.unexpected: list[str] = []
        self.setup = RenderEnvironment(policy=POLICY)
        self._clocks = [BotClock(loop) for _ in range(history.bots)]
        self.lives: list[Life | None] = [None] * history.bots
        self._people: set[asyncio.Task[None]] = set()
        self._burying: set[asyncio.Task[None]] = set()
        self._down: Counter[int] = Counter()
        self._teller: asyncpg.Connection | None = None
        self._told = -1.0

    def render(self, incident: Incident, now: datetime) -> list[DesiredMessage]:
        return messages(incident, now, self.setup)

    async def tell_the_database(self) -> None:
        """PostgreSQL's clock shows Slack's time, which is the true one."""
        if self._teller is not None and self._told != self.loop.time():
            self._told = self.loop.time()
            await self._teller.execute("UPDATE simulation.clock SET at = $1", self.slack.now())

    def mourn(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not isinstance(error, EXPECTED):
            self.unexpected.append(f"{context.get('message')}: {error!r}")

    # -- from the first step to the last ----------------------------------------------------------------

    async def start(self) -> None:
        self.loop.set_exception_handler(self.mourn)
        if self.url.startswith("postgresql"):
            with self.loop.outside():
                self._teller = await asyncpg.connect(self.url)
                await self._teller.execute(DATABASE_CLOCK)
        if self.history.taken:
            for number in (1, 2):
                self.slack.place(f"inc-{number}-withdrawals-are-stuck")
            self.slack.place("inc-2")
        for number in range(self.history.bots):
            self.lives[number] = Life(self, number, self._clocks[number])

    async def close(self) -> None:
        for task in (*self._people, *self._burying):
            task.cancel()
        await asyncio.gather(*self._people, *self._burying, return_exceptions=True)
        for life in self.lives:
            if life is not None:
                await life.end()
        if self._teller is not None:
            with self.loop.outside():
                await self._teller.close()

    async def tell(self) -> None:
        """Let it all happen, then let nothing go wrong any more until everything is done."""
        for number, step in enumerate(self.history.steps):
            await self._happens(step, str(number))
            await asyncio.sleep(0)
        await self.pass_time(2)
        self.slack.troubles.clear()
        self.slack.lag, self.away = 0.0, 0
        for clock in self._clocks:
            clock.wrong = 0.0
        for life in self.lives:
            if life is not None and not life.fate.dead:
                life.fate.at = life.fate.freezes_at = 0
                life.fate.until = 0.0
        self._down.clear()
        await self.pass_time(3 * 60)
        while any(life is None or life.fate.dead for life in self.lives):
            await self.pass_time(60)
        await self.rearm()
        until = self.loop.time() + HEALED
        while self.loop.time() < until and (self._people or self._burying or not await self.at_rest()):
            await self.pass_time(20)
        await self.pass_time(2)

    async def _happens(self, step: Step, key: str) -> None:
        match step:
            case Do():
                self._person(self._deliver(step, key, step.bot))
                if step.twice:
                    self._person(self._deliver(step, key, step.bot + 1))
            case Pass():
                await self.pass_time(step.seconds)
            case Lag():
                self.slack.lag = step.seconds
            case Trouble():
                self.slack.troubles.append(step)
            case Away():
                self.away = step.count
            case Clock():
                self._clocks[step.bot % len(self._clocks)].wrong = step.seconds
            case Freeze():
                life = self.lives[step.bot % len(self.lives)]
                if life is not None and not life.fate.dead:
                    life.fate.freezes_at, life.fate.freezes_for = life.fate.passed + step.points, step.seconds
            case Crash():
                number = step.bot % len(self.lives)
                life = self.lives[number]
                if life is not None and not life.fate.dead:
                    life.fate.at = life.fate.passed + step.points
                    self._down[number] = int(step.down * 1000)

    # -- people ---------------------------------------------------------------------------------------

    def _person(self, does: Any) -> None:
        task = asyncio.ensure_future(does)
        self._people.add(task)
        task.add_done_callback(self._people.discard)

    async def _deliver(self, do: Do, key: str, bot: int) -> None:
        """Deliver it until some bot says that it has it, as Slack and people do."""
        actor = Actor(TEAM, PEOPLE[do.who], PEOPLE[do.who])
        act = self._declares(do, key, actor) if do.what.startswith("declare") else self._acts(do, key, actor)
        for attempt in range(10_000):
            life = self.lives[(bot + attempt) % len(self.lives)]
            if life is not None and not life.fate.dead:
                with contextlib.suppress(Died, StoreUnavailable, Conflict):
                    with contextlib.suppress(Refused):
                        await act(life)
                    return
            await asyncio.sleep(1)

    def _declares(self, do: Do, key: str, actor: Actor) -> Callable[[Life], Awaitable[Any]]:
        small = do.what == "declare small"
        rule = partial(
            lifecycle.declare, title="Withdrawals are stuck", severity="sev3" if small else "sev1",
            private=do.what == "declare privately", responders=(BEN, CARLA), runbook=None if small else PAYOUTS,
            policy=POLICY,
        )  # fmt: skip
        id = incident_id(TEAM, key)
        if id not in self.declared:
            self.declared.append(id)
        return lambda life: life.service.declare("declare", self._bearing(key, lambda i, now: rule), actor, key=key)

    def _acts(self, do: Do, key: str, actor: Actor) -> Callable[[Life], Awaitable[Any]]:
        id = self.declared[(do.which // 3) % len(self.declared)] if self.declared else "none"
        rule = self._bearing(key, lambda i, now: ACTS[do.what](i, do, key, now))
        return lambda life: life.service.act(id, VERBS.get(do.what, do.what), rule, actor, key=key)

    def _bearing(self, key: str, choose: Callable[[Incident, datetime], Any]) -> Any:
        def rule(incident: Incident, /, *, by: Actor, at: datetime, **more: Any) -> list[e.Event]:
            events: list[e.Event] = choose(incident, at)(incident, by=by, at=at, **more)
            self.born |= {id(event): (key, event) for event in events}
            return events

        return rule

    # -- time -----------------------------------------------------------------------------------------

    async def pass_time(self, seconds: float) -> None:
        """Let time pass; each due moment comes at its time."""
        until = self.loop.time() + seconds
        while (left := until - self.loop.time()) > 1e-6:
            await self._round()
            step, jumps = await self._until_something(left)
            if jumps:
                self.loop.pass_time(step)
                await asyncio.sleep(0)
            else:
                await asyncio.sleep(step)
        await self._round()

    async def _round(self) -> None:
        for number, life in enumerate(self.lives):
            if life is None:
                continue
            if not life.fate.dead and not life.fate.frozen:
                with contextlib.suppress(Died, StoreUnavailable):
                    await self._or_frozen(life, life.scheduler.start_due())
            if life.fate.dead:
                self.lives[number] = None
                task = asyncio.create_task(self._succeeded(life))
                self._burying.add(task)
                task.add_done_callback(self._burying.discard)

    @staticmethod
    async def _or_frozen(life: Life, work: Any) -> None:
        """Return when it is done, or its bot stands still; then it ends by itself later on."""
        task = asyncio.ensure_future(work)
        while not task.done() and not life.fate.frozen:
            await asyncio.wait({task}, timeout=0.5)
        if task.done():
            await task

    async def _succeeded(self, life: Life) -> None:
        await life.end()
        await asyncio.sleep(self._down[life.number] / 1000)
        self.lives[life.number] = Life(self, life.number, life.clock)

    async def _until_something(self, most: float) -> tuple[float, bool]:
        """How long nothing happens, and whether nobody at all does anything meanwhile."""
        lives = [life for life in self.lives if life is not None and not life.fate.dead]
        if any(life.scheduler.busy for life in lives):
            return min(most, 0.2), False
        moments = [most, 1.0] if self._people or self.slack.late else [most]
        for life in lives:
            with contextlib.suppress(Died, StoreUnavailable):
                due = await life.kept.next_due() if not life.fate.frozen else None
                if due is not None:
                    # What is overdue and is not attended rests for a while, or belongs to somebody who died.
                    moments.append(max(1.0, (due - life.clock.now()).total_seconds() + 0.001))
        alone = not (self._people or self.slack.late or self._burying)
        return (min(moments), True) if alone else (min(*moments, 20.0), False)

    # -- in the end -----------------------------------------------------------------------------------

    @property
    def one(self) -> Life:
        return next(life for life in self.lives if life is not None and not life.fate.dead)

    async def at_rest(self) -> bool:
        """Whether nothing is due at this moment."""
        if self.slack.late or any(life is None or life.fate.dead or life.scheduler.busy for life in self.lives):
            return False
        due = await self.one.kept.next_due()
        if due is not None and due <= self.one.clock.now() + timedelta(seconds=3):
            return False
        for id in self.declared:
            for effect in await self.one.kept.effects(id):
                if effect.state is EffectState.PARKED:
                    continue  # it is tried again some time
                if effect.state not in SETTLED or effect.next_try_at is not None:
                    return False
        return True

    async def rearm(self) -> None:
        """What was given up is tried again, as by the command line."""
        await self.one.kept.write(lambda tx: tx.rearm())


def told(history: History, url: str, holds: Callable[[World], Awaitable[None]]) -> None:
    """Tell this history on that database, fresh and migrated; then ask what has to hold."""

    async def tell() -> None:
        world = World(asyncio.get_running_loop(), url, history)  # type: ignore[arg-type]
        await world.start()
        try:
            await world.tell()
            await holds(world)
            assert world.unexpected == []
        finally:
            await world.close()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(tell())
