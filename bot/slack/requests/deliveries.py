"""Slack's deliveries as calls: who, where, under which key; and the outermost net that turns trouble into words."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import structlog

from bot.domain import channel
from bot.domain.actor import bot_actor
from bot.domain.errors import CommitOutcomeUnknown, Refused, StoreUnavailable
from bot.domain.incident import Incident
from bot.domain.policy import NO_SUCH_INCIDENT
from bot.domain.sentences import Sentence
from bot.metrics import DELIVERIES_MISSED
from bot.slack.requests.context import Reply, Request
from bot.slack.surfaces import block_kit
from bot.slack.surfaces.words import channel as words
from bot.slack.surfaces.words import outage
from bot.slack.workspace.services import Services

log = structlog.get_logger(__name__)

UNREADABLE_VALUE_TEXT = (
    "That cannot be read; it may be of an older version. Nothing was done. `{command}` shows what can be done now."
)


async def command_request(services: Services, body: Mapping[str, Any]) -> Request:
    """A slash command: its trigger names the delivery (https://docs.slack.dev/interactivity/implementing-slash-commands)."""
    actor = await services.directory.actor(str(body["user_id"]), str(body.get("team_id", "")))
    channel = str(body.get("channel_id", ""))
    call = Request(
        services,
        actor,
        channel,
        idempotency_key=f"command:{body.get('trigger_id', '')}",
        trigger_id=str(body.get("trigger_id", "")),
        response_url=str(body.get("response_url", "")),
    )
    return await with_channel_incident(call)


async def block_action_request(services: Services, body: Mapping[str, Any], action: Mapping[str, Any]) -> Request:
    """A click: its time, element and person name the delivery."""
    user = body.get("user") or {}
    actor = await services.directory.actor(str(user.get("id", "")), _team(body))
    container = body.get("container") or {}
    channel = str((body.get("channel") or {}).get("id") or container.get("channel_id") or "")
    thread = str((body.get("message") or {}).get("thread_ts") or "")
    view = body.get("view") or {}
    # A form has no channel of its own, and no response_url: it remembers those of whoever opened it.
    meta = block_kit.decode_value(str(view.get("private_metadata") or ""))
    return Request(
        services,
        actor,
        channel or str(meta.get("c") or ""),
        idempotency_key=f"action:{action.get('action_ts', '')}:{action.get('action_id', '')}:{actor.user}",
        message_ts=str(container.get("message_ts") or ""),
        thread_ts=thread if container.get("is_ephemeral") or thread else "",
        trigger_id=str(body.get("trigger_id", "")),
        response_url=str(body.get("response_url") or meta.get("u") or ""),
        view=view,
    )


async def view_submission_request(services: Services, body: Mapping[str, Any], meta: Mapping[str, Any]) -> Request:
    """A submitted form: the view and its hash name the delivery, so that a corrected one counts anew."""
    user, view = body.get("user") or {}, body.get("view") or {}
    actor = await services.directory.actor(str(user.get("id", "")), _team(body))
    return Request(
        services,
        actor,
        str(meta.get("c", "")),
        idempotency_key=f"view:{view.get('id', '')}:{view.get('hash', '')}",
        trigger_id=str(body.get("trigger_id", "")),
        response_url=str(meta.get("u", "")),
        is_form=True,
    )


def _team(body: Mapping[str, Any]) -> str:
    """The workspace that this person belongs to; in a shared channel it may be another one than the message's."""
    return str((body.get("user") or {}).get("team_id") or (body.get("team") or {}).get("id") or "")


def int_value(carried: Mapping[str, Any], name: str) -> int:
    """A whole number that a button or a form carries. Raises Refused where it carries something else."""
    value = carried.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise Refused(UNREADABLE_VALUE_TEXT)


async def with_channel_incident(call: Request) -> Request:
    """The call with the incident of its channel, if there is one. Private ones answer to everybody in the channel."""
    if call.channel:
        id = await call.services.service.store.by_channel(call.actor.team, call.channel)
        call.incident = await _visible_incident(call, id) if id else None
    return call


async def with_incident(call: Request, id: str) -> Request:
    """The call with the incident of this id. One that they may not know of reads like one that is not there."""
    incident = await _visible_incident(call, id)
    if incident is None:
        raise Refused(NO_SUCH_INCIDENT)
    call.incident = incident
    return call


async def _visible_incident(call: Request, id: str) -> Incident | None:
    """The incident, where this person may know of it."""
    store = call.services.service.store
    incident = await store.cached(id)
    if incident is not None and incident.private:
        incident = await store.incident(id)  # who has left since, another process may have heard
    if incident is None or incident.team != call.actor.team:
        return None
    if not call.services.policy.may_act_on(incident, call.actor) and call.channel and call.channel == incident.channel:
        incident = await _record_if_member(call, incident)
    return incident if call.services.policy.may_act_on(incident, call.actor) else None


async def _record_if_member(call: Request, incident: Incident) -> Incident:
    """Somebody speaks from a private channel in which nobody saw them come: whether they are there, Slack says."""
    if not await call.services.room.has_member(incident.channel, call.actor.user):
        return incident
    rule = partial(channel.record_invited, users=(call.actor.user,), refused={})
    done = await call.services.service.act(incident.id, "joined", rule, bot_actor(incident.team))
    return done.incident


def with_channel_lost_warning(call: Request | None, answer: Reply | None) -> Reply | None:
    """The answer, with what to do where the incident's channel cannot be used: nothing can be said there."""
    lost = call.incident.channel_lost if call is not None and call.incident is not None else ""
    said = words.CHANNEL_LOST.get(lost, "")
    if not said or (answer is not None and said in answer.text):
        return answer
    if answer is None:
        return Reply(said)
    blocks = (*answer.blocks, block_kit.section(said)) if answer.blocks else ()
    return Reply(f"{answer.text}\n{said}", blocks)


def error_reply(error: Exception, say: Callable[[Sentence], str], call: Request | None = None) -> Reply:
    """What the person reads when something went wrong; the id is in the log too. `say`: in this workspace's words."""
    if isinstance(error, Refused):
        return Reply(say(error.sentence))
    DELIVERIES_MISSED.labels("database" if isinstance(error, StoreUnavailable) else "failed").inc()
    if isinstance(error, StoreUnavailable):
        log.error("store.unavailable", error=str(error))
        if isinstance(error, CommitOutcomeUnknown):
            return Reply(say(Sentence(outage.COMMIT_OUTCOME_UNKNOWN)))
        inside = call is not None and call.incident is not None
        return Reply(say(Sentence(outage.DATABASE_DOWN_IN_INCIDENT if inside else outage.DATABASE_DOWN)))
    id = secrets.token_hex(3)
    log.error("handler.failed", id=id, exc_info=error)
    return Reply(
        f"Something went wrong here, and it is logged as {id}. `status` shows whether it was recorded; "
        "if not, please try again."
    )
