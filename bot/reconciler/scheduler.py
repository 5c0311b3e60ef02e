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
from bot.reconciler.debounce import Known, Places, Turn
from bot.reconciler.rate_limits import Gates
from bot.reconciler.reconcile import House, Visit
from bot.reconciler.workspace_context import Grounds
from bot.service import Service

log = structlog.get_logger(__name__)

#: incidents attended at the same time, and claimed at the most, so that not every free place is a look of its own
PLACES, ROOM = 16, 48
#: due rows of other processes (the command line) are seen within this time
LOOK_EVERY = timedelta(seconds=1)
#: seconds after which what another process let go of is free
MOMENT = 0.1
#: incidents that are claimed ahead of their moment in one look: so few that replicas share what is due; and how soon
#: the next look is where there are more
SOON, SOONER = 64, timedelta(seconds=0.1)
#: an incident that could not be attended rests so long, doubling, before it is tried again
REST, LONGEST_REST = 1.0, 60.0


class Caretaker:
    """Attends incidents, each on the ground of its workspace."""

    def __init__(self, service: Service, grounds: Grounds) -> None:
        self._service = service
        self._store = service.store
        self._house = House(service, grounds, Gates())
        self._turns: dict[str, Turn] = {}
        self._places = Places(PLACES)
        self._wake = asyncio.Event()
        self._stopping = False
        #: id -> when it is to be looked at next, as far as this process knows: `run` sleeps exactly until then
        self._moments: dict[str, datetime] = {}
        #: id -> its moment, of what is claimed ahead of it, and what is known of it by now
        self._held: dict[str, datetime] = {}
        self._known: dict[str, Known] = {}
        #: claimed and just being read
        self._unread: set[str] = set()
        #: the look at the database that is under way; what falls due meanwhile does not wait for it
        self._looking: asyncio.Task[None] | None = None
        #: when the database is to be asked again, when it was (by the loop's time), and whether more was due than taken
        self._look_at, self._looked = service.clock.now(), 0.0
        self._more = False
        #: id -> until when what changes there is not shown, by the loop's time (`Turn.calm`)
        self._calm: dict[str, float] = {}
        #: id -> failed visits in a row; those in `_resting` are left alone until (by the loop's time)
        self._failures: Counter[str] = Counter()
        self._resting: dict[str, float] = {}
        #: the database does not answer: said once, and once more when it is back
        self._away = False

    # -- from outside -------------------------------------------------------------------------------

    def changed(self, id: str) -> None:
        """Something happened to this incident: attend it in a moment, at once if it has no channel yet."""
        if not self._stopping:
            self._turn(id).stir()

    def heard(self, id: str) -> None:
        """Another process changed it: look again if it is attended here; else whoever changed it attends it."""
        if id in self._turns or id in self._held or id in self._unread:
            self._known.pop(id, None)
            self.rearmed(id)

    def rearmed(self, id: str) -> None:
        """Its calls were changed, too, beside whoever attends it."""
        if not self._stopping:
            turn = self._turn(id)
            turn.doubted, turn.known = True, None
            self.changed(id)

    async def attend(self, id: str) -> None:
        """Attend it now; return when everything is paid that can be paid now."""
        await asyncio.shield(self._hurried(id).task)

    async def opened(self, id: str) -> None:
        """Attend it now; return when its channel is open and its people are in, or when that cannot be had now."""
        turn = self._hurried(id)
        usable = asyncio.create_task(turn.usable.wait())
        await asyncio.wait({usable, turn.task}, return_when=asyncio.FIRST_COMPLETED)
        usable.cancel()

    @property
    def busy(self) -> bool:
        """Whether anything is being attended, or about to be: what is being looked for may be claimed already."""
        return bool(self._turns) or self._looking is not None

    async def idle(self) -> None:
        """Return when nothing is being attended (tests, the command line); nobody waits for more changes then."""
        while self.busy:
            for turn in self._turns.values():
                if turn.stirred:
                    turn.hurry()
            looking = [self._looking] if self._looking is not None else []
            await asyncio.wait([*looking, *(turn.task for turn in self._turns.values())])

    async def stop(self, within: float = 10.0) -> None:
        """Begin no further call, let those under way finish within so many seconds, then leave them.

        A call that is left is looked for at the next start, like one that a crash cut off.
        """
        self._stopping = True
        self._wake.set()
        self._held.clear()
        tasks = [turn.task for turn in self._turns.values()]
        if self._looking is not None:
            tasks.append(self._looking)
        for turn in self._turns.values():
            turn.hurry()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=within)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        with contextlib.suppress(StoreUnavailable):
            await self._store.claims.leave()

    # -- what is due --------------------------------------------------------------------------------

    async def run(self) -> None:
        """Attend what is due, for ever; sleep until the next due moment, a second at most."""
        while not self._stopping:
            self._punctual(self._service.clock.now())
            if self._looking is None and self._has_to_look():
                self._wake.clear()
                self._looked = asyncio.get_running_loop().time()
                self._looking = asyncio.create_task(self._look(), name="look for what is due")
            await self._sleep()

    async def _look(self) -> None:
        try:
            await self.round()
            self._look_at = await self._next_moment()
            self._database(None)
        except StoreUnavailable as error:
            self._database(error)
            self._look_at = self._service.clock.now() + LOOK_EVERY
        except Exception:
            log.exception("caretaker.round_failed")
            self._look_at = self._service.clock.now() + LOOK_EVERY
        finally:
            self._looking = None

    def _has_to_look(self) -> bool:
        """Whether the database has to be asked: its moment has come, somebody says so, or no clock has moved."""
        by_the_loop = asyncio.get_running_loop().time() >= self._looked + LOOK_EVERY.total_seconds()
        return by_the_loop or self._wake.is_set() or self._service.clock.now() >= self._look_at

    def _punctual(self, now: datetime) -> None:
        """Attend what was claimed ahead and whose moment has come."""
        if self._stopping:
            return
        for id in [id for id, at in self._held.items() if at <= now]:
            self._turn(id).hurry()

    async def round(self, most: int = ROOM) -> None:
        """Attend everything that is due now, what is worst first. Of what is long past the latest comes first: after an
        outage people need what is current before what is not."""
        now, time = self._service.clock.now(), asyncio.get_running_loop().time()
        self._resting = {id: until for id, until in self._resting.items() if until > time}
        self._calm = {id: until for id, until in self._calm.items() if until > time}
        for turn in self._turns.values():
            if (at := turn.next()) is not None and at <= now:
                turn.hurry()
        free = max(1, most - len(self._turns))
        if self._stopping:
            return
        self._punctual(now)
        worst = tuple(one.key for one in self._service.policy.severities)
        due = await self._store.claims.due(now, free, [*self._turns, *self._resting], worst)
        self._more = len(due) >= free
        self._known |= await self._read(due)
        for id in due:
            if id not in self._turns and not self._stopping:  # else it was begun meanwhile, and sees what there is
                self._turn(id).hurry()

    async def _look_ahead(self) -> bool:
        """Claim what is due soon and read it: nothing but the work itself is then left for the moment. Whether there
        may be more."""
        soon = await self._store.claims.soon(self._service.clock.now(), SOON)
        self._held |= {id: at for id, at in soon.items() if id not in self._turns}
        self._known |= await self._read(list(soon))
        return len(soon) >= SOON

    async def _read(self, ids: list[str]) -> dict[str, Known]:
        """Read these, which are claimed, together. What cannot be read now, or begins to be attended meanwhile, is left
        out: it is read when it is attended."""
        if not ids:
            return {}
        self._unread |= {id for id in ids if id not in self._turns}
        known: Mapping[str, Known] = {}
        with contextlib.suppress(StoreUnavailable):
            known = await self._store.several(ids)
        found = {id: one for id, one in known.items() if id in self._unread}
        self._unread -= set(ids)
        return found

    def _database(self, error: StoreUnavailable | None) -> None:
        """It answered, or it did not. What is owed stands in it, so nothing is forgotten meanwhile."""
        if error is not None and not self._away:
            cause = error.__cause__ or error
            why = str(cause).partition("\n")[0] or type(cause).__name__
            log.error("caretaker.database_away", why=why[:200], every=LOOK_EVERY.total_seconds())
        elif error is None and self._away:
            log.info("caretaker.database_back")
        self._away = error is not None

    async def _next_moment(self) -> datetime:
        # Who does not hear at once that others have changed what it holds keeps nothing from them.
        if self._store.claims.ahead and self._store.hearing and not (self._more or self._stopping):
            more = await self._look_ahead()
            return self._service.clock.now() + (SOONER if more else LOOK_EVERY)
        now = self._service.clock.now()
        stored = await self._store.next_due(now)
        known = (at for at in (stored, *self._moments.values()) if at is not None and at > now)
        return min((*known, now + LOOK_EVERY))

    async def _sleep(self) -> None:
        """Until the next moment, or until there is something to look for."""
        looking, moments = self._looking, [*self._held.values()]
        if looking is None:
            moments.append(self._look_at)
        until = min(moments, default=self._service.clock.now() + LOOK_EVERY)
        mine: list[asyncio.Task[Any]] = [asyncio.create_task(self._service.clock.sleep_until(until))]
        if looking is None:
            mine.append(asyncio.create_task(self._wake.wait()))
        try:
            waits = [*mine, looking] if looking is not None else mine
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED, timeout=LOOK_EVERY.total_seconds())
        finally:
            for one in mine:
                one.cancel()
            await asyncio.gather(*mine, return_exceptions=True)

    # -- turns --------------------------------------------------------------------------------------

    def _turn(self, id: str) -> Turn:
        turn = self._turns.get(id)
        if turn is None:
            turn = self._turns[id] = Turn(id, lambda: len(self._turns) - 1)
            turn.known, turn.calm = self._known.pop(id, None), self._calm.pop(id, 0.0)
            self._held.pop(id, None)
            self._unread.discard(id)
            turn.task = asyncio.create_task(self._take(turn), name=f"attend {id}")
        return turn

    def _hurried(self, id: str) -> Turn:
        turn = self._turn(id)
        turn.urgent = True
        turn.hurry()
        return turn

    async def _take(self, turn: Turn) -> None:
        try:
            rank = await self._rank(turn)
            while turn.owed:
                await turn.come.wait()
                async with self._places.one(rank):
                    if not await self._store.claims.claim(turn.id):
                        # Another process attends it, and hears of every change; should it be letting go just now,
                        # the incident is due, and free in a moment.
                        asyncio.get_running_loop().call_later(MOMENT, self._wake.set)
                        return
                    await self._visit(turn)
            self._failures.pop(turn.id, None)
        except LeaseLost as lost:
            log.warning("caretaker.lease_lost", incident=turn.id, why=str(lost))
        except StoreUnavailable as error:  # no failure of the incident's: it goes on as soon as the database does
            self._database(error)
            self._resting[turn.id] = asyncio.get_running_loop().time() + REST
        except Exception:
            log.exception("caretaker.failed", incident=turn.id)
            self._failures[turn.id] += 1
            rest = min(LONGEST_REST, REST * 2 ** (self._failures[turn.id] - 1))
            self._resting[turn.id] = asyncio.get_running_loop().time() + rest
        finally:
            turn.still()
            del self._turns[turn.id]
            self._calm[turn.id] = turn.calm
            at = self._moments.get(turn.id)
            if (
                (self._more and len(self._turns) <= PLACES)
                or turn.id in self._resting
                or (at is not None and at < self._look_at)
            ):
                self._wake.set()
            await self._let_go(turn.id)

    async def _let_go(self, id: str) -> None:
        """Release it, unless its next turn has begun; a database that is away releases it by time."""
        if id not in self._turns:
            with contextlib.suppress(StoreUnavailable):
                await self._store.claims.release(id)

    async def keep(self) -> None:
        """Renew what is held, for ever; returns at once where nothing has to be renewed."""
        while (every := self._store.claims.every) is not None:
            await asyncio.sleep(every)
            try:
                await self._store.claims.renew()
            except StoreUnavailable:
                pass  # not renewed, so it runs out: nothing is begun then
            except Exception:
                log.exception("caretaker.not_renewed")

    async def _rank(self, turn: Turn) -> int:
        """Those without a channel, and those whose answer somebody waits for, go first and wait for no more changes.
        Then those whose time has come for something: people are called. What only looks different comes last."""
        incident = await self._store.glance(turn.id)
        if turn.urgent or incident is None or not incident.channel:
            turn.hurry()
            return 0
        called = duties.timed(incident, self._service.policy_of(incident.team), self._service.clock.now())
        return 1 if called else 2

    async def _visit(self, turn: Turn) -> None:
        visit = Visit(self._house, turn, lambda: self._stopping)
        turn.next = lambda: visit.next
        self._moments.pop(turn.id, None)
        if (due := await visit.run()) is not None:
            self._moments[turn.id] = due
