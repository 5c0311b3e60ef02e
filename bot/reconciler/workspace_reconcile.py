"""One workspace is attended: its digest of the day, and the Homes of the people who opened them lately."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import structlog

from bot.domain.desired_message import DesiredMessage
from bot.domain.effect import RESTORED, Effect, EffectKind, EffectState
from bot.domain.errors import LeaseLost
from bot.domain.policy import Policy
from bot.domain.subject import WorkspaceSubject
from bot.ports import CallRefused, OutcomeUnknown, RetryAfter, Store
from bot.reconciler import delivery_state
from bot.reconciler.executor import Executor
from bot.reconciler.plan import PlanInput, PlannedEffect, plan_workspace_effects
from bot.reconciler.rate_limits import RateLimits
from bot.reconciler.workspace_context import NOT_INSTALLED_POLL_INTERVAL, WorkspaceContext, WorkspaceContextLookup
from bot.reports import overview
from bot.reports.overview import Overview
from bot.service import Service

log = structlog.get_logger(__name__)

#: seconds that a workspace is claimed for: after a crash another process goes on so much later
LEASE_SECONDS = 60.0
#: a Home is kept up to date for so long after its person opened it last
HOME_KEPT = timedelta(days=7)
#: incidents that the digest looks at, and the Homes: the latest, and all that are open besides
MAX_INCIDENTS_IN_DIGEST, MAX_INCIDENTS_IN_HOME, MAX_OPEN = 300, 40, 100
#: incidents that ended are shown in a Home for so long
ENDED_LATELY = timedelta(days=14)
#: rounds of calls in one reconciliation, above which something turns in a circle
MAX_ROUNDS = 30
#: rows of digests are kept so long
MESSAGES_KEPT = timedelta(days=35)


def digest_time(policy: Policy, now: datetime) -> datetime | None:
    """When the digest of the day of `now` is due; None where policy wants none."""
    if policy.digest_at is None:
        return None
    return datetime.combine(now.astimezone(UTC).date(), policy.digest_at, UTC)


def digest_key(team: str, day: datetime) -> str:
    """The key of a day's digest: one a day, whoever posts it."""
    return f"digest:{team}:{day:%Y-%m-%d}"


