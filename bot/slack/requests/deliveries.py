"""Slack's deliveries as calls: who, where, under which key; and the outermost net that turns trouble into words."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from functools import partial
from typing import Any

import structlog

from bot.domain import channel
from bot.domain.actor import bot_itself
from bot.domain.errors import Refused, StoreUnavailable, StoreUnsure
from bot.domain.incident import Incident
from bot.domain.policy import NO_SUCH
from bot.metrics import MISSED
from bot.slack.requests.context import Answer, Call
from bot.slack.surfaces import block_kit
from bot.slack.surfaces.words import channel as words
from bot.slack.surfaces.words import outage
from bot.slack.workspace.services import Desk

log = structlog.get_logger(__name__)

UNREADABLE = (
    "That cannot be read; it may be of an older version. Nothing was done. `/incident` shows what can be done now."
)


async def command_call(desk: Desk, body: Mapping[str, Any]) -> Call:
    """A slash command: its trigger names the delivery (https://docs.slack.dev/interactivity/implementing-slash-commands)."""
    actor = await desk.directory.actor(str(body["user_id"]), str(body.get("team_id", "")))
    channel = str(body.get("channel_id", ""))
    call = Call(
        desk,
        actor,
        channel,
        key=f"command:{body.get('trigger_id', '')}",
        trigger=str(body.get("trigger_id", "")),
        response_url=str(body.get("response_url", "")),
    )
    return await placed(call)


async def action_call(desk: Desk, body: Mapping[str, Any], action: Mapping[str, Any]) -> Call:
    """A click: its time, element and person name the delivery."""
    user = body.get("user") or {}
    actor = await desk.directory.actor(str(user.get("id", "")), _team(body))
    container = body.get("container") or {}
    channel = str((body.get("channel") or {}).get("id") or container.get("channel_id") or "")
    thread = str((body.get("message") or {}).get("thread_ts") or "")
    return Call(
        desk,
        actor,
        channel,
        key=f"action:{action.get('action_ts', '')}:{action.get('action_id', '')}:{actor.user}",
        message=str(container.get("message_ts") or ""),
        thread=thread if container.get("is_ephemeral") or thread else "",
        trigger=str(body.get("trigger_id", "")),
        response_url=str(body.get("response_url", "")),
    )


async def view_call(desk: Desk, body: Mapping[str, Any], meta: Mapping[str, Any]) -> Call:
    """A submitted form: the view and its hash name the delivery, so that a corrected one counts anew."""
    user, view = body.get("user") or {}, body.get("view") or {}
    actor = await desk.directory.actor(str(user.get("id", "")), _team(body))
    return Call(
        desk,
        actor,
        str(meta.get("c", "")),
        key=f"view:{view.get('id', '')}:{view.get('hash', '')}",
        trigger=str(body.get("trigger_id", "")),
        response_url=str(meta.get("u", "")),
    )


def _team(body: Mapping[str, Any]) -> str:
    """The workspace that this person belongs to; in a shared channel it may be another one than the message's."""
    return str((body.get("user") or {}).get("team_id") or (body.get("team") or {}).get("id") or "")


def number(carried: Mapping[str, Any], name: str) -> int:
    """A whole number that a button or a form carries. Raises Refused where it carries something else."""
    value = carried.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise Refused(UNREADABLE)


async def placed(call: Call) -> Call:
    """The call with the incident of its channel, if there is one. Private ones answer to everybody in the channel."""
    if call.channel:
        id = await call.desk.service.store.by_channel(call.actor.team, call.channel)
        call.incident = await _known_to(call, id) if id else None
    return call


async def about(call: Call, id: str) -> Call:
    """The call with the incident of this id. One that they may not know of reads like one that is not there."""
    incident = await _known_to(call, id)
    if incident is None:
        raise Refused(NO_SUCH)
    call.incident = incident
    return call


async def _known_to(call: Call, id: str) -> Incident | None:
    """The incident, where this person may know of it."""
    store = call.desk.service.store
    incident = await store.glance(id)
    if incident is not None and incident.private:
        incident = await store.incident(id)  # who has left since, another process may have heard
    if incident is None or incident.team != call.actor.team:
        return None
    if not call.desk.policy.knows(incident, call.actor) and call.channel and call.channel == incident.channel:
        incident = await _looked_in(call, incident)
    return incident if call.desk.policy.knows(incident, call.actor) else None


async def _looked_in(call: Call, incident: Incident) -> Incident:
    """Somebody speaks from a private channel in which nobody saw them come: whether they are there, Slack says."""
    if not await call.desk.room.holds(incident.channel, call.actor.user):
        return incident
    rule = partial(channel.invited, users=(call.actor.user,), refused={})
    done = await call.desk.service.act(incident.id, "joined", rule, bot_itself(incident.team))
    return done.incident


def warned(call: Call | None, answer: Answer | None) -> Answer | None:
    """The answer, with what to do where the incident's channel cannot be used: nothing can be said there."""
    lost = call.incident.channel_lost if call is not None and call.incident is not None else ""
    said = words.CHANNEL_LOST.get(lost, "")
    if not said or (answer is not None and said in answer.text):
        return answer
    if answer is None:
        return Answer(said)
    blocks = (*answer.blocks, block_kit.section(said)) if answer.blocks else ()
    return Answer(f"{answer.text}\n{said}", blocks)


def trouble(error: Exception, call: Call | None = None) -> Answer:
    """What the person reads when something went wrong; the id is in the log too."""
    if isinstance(error, Refused):
        return Answer(error.sentence)
    MISSED.labels("database" if isinstance(error, StoreUnavailable) else "failed").inc()
    if isinstance(error, StoreUnavailable):
        log.error("store.unavailable", error=str(error))
        if isinstance(error, StoreUnsure):
            return Answer(outage.DOWN_UNSURE)
        return Answer(outage.DOWN_HERE if call is not None and call.incident is not None else outage.DOWN)
    id = secrets.token_hex(3)
    log.error("handler.failed", id=id, exc_info=error)
    return Answer(
        f"Something went wrong here, and it is logged as {id}. `status` shows whether it was recorded; "
        "if not, please try again."
    )


def parse(value: str) -> dict[str, Any]:
    """A button's value; anything unreadable is an empty one."""
    return block_kit.parse(value)
