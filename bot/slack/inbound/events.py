"""What Slack tells without being asked: mentions, pins, people coming and going, channels archived; and shortcuts.

Every event counts once, by its event_id (https://docs.slack.dev/apis/events-api): retries are not dropped, they
may be the only delivery, but they are recognised.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import structlog

from bot.domain import channel, notes
from bot.domain.actor import Actor, ActorKind, bot_actor
from bot.domain.errors import Refused, StoreUnavailable
from bot.domain.incident import ChannelLoss, Incident
from bot.ports import CallRefused, OutcomeUnknown, RetryAfter
from bot.service import ActResult
from bot.slack.handlers import declare
from bot.slack.inbound import commands
from bot.slack.outbound.web_api import api_call
from bot.slack.requests import deliveries, respond
from bot.slack.requests.context import Reply, Request
from bot.slack.surfaces.text import unescape, when
from bot.slack.surfaces.words import channel as words
from bot.slack.workspace.deactivated_users import free_roles, free_roles_of_deactivated
from bot.slack.workspace.late_responders import bring_in_late_responders
from bot.slack.workspace.services import Services

log = structlog.get_logger(__name__)

Body = Mapping[str, Any]
#: what is to be said once the event is acknowledged, and to whom
ReplyAfterAck = tuple[Request, Reply | None]
EventHandler = Callable[[Services, Mapping[str, Any], str], Awaitable[ReplyAfterAck | None]]

#: the reaction that puts a message into the timeline
TIMELINE_REACTION = "pushpin"
#: characters of a message that Slack keeps (https://docs.slack.dev/changelog/2018-04-truncating-really-long-messages)
MAX_MESSAGE_CHARS = 40_000
_LEADING_MENTION = re.compile(r"^\s*<@[UW][A-Z0-9]+(?:\|[^>]*)?>\s*[:,]?\s*")


# -- mentions -----------------------------------------------------------------------------------------


async def _app_mention(services: Services, event: Mapping[str, Any], key: str) -> ReplyAfterAck | None:
    """`@incident …`: the same table as the command; slash commands do not work in threads.

    Answered in words also while the database is away: delivered again, it would do what its author was told it did not.
    """
    if event.get("bot_id") or event.get("subtype"):
        return None
    actor = await services.directory.actor(str(event.get("user", "")), str(event.get("team", "")))
    channel_id, thread = str(event.get("channel", "")), str(event.get("thread_ts") or "")
    # One gesture can arrive as two events of different ids: client_msg_id is the same.
    key = f"mention:{event.get('client_msg_id') or key}"
    call = Request(services, actor, channel_id, idempotency_key=key, thread_ts=thread)
    text = unescape(_LEADING_MENTION.sub("", str(event.get("text", ""))))
    try:
        await deliveries.with_channel_incident(call)
        return call, deliveries.with_channel_lost_warning(call, await commands.run_command_text(call, text))
    except Exception as error:
        return call, deliveries.error_reply(error, services.say, call)


# -- pins ---------------------------------------------------------------------------------------------


async def _reaction_added(services: Services, event: Mapping[str, Any], key: str) -> None:
    found = await _timeline_reaction(services, event)
    if found is None:
        return
    incident, actor, where, ts = found
    try:
        message = await _fetch_message(services, where, ts)
        if message is None:
            raise Refused("Slack did not let me read that message, so it is not in the timeline. Write it as a note.")
        await note_message(services, incident, actor, where, message, key)
    except Refused as refused:
        await respond.respond(
            Request(services, actor, where, idempotency_key=""), Reply(services.say(refused.sentence))
        )


async def _reaction_removed(services: Services, event: Mapping[str, Any], key: str) -> None:
    found = await _timeline_reaction(services, event)
    if found is None:
        return
    incident, actor, where, ts = found
    # An entry stays until its last pin is removed.
    data = await read_with_retries(services, "reactions.get", channel=where, timestamp=ts, full=True)
    reactions = ((data or {}).get("message") or {}).get("reactions") or ()
    if data is None or any(one.get("name") == TIMELINE_REACTION and one.get("count", 0) > 0 for one in reactions):
        return
    await _act(services, incident, "unpin", partial(notes.withdraw, channel=where, message_ts=ts), actor, key)


async def _timeline_reaction(services: Services, event: Mapping[str, Any]) -> tuple[Incident, Actor, str, str] | None:
    """The incident, person, channel and ts of a pin in an incident's own channel; None for anything else."""
    item = event.get("item") or {}
    if event.get("reaction") != TIMELINE_REACTION or item.get("type") != "message":
        return None
    where, ts = str(item.get("channel", "")), str(item.get("ts", ""))
    actor = await services.directory.actor(str(event.get("user", "")))
    if actor.kind is ActorKind.BOT:
        return None
    id = await services.service.store.by_channel(actor.team, where)
    incident = await services.service.store.incident(id) if id else None
    return (incident, actor, where, ts) if incident is not None else None


