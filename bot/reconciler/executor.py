"""Has the calls made. Each ends in an effect that says how it stands; what Slack or a rule answers is not raised."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import structlog

from bot.domain import channel
from bot.domain.actor import bot_actor
from bot.domain.effect import Effect, EffectKind
from bot.domain.errors import Refused
from bot.domain.subject import Subject
from bot.ports import CallRefused, OutcomeUnknown, RetryAfter
from bot.reconciler import delivery_state
from bot.reconciler.delivery_state import TOKEN_REVOKED_CODES
from bot.reconciler.effector import Effectors, Execution
from bot.reconciler.plan import CHANNEL_LOST_REASONS, Call, PlannedEffect
from bot.reconciler.rate_limits import RateLimits
from bot.service import Rule, Service

log = structlog.get_logger(__name__)

#: what people's own channel may have no room for, or not let us do: nobody has to mend that
OPTIONAL_CALLS = (Call.TOPIC, Call.PIN, Call.BOOKMARK)
#: calls that only look whether another one was made
_LOOKS = (Call.LOOK, Call.TWIN)
#: the error of a call that a drill does not make
DRILL = "drill"


class Executor:
    """Has one call at a time made for whoever asks, by the effectors of one workspace."""

    def __init__(self, service: Service, effectors: Effectors, gates: RateLimits) -> None:
        self._service, self._effectors, self._gates = service, effectors, gates
        #: whether the incident was changed
        self.incident_changed = False

    async def execute(self, subject: Subject, owed: PlannedEffect) -> Effect:
        """Make the call; how it stands afterwards."""
        return delivery_state.duplicate_check_first(owed.effect, await self._tried(subject, owed))

    async def _tried(self, subject: Subject, owed: PlannedEffect) -> Effect:
        effect = owed.effect
        try:
            return await self._performed(subject, owed)
        except RetryAfter as later:
            return self._later(owed, later.seconds)
        except CallRefused as refusal:
            return await self._refused(subject, owed, refusal)
        except OutcomeUnknown as unsure:
            if owed.call in _LOOKS:
                return delivery_state.retry_lookup(effect, 0, self._now())
            if owed.is_non_idempotent:
                return delivery_state.unknown(effect, str(unsure), self._now())
            return delivery_state.retry(effect, owed.hash, str(unsure), self._now())
        except Refused as refused:  # the incident has moved on: what was to be recorded no longer fits
            return delivery_state.refused(effect, owed.hash, str(refused))

    async def _performed(self, subject: Subject, owed: PlannedEffect) -> Effect:
        if owed.call is Call.DROP:
            return self._drop(owed)
        effector = self._effectors[owed.effect.kind]
        run = Execution(subject, owed, self._now, partial(self._record, subject))
        if subject.drill and effector.outside:
            log.info("drill.not_sent", call=owed.call, key=owed.effect.key, incident=subject.id)
            if effector.in_drill is not None:
                return await effector.in_drill(run)
            return delivery_state.refused(owed.effect, owed.hash, DRILL)
        if owed.call is Call.LOOK and Call.LOOK not in effector.calls:  # it looks for itself when it is made again
            return delivery_state.waiting(owed.effect)
        return await effector.calls[owed.call](run)

    def _drop(self, owed: PlannedEffect) -> Effect:
        """Never sent as far as is known, and not wanted any more: nobody has to fix what kept it back."""
        if owed.effect.kind is not EffectKind.MESSAGE or not owed.effect.attempts:
            return delivery_state.refused(owed.effect, owed.hash, owed.effect.error)
        # An attempt without an answer may come through yet, and would then say what is out of date.
        again = self._now() + delivery_state.DUPLICATE_CHECK_DELAY
        return replace(delivery_state.sent(owed.effect, owed.hash), next_try_at=again)

    def _now(self) -> datetime:
        return self._service.clock.now()

    async def _record(self, subject: Subject, verb: str, rule: Rule) -> None:
        self.incident_changed = True
        await self._service.act(subject.id, verb, rule, bot_actor(subject.team), effects=lambda _: ())

    def _later(self, owed: PlannedEffect, seconds: float) -> Effect:
        """Slack asks to wait so many seconds; 0: it could not even be reached."""
        now = self._now()
        if owed.call in _LOOKS:
            return delivery_state.retry_lookup(owed.effect, seconds, now)
        if not seconds:
            return delivery_state.retry(owed.effect, owed.hash, "not reached", now)
        self._gates.block_until(owed.rate_limit_key, now + timedelta(seconds=seconds))
        return delivery_state.rate_limited(owed.effect, now + timedelta(seconds=seconds))

    async def _refused(self, subject: Subject, owed: PlannedEffect, refusal: CallRefused) -> Effect:
        effect, code, look = owed.effect, refusal.code, owed.call in _LOOKS
        if code in TOKEN_REVOKED_CODES:  # certainly not done; it stays owed until the workspace lets us in again
            if look:
                return delivery_state.retry_lookup(effect, 0, self._now())
            return delivery_state.retry(effect, owed.hash, code, self._now())
        log.warning("slack.refused", call=owed.call, key=effect.key, code=code, incident=subject.id)
        if code in CHANNEL_LOST_REASONS and effect.channel and effect.channel == subject.channel:
            await self._record(subject, "channel lost", partial(channel.record_lost, reason=CHANNEL_LOST_REASONS[code]))
            if look:
                return effect
        if subject.adopted_at and owed.call in OPTIONAL_CALLS:
            return delivery_state.refused(effect, owed.hash, code)
        if look:
            twin = owed.call is Call.TWIN
            return (
                delivery_state.sent(effect, effect.hash)
                if twin
                else delivery_state.lookup_refused(effect, code, self._now())
            )
        return delivery_state.parked(effect, owed.hash, code, self._now())
