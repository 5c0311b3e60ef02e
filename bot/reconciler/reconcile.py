"""One incident is attended: rules whose time has come, then every call that is owed, until nothing can be done now."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

import structlog

from bot.domain import duties
from bot.domain import events as e
from bot.domain.actor import Actor, bot_itself
from bot.domain.desired_message import Message
from bot.domain.effect import Effect
from bot.domain.errors import LeaseLost, Refused, StoreUnavailable
from bot.domain.events import Entry
from bot.domain.fold import evolve
from bot.domain.incident import Incident
from bot.ports import Transaction
from bot.reconciler import delivery_state
from bot.reconciler.debounce import Turn
from bot.reconciler.executor import Payer
from bot.reconciler.lateness import Lateness
from bot.reconciler.plan import Books, Owed, given_up, owed, people_are_in
from bot.reconciler.rate_limits import Gates
from bot.reconciler.workspace_context import REST as AWAY
from bot.reconciler.workspace_context import Ground, Grounds
from bot.service import Done, Service

T = TypeVar("T")
Calls = Sequence[Effect]

log = structlog.get_logger(__name__)

#: calls under one key in one visit, above which something turns in a circle; it then rests so long
ROUNDS, REST = 25, timedelta(minutes=1)
#: seconds that it waits for others to end before it is written down how a call has: after a crash meanwhile what was
#: sent is looked for, and what was changed is changed again
TOGETHER = 0.2
#: seconds: a look that takes so long is worth waiting for more calls to end, twice as long and so long at most
LONG, LONGEST = 0.002, 0.02


@dataclass(frozen=True)
class House:
    """What every visit needs."""

    service: Service
    grounds: Grounds
    gates: Gates


@dataclass
class Visit:
    """A visit to one incident. `turn.come` is set when it changed meanwhile; `turn.usable` once its people can work."""

    house: House
    turn: Turn
    stopping: Callable[[], bool]

    def __post_init__(self) -> None:
        self.id, self.nudge = self.turn.id, self.turn.come
        self.ground: Ground
        #: when this visit wants to look again by itself
        self.next: datetime | None = None
        self._running: dict[asyncio.Task[None], Owed] = {}
        #: this visit has changed the incident
        self._moved = False
        self._effects: dict[str, Effect] = {}
        #: calls that have ended and are not written down yet: that goes with the next thing to be written
        self._ended: dict[str, Effect] = {}
        self._paid: Counter[str] = Counter()
        self._idle_rules: set[tuple[str, int]] = set()
        #: what the rules whose time has come make of it, and the states between; not written yet
        self._steps: list[tuple[Incident, Incident]] = []
        self._shown: tuple[int, datetime | None, list[Message]] | None = None
        #: seconds that the latest look at what is owed has taken
        self._took = 0.0
        self._lateness = Lateness()

    async def run(self) -> datetime | None:
        """Attend it; when to look next, or None where nothing is left to do."""
        try:
            self.turn.doubted = True
            self.nudge.set()
            while True:
                if self.nudge.is_set():
                    self.nudge.clear()
                    looked = asyncio.get_running_loop().time()
                    await self._look()
                    self._moved = True
                if self._moved:  # else people may have changed it: that is looked at in its time (`Turn.calm`)
                    self._moved = False
                    # Whatever this process wrote is in it; of what others write it hears, or finds it due.
                    incident = await self.house.service.store.glance(self.id)
                if incident is None:
                    return None
                now = self.house.service.clock.now()
                ground = await self.house.grounds(incident.team)
                if ground is None:
                    return await self._rest(incident, now)
                self.ground = ground
                foreseen = Done(incident, incident, ()) if self.stopping() else self._foresee(incident, now)
                done = await self._step(foreseen, now)
                if self.turn.usable.is_set():
                    self.turn.shown(looked)
                if done:
                    if not self.nudge.is_set():
                        return await self._settle(incident, now)
                    continue  # it changed meanwhile
        except asyncio.CancelledError:
            for task in self._running:
                task.cancel()
            raise
        finally:
            await asyncio.gather(*self._running, return_exceptions=True)
            with contextlib.suppress(LeaseLost, StoreUnavailable):
                await self._note()

    async def _look(self) -> None:
        """It changed. Its calls are read when the visit begins, and when they were changed beside it: all else that
        becomes of them is this visit's doing, and known better here than on the disk."""
        store, turn = self.house.service.store, self.turn
        self._paid.clear()
        known, turn.known = turn.known, None
        if known is not None and await store.glance(self.id) is known[0]:
            self._effects, turn.doubted = dict(known[1]), False
        if not turn.doubted:
            return
        turn.doubted = False
        await self._note()
        await store.incident(self.id)
        stored = {effect.key: effect for effect in await store.effects(self.id)}
        under_way = [one.effect.key for one in self._running.values()]
        self._effects = stored | {key: self._effects[key] for key in (*under_way, *self._ended)}

    def _foresee(self, incident: Incident, now: datetime) -> Done:
        """What the rules whose time has come make of it. Nothing is written: that goes with the calls that follow."""
        service, by = self.house.service, bot_itself(incident.team)
        policy, begun, new = service.policy_of(incident.team), incident, list[e.Event]()
        self._steps = []
        for _ in range(ROUNDS):
            seq = incident.seq
            for name, rule in duties.timed(incident, policy, now):
                if (name, incident.seq) in self._idle_rules:
                    continue
                try:
                    events = rule(incident, by, service.later(incident))
                except Refused as refused:
                    log.warning("rule.refused", rule=name, incident=incident.id, sentence=refused.sentence)
                    events = []
                if not events:
                    self._idle_rules.add((name, incident.seq))
                    continue
                before = incident
                for event in events:
                    incident = evolve(incident, Entry(incident.seq + 1, event))
                self._steps.append((before, incident))
                new += events
            if incident.seq == seq:
                break
        return Done(begun, incident, tuple(new))

    async def _step(self, foreseen: Done, now: datetime) -> bool:
        """Begin what can be begun and wait for the first thing to happen; True when there is nothing to wait for."""
        incident, began = foreseen.incident, asyncio.get_running_loop().time()
        policy = self.house.service.policy_of(incident.team)
        messages = self._messages(incident, now)
        if self.ground.parked is not None and messages:
            # What is just being tried again stays said until that has ended.
            trying = {one.effect.key: one.effect for one in self._running.values()}
            parked = [one for one in {**self._effects, **trying}.values() if given_up(one)]
            messages = [*messages, self.ground.parked(parked)]
        books = Books(incident, self._effects, messages, policy, self.ground.place, now)
        if incident.channel_error or incident.newer or (incident.channel and people_are_in(books)):
            self.turn.usable.set()
        busy = {one.effect.key for one in self._running.values()}
        ready: list[Owed] = []
        later: list[datetime] = []
        left, crowded = self.house.gates.left(), False
        for one in owed(books):
            if one.effect.key in busy:
                continue
            moments = [at for at in (one.at, self.house.gates.opens(one.gate, now)) if at is not None and at > now]
            if self._paid[one.effect.key] >= ROUNDS:
                moments.append(now + REST)
            if moments:
                later.append(max(moments))
            elif self.stopping():
                later.append(now)
            elif not self.house.gates.free(one.gate, now):
                crowded = True
            else:
                self.house.gates.enter(one.gate)
                ready.append(one)
        self.next = min(later, default=None)
        self._took = asyncio.get_running_loop().time() - began
        if not await self._begin(foreseen, ready, now):
            self._shown = None
            return False
        if foreseen.events and not ready:
            return False
        if not self._running and not crowded:
            return True
        if not await self._wait(left if crowded else None, TOGETHER if self._ended else None):
            await self._note()
        return False

    def _messages(self, incident: Incident, now: datetime) -> list[Message]:
        """The messages, made anew only when the incident has changed or a moment came at which one looks different."""
        if not incident.channel and not incident.channel_error and "channel" not in self._effects:
            return []  # the channel first: nothing can be said before, and making messages takes its time
        if self._shown is None or self._shown[0] != incident.seq or (self._shown[1] and self._shown[1] <= now):
            until = duties.next_at(incident, self.house.service.policy_of(incident.team), now)
            self._shown = (incident.seq, until, self.ground.render(incident, now))
        return self._shown[2]

    async def _begin(self, foreseen: Done, ready: list[Owed], now: datetime) -> bool:
        """Write down, in one transaction, what time made happen, the calls that Slack would do twice, and what will
        look different afterwards. Then make them all. False: it has changed meanwhile, and no call was begun.
        """
        incident = foreseen.incident
        begun = {one.effect.key: delivery_state.begun(one.effect, now) for one in ready if one.once}
        changing = {one.effect.key: delivery_state.changing(one.effect) for one in ready if one.changes}
        written = False
        try:
            if foreseen.events:
                written = await self._happen(foreseen, {**changing, **begun})
            elif begun or changing:
                # Due as well: should the process die now, somebody has to look after these calls.
                await self._due(incident, now, {**changing, **begun})
                written = True
            else:
                written = True
        finally:
            if not written:
                for one in ready:
                    self.house.gates.leave(one.gate, now)
        for one in ready if written else ():
            key = one.effect.key
            self._paid[key] += 1
            self._effects[key] = begun.get(key, one.effect)
            self._running[asyncio.create_task(self._pay(incident, one, begun.get(key)))] = one
        return written

    async def _happen(self, foreseen: Done, begun: Mapping[str, Effect]) -> bool:
        """Write down what time made happen and the calls that follow from it; False where these do not follow."""
        ended = dict(self._ended)

        def rule(incident: Incident, *, by: Actor, at: datetime) -> list[e.Event]:
            # Who wrote to it meanwhile may have changed what time makes of it.
            return list(foreseen.events) if incident == foreseen.before else []

        def calls(incident: Incident) -> Sequence[Effect]:
            return tuple({**ended, **(begun if incident == foreseen.before else {})}.values())

        bot = bot_itself(foreseen.incident.team)
        act = self.house.service.act(self.id, "time", rule, bot, told=False, calls=calls)
        done = await self._with(ended, act)
        if done.incident != foreseen.incident:
            self.nudge.set()  # read it anew
            return False
        self._moved = True
        policy = self.house.service.policy_of(foreseen.incident.team)
        for before, after in self._steps:
            self._lateness.given(before, after, policy)
        return True

    async def _pay(self, incident: Incident, one: Owed, begun: Effect | None) -> None:
        """Make one call and keep how it ended."""
        try:
            if begun is not None:
                one = replace(one, effect=begun)
            if not self.house.service.store.claims.holds(incident.id):
                raise LeaseLost(f"this process stood still, and another may attend {incident.id}")
            payer = Payer(self.house.service, self.ground, self.house.gates)
            paid = await payer.pay(incident, one)
        finally:
            self.house.gates.leave(one.gate, self.house.service.clock.now())
        self._moved = self._moved or payer.recorded
        self._effects[paid.key] = self._ended[paid.key] = paid
        self._lateness.paid(incident, one.effect, paid, self.house.service.clock.now())

    async def _note(self) -> None:
        """Write down which calls have ended."""
        if self._ended:
            await self._write(lambda tx, ended: tx.noted(self.id, ended))

    async def _due(
        self, incident: Incident, at: datetime | None, begun: Mapping[str, Effect] | None = None, *, leave: bool = False
    ) -> bool:
        """Write down when to look next, unless it has changed meanwhile: False then."""

        def job(tx: Transaction, calls: Calls) -> bool:
            return tx.attended(incident.id, incident.seq, at, calls, leave)

        return await self._write(job, begun)

    async def _write(self, job: Callable[[Transaction, Calls], T], begun: Mapping[str, Effect] | None = None) -> T:
        """Write, and with it how calls have ended. Raises LeaseLost."""
        ended = dict(self._ended)
        calls = tuple({**ended, **(begun or {})}.values())
        return await self._with(ended, self.house.service.store.write(lambda tx: job(tx, calls), single=True))

    async def _with(self, ended: Mapping[str, Effect], writing: Awaitable[T]) -> T:
        """Await a write that holds how these calls ended."""
        try:
            value = await writing
        except LeaseLost:  # the calls may have come through after those of whoever attends it now
            now = self.house.service.clock.now()
            self._ended.clear()
            if ended:
                await self.house.service.store.write(lambda tx: [tx.doubt(self.id, key, now) for key in ended])
            raise
        for key, effect in ended.items():
            if self._ended.get(key) is effect:
                del self._ended[key]
        return value

    async def _wait(self, left: asyncio.Event | None, within: float | None = None) -> bool:
        """Return when a call has ended, the incident changed, or, where it is crowded, somebody has `left`; False when
        none of that has happened within so many seconds."""
        others: list[Coroutine[Any, Any, Any]] = [self.nudge.wait()]
        if left is not None:
            others.append(left.wait())
        waits = [asyncio.create_task(one) for one in others]
        try:
            tasks = [*self._running, *waits]
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED, timeout=within)
            if len(self._running) > 1 and self._took > LONG:  # of a long incident with many calls not each is looked at
                more, _ = await asyncio.wait(self._running, timeout=min(2 * self._took, LONGEST))
                done |= more
        finally:
            for task in waits:
                task.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
        for task in done:
            if task in self._running:
                del self._running[task]
                task.result()
        return bool(done)

    async def _rest(self, incident: Incident, now: datetime) -> datetime:
        """The bot is not in that workspace: nothing is done until it is again, which makes the incident due at once."""
        while self._running:
            await self._wait(None)
        self.turn.usable.set()
        due = now + AWAY
        await self._due(incident, due)
        return due

    async def _settle(self, incident: Incident, now: datetime) -> datetime | None:
        """Nothing can be paid now: write down when to look next."""
        moments = [self.next] if self.next else []
        if (then := duties.next_at(incident, self.house.service.policy_of(incident.team), now)) is not None:
            moments.append(then)
        due = min(moments, default=None)

        async def last() -> bool:
            return await self._due(incident, due, leave=True)

        await self.house.service.store.claims.release(incident.id, last)
        return due
