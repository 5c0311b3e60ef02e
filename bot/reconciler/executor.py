"""Makes the calls. Each ends in an effect that says how it stands; nothing that Slack or a rule answers is raised."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import structlog

from bot.domain import channel, customer_messages
from bot.domain import events as e
from bot.domain.actor import Actor, bot_actor
from bot.domain.effect import RESTORED, Effect, EffectKind, EffectState
from bot.domain.errors import Refused
from bot.domain.incident import DraftState, Incident
from bot.ports import CallRefused, OutcomeUnknown, Publication, Publisher, RetryAfter
from bot.reconciler import after_restore, delivery_state
from bot.reconciler.plan import (
    CHANNEL_LOST_REASONS,
    UNEDITABLE_CODES,
    Call,
    PlannedEffect,
    postmortem_key,
    publish_key,
)
from bot.reconciler.rate_limits import RateLimits
from bot.reconciler.workspace_context import TOKEN_REVOKED_CODES, WorkspaceContext
from bot.service import Rule, Service

log = structlog.get_logger(__name__)

#: names tried for a channel before Slack's "name_taken" counts as a refusal
MAX_CHANNEL_NAMES = 20
#: what people's own channel may have no room for, or not let us do: nobody has to mend that
OPTIONAL_CALLS = (Call.TOPIC, Call.PIN, Call.BOOKMARK)
#: calls that only look whether another one was made
_LOOKS = (Call.LOOK, Call.TWIN)


class Executor:
    """Makes one call at a time for whoever asks, on the ground of one workspace."""

    def __init__(self, service: Service, ground: WorkspaceContext, gates: RateLimits) -> None:
        self._service, self._ground, self._room, self._gates = service, ground, ground.room, gates
        #: whether the incident was changed
        self.incident_changed = False

    async def execute(self, incident: Incident, owed: PlannedEffect) -> Effect:
        """Make the call; how it stands afterwards."""
        return delivery_state.duplicate_check_first(owed.effect, await self._tried(incident, owed))

    async def _tried(self, incident: Incident, owed: PlannedEffect) -> Effect:
        effect = owed.effect
        try:
            return await CALL_TABLE[owed.call](self, incident, owed)
        except RetryAfter as later:
            return self._later(owed, later.seconds)
        except CallRefused as refusal:
            return await self._refused(incident, owed, refusal)
        except OutcomeUnknown as unsure:
            if owed.call in _LOOKS:
                return delivery_state.retry_lookup(effect, 0, self._now())
            if owed.is_non_idempotent:
                return delivery_state.unknown(effect, str(unsure), self._now())
            return delivery_state.retry(effect, owed.hash, str(unsure), self._now())
        except Refused as refused:  # the incident has moved on: what was to be recorded no longer fits
            return delivery_state.refused(effect, owed.hash, str(refused))

    def _now(self) -> datetime:
        return self._service.clock.now()

    async def _record(self, incident: Incident, verb: str, rule: Rule) -> None:
        self.incident_changed = True
        await self._service.act(incident.id, verb, rule, bot_actor(incident.team), effects=lambda _: ())

    def _later(self, owed: PlannedEffect, seconds: float) -> Effect:
        """Slack asks to wait so many seconds; 0: it could not even be reached."""
        now = self._now()
        if owed.call in _LOOKS:
            return delivery_state.retry_lookup(owed.effect, seconds, now)
        if not seconds:
            return delivery_state.retry(owed.effect, owed.hash, "not reached", now)
        self._gates.block_until(owed.rate_limit_key, now + timedelta(seconds=seconds))
        return delivery_state.rate_limited(owed.effect, now + timedelta(seconds=seconds))

    async def _refused(self, incident: Incident, owed: PlannedEffect, refusal: CallRefused) -> Effect:
        effect, code, look = owed.effect, refusal.code, owed.call in _LOOKS
        if code in TOKEN_REVOKED_CODES:  # certainly not done; it stays owed until the workspace lets us in again
            if look:
                return delivery_state.retry_lookup(effect, 0, self._now())
            return delivery_state.retry(effect, owed.hash, code, self._now())
        log.warning("slack.refused", call=owed.call, key=effect.key, code=code, incident=incident.id)
        if code in CHANNEL_LOST_REASONS and effect.channel and effect.channel == incident.channel:
            await self._record(
                incident, "channel lost", partial(channel.record_lost, reason=CHANNEL_LOST_REASONS[code])
            )
            if look:
                return effect
        if incident.adopted_at and owed.call in OPTIONAL_CALLS:
            return delivery_state.refused(effect, owed.hash, code)
        if look:
            twin = owed.call is Call.TWIN
            return (
                delivery_state.sent(effect, effect.hash)
                if twin
                else delivery_state.lookup_refused(effect, code, self._now())
            )
        return delivery_state.parked(effect, owed.hash, code, self._now())

    # -- the channel and who is in it -----------------------------------------------------------------

    async def _open(self, incident: Incident, owed: PlannedEffect) -> Effect:
        """One name at a time: it is written down before it is asked for."""
        effect, name = owed.effect, owed.hash
        try:
            id, given = await self._room.open_channel(name, incident.private)
        except CallRefused as refusal:
            if refusal.code in TOKEN_REVOKED_CODES:
                raise
            if refusal.code != "name_taken":
                return await self._no_channel(incident, effect, refusal.code)
            # Somebody else's channel is never adopted; our own of an attempt whose answer was lost is.
            own = await self._room.find_channel(name, effect.started_at) if effect.attempts else None
            if own is not None:
                return await self._opened(incident, effect, own, name)
            names = [channel.name(incident, number) for number in range(MAX_CHANNEL_NAMES)]
            following = names.index(name) + 1 if name in names else 0
            if following >= MAX_CHANNEL_NAMES:
                return await self._no_channel(incident, effect, refusal.code)
            return delivery_state.waiting(replace(effect, hash=names[following]))
        return await self._opened(incident, effect, id, given)

    async def _opened(self, incident: Incident, effect: Effect, id: str, name: str) -> Effect:
        await self._record(
            incident,
            "channel opened",
            lambda i, *, by, at: channel.record_opened(i, channel=id, name=name, by=by, at=at),
        )
        return replace(delivery_state.sent(effect, name), channel=id)

    async def _no_channel(self, incident: Incident, effect: Effect, code: str) -> Effect:
        await self._record(incident, "channel refused", partial(channel.record_refused, error=code))
        return delivery_state.parked(effect, effect.hash, code, self._now())

    async def _topic(self, incident: Incident, owed: PlannedEffect) -> Effect:
        await self._room.set_topic(incident.channel, owed.text)
        return delivery_state.sent(owed.effect, owed.hash)

    async def _rename(self, incident: Incident, owed: PlannedEffect) -> Effect:
        """The name may be somebody's already; or our own, where an attempt's answer was lost."""
        for suffix in ("", *(f"-{number}" for number in range(2, MAX_CHANNEL_NAMES))):
            try:
                await self._room.rename(incident.channel, owed.text[: channel.MAX_NAME_CHARS - len(suffix)] + suffix)
                break
            except CallRefused as refusal:
                if refusal.code != "name_taken":
                    raise
                if owed.effect.attempts:
                    break
        return delivery_state.sent(owed.effect, owed.hash)

    async def _invite(self, incident: Incident, owed: PlannedEffect) -> Effect:
        people = owed.people
        if not people:
            return delivery_state.sent(owed.effect, owed.hash)
        refused = await self._room.invite(incident.channel, people)
        await self._record(
            incident,
            "invited",
            lambda i, *, by, at: channel.record_invited(i, users=people, refused=refused, by=by, at=at),
        )
        return delivery_state.sent(owed.effect, owed.hash)

    # -- messages -------------------------------------------------------------------------------------

    async def _direct(self, incident: Incident, owed: PlannedEffect) -> Effect:
        """Where one talks with a person: known before the message is begun, so that it can be looked for there."""
        assert owed.message is not None
        where = await self._room.direct(owed.message.target.user)
        known = replace(owed.effect, channel=where)
        return known if known.state in delivery_state.UNCERTAIN_STATES else delivery_state.waiting(known)

    async def _post(self, incident: Incident, owed: PlannedEffect) -> Effect:
        effect, message = owed.effect, owed.message
        assert message is not None
        ts = await self._room.post(effect.channel, effect.thread_ts, message.text, message.blocks, effect.id)
        sent = delivery_state.sent(effect, owed.hash, ts=ts)
        return (
            replace(sent, next_try_at=self._now() + delivery_state.DUPLICATE_CHECK_DELAY) if effect.attempts else sent
        )

    async def _edit(self, incident: Incident, owed: PlannedEffect) -> Effect:
        effect, message = owed.effect, owed.message
        assert message is not None
        try:
            await self._room.edit(effect.channel, effect.ts, message.text, message.blocks)
        except CallRefused as refusal:
            if refusal.code not in UNEDITABLE_CODES:
                raise
            if effect.lasting:
                return delivery_state.with_new_id(effect)
            return delivery_state.refused(effect, owed.hash, refusal.code)
        # A twin is still looked for at its time, however often the message changes before.
        return replace(delivery_state.sent(effect, owed.hash), next_try_at=delivery_state.duplicate_check_at(effect))

    async def _delete(self, incident: Incident, owed: PlannedEffect) -> Effect:
        effect = owed.effect
        await self._room.delete(effect.channel, effect.ts)
        if delivery_state.duplicate_check_at(effect) is not None:  # its twin has to go as well
            return replace(effect, ts="", hash=owed.hash)
        return delivery_state.with_new_id(effect, EffectState.SENT, owed.hash)

    async def _drop(self, incident: Incident, owed: PlannedEffect) -> Effect:
        """Never sent as far as is known, and not wanted any more: nobody has to mend what kept it back."""
        if owed.effect.kind is not EffectKind.MESSAGE or not owed.effect.attempts:
            return delivery_state.refused(owed.effect, owed.hash, owed.effect.error)
        # An attempt without an answer may come through yet, and would then say what is out of date.
        return replace(
            delivery_state.sent(owed.effect, owed.hash), next_try_at=self._now() + delivery_state.DUPLICATE_CHECK_DELAY
        )

    async def _move(self, incident: Incident, owed: PlannedEffect) -> Effect:
        """Take it away where it stands; it is sent anew beneath its new parent."""
        try:
            await self._room.delete(owed.effect.channel, owed.effect.ts)
        except CallRefused as refusal:
            if refusal.code in TOKEN_REVOKED_CODES:
                raise
            log.warning("slack.refused", call="move", key=owed.effect.key, code=refusal.code, incident=incident.id)
        return delivery_state.with_new_id(owed.effect)

    async def _pin(self, incident: Incident, owed: PlannedEffect) -> Effect:
        await self._room.pin(owed.effect.channel, owed.text)
        return delivery_state.sent(owed.effect, owed.hash)

    async def _bookmark(self, incident: Incident, owed: PlannedEffect) -> Effect:
        effect = owed.effect
        first = not effect.ts and not effect.attempts
        await self._room.bookmark(effect.channel, BOOKMARK_TITLE, owed.text, look=not first)
        return delivery_state.sent(effect, owed.hash, ts=owed.text)

    # -- files and public texts -----------------------------------------------------------------------

    async def _upload(self, incident: Incident, owed: PlannedEffect) -> Effect:
        name, content = await self._ground.render_postmortem(incident)
        file = await self._room.upload(name, content)
        digest = hashlib.sha256(content.encode()).hexdigest()
        return delivery_state.waiting(replace(owed.effect, ts=file, hash=digest))

    async def _share(self, incident: Incident, owed: PlannedEffect) -> Effect:
        effect = owed.effect
        try:
            await self._room.share(effect.channel, "", effect.ts, f"{incident.name} postmortem draft")
        except CallRefused as refusal:
            if refusal.code != "file_not_found":
                raise
            # Shared by an earlier attempt after all, or thrown away by Slack because nobody shared it in time.
            if not await self._room.shared(effect.channel, effect.ts, effect.started_at):
                return delivery_state.retry(replace(effect, ts=""), owed.hash, refusal.code, self._now())
        return await self._shared(incident, owed)

    async def _shared(self, incident: Incident, owed: PlannedEffect) -> Effect:
        file, seq = owed.effect.ts, incident.postmortem_seq
        # One that an earlier version uploaded has the number of its event there.
        digest = owed.hash if len(owed.hash) == hashlib.sha256().digest_size * 2 else ""
        if owed.effect.key == postmortem_key(incident):
            await self._record(
                incident,
                "postmortem shared",
                lambda i, *, by, at: channel.record_postmortem_shared(
                    i, file=file, written=seq, text_hash=digest, by=by, at=at
                ),
            )
        return delivery_state.sent(owed.effect, owed.hash)

    async def _discard(self, incident: Incident, owed: PlannedEffect) -> Effect:
        await self._room.discard(owed.text)
        return delivery_state.sent(owed.effect, owed.hash)

    async def _publish(self, incident: Incident, owed: PlannedEffect) -> Effect:
        """Intent first, then the post. What was begun and never ended is shown to a person, not repeated."""
        effect, name = owed.effect, owed.text
        draft = incident.drafts[name]
        publisher = self._publisher(incident, name)
        if draft.state is DraftState.APPROVED:
            await self._sending(incident, name)
        elif why := customer_messages.void_reason(incident, draft, self._now()):  # it waited for Slack, and too long
            return await self._failed(incident, owed, why)
        if publisher is None:
            return await self._uncertain(incident, effect, name, customer_messages.POST_BY_HAND_REASON)
        try:
            sent = await publisher.publish(draft.drafted.text, effect.id)
        except CallRefused as refusal:
            return await self._failed(incident, owed, refusal.code)
        return await self._published(incident, effect, name, publisher.name, sent)

    async def _sending(self, incident: Incident, name: str) -> None:
        def rule(i: Incident, *, by: Actor, at: datetime) -> list[e.Event]:
            # Written by us a moment ago where the commit's answer was lost and the job runs again: nobody else may.
            return (
                []
                if i.drafts[name].state is DraftState.SENDING
                else customer_messages.record_sending(i, draft=name, by=by, at=at)
            )

        await self._record(incident, "publish", rule)

    def _publisher(self, incident: Incident, name: str) -> Publisher | None:
        """What posts to this draft's audience: what colleagues may read is announced, unless it is private."""
        audience = incident.drafts[name].drafted.audience
        return None if incident.private and audience == "internal" else self._ground.publishers.get(audience)

    async def _published(
        self, incident: Incident, effect: Effect, name: str, publisher: str, sent: Publication
    ) -> Effect:
        await self._record(
            incident,
            "published",
            lambda i, *, by, at: customer_messages.record_published(
                i, draft=name, publisher=publisher, where=sent.where, reference=sent.reference, link=sent.link,
                by=by, at=at,
            ),
        )  # fmt: skip
        return replace(delivery_state.sent(effect, effect.hash, ts=sent.reference), channel=sent.where)

    async def _failed(self, incident: Incident, owed: PlannedEffect, error: str) -> Effect:
        await self._record(
            incident,
            "publish failed",
            lambda i, *, by, at: customer_messages.record_failed(i, draft=owed.text, error=error, by=by, at=at),
        )
        return delivery_state.refused(owed.effect, owed.hash, error)

    async def _uncertain(self, incident: Incident, effect: Effect, name: str, error: str) -> Effect:
        await self._record(
            incident,
            "publish uncertain",
            lambda i, *, by, at: customer_messages.record_uncertain(i, draft=name, error=error, by=by, at=at),
        )
        return delivery_state.refused(effect, effect.hash, error)

    # -- was it made? ---------------------------------------------------------------------------------

    async def _look(self, incident: Incident, owed: PlannedEffect) -> Effect:
        """Look for what a call whose answer was lost may have done."""
        effect = owed.effect
        match effect.kind:
            case EffectKind.CHANNEL:
                if incident.channel:
                    return replace(delivery_state.sent(effect, effect.hash), channel=incident.channel)
                id = await self._room.find_channel(effect.hash, effect.started_at)
                if id is not None:
                    return await self._opened(incident, effect, id, effect.hash)
            case EffectKind.MESSAGE:
                if ts := await self._find_message(effect):
                    found = delivery_state.sent(effect, after_restore.known_hash(effect), ts=ts)
                    # Of several attempts the others may come through after this look.
                    return (
                        replace(found, next_try_at=self._now() + delivery_state.DUPLICATE_CHECK_DELAY)
                        if effect.attempts > 1
                        else found
                    )
            case EffectKind.FILE:
                if await self._room.shared(effect.channel, effect.ts, effect.started_at):
                    return await self._shared(incident, owed)
            case EffectKind.PUBLISH:
                return await self._look_up_publication(incident, effect)
            case _:  # a bookmark looks for itself
                return delivery_state.waiting(effect)
        return delivery_state.not_found(effect, self._now())

    async def _look_up_publication(self, incident: Incident, effect: Effect) -> Effect:
        draft = next((one for one in incident.drafts.values() if publish_key(one.name) == effect.key), None)
        if draft is None or draft.state not in (DraftState.APPROVED, DraftState.SENDING):
            return delivery_state.refused(effect, effect.hash, "")
        name = draft.name
        publisher = self._publisher(incident, name)
        earlier = (
            draft.state is DraftState.APPROVED and effect.error == RESTORED
        )  # sending may have begun in another life
        if publisher is None or (draft.state is DraftState.APPROVED and not earlier):  # sending never began
            return delivery_state.waiting(effect)
        try:
            sent = await publisher.find(effect.id, effect.started_at)
        except CallRefused as refusal:
            if earlier or refusal.code in TOKEN_REVOKED_CODES:
                raise
            return await self._uncertain(incident, effect, name, refusal.code)
        if sent is not None:
            if earlier:
                await self._sending(incident, name)
            return await self._published(incident, effect, name, publisher.name, sent)
        if earlier:
            return delivery_state.waiting(effect)
        if effect.state is not EffectState.MISSING:
            return delivery_state.not_found(effect, self._now())
        return await self._uncertain(incident, effect, name, effect.error or "no answer")

    async def _check_duplicate(self, incident: Incident, owed: PlannedEffect) -> Effect:
        """A message that was sent anew: its first attempt may have come through since."""
        ts, known = await self._find_message(owed.effect), owed.effect
        # The one that stays may never have been changed since it was sent.
        return replace(known, ts=ts or known.ts, hash=known.hash if ts in ("", known.ts) else "", next_try_at=None)

    async def _find_message(self, effect: Effect) -> str:
        """The ts of our message, empty where there is none; copies that came after it are deleted."""
        found = await self._room.find(effect.channel, effect.thread_ts, effect.id, effect.started_at)
        for copy in found[1:]:
            log.warning("message.twice", key=effect.key, incident=effect.incident_id)
            await self._room.delete(effect.channel, copy)
        return found[0] if found else ""


BOOKMARK_TITLE = "Incident card"

#: what each call does, by its name in `owed`
CALL_TABLE: dict[Call, Callable[[Executor, Incident, PlannedEffect], Awaitable[Effect]]] = {
    Call.OPEN: Executor._open,
    Call.TOPIC: Executor._topic,
    Call.RENAME: Executor._rename,
    Call.INVITE: Executor._invite,
    Call.DIRECT: Executor._direct,
    Call.POST: Executor._post,
    Call.EDIT: Executor._edit,
    Call.DELETE: Executor._delete,
    Call.DROP: Executor._drop,
    Call.MOVE: Executor._move,
    Call.PIN: Executor._pin,
    Call.BOOKMARK: Executor._bookmark,
    Call.UPLOAD: Executor._upload,
    Call.SHARE: Executor._share,
    Call.DISCARD: Executor._discard,
    Call.PUBLISH: Executor._publish,
    Call.LOOK: Executor._look,
    Call.TWIN: Executor._check_duplicate,
}
