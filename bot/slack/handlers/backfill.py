"""`/incident backfill`: a channel that people made by hand, while nothing could be recorded, becomes an incident's."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from bot.domain import backfill, lifecycle
from bot.domain.actor import ActorKind
from bot.domain.backfill import AdoptedChannel, PinnedMessage
from bot.domain.errors import Refused
from bot.ports import CallRefused, OutcomeUnknown, RetryAfter
from bot.slack.outbound.web_api import api_call, pages
from bot.slack.requests import deliveries
from bot.slack.requests.context import Reply, Request
from bot.slack.surfaces import modals
from bot.slack.surfaces.text import unescape
from bot.slack.surfaces.words import outage
from bot.slack.workspace.directory_store import SlackUser

ChannelInfo = Mapping[str, Any]
T = TypeVar("T")

#: seconds in which Slack has to tell of the channel, so that a person is answered within its three; less where a form
#: is to be opened then
SLACK_READ_TIMEOUT_SECONDS, PREFILL_TIMEOUT_SECONDS = 1.5, 0.9
#: a page of members
MEMBERS_PER_PAGE = 1000


async def open_backfill_form(call: Request) -> None:
    """Open the form. Refused, with what would work, for a channel that cannot become an incident's."""
    _check_channel_free(call)
    call.services.policy.require_right("backfill", call.actor)
    info, began = await _within_timeout(_prefill(call), PREFILL_TIMEOUT_SECONDS)
    await call.open_view(
        modals.backfill_form(
            name=str(info.get("name", "")),
            private=bool(info.get("is_private")),
            began=began,
            now=call.services.now(),
            policy=call.services.policy,
            channel=call.channel,
            response_url=call.response_url,
        )
    )


async def _prefill(call: Request) -> tuple[ChannelInfo, datetime]:
    """The channel, and since when there is something in it: its first pinned message, as far as we may read there."""
    info = await _channel(call)
    pinned = await _pins(call) if info.get("is_member") else ()
    return info, min((one.happened for one in pinned), default=_at(info.get("created")))


async def record(
    call: Request, title: str, severity: str | None, summary: str, began: datetime | None, over: datetime | None
) -> Reply:
    """Record it: one incident a channel, however often and by however many this is asked for."""
    services, policy = call.services, call.services.policy
    policy.require_right("backfill", call.actor)
    await deliveries.with_channel_incident(call)
    _check_channel_free(call)
    title = lifecycle.clean_title(await call.refuse_secrets(title, "title"))
    summary = await call.refuse_secrets(summary, "summary")
    if began is None:
        raise Refused("Say when it began, such as 13:40 UTC.", field="began")
    if over is not None:
        policy.require_right("resolve", call.actor)
    found = await _within_timeout(_read_channel(call))
    chosen = policy.severity(severity) if severity else policy.severity_for_title(title)
    done = await services.service.declare(
        "backfill",
        partial(
            backfill.adopt,
            found=found,
            title=title,
            severity=severity,
            summary=summary,
            began=began,
            over=over,
            responders=() if found.private else services.directory.expand(chosen.responders),
            guesses=() if over else tuple(services.runbooks.guess(title)),
            policy=policy,
        ),
        call.actor,
        # Named by the channel: who comes second, or again, finds what stands.
        key=f"backfill:{found.id}",
    )
    call.incident = done.incident
    if done.repeated and done.incident.declared_by != call.actor.user:
        raise Refused(outage.backfilled_already(done.incident.name))
    left_out = sum(bool(one.secret) for one in found.pinned)
    said = outage.backfilled(done.incident.name, len(done.incident.notes), left_out, found.topic, over is None)
    return Reply(services.say(said))


def _check_channel_free(call: Request) -> None:
    if call.incident is not None:
        raise Refused(outage.backfilled_already(call.incident.name))
    if not call.channel or call.channel.startswith("D"):
        raise Refused(outage.BACKFILL_DIRECT)


# -- what Slack tells ---------------------------------------------------------------------------------


