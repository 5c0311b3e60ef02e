"""Reconcile one incident: apply rules whose time has come, then make every missing call that can be made now."""

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
from bot.domain.actor import Actor, bot_actor
from bot.domain.desired_message import DesiredMessage
from bot.domain.effect import Effect
from bot.domain.errors import LeaseLost, Refused, StoreUnavailable
from bot.domain.events import Entry
from bot.domain.fold import evolve
from bot.domain.incident import Incident
from bot.ports import Transaction
from bot.reconciler import delivery_state, earlier_words
from bot.reconciler.debounce import Debounce
from bot.reconciler.executor import Executor
from bot.reconciler.lateness import Lateness
from bot.reconciler.plan import PlanInput, PlannedEffect, all_invited, is_parked, plan_effects
from bot.reconciler.rate_limits import RateLimits
from bot.reconciler.workspace_context import NOT_INSTALLED_POLL_INTERVAL, WorkspaceContext, WorkspaceContextLookup
from bot.service import ActResult, Service

T = TypeVar("T")
Effects = Sequence[Effect]

log = structlog.get_logger(__name__)

#: calls under one key in one visit, above which something turns in a circle; it then rests so long
MAX_CALLS_PER_KEY, LOOP_GUARD_PAUSE = 25, timedelta(minutes=1)
#: seconds that it waits for others to end before it is written down how a call has: after a crash meanwhile what was
#: sent is looked for, and what was changed is changed again
OUTCOME_BATCH_SECONDS = 0.2
#: seconds: a look that takes so long is worth waiting for more calls to end, twice as long and so long at most
SLOW_PLAN_SECONDS, MAX_BATCH_WAIT_SECONDS = 0.002, 0.02


@dataclass(frozen=True)
class ReconcilerResources:
    """What every reconciliation needs."""

    service: Service
    contexts: WorkspaceContextLookup
    rate_limits: RateLimits


