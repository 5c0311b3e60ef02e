"""What a submitted form does, and the net around it.

A refusal keeps the form open with the sentence beside its field; what was typed stays with its author.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog

from bot.domain.errors import Refused, StoreUnavailable
from bot.slack.inbound import act_forms
from bot.slack.inbound.dispatch import BINDINGS, FORMS
from bot.slack.inbound.form_values import FormValues
from bot.slack.requests import deliveries, respond
from bot.slack.requests.ack import was_auto_acked
from bot.slack.requests.context import Outcome, PushView, Reply, Request
from bot.slack.surfaces import block_kit
from bot.slack.workspace.services import Services

log = structlog.get_logger(__name__)


async def run_form(call: Request, callback_id: str, form: FormValues) -> Outcome:
    """Do what a form is for. Raises Refused, with the field that it is about."""
    if callback_id == act_forms.CALLBACK_ID:
        return await act_forms.submit(call, form)
    row = FORMS.get(callback_id)
    if row is None:
        return None
    handler = row.handler or BINDINGS[row.act].handler
    return await handler(call, **row.read(call, form))


async def on_view_submission(services: Services, body: Mapping[str, Any], ack: Callable[..., Awaitable[Any]]) -> None:
    """A form, from its delivery to its answer. Never raises."""
    view = body.get("view") or {}
    call: Request | None = None
    answer: Reply | None = None
    try:
        form = FormValues.of_view(view)
        meta = form.metadata
        call = await deliveries.view_submission_request(services, body, meta)
        if meta.get("i"):
            await deliveries.with_incident(call, str(meta["i"]))
            call.channel = call.required_incident.channel or call.channel
        result = await run_form(call, str(view.get("callback_id", "")), form)
        if isinstance(result, PushView):
            await ack(response_action="push", view=dict(result.view))
            return
        if call.next_view is not None:
            await ack(response_action="update", view=dict(call.next_view))
            return
        answer = deliveries.with_channel_lost_warning(call, result)
        # Everything on the stack closes: a preview lies over the form that led to it.
        await ack(response_action="clear") if view.get("previous_view_id") else await ack()
    except Exception as error:
        said = deliveries.error_reply(error, services.say, call)
        field = _field_for(view, error)
        if field:
            await ack(response_action="errors", errors={field: services.directory.replace_mentions(said.text)[:2000]})
        elif isinstance(error, StoreUnavailable):
            await ack(**view_error_ack(body, said.text))
        else:
            await ack()
            answer = said
        answer = said if was_auto_acked(ack) else answer
    else:
        answer = answer or (Reply("It is recorded.") if was_auto_acked(ack) else None)
    if call is not None:
        await respond.respond_after_ack(call, answer)


#: what Slack sends of a form beyond what it takes of one
#: (https://docs.slack.dev/reference/views/modal-views, https://docs.slack.dev/surfaces/modals)
_VIEW_ARGUMENTS = (
    "type", "callback_id", "title", "blocks", "close", "submit", "private_metadata", "clear_on_close",
    "notify_on_close", "external_id",
)  # fmt: skip
_ERROR_BLOCK_ID = "trouble"


def view_error_ack(body: Mapping[str, Any], sentence: str) -> dict[str, Any]:
    """An answer that keeps the form open: the sentence beside its first question, or on top where it has none."""
    view = body.get("view") or {}
    if inputs := _inputs(view):
        return {"response_action": "errors", "errors": {inputs[0]: sentence[:2000]}}
    same = {name: view[name] for name in _VIEW_ARGUMENTS if view.get(name) not in (None, "")}
    blocks = [one for one in view.get("blocks") or () if one.get("block_id") != _ERROR_BLOCK_ID]
    same["blocks"] = [{**block_kit.section(sentence), "block_id": _ERROR_BLOCK_ID}, *blocks][
        : block_kit.MAX_MODAL_BLOCKS
    ]
    return {"response_action": "update", "view": same}


def _inputs(view: Mapping[str, Any]) -> list[str]:
    return [str(one.get("block_id", "")) for one in view.get("blocks") or () if one.get("type") == "input"]


def _field_for(view: Mapping[str, Any], error: Exception) -> str:
    """The block beside which an error is shown: the rule's own, else the first that can be filled in."""
    inputs = _inputs(view)
    wanted = getattr(error, "field", None)
    if wanted in inputs:
        return str(wanted)
    if isinstance(error, Refused | StoreUnavailable):
        return inputs[0] if inputs else ""
    return ""