async def _within_timeout(work: Awaitable[T], seconds: float = SLACK_READ_TIMEOUT_SECONDS) -> T:
    """What Slack tells within so many seconds. Raises Refused where it does not answer."""
    try:
        async with asyncio.timeout(seconds):
            return await work
    except (TimeoutError, RetryAfter, OutcomeUnknown):
        raise Refused(outage.BACKFILL_SLACK_AWAY) from None


async def _read(call: Request, method: str, **more: Any) -> ChannelInfo:
    """Raises Refused where Slack does not let us read there."""
    try:
        return dict(await api_call(call.services.client, method, form_encoded=True, channel=call.channel, **more))
    except CallRefused as refusal:
        bot = call.services.directory.cached_user(call.services.directory.bot_user)
        raise Refused(outage.backfill_unreadable(refusal.code, bot.handle if bot else "incident-commander")) from None


async def _channel(call: Request) -> ChannelInfo:
    """The channel, if it can become an incident's."""
    info: ChannelInfo = (await _read(call, "conversations.info")).get("channel") or {}
    # Before anything is said of it: the name of a private channel is its members' alone.
    if info.get("is_private") and not await call.services.room.has_member(call.channel, call.actor.user):
        raise Refused(outage.BACKFILL_OUTSIDE)
    policy = call.services.policy
    taken = {call.services.directory.channel(name) for name in (policy.announcements, policy.customer_comms)}
    if info.get("is_im") or info.get("is_mpim"):
        raise Refused(outage.BACKFILL_DIRECT)
    if info.get("is_archived"):
        raise Refused(outage.BACKFILL_ARCHIVED)
    if info.get("is_general") or call.channel in taken:
        raise Refused(outage.BACKFILL_SHARED_USE)
    if info.get("is_ext_shared") or info.get("is_pending_ext_shared"):
        raise Refused(outage.BACKFILL_SLACK_CONNECT)
    return info


async def _read_channel(call: Request) -> AdoptedChannel:
    """Everything that is recorded of the channel; a public one is joined for it."""
    info = await _channel(call)
    if not info.get("is_member"):
        await _read(call, "conversations.join")
    pinned, members = await asyncio.gather(_pins(call), _members(call))
    if info.get("is_private") and call.actor.user not in members:
        raise Refused(outage.BACKFILL_OUTSIDE)
    return AdoptedChannel(
        id=call.channel,
        name=str(info.get("name", "")),
        created=_at(info.get("created")),
        private=bool(info.get("is_private")),
        topic=bool(str((info.get("topic") or {}).get("value") or "").strip()),
        members=members,
        pinned=pinned,
    )


async def _members(call: Request) -> tuple[str, ...]:
    """Who is in the channel, programs apart."""
    directory, people = call.services.directory, list[str]()
    async for page in pages(partial(_read, call), "conversations.members", limit=MEMBERS_PER_PAGE):
        people += [str(one) for one in page.get("members") or ()]
    return tuple(user for user in people if not _program(directory.cached_user(user)))


def _program(person: SlackUser | None) -> bool:
    return person is not None and person.kind is ActorKind.BOT


async def _pins(call: Request) -> tuple[PinnedMessage, ...]:
    """The messages that people pinned; ours say nothing that is not recorded."""
    items = (await _read(call, "pins.list")).get("items") or ()
    messages = [one.get("message") or {} for one in items if one.get("type") == "message"]
    ours = call.services.directory.bot_user
    return tuple(_pinned(call, one) for one in messages if one.get("ts") and one.get("user") != ours)


def _pinned(call: Request, message: ChannelInfo) -> PinnedMessage:
    ts, text = str(message["ts"]), unescape(str(message.get("text") or "")).strip()
    kind, _ = call.services.detect_secret(text, "note")
    return PinnedMessage(
        ts=ts,
        happened=_at(ts),
        text="" if kind else text or outage.NO_TEXT,
        author=str(message.get("user") or message.get("bot_id") or ""),
        permalink=call.services.room.permalink(call.channel, ts),
        secret=kind,
    )


def _at(seconds: Any) -> datetime:
    """A moment as Slack writes it; long ago where it says none."""
    try:
        return datetime.fromtimestamp(float(seconds), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)
