"""What a click does: one table from action id to handler, and the net around all of them.

Stored first, then acknowledged; a refusal reaches only the one who clicked. Forms are opened before anything else,
because their trigger lives for three seconds.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import structlog

from bot.domain import cadence, escalation, lifecycle, notes, roles
from bot.domain.customer_messages import POST_BY_HAND_REASON, record_failed, record_published
from bot.domain.errors import Refused, StoreUnavailable
from bot.ports import CallRefused, OutcomeUnknown, RetryAfter
from bot.slack.handlers import (
    acknowledge,
    customer_messages,
    declare,
    ending,
    postmortem,
    severity,
    status,
    step_actions,
    updates,
)
from bot.slack.handlers.roles import take_role
from bot.slack.inbound import commands
from bot.slack.outbound.web_api import api_call
from bot.slack.requests import deliveries, respond
from bot.slack.requests.context import Reply, Request
from bot.slack.surfaces import block_kit, modals
from bot.slack.workspace.services import Services

log = structlog.get_logger(__name__)

ActionValues = Mapping[str, Any]
BlockActionHandler = Callable[[Request, ActionValues], Awaitable[Reply | None]]


# -- answering, roles, severity -----------------------------------------------------------------------


async def _ack(call: Request, v: ActionValues) -> Reply | None:
    return await acknowledge.ack(call, {})


async def _take(call: Request, v: ActionValues) -> Reply | None:
    return await take_role(call, {"who": call.actor.user}, str(v.get("o", "lead")))


async def _accept_role_offer(call: Request, v: ActionValues) -> Reply | None:
    await call.act("role", partial(roles.accept, role=str(v.get("o", ""))))
    return None


async def _keep_role(call: Request, v: ActionValues) -> Reply | None:
    await call.act("role", partial(roles.decline_handover, role=str(v.get("o", ""))))
    return None


async def _lead_still_here(call: Request, v: ActionValues) -> Reply | None:
    await call.act("here", escalation.lead_seen)
    return None


async def _sev(call: Request, v: ActionValues) -> Reply | None:
    return await severity.sev(call, {"severity": str(v.get("sev", "")), "reason": "chosen when asked"})


async def _join(call: Request, v: ActionValues) -> Reply | None:
    incident = call.required_incident
    if call.actor.user in incident.invited:
        return Reply(f"You are in it: <#{incident.channel}>.")
    if not incident.channel:
        return Reply(f"{incident.name} has no channel yet.")
    await call.act("join", partial(notes.add_person, user=call.actor.user))
    return Reply(f"You are being invited to <#{incident.channel}>.")


async def _follow(call: Request, v: ActionValues) -> Reply | None:
    done = await call.act("follow", notes.follow)
    name = done.incident.name
    if call.actor.user in done.incident.followers:
        return Reply(
            f"You follow {name}: I write to you when its severity, status or lead changes. Press again to stop."
        )
    return Reply(f"You no longer follow {name}.")


async def _more(call: Request, v: ActionValues) -> Reply | None:
    incident = call.required_incident
    return Reply(
        "What next?", tuple(modals.next_actions(incident, call.actor.user, call.services.policy, call.services.now()))
    )


async def _catch_up(call: Request, v: ActionValues) -> Reply | None:
    return Reply(status.status_text(call, call.required_incident))


# -- updates ------------------------------------------------------------------------------------------


async def _update(call: Request, v: ActionValues) -> Reply | None:
    await call.open_view(updates.update_view(call, str(v.get("t", ""))))
    return None


async def _update_post(call: Request, v: ActionValues) -> Reply | None:
    call.idempotency_key = call.once_per_message_key("update")
    return await updates.post_update(call, str(v.get("t", "")), None)


async def _undo(call: Request, v: ActionValues) -> Reply | None:
    await call.act("undo", partial(cadence.undo_update, seq=deliveries.int_value(v, "u"), policy=call.services.policy))
    return Reply("The update is withdrawn.")


async def _nothing_new(call: Request, v: ActionValues) -> Reply | None:
    try:
        await call.act("update", partial(cadence.nothing_new, policy=call.services.policy))
    except Refused as refused:
        if refused.field != "tried":
            raise
        await call.open_view(modals.tried_form(call.required_incident))
    return None


async def _snooze(call: Request, v: ActionValues) -> Reply | None:
    await call.act("snooze", partial(cadence.snooze, policy=call.services.policy))
    return None


async def _look_again(call: Request, v: ActionValues) -> Reply | None:
    await call.act("waiting", notes.stop_waiting)
    return None


async def _hold(call: Request, v: ActionValues) -> Reply | None:
    await call.open_view(modals.hold_form(call.required_incident, call.services.now()))
    return None


async def _note(call: Request, v: ActionValues) -> Reply | None:
    await call.open_view(modals.note_form(call.required_incident))
    return None


async def _task_done(call: Request, v: ActionValues) -> Reply | None:
    await call.act("task", partial(notes.finish_task, seq=deliveries.int_value(v, "t")))
    return None


async def _handover(call: Request, v: ActionValues) -> Reply | None:
    await call.open_view(modals.handover_form(call.required_incident))
    return None


# -- customer comms -----------------------------------------------------------------------------------


async def _change_customer_text_stage(call: Request, v: ActionValues) -> Reply | None:
    """Another stage in the form of a customer text: the same form, for that text."""
    meta = block_kit.decode_value(str(call.view.get("private_metadata", "")))
    template = call.services.texts.template(str(meta.get("n")), str(meta.get("g")), str(v.get("chosen", meta.get("t"))))
    shown = customer_messages.comms_view(
        replace(call, response_url=str(meta.get("u", ""))), template, {}, str(meta.get("p", ""))
    )
    await api_call(call.services.client, "views.update", view_id=call.view["id"], view=dict(shown))
    return None


async def _comms(call: Request, v: ActionValues) -> Reply | None:
    return await customer_messages.comms(call, {"name": "", "rest": ()})


async def _approve(call: Request, v: ActionValues) -> Reply | None:
    return await customer_messages.approve(call, str(v.get("d", "")), str(v.get("h", "")))


async def _comms_edit(call: Request, v: ActionValues) -> Reply | None:
    old = customer_messages.draft_of(call.required_incident, str(v.get("d", ""))).drafted
    template = call.services.texts.template(old.template, old.audience, old.stage)
    await call.open_view(customer_messages.comms_view(call, template, dict(old.slots), old.draft))
    return None


async def _discard(call: Request, v: ActionValues) -> Reply | None:
    return await customer_messages.discard(call, str(v.get("d", "")))


async def _comms_seen_published(call: Request, v: ActionValues) -> Reply | None:
    name = str(v.get("d", ""))
    one = customer_messages.draft_of(call.required_incident, name)
    channel = call.services.directory.channel(call.services.policy.customer_comms)
    # Where a person posted it by hand, only they know the address.
    where = channel if one.drafted.audience == "customers" and one.reason != POST_BY_HAND_REASON else ""
    await call.act("comms", partial(record_published, draft=name, publisher="seen by a person", where=where))
    return Reply("Noted: the text is public.")


async def _comms_seen_missing(call: Request, v: ActionValues) -> Reply | None:
    await call.act("comms", partial(record_failed, draft=str(v.get("d", "")), error="seen to be missing by a person"))
    return Reply("Noted: the text is not public. Edit the draft to send it anew.")


# -- ending -------------------------------------------------------------------------------------------


async def _resolve(call: Request, v: ActionValues) -> Reply | None:
    return await ending.resolve(call, {"reason": ""})


async def _mitigate(call: Request, v: ActionValues) -> Reply | None:
    return await ending.mitigate(call, {"reason": ""})


async def _agree_override(call: Request, v: ActionValues) -> Reply | None:
    await call.act("resolve", partial(lifecycle.confirm_override, policy=call.services.policy))
    return None


async def _reopen(call: Request, v: ActionValues) -> Reply | None:
    return await ending.reopen(call, {"reason": ""})


async def _stand_down(call: Request, v: ActionValues) -> Reply | None:
    done = await call.act("stand down", lifecycle.stand_down)
    return Reply(f"{len((done.events and done.events[-1].to) or ())} people were told that they can rest.")  # type: ignore[attr-defined]


async def _postmortem(call: Request, v: ActionValues) -> Reply | None:
    return await postmortem.write_postmortem(call, {})


# -- private answers' own buttons -----------------------------------------------------------------------


async def _run_button_text(call: Request, v: ActionValues) -> Reply | None:
    placed = await deliveries.with_channel_incident(call)
    return await commands.run_button_text(placed, str(v.get("c", "")))


async def _declare_form(call: Request, v: ActionValues) -> Reply | None:
    await call.open_view(declare.declare_view(call, str(v.get("t", ""))))
    return None


async def _declare_as(call: Request, v: ActionValues) -> Reply | None:
    private = {"1": True, "0": False}.get(str(v.get("p", "")))
    call.idempotency_key = call.once_per_message_key("declare")
    return await declare.open_incident(
        call,
        str(v.get("t", "")),
        str(v.get("s", "")) or None,
        private=private,
        ignore_similar=bool(v.get("a")) or private is False,
        ignore_same_title=bool(v.get("a")),
    )


async def _ignored(call: Request, v: ActionValues) -> Reply | None:
    """Inputs of a form act when the form is submitted; a link acts in the browser."""
    return None


#: action id (up to its second colon) -> handler; the values are described in slack/messages and slack/views
BLOCK_ACTION_HANDLERS: dict[str, BlockActionHandler] = {
    "inc:ack": _ack,
    "inc:update": _update,
    "inc:update-form": _update,
    "inc:update-post": _update_post,
    "inc:take": _take,
    "inc:more": _more,
    "inc:catch-up": _catch_up,
    "inc:postmortem": _postmortem,
    "inc:reopen": _reopen,
    "inc:follow": _follow,
    "inc:join": _join,
    "inc:attach": step_actions.attach,
    "inc:decline": step_actions.decline,
    "inc:sev": _sev,
    "inc:fine": _accept_role_offer,
    "inc:not-yet": _keep_role,
    "inc:here": _lead_still_here,
    "inc:handover": _handover,
    "inc:look-again": _look_again,
    "inc:section": step_actions.section,
    "inc:list": step_actions.list_steps,
    "inc:stage": _change_customer_text_stage,
    "inc:tick": step_actions.tick,
    "inc:step-done": lambda call, v: step_actions.step(call, v, "done"),
    "inc:skip": lambda call, v: step_actions.step(call, v, "skip"),
    "inc:ask": lambda call, v: step_actions.step(call, v, "ask"),
    "inc:stopped": lambda call, v: step_actions.step(call, v, "done"),
    "inc:review": lambda call, v: step_actions.step(call, v, "review"),
    "inc:correct": step_actions.correct,
    "inc:go": step_actions.go,
    "inc:refuse": step_actions.refuse,
    "inc:done": step_actions.done,
    "inc:not-done": step_actions.not_done,
    "inc:agree-resolve": _agree_override,
    "inc:undo": _undo,
    "inc:nothing-new": _nothing_new,
    "inc:snooze": _snooze,
    "inc:comms": _comms,
    "inc:approve": _approve,
    "inc:comms-edit": _comms_edit,
    "inc:discard": _discard,
    "inc:comms-there": _comms_seen_published,
    "inc:comms-missing": _comms_seen_missing,
    "inc:stand-down": _stand_down,
    "inc:hold": _hold,
    "inc:resolve": _resolve,
    "inc:mitigate": _mitigate,
    "inc:note": _note,
    "inc:task-done": _task_done,
    "inc:again": _run_button_text,
    "inc:declare-form": _declare_form,
    "inc:declare-as": _declare_as,
}


def handler_of(action_id: str) -> BlockActionHandler:
    """The handler of an action; those of other kinds are ignored."""
    return BLOCK_ACTION_HANDLERS.get(":".join(action_id.split(":")[:2]), _ignored)


def action_values(action: Mapping[str, Any]) -> dict[str, Any]:
    """What a click carries: a button's value, a chosen option's, or, for an empty box, what its block's id says."""
    chosen = action.get("selected_option") or next(iter(action.get("selected_options") or ()), None)
    raw = action.get("value") or (chosen or {}).get("value") or ""
    found = block_kit.decode_value(raw)
    if chosen is not None:
        found.setdefault("chosen", raw)
    if action.get("type") == "checkboxes":
        found["on"] = chosen is not None
        if chosen is None:
            parts = str(action.get("block_id", "")).split(":")
            if parts[0] == "step" and len(parts) >= 4:
                found |= {"r": ":".join(parts[1:-2]), "s": parts[-2], "v": parts[-1]}
    return found


