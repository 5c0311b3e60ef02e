"""The effector of public texts. It reaches outside: what is posted there cannot be taken back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from bot.domain import customer_messages
from bot.domain import events as e
from bot.domain.actor import Actor
from bot.domain.effect import RESTORED, Effect, EffectKind, EffectState
from bot.domain.incident import DraftState, Incident
from bot.ports import CallRefused, Publication, Publisher
from bot.reconciler import delivery_state
from bot.reconciler.delivery_state import TOKEN_REVOKED_CODES
from bot.reconciler.effector import Effector, Execution
from bot.reconciler.plan import Call, publish_key

#: why a text of a drill is not public
DRILL_REASON = "this is a drill: nothing is sent outside"


def publish_effectors(publishers: Mapping[str, Publisher]) -> dict[EffectKind, Effector]:
    """What posts to each audience."""
    publishing = PublishCalls(publishers)
    calls = {Call.PUBLISH: publishing.publish, Call.LOOK: publishing.look}
    return {EffectKind.PUBLISH: Effector(calls, outside=True, in_drill=publishing.in_drill)}


class PublishCalls:
    """Public texts, each by the publisher of its audience."""

    def __init__(self, publishers: Mapping[str, Publisher]) -> None:
        self._publishers = publishers

    async def publish(self, run: Execution) -> Effect:
        """Intent first, then the post. What was begun and never ended is shown to a person, not repeated."""
        incident, effect, name = run.incident, run.effect, run.planned.text
        draft = incident.drafts[name]
        publisher = self._publisher(incident, name)
        if draft.state is DraftState.APPROVED:
            await _sending(run, name)
        elif why := customer_messages.void_reason(incident, draft, run.now()):  # it waited for Slack, and too long
            return await _failed(run, name, why)
        if publisher is None:
            return await _uncertain(run, name, customer_messages.POST_BY_HAND_REASON)
        try:
            sent = await publisher.publish(draft.drafted.text, effect.id)
        except CallRefused as refusal:
            return await _failed(run, name, refusal.code)
        return await _published(run, name, publisher.name, sent)

    async def look(self, run: Execution) -> Effect:
        """Look for a text that an attempt without an answer may have posted."""
        incident, effect = run.incident, run.effect
        draft = next((one for one in incident.drafts.values() if publish_key(one.name) == effect.key), None)
        if draft is None or draft.state not in (DraftState.APPROVED, DraftState.SENDING):
            return delivery_state.refused(effect, effect.hash, "")
        name, approved = draft.name, draft.state is DraftState.APPROVED
        publisher = self._publisher(incident, name)
        earlier = approved and effect.error == RESTORED  # sending may have begun in another life
        if publisher is None or (approved and not earlier):  # sending never began
            return delivery_state.waiting(effect)
        try:
            sent = await publisher.find(effect.id, effect.started_at)
        except CallRefused as refusal:
            if earlier or refusal.code in TOKEN_REVOKED_CODES:
                raise
            return await _uncertain(run, name, refusal.code)
        if sent is not None:
            if earlier:
                await _sending(run, name)
            return await _published(run, name, publisher.name, sent)
        if earlier:
            return delivery_state.waiting(effect)
        if effect.state is not EffectState.MISSING:
            return delivery_state.not_found(effect, run.now())
        return await _uncertain(run, name, effect.error or "no answer")

    async def in_drill(self, run: Execution) -> Effect:
        """The way of a text ends one step before the outside: people read in the channel that it was not sent."""
        draft = next(one for one in run.incident.drafts.values() if publish_key(one.name) == run.effect.key)
        if draft.state is DraftState.APPROVED:
            await _sending(run, draft.name)
        return await _failed(run, draft.name, DRILL_REASON)

    def _publisher(self, incident: Incident, name: str) -> Publisher | None:
        """What posts to this draft's audience: what colleagues may read is announced, unless it is private."""
        audience = incident.drafts[name].drafted.audience
        return None if incident.private and audience == "internal" else self._publishers.get(audience)


async def _sending(run: Execution, name: str) -> None:
    def rule(i: Incident, *, by: Actor, at: datetime) -> list[e.Event]:
        # Written by us a moment ago where the commit's answer was lost and the job runs again: nobody else may.
        if i.drafts[name].state is DraftState.SENDING:
            return []
        return customer_messages.record_sending(i, draft=name, by=by, at=at)

    await run.record("publish", rule)


async def _published(run: Execution, name: str, publisher: str, sent: Publication) -> Effect:
    await run.record(
        "published",
        lambda i, *, by, at: customer_messages.record_published(
            i, draft=name, publisher=publisher, where=sent.where, reference=sent.reference, link=sent.link,
            by=by, at=at,
        ),
    )  # fmt: skip
    return replace(delivery_state.sent(run.effect, run.effect.hash, ts=sent.reference), channel=sent.where)


async def _failed(run: Execution, name: str, error: str) -> Effect:
    await run.record(
        "publish failed", lambda i, *, by, at: customer_messages.record_failed(i, draft=name, error=error, by=by, at=at)
    )
    return delivery_state.refused(run.effect, run.hash, error)


async def _uncertain(run: Execution, name: str, error: str) -> Effect:
    await run.record(
        "publish uncertain",
        lambda i, *, by, at: customer_messages.record_uncertain(i, draft=name, error=error, by=by, at=at),
    )
    return delivery_state.refused(run.effect, run.effect.hash, error)
