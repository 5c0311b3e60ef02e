"""How a call stands after its answer: pure functions from effect to effect.

Every call ends as done, certainly not done, or unknown. What is certainly not done is tried again after growing
pauses or, where a person has to fix something, parked: shown to people, and tried now and then. What is unknown is
looked for twice before it is made anew: Slack names no key that would make it recognise a message
(https://docs.slack.dev/reference/methods/chat.postMessage).
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.desired_message import DesiredMessage
from bot.domain.effect import Effect, EffectKind, EffectState

#: an outcome that was lost is looked for at these moments after the loss, then the call is made anew
LOOKUP_DELAYS = (timedelta(seconds=2), timedelta(seconds=15))
#: failed attempts until a call is parked: with LONGEST between the later ones, most of a day of Slack's being away
MAX_ATTEMPTS = 100
MAX_BACKOFF = timedelta(minutes=10)
#: what is parked is tried so long after the refusal, doubling up to OFTEN_ENOUGH: nobody tells when its cause is gone
PARKED_RETRY_BASE, PARKED_RETRY_MAX = timedelta(minutes=5), timedelta(hours=6)
#: a message that was sent anew is looked for once more: the first may have come through after the last look
DUPLICATE_CHECK_DELAY = timedelta(minutes=1)
#: Slack's codes which say that nothing can be done in that workspace with our token any more
TOKEN_REVOKED_CODES = frozenset({"token_revoked", "account_inactive", "invalid_auth", "token_expired"})
#: begins the error of a call whose outcome is unknown and cannot be looked up
LOOKUP_REFUSED_PREFIX = "cannot look: "

#: states of a call that may have been made
UNCERTAIN_STATES = frozenset({EffectState.SENDING, EffectState.UNKNOWN, EffectState.MISSING})


def backoff(effect: Effect) -> timedelta:
    """How long to wait after the latest failed attempt: doubling from 2 s, spread so that not all come back at once."""
    spread = 1 + int(effect.id[:4], 16) / 0xFFFF / 4
    return min(MAX_BACKOFF, timedelta(seconds=2.0 ** min(effect.attempts, 12))) * spread


def new_effect(incident_id: str, team: str, key: str, kind: EffectKind, now: datetime) -> Effect:
    """A call that was never made. Its id marks the message in Slack and is the same whoever makes it."""
    return Effect(
        id=str(uuid.uuid5(uuid.UUID(incident_id), key)), team=team, incident_id=incident_id, key=key, kind=kind,
        state=EffectState.WAITING, started_at=now,
    )  # fmt: skip


def of_message(effect: Effect, message: DesiredMessage) -> Effect:
    """The call with what has to be known of its message once it was sent."""
    return replace(
        effect, surface=message.surface, lasting=message.lasting, final=message.final, numbered=message.numbered,
        rung=message.rung,
    )  # fmt: skip


def sending(effect: Effect, now: datetime) -> Effect:
    """About to be made. While an earlier attempt may come through, the search goes back to that one, also where the
    message was not wanted in between."""
    earlier = max(effect.attempts, int(duplicate_check_at(effect) is not None))
    since = effect.started_at if earlier else now
    return replace(effect, state=EffectState.SENDING, started_at=since, attempts=earlier, next_try_at=None)


def forget_hash(effect: Effect) -> Effect:
    """About to show something else. Cut off here, it is changed anew, even to what it showed before."""
    return replace(effect, hash="")


def sent(effect: Effect, hash: str, *, ts: str | None = None) -> Effect:
    """Made; `hash` names what it shows now."""
    kept = effect.ts if ts is None else ts
    return replace(effect, state=EffectState.SENT, hash=hash, ts=kept, attempts=0, next_try_at=None, error="")


def interrupted(effect: Effect) -> Effect:
    """Found begun although nobody makes it: a crash came between. It is looked for at once."""
    return replace(effect, state=EffectState.UNKNOWN, attempts=effect.attempts + 1, error="cut off", next_try_at=None)


def unknown(effect: Effect, error: str, now: datetime) -> Effect:
    """Made, and the answer did not arrive."""
    return replace(
        effect,
        state=EffectState.UNKNOWN,
        attempts=effect.attempts + 1,
        error=error[:200],
        next_try_at=now + LOOKUP_DELAYS[0],
    )


def not_found(effect: Effect, now: datetime) -> Effect:
    """Looked for and not found: looked for once more, then made anew."""
    if effect.state is not EffectState.MISSING:
        return replace(effect, state=EffectState.MISSING, next_try_at=now + (LOOKUP_DELAYS[1] - LOOKUP_DELAYS[0]))
    if effect.attempts >= MAX_ATTEMPTS:
        return replace(effect, state=EffectState.PARKED, next_try_at=_parked_retry_at(effect, now))
    again = now + backoff(effect) if effect.attempts > 1 else None
    return replace(effect, state=EffectState.WAITING, next_try_at=again)


def lookup_refused(effect: Effect, code: str, now: datetime) -> Effect:
    """It may have been made, and Slack refuses the look: a person has to fix that."""
    seen = replace(effect, state=EffectState.PARKED, attempts=effect.attempts + 1, error=LOOKUP_REFUSED_PREFIX + code)
    return replace(seen, next_try_at=_parked_retry_at(seen, now))


def retry_lookup(effect: Effect, seconds: float, now: datetime) -> Effect:
    """It could not be looked for now."""
    return replace(effect, next_try_at=now + timedelta(seconds=max(seconds, LOOKUP_DELAYS[0].total_seconds())))


def rate_limited(effect: Effect, until: datetime) -> Effect:
    """Not made, and welcome again from `until` on: no failure."""
    return replace(effect, state=EffectState.WAITING, next_try_at=until, error="asked to wait")


def retry(effect: Effect, hash: str, error: str, now: datetime) -> Effect:
    """Failed in a way that passes by itself: tried again after a pause, parked after so many attempts."""
    tried = replace(effect, attempts=effect.attempts + 1, error=error[:200])
    if tried.attempts >= MAX_ATTEMPTS:
        return replace(tried, state=EffectState.PARKED, hash=hash, next_try_at=_parked_retry_at(tried, now))
    return replace(tried, state=EffectState.WAITING, next_try_at=now + backoff(tried))


def parked(effect: Effect, hash: str, error: str, now: datetime) -> Effect:
    """Refused for a reason that stays until a person fixes it; tried again now and then, and when `hash` changes."""
    tried = replace(effect, state=EffectState.PARKED, hash=hash, attempts=effect.attempts + 1, error=error[:200])
    return replace(tried, next_try_at=_parked_retry_at(tried, now))


def _parked_retry_at(effect: Effect, now: datetime) -> datetime:
    doublings: int = 2 ** min(effect.attempts - 1, 12)
    return now + min(PARKED_RETRY_MAX, PARKED_RETRY_BASE * doublings)


def duplicate_check_at(effect: Effect) -> datetime | None:
    """When a message that was sent anew is looked for once more; None where it was not, or that is done."""
    return effect.next_try_at if effect.kind is EffectKind.MESSAGE and effect.state is EffectState.SENT else None


def duplicate_check_first(effect: Effect, paid: Effect) -> Effect:
    """How a call has ended, from how it stood before: a change that failed is tried again once the twin was looked for,
    whose moment `paid` forgets."""
    if duplicate_check_at(effect) is None or paid.state is EffectState.SENT:
        return paid
    return replace(effect, hash="", attempts=effect.attempts + 1, error=paid.error)


def waiting(effect: Effect) -> Effect:
    """Certainly not made, and to be made as soon as its time has come."""
    return replace(effect, state=EffectState.WAITING, next_try_at=None)


def refused(effect: Effect, hash: str, error: str) -> Effect:
    """A definite no that is an outcome like any other: nothing more is to be done while `hash` stays."""
    return replace(effect, state=EffectState.REFUSED, hash=hash, error=error[:200], next_try_at=None)


def with_new_id(effect: Effect, state: EffectState = EffectState.WAITING, hash: str = "") -> Effect:
    """The message is gone: should it be wanted (again), it is another one."""
    fresh = str(uuid.uuid5(uuid.UUID(effect.id), effect.ts))
    return replace(
        effect, id=fresh, state=state, hash=hash, ts="", thread_ts="", attempts=0, next_try_at=None, error=""
    )  # fmt: skip