async def on_block_actions(services: Services, body: Mapping[str, Any], ack: Callable[..., Awaitable[Any]]) -> None:
    """A click, from its delivery to its answer. Never raises."""
    action = (body.get("actions") or [{}])[0]
    answer: Reply | None
    call: Request | None = None
    try:
        call = await deliveries.block_action_request(services, body, action)
        v = action_values(action)
        if action.get("type") == "button" and not v and handler_of(str(action.get("action_id", ""))) is not _ignored:
            raise Refused(
                "That button cannot be read; it may be of an older version. Nothing was done. "
                f"`{services.command}` shows what can be done now."
            )
        call.view = body.get("view") or {}
        meta = block_kit.decode_value(str(call.view.get("private_metadata") or ""))
        id = v.get("i") or meta.get("i") or await _channel_incident_id(services, call)
        if id:
            await deliveries.with_incident(call, str(id))
        answer = await handler_of(str(action.get("action_id", "")))(call, v)
        answer = deliveries.with_channel_lost_warning(call, answer)
    except Exception as error:
        answer = deliveries.error_reply(error, call)
    await ack()
    if call is not None:
        await respond.respond_after_ack(call, answer)
        await _refresh_list(call, body)


async def _channel_incident_id(services: Services, call: Request) -> str | None:
    """An empty box carries no value: its incident is the one of the channel."""
    return await services.service.store.by_channel(call.actor.team, call.channel) if call.channel else None


async def _refresh_list(call: Request, body: Mapping[str, Any]) -> None:
    """A click inside the list of steps shows it anew."""
    view = body.get("view") or {}
    if view.get("callback_id") != "inc:list" or call.incident is None:
        return
    meta = block_kit.decode_value(view.get("private_metadata", ""))
    action = (body.get("actions") or [{}])[0]
    paged = action_values(action) if "page" in action.get("action_id", "") else {}
    page = paged.get("p", meta.get("p", 0))
    try:
        fresh = await call.services.service.store.incident(call.incident.id)
    except StoreUnavailable:
        return  # said already
    if fresh is None or not isinstance(page, int):
        return
    try:
        slug = step_actions.attached_slug(replace(call, incident=fresh), meta)
    except Refused:
        return  # said already
    shown = modals.list_modal(fresh, slug, page, call.services.directory.names)
    try:
        await api_call(call.services.client, "views.update", view_id=view["id"], view=dict(shown))
    except (CallRefused, RetryAfter, OutcomeUnknown) as error:
        log.info("list.not_refreshed", error=str(error))
