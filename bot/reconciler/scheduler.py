"""When incidents are attended: at once when one begins or somebody waits, soon after a change, and when due.

One incident is attended by one task at a time. What is due stands in the store, so a crash forgets nothing; what
was begun and not finished is looked for before it is done again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.domain import duties
from bot.domain.errors import LeaseLost, StoreUnavailable
from bot.reconciler.debounce import Debounce, LoadedIncident, PrioritySemaphore
from bot.reconciler.rate_limits import RateLimits
from bot.reconciler.reconcile import ReconcilerResources, Reconciliation
from bot.reconciler.workspace_context import WorkspaceContextLookup
from bot.reconciler.workspace_scheduler import WorkspaceScheduler
from bot.service import Service

log = structlog.get_logger(__name__)

#: incidents attended at the same time, and claimed at the most, so that not every free place is a look of its own
MAX_CONCURRENT_INCIDENTS, MAX_CLAIMED_INCIDENTS = 16, 48
#: due rows of other processes (the command line) are seen within this time
POLL_INTERVAL = timedelta(seconds=1)
#: seconds after which what another process let go of is free
LEASE_RETRY_SECONDS = 0.1
#: incidents that are claimed ahead of their moment in one look: so few that replicas share what is due; and how soon
#: the next look is where there are more
MAX_CLAIMED_AHEAD, CLAIM_AHEAD_POLL_INTERVAL = 64, timedelta(seconds=0.1)
#: an incident that could not be attended rests so long, doubling, before it is tried again
RETRY_BASE_SECONDS, RETRY_MAX_SECONDS = 1.0, 60.0


class Scheduler:
    """Attends incidents, each on the ground of its workspace."""

    def __init__(self, service: Service, grounds: WorkspaceContextLookup) -> None:
        self._service = service
        self._store = service.store
        self._resources = ReconcilerResources(service, grounds, RateLimits())
        self._active: dict[str, Debounce] = {}
        #: what is attended besides incidents
        self.workspaces = WorkspaceScheduler(service, grounds, self._resources.rate_limits)
        self._slots = PrioritySemaphore(MAX_CONCURRENT_INCIDENTS)
        self._wake = asyncio.Event()
        self._stopping = False
        #: id -> when it is to be looked at next, as far as this process knows: `run` sleeps exactly until then
        self._next_due: dict[str, datetime] = {}
        #: id -> its moment, of what is claimed ahead of it, and what is known of it by now
        self._claimed_ahead: dict[str, datetime] = {}
        self._preloaded: dict[str, LoadedIncident] = {}
        #: claimed and just being read
        self._loading: set[str] = set()
        #: the look at the database that is under way; what falls due meanwhile does not wait for it
        self._poll_task: asyncio.Task[None] | None = None
        #: when the database is to be asked again, when it was (by the loop's time), and whether more was due than taken
        self._poll_at, self._looked = service.clock.now(), 0.0
        self._more = False
        #: id -> until when what changes there is not shown, by the loop's time (`Debounce.not_before`)
        self._not_before: dict[str, float] = {}
        #: id -> failed visits in a row; those in `_backoff_until` are left alone until (by the loop's time)
        self._failures: Counter[str] = Counter()
        self._backoff_until: dict[str, float] = {}
        #: the database does not answer: said once, and once more when it is back
        self._away = False

    # -- from outside -------------------------------------------------------------------------------

    def incident_changed(self, id: str) -> None:
        """Something happened to this incident: attend it in a moment, at once if it has no channel yet."""
        if not self._stopping:
            self._debounce(id).trigger()

    def incident_changed_elsewhere(self, id: str) -> None:
        """Another process changed it: look again if it is attended here; else whoever changed it attends it."""
        if id in self._active or id in self._claimed_ahead or id in self._loading:
            self._preloaded.pop(id, None)
            self.effects_changed_elsewhere(id)

    def effects_changed_elsewhere(self, id: str) -> None:
        """Its calls were changed, too, beside whoever attends it."""
        if not self._stopping:
            turn = self._debounce(id)
            turn.effects_stale, turn.preloaded = True, None
            self.incident_changed(id)

    async def wait_until_channel_ready(self, id: str) -> None:
        """Attend it now; return when its channel is open and its people are in, or when that cannot be had now."""
        turn = self._run_now(id)
        usable = asyncio.create_task(turn.channel_ready.wait())
        await asyncio.wait({usable, turn.task}, return_when=asyncio.FIRST_COMPLETED)
        usable.cancel()

    @property
    def busy(self) -> bool:
        """Whether anything is being attended, or about to be: what is being looked for may be claimed already."""
        return bool(self._active) or self._poll_task is not None or self.workspaces.busy

    async def wait_until_idle(self) -> None:
        """Return when nothing is being attended (tests, the command line); nobody waits for more changes then."""
        while self.busy:
            for turn in self._active.values():
                if turn.is_pending:
                    turn.trigger_now()
            looking = [self._poll_task] if self._poll_task is not None else []
            self.workspaces.start_waiting()
            await asyncio.wait([*looking, *(turn.task for turn in self._active.values()), *self.workspaces.tasks])

    async def stop(self, within: float = 10.0) -> None:
        """Begin no further call, let those under way finish within so many seconds, then leave them.

        A call that is left is looked for at the next start, like one that a crash cut off.
        """
        self._stopping = True
        self._wake.set()
        self._claimed_ahead.clear()
        self.workspaces.stop()
        tasks = [*(turn.task for turn in self._active.values()), *self.workspaces.tasks]
        if self._poll_task is not None:
            tasks.append(self._poll_task)
        for turn in self._active.values():
            turn.trigger_now()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=within)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        with contextlib.suppress(StoreUnavailable):
            await self._store.leases.release_all()

    # -- what is due --------------------------------------------------------------------------------

    async def run(self) -> None:
        """Attend what is due, for ever; sleep until the next due moment, a second at most."""
        while not self._stopping:
            self._start_claimed_ahead(self._service.clock.now())
            if self._poll_task is None and self._must_poll():
                self._wake.clear()
                self._looked = asyncio.get_running_loop().time()
                self._poll_task = asyncio.create_task(self._poll(), name="look for what is due")
            await self._sleep()

    async def _poll(self) -> None:
        try:
            await self.start_due()
            self._poll_at = await self._next_moment()
            self._database(None)
        except StoreUnavailable as error:
            self._database(error)
            self._poll_at = self._service.clock.now() + POLL_INTERVAL
        except Exception:
            log.exception("caretaker.round_failed")
            self._poll_at = self._service.clock.now() + POLL_INTERVAL
        finally:
            self._poll_task = None

    def _must_poll(self) -> bool:
        """Whether the database has to be asked: its moment has come, somebody says so, or no clock has moved."""
        by_the_loop = asyncio.get_running_loop().time() >= self._looked + POLL_INTERVAL.total_seconds()
        return by_the_loop or self._wake.is_set() or self._service.clock.now() >= self._poll_at

    def _start_claimed_ahead(self, now: datetime) -> None:
        """Attend what was claimed ahead and whose moment has come."""
        if self._stopping:
            return
        for id in [id for id, at in self._claimed_ahead.items() if at <= now]:
            self._debounce(id).trigger_now()

    async def start_due(self, most: int = MAX_CLAIMED_INCIDENTS) -> None:
        """Attend everything that is due now, what is worst first. Of what is long past the latest comes first: after an
        outage people need what is current before what is not."""
        now, time = self._service.clock.now(), asyncio.get_running_loop().time()
        self._backoff_until = {id: until for id, until in self._backoff_until.items() if until > time}
        self._not_before = {id: until for id, until in self._not_before.items() if until > time}
        for turn in self._active.values():
            if (at := turn.next_wake_at()) is not None and at <= now:
                turn.trigger_now()
        free = max(1, most - len(self._active))
        if self._stopping:
            return
        await self.workspaces.start_due(now)
        self._start_claimed_ahead(now)
        worst = tuple(one.key for one in self._service.policy.severities)
        due = await self._store.leases.claim_due(now, free, [*self._active, *self._backoff_until], worst)
        self._more = len(due) >= free
        self._preloaded |= await self._read(due)
        for id in due:
            if id not in self._active and not self._stopping:  # else it was begun meanwhile, and sees what there is
                self._debounce(id).trigger_now()

    async def _claim_ahead(self) -> bool:
        """Claim what is due soon and read it: nothing but the work itself is then left for the moment. Whether there
        may be more."""
        soon = await self._store.leases.claim_upcoming(self._service.clock.now(), MAX_CLAIMED_AHEAD)
        self._claimed_ahead |= {id: at for id, at in soon.items() if id not in self._active}
        self._preloaded |= await self._read(list(soon))
        return len(soon) >= MAX_CLAIMED_AHEAD

    async def _read(self, ids: list[str]) -> dict[str, LoadedIncident]:
        """Read these, which are claimed, together. What cannot be read now, or begins to be attended meanwhile, is left
        out: it is read when it is attended."""
        if not ids:
            return {}
        self._loading |= {id for id in ids if id not in self._active}
        known: Mapping[str, LoadedIncident] = {}
        with contextlib.suppress(StoreUnavailable):
            known = await self._store.load_many(ids)
        found = {id: one for id, one in known.items() if id in self._loading}
        self._loading -= set(ids)
        return found

    def _database(self, error: StoreUnavailable | None) -> None:
        """It answered, or it did not. Everything that is due stands in it, so nothing is forgotten meanwhile."""
        if error is not None and not self._away:
            cause = error.__cause__ or error
            why = str(cause).partition("\n")[0] or type(cause).__name__
            log.error("caretaker.database_away", why=why[:200], every=POLL_INTERVAL.total_seconds())
        elif error is None and self._away:
            log.info("caretaker.database_back")
        self._away = error is not None

    async def _next_moment(self) -> datetime:
        # Who does not hear at once that others have changed what it holds keeps nothing from them.
        if self._store.leases.claim_ahead and self._store.is_listening and not (self._more or self._stopping):
            more = await self._claim_ahead()
            return self._service.clock.now() + (CLAIM_AHEAD_POLL_INTERVAL if more else POLL_INTERVAL)
        now = self._service.clock.now()
        stored = (await self._store.next_due(now), await self._store.next_workspace_due(now))
        known = (at for at in (*stored, *self._next_due.values()) if at is not None and at > now)
        return min((*known, now + POLL_INTERVAL))

    async def _sleep(self) -> None:
        """Until the next moment, or until there is something to look for."""
        looking, moments = self._poll_task, [*self._claimed_ahead.values()]
        if looking is None:
            moments.append(self._poll_at)
        until = min(moments, default=self._service.clock.now() + POLL_INTERVAL)
        mine: list[asyncio.Task[Any]] = [asyncio.create_task(self._service.clock.sleep_until(until))]
        if looking is None:
            mine.append(asyncio.create_task(self._wake.wait()))
        try:
            waits = [*mine, looking] if looking is not None else mine
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED, timeout=POLL_INTERVAL.total_seconds())
        finally:
            for one in mine:
                one.cancel()
            await asyncio.gather(*mine, return_exceptions=True)

    # -- turns --------------------------------------------------------------------------------------

    def _debounce(self, id: str) -> Debounce:
        turn = self._active.get(id)
        if turn is None:
            turn = self._active[id] = Debounce(id, lambda: len(self._active) - 1)
            turn.preloaded, turn.not_before = self._preloaded.pop(id, None), self._not_before.pop(id, 0.0)
            self._claimed_ahead.pop(id, None)
            self._loading.discard(id)
            turn.task = asyncio.create_task(self._run_when_ready(turn), name=f"attend {id}")
        return turn

    def _run_now(self, id: str) -> Debounce:
        turn = self._debounce(id)
        turn.urgent = True
        turn.trigger_now()
        return turn

    async def _run_when_ready(self, turn: Debounce) -> None:
        try:
            rank = await self._rank(turn)
            while turn.must_run:
                await turn.wake.wait()
                async with self._slots.acquire(rank):
                    if not await self._store.leases.claim(turn.id):
                        # Another process attends it, and hears of every change; should it be letting go just now,
                        # the incident is due, and free in a moment.
                        asyncio.get_running_loop().call_later(LEASE_RETRY_SECONDS, self._wake.set)
                        return
                    await self._reconcile(turn)
            self._failures.pop(turn.id, None)
        except LeaseLost as lost:
            log.warning("caretaker.lease_lost", incident=turn.id, why=str(lost))
        except StoreUnavailable as error:  # no failure of the incident's: it goes on as soon as the database does
            self._database(error)
            self._backoff_until[turn.id] = asyncio.get_running_loop().time() + RETRY_BASE_SECONDS
        except Exception:
            log.exception("caretaker.failed", incident=turn.id)
            self._failures[turn.id] += 1
            rest = min(RETRY_MAX_SECONDS, RETRY_BASE_SECONDS * 2 ** (self._failures[turn.id] - 1))
            self._backoff_until[turn.id] = asyncio.get_running_loop().time() + rest
        finally:
            turn.cancel_timer()
            del self._active[turn.id]
            self._not_before[turn.id] = turn.not_before
            at = self._next_due.get(turn.id)
            if (
                (self._more and len(self._active) <= MAX_CONCURRENT_INCIDENTS)
                or turn.id in self._backoff_until
                or (at is not None and at < self._poll_at)
            ):
                self._wake.set()
            await self._release_lease(turn.id)

    async def _release_lease(self, id: str) -> None:
        """Release it, unless its next turn has begun; a database that is away releases it by time."""
        if id not in self._active:
            with contextlib.suppress(StoreUnavailable):
                await self._store.leases.release(id)

    async def renew_leases(self) -> None:
        """Renew what is held, for ever; returns at once where nothing has to be renewed."""
        while (every := self._store.leases.renew_every_seconds) is not None:
            await asyncio.sleep(every)
            try:
                await self._store.leases.renew()
            except StoreUnavailable:
                pass  # not renewed, so it runs out: nothing is begun then
            except Exception:
                log.exception("caretaker.not_renewed")

    async def _rank(self, turn: Debounce) -> int:
        """Those without a channel, and those whose answer somebody waits for, go first and wait for no more changes.
        Then those whose time has come for something: people are called. What only looks different comes last."""
        incident = await self._store.cached(turn.id)
        if turn.urgent or incident is None or not incident.channel:
            turn.trigger_now()
            return 0
        called = duties.due_rules(incident, self._service.policy_of(incident.team), self._service.clock.now())
        return 1 if called else 2

    async def _reconcile(self, turn: Debounce) -> None:
        visit = Reconciliation(self._resources, turn, lambda: self._stopping)
        turn.next_wake_at = lambda: visit.next_at
        self._next_due.pop(turn.id, None)
        if (due := await visit.run()) is not None:
            self._next_due[turn.id] = due
        if visit.team:
            self.workspaces.incident_shown(visit.team)
