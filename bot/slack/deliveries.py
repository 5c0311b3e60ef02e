"""Slack's deliveries as calls: who, where, under which key; and the outermost net that turns trouble into words."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

import structlog

from bot.domain.errors import Refused, StoreUnavailable
from bot.slack import kit, words
from bot.slack.desk import Answer, Call, Desk

log = structlog.get_logger(__name__)

DOWN = (
    "The database cannot be reached: nothing is recorded. Open a channel by hand and note what you do there; "
    "tell whoever runs this bot."
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
    actor = await desk.directory.actor(str(user.get("id", "")), str((body.get("team") or {}).get("id", "")))
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
    actor = await desk.directory.actor(str(user.get("id", "")), str((body.get("team") or {}).get("id", "")))
    return Call(
        desk,
        actor,
        str(meta.get("c", "")),
        key=f"view:{view.get('id', '')}:{view.get('hash', '')}",
        trigger=str(body.get("trigger_id", "")),
        response_url=str(meta.get("u", "")),
    )


async def placed(call: Call) -> Call:
    """The call with the incident of its channel, if there is one. Private ones answer to anybody in the channel."""
    if call.channel:
        store = call.desk.service.store
        id = await store.by_channel(call.actor.team, call.channel)
        call.incident = await store.glance(id) if id else None
    return call


async def about(call: Call, id: str) -> Call:
    """The call with the incident of this id; private ones only for those in it."""
    incident = await call.desk.service.store.glance(id)
    if incident is None:
        raise Refused("That incident is not in this database. The message may be from another installation.")
    if incident.private and call.actor.user not in {*incident.invited, *incident.wanted}:
        raise Refused("That incident is private, and you are not in its channel.")
    call.incident = incident
    return call


def warned(call: Call | None, answer: Answer | None) -> Answer | None:
    """The answer, with what to do where the incident's channel cannot be used: nothing can be said there."""
    lost = call.incident.channel_lost if call is not None and call.incident is not None else ""
    said = words.CHANNEL_LOST.get(lost, "")
    if not said or (answer is not None and said in answer.text):
        return answer
    if answer is None:
        return Answer(said)
    blocks = (*answer.blocks, kit.section(said)) if answer.blocks else ()
    return Answer(f"{answer.text}\n{said}", blocks)


def trouble(error: Exception) -> Answer:
    """What the person reads when something went wrong; the id is in the log too."""
    if isinstance(error, Refused):
        return Answer(error.sentence)
    if isinstance(error, StoreUnavailable):
        log.error("store.unavailable", error=str(error))
        return Answer(DOWN)
    id = secrets.token_hex(3)
    log.error("handler.failed", id=id, exc_info=error)
    return Answer(
        f"Something went wrong here, and it is logged as {id}. `status` shows whether it was recorded; "
        "if not, please try again."
    )


def parse(value: str) -> dict[str, Any]:
    """A button's value; anything unreadable is an empty one."""
    return kit.parse(value)