async def _fetch_message(services: Services, where: str, ts: str) -> Mapping[str, Any] | None:
    """One message: of the channel, or, since history leaves them out, of a thread."""
    data = await read_with_retries(services, "conversations.history", channel=where, latest=ts, inclusive=True, limit=1)
    for one in (data or {}).get("messages") or ():
        if one.get("ts") == ts:
            return dict(one)
    data = await read_with_retries(services, "conversations.replies", channel=where, ts=ts, limit=1)
    return next((dict(one) for one in (data or {}).get("messages") or () if one.get("ts") == ts), None)


async def note_message(
    services: Services, incident: Incident, actor: Actor, where: str, message: Mapping[str, Any], key: str
) -> Reply:
    """Put somebody's message into the timeline, at the time it was written."""
    ts = str(message.get("ts", ""))
    text = unescape(str(message.get("text") or "")) or "(a message without text)"
    call = Request(services, actor, where, idempotency_key=key, incident=incident)
    text = await call.refuse_secrets(text[:MAX_MESSAGE_CHARS], "note")
    happened = datetime.fromtimestamp(float(ts), UTC) if ts.replace(".", "").isdigit() else services.now()
    done = await call.act(
        "note",
        partial(
            notes.note,
            text=text,
            happened=min(happened, services.now()),
            author=str(message.get("user") or ""),
            channel=where,
            message_ts=ts,
            permalink=services.room.permalink(where, ts),
        ),
    )
    if not done.events:
        return Reply("That message is in the timeline already.")
    return Reply(f"In the timeline, at {when(happened, services.now())}.")


# -- people and channels ------------------------------------------------------------------------------


async def _member_joined_channel(services: Services, event: Mapping[str, Any], key: str) -> None:
    user, where = str(event.get("user", "")), str(event.get("channel", ""))
    if user == services.directory.bot_user:
        await _channel_regained(services, where, key)
        return
    actor = await services.directory.actor(user)
    if actor.kind is ActorKind.BOT:
        return
    await _to_channel(services, where, "joined", partial(channel.record_invited, users=(user,), refused={}), key)


async def _member_left_channel(services: Services, event: Mapping[str, Any], key: str) -> None:
    if event.get("user", services.directory.bot_user) == services.directory.bot_user:
        await _channel_lost(services, event, ChannelLoss.REMOVED, key)
        return
    user = str(event["user"])
    done = await _to_channel(
        services, str(event.get("channel", "")), "left", partial(channel.record_left, user=user), key
    )
    if done is not None and done.incident.private:
        # Whoever is out of a private incident is told nothing of it any more, so cannot lead it either.
        await free_roles(services, done.incident, user)


async def _channel_archive(services: Services, event: Mapping[str, Any], key: str) -> None:
    await _channel_lost(services, event, ChannelLoss.ARCHIVED, key)


async def _channel_deleted(services: Services, event: Mapping[str, Any], key: str) -> None:
    await services.directory.apply_channel_deleted(str(event.get("channel", "")))
    await _channel_lost(services, event, ChannelLoss.DELETED, key)


async def _channel_named(services: Services, event: Mapping[str, Any], key: str) -> None:
    """A channel was made, or has another name now: it may be one that policy names."""
    told = event.get("channel")
    if isinstance(told, Mapping):
        await services.directory.apply_channel_event(str(told.get("id", "")), str(told.get("name", "")))


async def _channel_unarchive(services: Services, event: Mapping[str, Any], key: str) -> None:
    await _channel_regained(services, str(event.get("channel", "")), key)


async def _channel_regained(services: Services, where: str, key: str) -> None:
    """A channel can be used again: an incident's own, or one in which many speak, such as that of the announcements."""
    done = await _to_channel(services, where, "regained", channel.record_regained, key)
    if done is None:
        await services.directory.apply_channel_event(where)
        now, team = services.now(), services.directory.team
        for id in await services.service.store.write(lambda tx: tx.rearm(now, team=team, channel=where)):
            services.scheduler.effects_changed_elsewhere(id)


async def _channel_lost(services: Services, event: Mapping[str, Any], reason: ChannelLoss, key: str) -> None:
    """The channel cannot be used: whoever did that to an open incident is told. (Its lead is told anyway.)"""
    where, team = str(event.get("channel", "")), services.directory.team
    done = await _to_channel(services, where, "lost", partial(channel.record_lost, reason=reason), key)
    if done is None or not done.events or not done.incident.open:
        return
    by = str(event.get("remover_user_id") or event.get("actor_id") or event.get("user") or "")
    told = not done.incident.private or done.incident.is_participant(by)  # an admin need not be in it
    if told and services.directory.may_act(by) and by != done.incident.lead:
        said = words.still_open(done.incident.name, reason)
        await respond.respond(Request(services, Actor(team, by, by), "", idempotency_key=""), Reply(said))


async def _to_channel(services: Services, where: str, verb: str, rule: Any, key: str) -> ActResult | None:
    team = services.directory.team
    id = await services.service.store.by_channel(team, where)
    incident = await services.service.store.incident(id) if id else None
    return await _act(services, incident, verb, rule, bot_actor(team), key) if incident is not None else None


