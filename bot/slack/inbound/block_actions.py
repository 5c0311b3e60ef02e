"""A click on a button, a box or a menu: from its delivery to its answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog

from bot.domain.errors import Refused, StoreUnavailable
from bot.ports import CallRefused, OutcomeUnknown, RetryAfter
from bot.slack.handlers import more
from bot.slack.inbound import act_forms, commands
from bot.slack.inbound.dispatch import BINDINGS, BUTTONS, Press
from bot.slack.outbound.web_api import api_call
from bot.slack.requests import deliveries, respond
from bot.slack.requests.context import Outcome, Reply, Request, ViewPayload
from bot.slack.surfaces import block_kit, modals
from bot.slack.surfaces.button_values import ActValue, IncidentValue, PageValue, TypedValue, UnreadableValue, decode
from bot.slack.workspace.services import Services

log = structlog.get_logger(__name__)

Action = Mapping[str, Any]


def row_name(action_id: str) -> str:
    """The action id without what tells apart several elements of one kind: "inc:sev:sev1" is "inc:sev"."""
    return ":".join(action_id.split(":")[:2])


def read_press(action: Action, kind: type[IncidentValue]) -> Press:
    """What was pressed. For an empty box, which carries no value, its block's id says which it is.

    Raises UnreadableValue.
    """
    chosen = action.get("selected_option") or next(iter(action.get("selected_options") or ()), None)
    raw = str(action.get("value") or (chosen or {}).get("value") or "")
    if action.get("type") == "checkboxes" and chosen is None:
        raw = _value_of_empty_box(str(action.get("block_id", "")))
    elif action.get("type") == "button" and not block_kit.decode_value(raw):
        raise UnreadableValue(raw)
    value = decode(kind, raw)
    return Press(value, on=chosen is not None, chosen=raw if chosen is not None else "")


def _value_of_empty_box(block_id: str) -> str:
    """`step:<runbook>:<step>:<version>` as a StepValue."""
    parts = block_id.split(":")
    if parts[0] != "step" or len(parts) < 4 or not parts[-1].isdigit():
        raise UnreadableValue(block_id)
    return block_kit.encode_value(r=":".join(parts[1:-2]), s=parts[-2], v=int(parts[-1]))


async def on_block_actions(services: Services, body: Mapping[str, Any], ack: Callable[..., Awaitable[Any]]) -> None:
    """A click, from its delivery to its answer. Never raises."""
    action = (body.get("actions") or [{}])[0]
    answer: Reply | None
    call: Request | None = None
    try:
        call = await deliveries.block_action_request(services, body, action)
        answer = deliveries.with_channel_lost_warning(call, _private(await _press(call, action)))
    except Exception as error:
        answer = deliveries.error_reply(error, services.say, call)
    await ack()
    if call is not None:
        if await _refresh_view(call, action, answer):
            answer = None
        await respond.respond_after_ack(call, answer)
        if call.after_ack_jobs:  # a reading was taken, and perhaps the step ticked
            await _refresh_view(call, action, None)


def _private(outcome: Outcome) -> Reply | None:
    return outcome if isinstance(outcome, Reply) else None


#: forms that show how the incident stands
_LIST_CALLBACK_ID = "inc:list"
_REFRESHED_VIEWS = (modals.MORE_CALLBACK_ID, _LIST_CALLBACK_ID)
#: buttons that are no act of their own: words as if they had been typed, and an act of [More]
_OTHERS: Mapping[str, type[IncidentValue]] = {"inc:again": TypedValue, "inc:act": ActValue}


async def _press(call: Request, action: Action) -> Outcome:
    """Do what the element is for. One that is not ours does nothing: a form's inputs, a link."""
    name = row_name(str(action.get("action_id", "")))
    row = BUTTONS.get(name)
    kind = row.value if row else _OTHERS.get(name)
    if kind is None:
        return None
    try:
        press = read_press(action, kind)
    except UnreadableValue:
        raise Refused(
            "That button cannot be read; it may be of an older version. Nothing was done. "
            f"`{call.services.command}` shows what can be done now."
        ) from None
    await _with_incident(call, press.value.incident)
    if row is not None:
        outcome = await (row.handler or BINDINGS[row.act].handler)(call, **row.read(call, press))
        return None if row.shown_in_place and _is_plain(outcome) else outcome
    if isinstance(press.value, ActValue):
        return await act_forms.press(call, press.value.act)
    return await commands.run_button_text(await deliveries.with_channel_incident(call), press.value.text)


def _is_plain(outcome: Outcome) -> bool:
    """An answer in one sentence, which the message that was pressed shows already."""
    return isinstance(outcome, Reply) and not outcome.blocks and not outcome.is_news


async def _with_incident(call: Request, named: str) -> None:
    """The incident that the button names, else its form, else the one of the channel."""
    meta = block_kit.decode_value(str(call.view.get("private_metadata") or ""))
    id = named or str(meta.get("i") or "")
    if not id and call.channel:
        id = await call.services.service.store.by_channel(call.actor.team, call.channel) or ""
    if id:
        await deliveries.with_incident(call, id)


async def _refresh_view(call: Request, action: Action, answer: Reply | None) -> bool:
    """Show the list of steps, or [More], as it stands after a click in it, with the answer on top; whether it is."""
    # Most clicks are in messages: for those the database is not asked again.
    if call.view.get("callback_id") not in _REFRESHED_VIEWS or call.incident is None or call.opened_view:
        return False
    try:
        call.incident = await call.services.service.store.incident(call.incident.id) or call.incident
        shown = _refreshed(call, action, answer.text if answer is not None else "")
        if shown is None:
            return False
        await api_call(call.services.client, "views.update", view_id=call.view["id"], view=dict(shown))
    except (CallRefused, RetryAfter, OutcomeUnknown, StoreUnavailable) as error:
        log.info("view.not_refreshed", error=str(error))
        return False
    return answer is None or not answer.blocks


def _refreshed(call: Request, action: Action, notice: str) -> ViewPayload | None:
    if call.view.get("callback_id") == modals.MORE_CALLBACK_ID:
        return more.more_view(call, notice)
    meta = block_kit.decode_value(str(call.view.get("private_metadata") or ""))
    page = meta.get("p", 0)
    if row_name(str(action.get("action_id", ""))) == "inc:page":
        page = read_press(action, PageValue).value.page
    incident = call.required_incident
    if not isinstance(page, int) or incident.checklist(str(meta.get("r", ""))) is None:
        return None
    return modals.list_modal(
        incident, str(meta["r"]), page, call.services.directory.names, notice=notice, channel=call.channel,
        response_url=call.response_url,
    )  # fmt: skip