@dataclass
class Reconciliation:
    """One incident is reconciled. `debounce.wake` is set when it changed meanwhile; `debounce.channel_ready` once its
    people can work.
    """

    resources: ReconcilerResources
    debounce: Debounce
    stopping: Callable[[], bool]

    def __post_init__(self) -> None:
        self.id, self.wake = self.debounce.id, self.debounce.wake
        self.context: WorkspaceContext
        #: the workspace of the incident, once it was read
        self.team = ""
        #: when this visit wants to look again by itself
        self.next_at: datetime | None = None
        self._running: dict[asyncio.Task[None], PlannedEffect] = {}
        #: this visit has changed the incident
        self._incident_changed = False
        self._effects: dict[str, Effect] = {}
        #: calls that have ended and are not written down yet: that goes with the next thing to be written
        self._unsaved: dict[str, Effect] = {}
        self._call_counts: Counter[str] = Counter()
        self._idle_rules: set[tuple[str, int]] = set()
        #: what the rules whose time has come make of it, and the states between; not written yet
        self._transitions: list[tuple[Incident, Incident]] = []
        self._rendered: tuple[int, datetime | None, list[DesiredMessage]] | None = None
        #: seconds that the latest look at what is owed has taken
        self._plan_seconds = 0.0
        self._lateness = Lateness()

    async def run(self) -> datetime | None:
        """Attend it; when to look next, or None where nothing is left to do."""
        try:
            self.debounce.effects_stale = True
            self.wake.set()
            while True:
                if self.wake.is_set():
                    self.wake.clear()
                    looked = asyncio.get_running_loop().time()
                    await self._reload()
                    self._incident_changed = True
                # else people may have changed it: that is looked at in its time (`Debounce.not_before`)
                if self._incident_changed:
                    self._incident_changed = False
                    # Whatever this process wrote is in it; of what others write it hears, or finds it due.
                    incident = await self.resources.service.store.cached(self.id)
                if incident is None:
                    return None
                now = self.resources.service.clock.now()
                self.team = incident.team
                ground = await self.resources.contexts(incident.team)
                if ground is None:
                    return await self._pause(incident, now)
                self.context = ground
                foreseen = (
                    ActResult(incident, incident, ()) if self.stopping() else self._apply_due_rules(incident, now)
                )
                done = await self._plan_and_start(foreseen, now)
                if self.debounce.channel_ready.is_set():
                    self.debounce.throttle_after(looked)
                if done:
                    if not self.wake.is_set():
                        return await self._finish(incident, now)
                    continue  # it changed meanwhile
        except asyncio.CancelledError:
            for task in self._running:
                task.cancel()
            raise
        finally:
            await asyncio.gather(*self._running, return_exceptions=True)
            with contextlib.suppress(LeaseLost, StoreUnavailable):
                await self._save_outcomes()

    async def _reload(self) -> None:
        """It changed. Its calls are read at the beginning, and again when somebody else changed them.

        Everything else that becomes of them is done here, and is known here before it is on the disk.
        """
        store, turn = self.resources.service.store, self.debounce
        self._call_counts.clear()
        known, turn.preloaded = turn.preloaded, None
        if known is not None and await store.cached(self.id) is known[0]:
            self._effects, turn.effects_stale = dict(known[1]), False
        if not turn.effects_stale:
            return
        turn.effects_stale = False
        await self._save_outcomes()
        await store.incident(self.id)
        stored = {effect.key: effect for effect in await store.effects(self.id)}
        under_way = [one.effect.key for one in self._running.values()]
        self._effects = stored | {key: self._effects[key] for key in (*under_way, *self._unsaved)}

    def _apply_due_rules(self, incident: Incident, now: datetime) -> ActResult:
        """What the rules whose time has come make of it. Nothing is written: that goes with the calls that follow."""
        service, by = self.resources.service, bot_actor(incident.team)
        policy, begun, new = service.policy_of(incident.team), incident, list[e.Event]()
        self._transitions = []
        for _ in range(MAX_CALLS_PER_KEY):
            seq = incident.seq
            for name, rule in duties.due_rules(incident, policy, now):
                if (name, incident.seq) in self._idle_rules:
                    continue
                try:
                    events = rule(incident, by, service.next_timestamp(incident))
                except Refused as refused:
                    log.warning("rule.refused", rule=name, incident=incident.id, sentence=str(refused))
                    events = []
                if not events:
                    self._idle_rules.add((name, incident.seq))
                    continue
                before = incident
                for event in events:
                    incident = evolve(incident, Entry(incident.seq + 1, event))
                self._transitions.append((before, incident))
                new += events
            if incident.seq == seq:
                break
        return ActResult(begun, incident, tuple(new))

    async def _plan_and_start(self, foreseen: ActResult, now: datetime) -> bool:
        """Begin what can be begun and wait for the first thing to happen; True when there is nothing to wait for."""
        incident, began = foreseen.incident, asyncio.get_running_loop().time()
        policy = self.resources.service.policy_of(incident.team)
        messages = self._messages(incident, now)
        kept = await self._kept_as_said(incident, messages, now)
        if self.context.render_parked is not None and messages:
            # What is just being tried again stays said until that has ended.
            trying = {one.effect.key: one.effect for one in self._running.values()}
            parked = [one for one in {**self._effects, **trying}.values() if is_parked(one)]
            messages = [*messages, self.context.render_parked(parked)]
        topic = self.context.render_topic(incident)
        books = PlanInput(incident, self._effects, messages, policy, self.context.channel_for, now, topic)
        if incident.channel_error or incident.unknown_event_type or (incident.channel and all_invited(books)):
            self.debounce.channel_ready.set()
        busy = {one.effect.key for one in self._running.values()}
        ready: list[PlannedEffect] = []
        later: list[datetime] = []
        left, crowded = self.resources.rate_limits.next_release(), False
        for one in plan_effects(books):
            if one.effect.key in busy or (one.changes_content and one.effect.key in kept):
                continue
            moments = [
                at
                for at in (one.not_before, self.resources.rate_limits.retry_at(one.rate_limit_key, now))
                if at is not None and at > now
            ]
            if self._call_counts[one.effect.key] >= MAX_CALLS_PER_KEY:
                moments.append(now + LOOP_GUARD_PAUSE)
            if moments:
                later.append(max(moments))
            elif self.stopping():
                later.append(now)
            elif not self.resources.rate_limits.has_capacity(one.rate_limit_key, now):
                crowded = True
            else:
                self.resources.rate_limits.acquire(one.rate_limit_key)
                ready.append(one)
        self.next_at = min(later, default=None)
        self._plan_seconds = asyncio.get_running_loop().time() - began
        if not await self._start_calls(foreseen, ready, now):
            self._rendered = None
            return False
        if foreseen.events and not ready:
            return False
        if not self._running and not crowded:
            return True
        if not await self._wait(left if crowded else None, OUTCOME_BATCH_SECONDS if self._unsaved else None):
            await self._save_outcomes()
        return False

    def _messages(self, incident: Incident, now: datetime) -> list[DesiredMessage]:
        """The messages, made anew only when the incident has changed or a moment came at which one looks different."""
        if not incident.channel and not incident.channel_error and "channel" not in self._effects:
            return []  # the channel first: nothing can be said before, and making messages takes its time
        if (
            self._rendered is None
            or self._rendered[0] != incident.seq
            or (self._rendered[1] and self._rendered[1] <= now)
        ):
            until = duties.next_at(incident, self.resources.service.policy_of(incident.team), now)
            self._rendered = (incident.seq, until, self.context.render_messages(incident, now))
        return self._rendered[2]

    async def _kept_as_said(self, incident: Incident, messages: list[DesiredMessage], now: datetime) -> frozenset[str]:
        """Keys of what an earlier version said about an incident that has ended, and that stays so."""
        if earlier_words.is_current(incident, self._effects):
            if mark := earlier_words.new_mark(incident, self._effects, now):
                self._effects[mark.key] = self._unsaved[mark.key] = mark
            return frozenset()
        entries = await self.resources.service.store.entries(incident.id)
        then = earlier_words.before_now(incident, entries, now)
        if then is None:
            return frozenset()
        same_topic = self.context.render_topic(then) == self.context.render_topic(incident)
        shown = self.context.render_messages(then, now)
        return earlier_words.unchanged(shown, messages, self._effects, same_topic=same_topic)

    async def _start_calls(self, foreseen: ActResult, ready: list[PlannedEffect], now: datetime) -> bool:
        """Write down, in one transaction, what time made happen, the calls that Slack would do twice, and what will
        look different afterwards. Then make them all. False: it has changed meanwhile, and no call was begun.
        """
        incident = foreseen.incident
        begun = {one.effect.key: delivery_state.sending(one.effect, now) for one in ready if one.is_non_idempotent}
        changing = {one.effect.key: delivery_state.forget_hash(one.effect) for one in ready if one.changes_content}
        written = False
        try:
            if foreseen.events:
                written = await self._append_due_events(foreseen, {**changing, **begun})
            elif begun or changing:
                # Due as well: should the process die now, somebody has to look after these calls.
                await self._reschedule(incident, now, {**changing, **begun})
                written = True
            else:
                written = True
        finally:
            if not written:
                for one in ready:
                    self.resources.rate_limits.release(one.rate_limit_key, now)
        for one in ready if written else ():
            key = one.effect.key
            self._call_counts[key] += 1
            self._effects[key] = begun.get(key, one.effect)
            self._running[asyncio.create_task(self._execute(incident, one, begun.get(key)))] = one
        return written

    async def _append_due_events(self, foreseen: ActResult, begun: Mapping[str, Effect]) -> bool:
        """Write down what time made happen and the calls that follow from it; False where these do not follow."""
        ended = dict(self._unsaved)

        def rule(incident: Incident, *, by: Actor, at: datetime) -> list[e.Event]:
            # Who wrote to it meanwhile may have changed what time makes of it.
            return list(foreseen.events) if incident == foreseen.before else []

        def calls(incident: Incident) -> Sequence[Effect]:
            return tuple({**ended, **(begun if incident == foreseen.before else {})}.values())

        bot = bot_actor(foreseen.incident.team)
        act = self.resources.service.act(self.id, "time", rule, bot, on_change=False, effects=calls)
        done = await self._await_save(ended, act)
        if done.incident != foreseen.incident:
            self.wake.set()  # read it anew
            return False
        self._incident_changed = True
        policy = self.resources.service.policy_of(foreseen.incident.team)
        for before, after in self._transitions:
            self._lateness.rule_applied(before, after, policy)
        return True

    async def _execute(self, incident: Incident, one: PlannedEffect, begun: Effect | None) -> None:
        """Make one call and keep how it ended."""
        try:
            if begun is not None:
                one = replace(one, effect=begun)
            if not self.resources.service.store.leases.holds(incident.id):
                raise LeaseLost(f"this process stood still, and another may attend {incident.id}")
            payer = Executor(self.resources.service, self.context.effectors, self.resources.rate_limits)
            paid = await payer.execute(incident, one)
        finally:
            self.resources.rate_limits.release(one.rate_limit_key, self.resources.service.clock.now())
        self._incident_changed = self._incident_changed or payer.incident_changed
        self._effects[paid.key] = self._unsaved[paid.key] = paid
        self._lateness.call_ended(incident, one.effect, paid, self.resources.service.clock.now())

    async def _save_outcomes(self) -> None:
        """Write down which calls have ended."""
        if self._unsaved:
            await self._write(lambda tx, ended: tx.save_effects_fenced(self.id, ended))

    async def _reschedule(
        self, incident: Incident, at: datetime | None, begun: Mapping[str, Effect] | None = None, *, leave: bool = False
    ) -> bool:
        """Write down when to look next, unless it has changed meanwhile: False then."""

        def job(tx: Transaction, calls: Effects) -> bool:
            return tx.save_effects_and_reschedule(incident.id, incident.seq, at, calls, leave)

        return await self._write(job, begun)

    async def _write(self, job: Callable[[Transaction, Effects], T], begun: Mapping[str, Effect] | None = None) -> T:
        """Write, and with it how calls have ended. Raises LeaseLost."""
        ended = dict(self._unsaved)
        calls = tuple({**ended, **(begun or {})}.values())
        return await self._await_save(
            ended, self.resources.service.store.write(lambda tx: job(tx, calls), one_statement=True)
        )

    async def _await_save(self, ended: Mapping[str, Effect], writing: Awaitable[T]) -> T:
        """Await a write that holds how these calls ended."""
        try:
            value = await writing
        except LeaseLost:  # the calls may have come through after those of whoever attends it now
            now = self.resources.service.clock.now()
            self._unsaved.clear()
            if ended:

                def recheck(tx: Transaction) -> None:
                    for key in ended:
                        tx.recheck_effect(self.id, key, now)

                await self.resources.service.store.write(recheck)
            raise
        for key, effect in ended.items():
            if self._unsaved.get(key) is effect:
                del self._unsaved[key]
        return value

    async def _wait(self, left: asyncio.Event | None, within: float | None = None) -> bool:
        """Return when a call has ended, the incident changed, or, where it is crowded, somebody has `left`; False when
        none of that has happened within so many seconds."""
        others: list[Coroutine[Any, Any, Any]] = [self.wake.wait()]
        if left is not None:
            others.append(left.wait())
        waits = [asyncio.create_task(one) for one in others]
        try:
            tasks = [*self._running, *waits]
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED, timeout=within)
            # of a long incident with many calls not each is looked at
            if len(self._running) > 1 and self._plan_seconds > SLOW_PLAN_SECONDS:
                more, _ = await asyncio.wait(self._running, timeout=min(2 * self._plan_seconds, MAX_BATCH_WAIT_SECONDS))
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

    async def _pause(self, incident: Incident, now: datetime) -> datetime:
        """The bot is not in that workspace: nothing is done until it is again, which makes the incident due at once."""
        while self._running:
            await self._wait(None)
        self.debounce.channel_ready.set()
        due = now + NOT_INSTALLED_POLL_INTERVAL
        await self._reschedule(incident, due)
        return due

    async def _finish(self, incident: Incident, now: datetime) -> datetime | None:
        """Nothing can be paid now: write down when to look next."""
        moments = [self.next_at] if self.next_at else []
        if (then := duties.next_at(incident, self.resources.service.policy_of(incident.team), now)) is not None:
            moments.append(then)
        due = min(moments, default=None)

        async def last() -> bool:
            return await self._reschedule(incident, due, leave=True)

        await self.resources.service.store.leases.release(incident.id, last)
        return due