async def _act(
    services: Services, incident: Incident, verb: str, rule: Any, actor: Actor, key: str
) -> ActResult | None:
    try:
        return await services.service.act(incident.id, verb, rule, actor, key=key)
    except Refused as refused:
        log.info("event.refused", verb=verb, sentence=str(refused))
        return None


async def _user_change(services: Services, event: Mapping[str, Any], key: str) -> None:
    user = event.get("user")
    if isinstance(user, Mapping):
        await services.directory.apply_user_event(user)
        await free_roles_of_deactivated(services)


async def _user_groups_change(services: Services, event: Mapping[str, Any], key: str) -> None:
    await services.directory.apply_group_event(event)
    await bring_in_late_responders(services)


async def _app_uninstalled(services: Services, event: Mapping[str, Any], key: str) -> None:
    """Our token was taken away. The event may come late, after the bot was installed anew: the token itself is asked,
    and a refusal shuts the workspace (`room.api_call`)."""
    await read_with_retries(services, "auth.test")


async def _app_home_opened(services: Services, event: Mapping[str, Any], key: str) -> None:
    """Somebody looks at the app's Home; its other tabs are none of ours."""
    if event.get("tab") == "home" and (user := str(event.get("user", ""))):
        await services.scheduler.workspaces.open_home(services.directory.team, user)


#: event type -> handler; listening.EVENTS and the manifest name the same types
EVENT_HANDLERS: dict[str, EventHandler] = {
    "app_uninstalled": _app_uninstalled,
    "tokens_revoked": _app_uninstalled,
    "app_home_opened": _app_home_opened,
    "app_mention": _app_mention,
    "reaction_added": _reaction_added,
    "reaction_removed": _reaction_removed,
    "member_joined_channel": _member_joined_channel,
    "member_left_channel": _member_left_channel,
    "channel_left": _member_left_channel,
    "group_left": _member_left_channel,
    "channel_archive": _channel_archive,
    "group_archive": _channel_archive,
    "channel_unarchive": _channel_unarchive,
    "group_unarchive": _channel_unarchive,
    "channel_created": _channel_named,
    "channel_rename": _channel_named,
    "group_rename": _channel_named,
    "channel_deleted": _channel_deleted,
    "group_deleted": _channel_deleted,
    "user_change": _user_change,
    "team_join": _user_change,
    "subteam_updated": _user_groups_change,
    "subteam_created": _user_groups_change,
    "subteam_members_changed": _user_groups_change,
}


class EventReadFailed(Exception):
    """Slack does not answer now; the same event, delivered again, may find an answer."""


async def read_with_retries(services: Services, method: str, **arguments: Any) -> Mapping[str, Any] | None:
    """A reading call, tried three times; None where Slack refuses. Raises NotRead where it does not answer."""
    for attempt in range(3):
        try:
            return dict(await api_call(services.client, method, form_encoded=True, **arguments))
        except CallRefused as refusal:
            log.info("read.refused", method=method, code=refusal.code)
            return None
        except (RetryAfter, OutcomeUnknown):
            await asyncio.sleep(0.2 * (attempt + 1))
    raise EventReadFailed(method)


async def on_event(services: Services, body: Body, ack: Callable[..., Awaitable[Any]]) -> None:
    """An event, from its delivery to what it changes. Acknowledged once it is stored."""
    event = body.get("event") or {}
    handler = EVENT_HANDLERS.get(str(event.get("type", "")))
    said: ReplyAfterAck | None = None
    try:
        if handler is not None:
            said = await handler(services, event, f"event:{body.get('event_id', '')}")
    except StoreUnavailable:
        # Not acknowledged, so that Slack delivers it again: the only answer that loses nothing.
        log.error("event.not_stored", type=event.get("type"))
        raise
    except EventReadFailed as unread:
        log.warning("event.not_read", type=event.get("type"), method=str(unread))
        raise
    except Exception as error:
        deliveries.error_reply(error, services.say)
    await ack()
    if said is not None:
        await respond.respond_after_ack(*said)


async def on_shortcut(services: Services, body: Body, ack: Callable[..., Awaitable[Any]]) -> None:
    """The message shortcut "Add to timeline" and the global one "Declare incident". Never raises."""
    answer: Reply | None = None
    call: Request | None = None
    try:
        action = {"action_ts": body.get("action_ts", ""), "action_id": body.get("callback_id", "")}
        call = await deliveries.block_action_request(services, body, action)
        if body.get("callback_id") == "inc:declare":
            await call.open_view(declare.declare_view(call, ""))
        else:
            call = await deliveries.with_channel_incident(call)
            if call.incident is None:
                raise Refused("That works on messages in an incident's channel: only those belong to its timeline.")
            answer = await note_message(
                services, call.incident, call.actor, call.channel, body.get("message") or {}, call.idempotency_key
            )
    except Exception as error:
        answer = deliveries.error_reply(error, services.say, call)
    await ack()
    if call is not None and answer is not None:
        await respond.respond(replace(call, thread_ts=""), answer)
