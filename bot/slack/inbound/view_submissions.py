"""What a submitted form does: one table from callback id to handler, and the net around all of them.

A refusal keeps the form open with the sentence beside its field; what was typed stays with its author.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import structlog

from bot.domain import cadence, checklist, dual_control, notes, roles
from bot.domain import events as e
from bot.domain.errors import Refused, StoreUnavailable
from bot.domain.names import join_names
from bot.slack.handlers import backfill, customer_messages, declare, ending, updates
from bot.slack.handlers.step_actions import attached_slug
from bot.slack.requests import deliveries, respond
from bot.slack.requests.ack import was_auto_acked
from bot.slack.requests.arguments import TimeWithoutZone, time_in
from bot.slack.requests.context import Reply, Request
from bot.slack.surfaces import block_kit, modals
from bot.slack.workspace.services import Services

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class PushView:
    """The form is followed by another one in its place."""

    view: modals.ModalView


PrivateMetadata = Mapping[str, Any]
StateValues = Mapping[str, Any]
ViewSubmissionHandler = Callable[[Request, PrivateMetadata, StateValues], Awaitable[Reply | PushView | None]]


async def _declare(call: Request, meta: PrivateMetadata, fields: StateValues) -> Reply:
    severity = fields.get("severity") or "assume"
    return await declare.open_incident(
        call,
        text_value(fields, "title"),
        None if severity == "assume" else str(severity),
        summary=text_value(fields, "summary"),
        private=fields.get("private") == "private",
        ignore_similar=True,
    )


async def _backfill(call: Request, meta: PrivateMetadata, fields: StateValues) -> Reply:
    severity = fields.get("severity") or "assume"
    return await backfill.record(
        call,
        text_value(fields, "title"),
        None if severity == "assume" else str(severity),
        text_value(fields, "summary"),
        text_value(fields, "began"),
        text_value(fields, "over"),
    )


async def _update(call: Request, meta: PrivateMetadata, fields: StateValues) -> PushView:
    """The form of an update is followed by its preview."""
    call.services.policy.require_right("update", call.actor)
    words = await call.refuse_secrets(text_value(fields, "text"), "text")
    impact = await call.refuse_secrets(text_value(fields, "impact"), "impact")
    next_by = datetime_value(fields.get("next_by"))
    # Tried out now, so that a refusal lands in this form and not in the preview.
    cadence.post_update(
        call.required_incident,
        text=words,
        next_by=next_by,
        impact=impact,
        by=call.actor,
        at=call.services.now(),
        policy=call.services.policy,
    )
    return PushView(
        modals.update_preview(
            call.required_incident,
            text=words,
            impact=impact,
            next_by=next_by,
            now=call.services.now(),
            response_url=str(meta.get("u", "")),
        )
    )


async def _update_post(call: Request, meta: PrivateMetadata, fields: StateValues) -> Reply:
    words = text_value(fields, "text") or str(meta.get("t", ""))
    impact = text_value(fields, "impact") or str(meta.get("m", ""))
    return await updates.post_update(call, words, datetime_value(meta.get("n")), impact, timeless=not meta.get("n"))


async def _tried(call: Request, meta: PrivateMetadata, fields: StateValues) -> None:
    tried = await call.refuse_secrets(text_value(fields, "tried"), "tried")
    await call.act("update", partial(cadence.nothing_new, tried=tried, policy=call.services.policy))


async def _note(call: Request, meta: PrivateMetadata, fields: StateValues) -> Reply | None:
    words = await call.refuse_secrets(text_value(fields, "text"), "text")
    if meta.get("s"):
        rule = checklist.correct if meta.get("k") == "correct" else checklist.note_step
        await call.act(
            "note", partial(rule, runbook=attached_slug(call, meta), step=str(meta.get("s", "")), text=words)
        )
        return None
    happened = None
    if typed := text_value(fields, "happened"):
        found = time_in(typed, call.services.now(), past=True)
        if found is None or isinstance(found, TimeWithoutZone) or found[1]:
            raise Refused("Write a time with its zone, such as 13:40 UTC.", field="happened")
        happened = found[0]
    try:
        await call.act("note", partial(notes.note, text=words, happened=happened))
    except Refused as refused:
        raise Refused(refused.sentence, field="happened" if refused.field == "at" else "text") from None
    return Reply("Noted.")


async def _handover(call: Request, meta: PrivateMetadata, fields: StateValues) -> Reply:
    """What the next lead has to know goes into the timeline; the old lead stays until the new one has it."""
    user = await call.resolve_member(str(fields.get("to") or ""))
    parts = []
    for name, head in (("state", "State"), ("tried", "Tried"), ("paused", "Paused"), ("next", "Next decision")):
        if words := await call.refuse_secrets(text_value(fields, name), name):
            parts.append(f"{head}: {words}")
    await call.act(
        "note", partial(notes.note, text="Hand-over. " + " ".join(parts)), key=f"{call.idempotency_key}:note"
    )
    await call.act("role", partial(roles.take, role="lead", user=user, policy=call.services.policy))
    return Reply(f"<@{user}> has the hand-over. It is in the timeline.")


async def _hold(call: Request, meta: PrivateMetadata, fields: StateValues) -> Reply:
    until = datetime_value(fields.get("until"))
    if until is None:
        raise Refused("Choose until when.", field="until")
    watcher = await call.resolve_member(str(fields.get("watcher") or ""))
    await call.act("hold", partial(cadence.hold, until=until, watcher=watcher))
    return Reply(f"Quiet until then; <@{watcher}> watches.")


async def _skip(call: Request, meta: PrivateMetadata, fields: StateValues) -> None:
    reason = await call.refuse_secrets(text_value(fields, "reason"), "reason")
    step = str(meta.get("s", ""))
    await call.act("skip", partial(checklist.skip, runbook=attached_slug(call, meta), step=step, reason=reason))


async def _ask(call: Request, meta: PrivateMetadata, fields: StateValues) -> Reply:
    count, amount, evidence = [
        await call.refuse_secrets(text_value(fields, one), one) for one in ("count", "amount", "evidence")
    ]
    done = await call.act(
        "ask",
        partial(
            dual_control.ask_second_person,
            runbook=attached_slug(call, meta),
            step=str(meta.get("s", "")),
            evidence=evidence,
            count=count,
            amount=amount,
            confirmers=call.confirmers(),
            repeat=bool(fields.get("again")),
            policy=call.services.policy,
        ),
    )
    asked = next((one for one in done.events if isinstance(one, e.Asked)), None)
    people = join_names((f"<@{user}>" for user in asked.to), "or") if asked else ""
    return Reply(f"Asked {people}. Wait for their go; the message in the channel shows it.")


async def _go(call: Request, meta: PrivateMetadata, fields: StateValues) -> None:
    await call.act(
        "go", partial(dual_control.give_go, ask=deliveries.int_value(meta, "a"), policy=call.services.policy)
    )


async def _refuse(call: Request, meta: PrivateMetadata, fields: StateValues) -> None:
    reason = await call.refuse_secrets(text_value(fields, "reason"), "reason")
    await call.act("refuse", partial(dual_control.refuse_ask, ask=deliveries.int_value(meta, "a"), reason=reason))


async def _done(call: Request, meta: PrivateMetadata, fields: StateValues) -> None:
    result = await call.refuse_secrets(text_value(fields, "result"), "result")
    await call.act("done", partial(dual_control.record_done, ask=deliveries.int_value(meta, "a"), result=result))


async def _comms(call: Request, meta: PrivateMetadata, fields: StateValues) -> Reply:
    template = call.services.texts.template(str(meta.get("n", "")), str(meta.get("g", "")), str(meta.get("t", "")))
    values = {slot.name: text_value(fields, slot.name) for slot in template.slots}
    return await customer_messages.draft(call, template, values, replaces=str(meta.get("p", "")))


async def _approve(call: Request, meta: PrivateMetadata, fields: StateValues) -> Reply:
    return await customer_messages.approve(call, str(meta.get("d", "")), str(meta.get("h", "")))


async def _resolve(call: Request, meta: PrivateMetadata, fields: StateValues) -> Reply:
    ticked = {one for name, chosen in fields.items() if name.startswith("checks") for one in chosen or ()}
    answers = [
        e.Check(name=name, met="yes" if name in ticked else "unknown")
        for name, _ in call.services.policy.resolve_checks
    ]
    return await ending.resolve_with(call, answers, text_value(fields, "note"), text_value(fields, "override"))


#: callback id -> handler; fields and metadata are described in slack/views
VIEW_SUBMISSION_HANDLERS: dict[str, ViewSubmissionHandler] = {
    "inc:declare": _declare,
    "inc:backfill": _backfill,
    "inc:update": _update,
    "inc:update-post": _update_post,
    "inc:tried": _tried,
    "inc:note": _note,
    "inc:handover": _handover,
    "inc:hold": _hold,
    "inc:skip": _skip,
    "inc:ask": _ask,
    "inc:go": _go,
    "inc:refuse": _refuse,
    "inc:done": _done,
    "inc:comms": _comms,
    "inc:approve": _approve,
    "inc:resolve": _resolve,
}


def state_values(view: Mapping[str, Any]) -> dict[str, Any]:
    """Block id -> what stands in its element, whatever kind it is (Slack: view.state.values)."""
    found: dict[str, Any] = {}
    for block, elements in ((view.get("state") or {}).get("values") or {}).items():
        for state in elements.values():
            found[block] = _entered(state)
    return found


def _entered(state: Mapping[str, Any]) -> Any:
    if "selected_options" in state:
        return [one.get("value") for one in state.get("selected_options") or ()]
    if state.get("selected_option"):
        return state["selected_option"].get("value")
    for name in (
        "value",
        "selected_user",
        "selected_date_time",
        "selected_date",
        "selected_time",
        "selected_conversation",
    ):
        if state.get(name) is not None:
            return state[name]
    return None


def text_value(fields: StateValues, name: str) -> str:
    """What was typed there, without space around it; empty where nothing was."""
    value = fields.get(name)
    return str(value).strip() if value not in (None, []) else ""


def datetime_value(value: Any) -> datetime | None:
    """A chosen time (epoch seconds), or None where none was chosen."""
    try:
        return datetime.fromtimestamp(int(value), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None


async def on_view_submission(services: Services, body: Mapping[str, Any], ack: Callable[..., Awaitable[Any]]) -> None:
    """A form, from its delivery to its answer. Never raises."""
    view = body.get("view") or {}
    call: Request | None = None
    answer: Reply | None = None
    try:
        meta = block_kit.decode_value(view.get("private_metadata") or "")
        call = await deliveries.view_submission_request(services, body, meta)
        if meta.get("i"):
            await deliveries.with_incident(call, str(meta["i"]))
            call.channel = call.required_incident.channel or call.channel
        handler = VIEW_SUBMISSION_HANDLERS.get(str(view.get("callback_id", "")))
        result = await handler(call, meta, state_values(view)) if handler else None
        if isinstance(result, PushView):
            await ack(response_action="push", view=dict(result.view))
            return
        answer = deliveries.with_channel_lost_warning(call, result)
        # Everything on the stack closes: a preview lies over the form that led to it.
        await ack(response_action="clear") if view.get("previous_view_id") else await ack()
    except Exception as error:
        said = deliveries.error_reply(error, call)
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