class WorkspaceReconciliation:
    """One workspace is reconciled, whose row this process has claimed."""

    def __init__(
        self, service: Service, contexts: WorkspaceContextLookup, limits: RateLimits, subject: WorkspaceSubject
    ) -> None:
        self._service, self._contexts, self._limits, self._subject = service, contexts, limits, subject
        self._store: Store = service.store
        self._claimed_at = asyncio.get_running_loop().time()
        self._effects: dict[str, Effect] = {}
        self._views: dict[int, Overview] = {}

    @property
    def has_homes(self) -> bool:
        """Whether anybody has ever opened their Home."""
        return any(one.kind is EffectKind.HOME for one in self._effects.values())

    async def run(self) -> datetime | None:
        """Attend it; when to look next. Raises LeaseLost."""
        now, team = self._service.clock.now(), self._subject.team
        context = await self._contexts(team)
        if context is None:
            return await self._finish(now + NOT_INSTALLED_POLL_INTERVAL)
        self._effects = {one.key: one for one in await self._store.workspace_effects(self._subject)}
        executor = Executor(self._service, context.effectors, self._limits)
        later: list[datetime] = []
        for _ in range(MAX_ROUNDS):
            now = self._service.clock.now()
            planned = await self._plan(context, now)
            later = [one.not_before for one in planned if one.not_before is not None and one.not_before > now]
            later += [at for one in planned if (at := self._limits.retry_at(one.rate_limit_key, now)) is not None]
            ready = [
                one
                for one in planned
                if (one.not_before is None or one.not_before <= now)
                and self._limits.retry_at(one.rate_limit_key, now) is None
            ]
            if not ready:
                break
            await self._make(executor, ready, now)
        else:
            later.append(now + NOT_INSTALLED_POLL_INTERVAL)
        return await self._finish(min([*later, *self._next_digest(now)], default=None))

    async def _plan(self, context: WorkspaceContext, now: datetime) -> list[PlannedEffect]:
        policy = self._service.policy_of(self._subject.team)
        await self._drop_outdated(policy, now)
        messages = await self._digest(context, policy, now)
        homes = await self._homes(context, policy, now)
        books = PlanInput(self._subject, self._effects, messages, policy, context.channel_for, now, homes=homes)
        return plan_workspace_effects(books)

    async def _drop_outdated(self, policy: Policy, now: datetime) -> None:
        """A digest of another day and a Home that is not kept any more were not sent: nobody has to fix that now."""
        due = digest_time(policy, now)
        today = digest_key(self._subject.team, due) if due else ""
        outdated = [
            delivery_state.refused(one, one.hash, one.error)
            for one in self._effects.values()
            if one.state in (EffectState.WAITING, EffectState.PARKED)
            and (one.started_at <= now - HOME_KEPT if one.kind is EffectKind.HOME else one.key != today)
        ]
        if outdated:
            await self._save(outdated)

    async def _make(self, executor: Executor, ready: Sequence[PlannedEffect], now: datetime) -> None:
        """Write down the calls that Slack would do twice, make all, and write down how they ended."""
        begun = {one.effect.key: delivery_state.sending(one.effect, now) for one in ready if one.is_non_idempotent}
        if begun:
            await self._save(list(begun.values()))
        ended: list[Effect] = []
        for one in ready:
            if asyncio.get_running_loop().time() > self._claimed_at + LEASE_SECONDS * 0.8:
                await self._save(ended)
                raise LeaseLost(f"reconciling workspace {self._subject.team} takes too long: it is taken up again")
            run = replace(one, effect=begun.get(one.effect.key, one.effect))
            self._limits.acquire(one.rate_limit_key)
            try:
                ended.append(await executor.execute(self._subject, run))
            finally:
                self._limits.release(one.rate_limit_key, self._service.clock.now())
        await self._save(ended)

    async def _save(self, effects: Sequence[Effect]) -> None:
        self._effects |= {one.key: one for one in effects}
        await self._store.write(lambda tx: tx.workspaces.save_effects(self._subject, effects))

    async def _finish(self, due: datetime | None) -> datetime | None:
        before = self._service.clock.now() - MESSAGES_KEPT
        await self._store.write(lambda tx: tx.workspaces.finish(self._subject, due, before))
        return due

    # -- the digest -----------------------------------------------------------------------------------

    async def _digest(self, context: WorkspaceContext, policy: Policy, now: datetime) -> list[DesiredMessage]:
        """The message of the day, until it is sent. A day on which there was nothing to say is done with."""
        due = digest_time(policy, now)
        if context.render_digest is None or due is None or now < due or due < self._subject.created_at:
            return []
        channel = context.channel_for("announcements")
        key = digest_key(self._subject.team, due)
        known = self._effects.get(key)
        if not channel or (known is not None and known.state in (EffectState.SENT, EffectState.REFUSED)):
            return []
        message = context.render_digest(await self._view(policy, MAX_INCIDENTS_IN_DIGEST, now))
        message = replace(message, key=key) if message is not None else None
        if known is None:
            fresh = delivery_state.new_effect(self._subject.id, self._subject.team, key, EffectKind.MESSAGE, due)
            if message is None:
                await self._save([delivery_state.refused(fresh, "", "nothing to say")])
                return []
            # Another process, or another life before a restore, may have sent it: it is looked for first.
            doubt = {"state": EffectState.MISSING, "attempts": 1, "error": RESTORED, "hash": message.hash}
            await self._save([replace(fresh, channel=channel, **doubt)])  # type: ignore[arg-type]
        return [message] if message is not None else []

    def _next_digest(self, now: datetime) -> list[datetime]:
        policy = self._service.policy_of(self._subject.team)
        moments = (digest_time(policy, now), digest_time(policy, now + timedelta(days=1)))
        return [at for at in moments if at is not None and at > now]

    # -- Homes ----------------------------------------------------------------------------------------

    async def _homes(self, context: WorkspaceContext, policy: Policy, now: datetime) -> list[DesiredMessage]:
        """The Home of each person who opened it lately."""
        since = now - HOME_KEPT
        lately = [
            one.channel for one in self._effects.values() if one.kind is EffectKind.HOME and one.started_at > since
        ]
        if context.render_home is None or not lately:
            return []
        view = await self._view(policy, MAX_INCIDENTS_IN_HOME, now)
        shown = replace(view, ended=[one for one in view.ended if one.ended_at and one.ended_at > now - ENDED_LATELY])
        homes = []
        for user in lately:
            try:
                homes.append(await context.render_home(shown, user))
            except (CallRefused, RetryAfter, OutcomeUnknown) as error:  # who they are cannot be told now
                log.info("home.not_rendered", team=self._subject.team, error=str(error))
        return homes

    async def _view(self, policy: Policy, latest: int, now: datetime) -> Overview:
        """How the workspace stands; read once while it is reconciled."""
        if latest not in self._views:
            team = self._subject.team
            worst = tuple(one.key for one in policy.severities)
            rows = [
                *await self._store.listing(team, open_only=True, limit=MAX_OPEN, severity_order=worst),
                *await self._store.listing(team, open_only=False, limit=latest),
            ]
            found = await self._store.incidents({row.id: row.seq for row in rows})
            known = [one for one in found.values() if not one.unknown_event_type]
            ended = sorted(
                (one for one in known if not one.open and one.ended_at),
                key=lambda one: (one.ended_at, one.number),
                reverse=True,
            )
            opened = overview.worst_first([one for one in known if one.open], policy)
            self._views[latest] = Overview(now, policy, opened, ended)
        return replace(self._views[latest], now=now)
