"""One incident is attended: rules whose time has come, then every call that is owed, until nothing can be done now."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.caretaker import outcome
from bot.caretaker.gates import Gates
from bot.caretaker.ground import REST as AWAY
from bot.caretaker.ground import Ground, Grounds
from bot.caretaker.lateness import Lateness
from bot.caretaker.owed import Books, Owed, owed, people_are_in
from bot.caretaker.paying import Payer
from bot.domain import duties
from bot.domain.actor import bot_itself
from bot.domain.effect import Effect, EffectState
from bot.domain.errors import LeaseLost, Refused
from bot.domain.incident import Incident
from bot.domain.message import Message
from bot.service import Service

log = structlog.get_logger(__name__)

#: calls under one key in one visit, above which something turns in a circle; it then rests so long
ROUNDS, REST = 25, timedelta(minutes=1)


@dataclass(frozen=True)
class House:
    """What every visit needs."""

    service: Service
    grounds: Grounds
    gates: Gates


@dataclass
class Visit:
    """A visit to one incident. `nudge` is set when it changed meanwhile; `usable` once its people can work in it."""

    house: House
    id: str
    nudge: asyncio.Event
    usable: asyncio.Event
    stopping: Callable[[], bool]

    def __post_init__(self) -> None:
        self.ground: Ground
        #: when this visit wants to look again by itself
        self.next: datetime | None = None
        self._running: dict[asyncio.Task[None], Owed] = {}
        self._effects: dict[str, Effect] = {}
        self._paid: Counter[str] = Counter()
        self._idle_rules: set[tuple[str, int]] = set()
        self._shown: tuple[int, datetime | None, list[Message]] | None = None
        self._lateness = Lateness()

    async def run(self) -> datetime | None:
        """Attend it; when to look next, or None where nothing is left to do."""
        try:
            self.nudge.set()
            while True:
                if self.nudge.is_set():
                    self.nudge.clear()
                    await self._reload()
                incident = await self.house.service.store.incident(self.id)
                if incident is None:
                    return None
                now = self.house.service.clock.now()
                ground = await self.house.grounds(incident.team)
                if ground is None:
                    return await self._rest(incident, now)
                self.ground = ground
                if not self.stopping() and await self._apply_rules(incident, now):
                    continue
                if await self._step(incident, now):
                    if not self.nudge.is_set():
                        return await self._settle(incident, now)
                    continue  # it changed meanwhile
        except asyncio.CancelledError:
            for task in self._running:
                task.cancel()
            raise
        finally:
            await asyncio.gather(*self._running, return_exceptions=True)

    async def _reload(self) -> None:
        stored = {effect.key: effect for effect in await self.house.service.store.effects(self.id)}
        self._paid.clear()
        # What is being paid is known better here than on the disk.
        self._effects = stored | {one.effect.key: self._effects[one.effect.key] for one in self._running.values()}

    async def _apply_rules(self, incident: Incident, now: datetime) -> bool:
        """Apply the rules whose time has come; whether anything happened."""
        happened = False
        for name, rule in duties.timed(incident, self.house.service.policy_of(incident.team), now):
            if (name, incident.seq) in self._idle_rules:
                continue
            try:
                done = await self.house.service.act(
                    incident.id,
                    name,
                    lambda i, *, by, at, rule=rule: rule(i, by, at),
                    bot_itself(incident.team),
                    fenced=True,
                    told=False,  # this visit looks again by itself
                )
            except Refused as refused:
                log.warning("rule.refused", rule=name, incident=incident.id, sentence=refused.sentence)
                self._idle_rules.add((name, incident.seq))
                continue
            if done.events:
                happened = True
                self._lateness.given(done.before, done.incident, self.house.service.policy_of(incident.team))
            else:
                self._idle_rules.add((name, incident.seq))
        return happened

    async def _step(self, incident: Incident, now: datetime) -> bool:
        """Begin what can be begun and wait for the first thing to happen; True when there is nothing to wait for."""
        policy = self.house.service.policy_of(incident.team)
        messages = self._messages(incident, now)
        if self.ground.parked is not None and messages:
            given_up = [one for one in self._effects.values() if one.state is EffectState.PARKED]
            messages = [*messages, self.ground.parked(given_up)]
        books = Books(incident, self._effects, messages, policy, self.ground.place, now)
        if incident.channel_error or incident.newer or (incident.channel and people_are_in(books)):
            self.usable.set()
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
        await self._begin(incident, ready, now)
        if not self._running and not crowded:
            return True
        await self._wait(left if crowded else None)
        return False

    def _messages(self, incident: Incident, now: datetime) -> list[Message]:
        """The messages, made anew only when the incident has changed or a moment came at which one looks different."""
        if not incident.channel and not incident.channel_error and "channel" not in self._effects:
            return []  # the channel first: nothing can be said before, and making messages takes its time
        if self._shown is None or self._shown[0] != incident.seq or (self._shown[1] and self._shown[1] <= now):
            until = duties.next_at(incident, self.house.service.policy_of(incident.team), now)
            self._shown = (incident.seq, until, self.ground.render(incident, now))
        return self._shown[2]

    async def _begin(self, incident: Incident, ready: list[Owed], now: datetime) -> None:
        """Write down, in one transaction, the calls that Slack would do twice, and what will look different afterwards.

        Then make them all.
        """
        if not ready:
            return
        begun = {one.effect.key: outcome.begun(one.effect, now) for one in ready if one.once}
        changing = [outcome.changing(one.effect) for one in ready if one.changes]
        try:
            if begun or changing:
                await self.house.service.store.write(
                    # Due as well: should the process die now, somebody has to look after these calls.
                    lambda tx: [
                        tx.fence(incident.id),
                        tx.set_due(incident.id, incident.seq, now),
                        *map(tx.save_effect, (*begun.values(), *changing)),
                    ]
                )
        except BaseException:
            for one in ready:
                self.house.gates.leave(one.gate, now)
            raise
        for one in ready:
            key = one.effect.key
            self._paid[key] += 1
            self._effects[key] = begun.get(key, one.effect)
            self._running[asyncio.create_task(self._pay(incident, one, begun.get(key)))] = one

    async def _pay(self, incident: Incident, one: Owed, begun: Effect | None) -> None:
        """Make one call and write down how it ended."""
        try:
            if begun is not None:
                one = replace(one, effect=begun)
            if not self.house.service.store.claims.holds(incident.id):
                raise LeaseLost(f"this process stood still, and another may attend {incident.id}")
            paid = await Payer(self.house.service, self.ground, self.house.gates).pay(incident, one)
        finally:
            self.house.gates.leave(one.gate, self.house.service.clock.now())
        try:
            await self.house.service.store.write(lambda tx: [tx.fence(incident.id), tx.save_effect(paid)])
        except LeaseLost:  # the call may have come through after those of whoever attends it now
            now = self.house.service.clock.now()
            await self.house.service.store.write(lambda tx: tx.doubt(incident.id, paid.key, now))
            raise
        self._effects[paid.key] = paid
        self._lateness.paid(incident, one.effect, paid, self.house.service.clock.now())

    async def _wait(self, left: asyncio.Event | None) -> None:
        """Return when a call has ended, the incident changed, or, where it is crowded, somebody has `left`."""
        others: list[Coroutine[Any, Any, Any]] = [self.nudge.wait()]
        if left is not None:
            others.append(left.wait())
        waits = [asyncio.create_task(one) for one in others]
        try:
            done, _ = await asyncio.wait([*self._running, *waits], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waits:
                task.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
        for task in done:
            if task in self._running:
                del self._running[task]
                task.result()

    async def _rest(self, incident: Incident, now: datetime) -> datetime:
        """The bot is not in that workspace: nothing is done until it is again, which makes the incident due at once."""
        while self._running:
            await self._wait(None)
        self.usable.set()
        due = now + AWAY
        await self.house.service.store.write(
            lambda tx: [tx.fence(incident.id), tx.set_due(incident.id, incident.seq, due)]
        )
        return due

    async def _settle(self, incident: Incident, now: datetime) -> datetime | None:
        """Nothing can be paid now: write down when to look next."""
        moments = [self.next] if self.next else []
        if (then := duties.next_at(incident, self.house.service.policy_of(incident.team), now)) is not None:
            moments.append(then)
        due = min(moments, default=None)
        await self.house.service.store.write(
            lambda tx: [tx.fence(incident.id), tx.set_due(incident.id, incident.seq, due)]
        )
        return due
