"""When workspaces are attended: when they are due, and soon after an incident of theirs was shown anew."""

from __future__ import annotations

import asyncio
from datetime import datetime

import structlog

from bot.domain.errors import LeaseLost, StoreUnavailable
from bot.domain.subject import WorkspaceSubject
from bot.reconciler.rate_limits import RateLimits
from bot.reconciler.workspace_context import WorkspaceContextLookup
from bot.reconciler.workspace_reconcile import LEASE_SECONDS, WorkspaceReconciliation
from bot.service import Service

log = structlog.get_logger(__name__)

#: seconds after an incident was shown until the Homes are, so that a burst of changes is published once
DEBOUNCE_SECONDS = 1.0
#: where nobody has opened a Home: so many seconds later another process may have heard of one
NO_HOMES_SECONDS = 10.0
#: seconds after which a visit that failed is tried again
RETRY_SECONDS = 30.0


class WorkspaceScheduler:
    """Attends workspaces, one task each at a time."""

    def __init__(self, service: Service, contexts: WorkspaceContextLookup, limits: RateLimits) -> None:
        self._service, self._contexts, self._limits = service, contexts, limits
        self._store = service.store
        self._running: dict[str, asyncio.Task[None]] = {}
        #: workspaces that were opened and have no row yet, or are to be looked at because they were
        self._opened: set[str] = set()
        #: a change waits to be shown; or came while the workspace was being attended
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._again: set[str] = set()
        #: what changed there is not shown yet
        self._changed: set[str] = set()
        #: workspaces where somebody has opened their Home, as far as this process knows
        self._with_homes: set[str] = set()
        #: what is due, or was asked for by somebody, is attended whatever has changed
        self._due: set[str] = set()
        #: nobody had opened their Home there: asked again after (by the loop's time)
        self._no_homes_until: dict[str, float] = {}
        #: failed visits are left alone until (by the loop's time)
        self._rest_until: dict[str, float] = {}
        self._stopping = False

    # -- from outside -------------------------------------------------------------------------------

    def opened(self, team: str) -> None:
        """The bot serves this workspace from here on."""
        self._opened.add(team)

    async def open_home(self, team: str, user: str) -> None:
        """Somebody opened their Home. Raises StoreUnavailable."""
        now = self._service.clock.now()
        await self._store.write(lambda tx: tx.workspaces.open_home(team, user, now))
        self._with_homes.add(team)
        self._due.add(team)
        self._begin(team)

    def incident_shown(self, team: str) -> None:
        """An incident of this workspace was attended: the Homes may look different."""
        # Where several processes share the database, another one may have heard of a Home that was opened.
        alone = self._store.leases.renew_every_seconds is None
        if self._stopping or (alone and team not in self._with_homes):
            return
        self._changed.add(team)
        if team in self._timers:
            return
        self._timers[team] = asyncio.get_running_loop().call_later(DEBOUNCE_SECONDS, self._begin, team)

    @property
    def busy(self) -> bool:
        """Whether any workspace is being attended, or about to be."""
        return bool(self._running or self._timers)

    @property
    def tasks(self) -> list[asyncio.Task[None]]:
        """The reconciliations under way."""
        return list(self._running.values())

    def start_waiting(self) -> None:
        """Nobody waits for more changes: look now."""
        for team in list(self._timers):
            self._begin(team)

    def stop(self) -> None:
        """Begin no further reconciliation."""
        self._stopping = True
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    # -- what is due --------------------------------------------------------------------------------

    async def start_due(self, now: datetime) -> None:
        """Attend every workspace that is due. Raises StoreUnavailable."""
        while self._opened:
            team = next(iter(self._opened))
            await self._touch(team, now)
            self._opened.discard(team)
        time = asyncio.get_running_loop().time()
        self._rest_until = {team: until for team, until in self._rest_until.items() if until > time}
        for team in await self._store.due_workspaces(now):
            if team not in self._rest_until and team not in self._running:
                self._due.add(team)
                self._begin(team)

    def _begin(self, team: str) -> None:
        if (timer := self._timers.pop(team, None)) is not None:
            timer.cancel()
        if self._stopping:
            return
        if team in self._running:
            self._again.add(team)
            return
        self._running[team] = asyncio.create_task(self._attend(team), name=f"attend workspace {team}")

    async def _attend(self, team: str) -> None:
        try:
            while True:
                self._again.discard(team)
                await self._reconcile_claimed(team)
                if team not in self._again or self._stopping:
                    break
        except LeaseLost as lost:
            log.warning("workspace.lease_lost", team=team, why=str(lost))
            self._rest(team)
        except StoreUnavailable:  # the next look
            self._rest(team)
        except Exception:
            log.exception("workspace.failed", team=team)
            self._rest(team)
        finally:
            del self._running[team]

    async def _has_homes(self, team: str) -> bool:
        """Whether anybody has opened their Home there, in this process or another one: else no change can be seen."""
        if team in self._with_homes:
            return True
        now = asyncio.get_running_loop().time()
        if now < self._no_homes_until.get(team, 0.0):
            return False
        if await self._store.has_homes(team):
            self._with_homes.add(team)
            return True
        self._no_homes_until[team] = now + NO_HOMES_SECONDS
        return False

    async def _touch(self, team: str, now: datetime) -> None:
        await self._store.write(lambda tx: tx.workspaces.touch(team, now))

    def _rest(self, team: str) -> None:
        self._rest_until[team] = asyncio.get_running_loop().time() + RETRY_SECONDS

    async def _reconcile_claimed(self, team: str) -> None:
        changed, due = team in self._changed, team in self._due
        self._due.discard(team)
        if changed and not due and not await self._has_homes(team):
            self._changed.discard(team)
            return
        if not await self._store.write(lambda tx: tx.workspaces.claim(team, LEASE_SECONDS)):
            if changed:  # another process attends it, and looks again for this
                now = self._service.clock.now()
                await self._touch(team, now)
                self._changed.discard(team)
            return
        self._changed.discard(team)
        # Read after it was claimed, so that nothing of the process before is missed.
        subject: WorkspaceSubject | None = await self._store.workspace(team)
        if subject is not None:
            visit = WorkspaceReconciliation(self._service, self._contexts, self._limits, subject)
            await visit.run()
            if visit.has_homes:
                self._with_homes.add(team)
