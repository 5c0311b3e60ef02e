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
from bot.slack.handlers import backfill, customer_messages, ending, opening, updates
from bot.slack.handlers.step_clicks import slug_of
from bot.slack.requests import deliveries, respond
from bot.slack.requests.ack import is_late
from bot.slack.requests.arguments import Zoneless, time_in
from bot.slack.requests.context import Answer, Call
from bot.slack.surfaces import block_kit, modals
from bot.slack.workspace.services import Desk

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Next:
    """The form is followed by another one in its place."""

    view: modals.View


Meta = Mapping[str, Any]
Fields = Mapping[str, Any]
Handler = Callable[[Call, Meta, Fields], Awaitable[Answer | Next | None]]


async def _declare(call: Call, meta: Meta, fields: Fields) -> Answer:
    severity = fields.get("severity") or "assume"
    return await opening.open_incident(
        call,
        text(fields, "title"),
        None if severity == "assume" else str(severity),
        summary=text(fields, "summary"),
        private=fields.get("private") == "private",
        anyway=True,
    )


async def _backfill(call: Call, meta: Meta, fields: Fields) -> Answer:
    severity = fields.get("severity") or "assume"
    return await backfill.record(
        call,
        text(fields, "title"),
        None if severity == "assume" else str(severity),
        text(fields, "summary"),
        text(fields, "began"),
        text(fields, "over"),
    )


async def _update(call: Call, meta: Meta, fields: Fields) -> Next:
    """The form of an update is followed by its preview."""
    call.desk.policy.allow("update", call.actor)
    words = await call.guard(text(fields, "text"), "text")
    impact = await call.guard(text(fields, "impact"), "impact")
    next_by = moment(fields.get("next_by"))
    # Tried out now, so that a refusal lands in this form and not in the preview.
    cadence.post_update(
        call.known,
        text=words,
        next_by=next_by,
        impact=impact,
        by=call.actor,
        at=call.desk.now(),
        policy=call.desk.policy,
    )
    return Next(
        modals.update_preview(
            call.known,
            text=words,
            impact=impact,
            next_by=next_by,
            now=call.desk.now(),
            response_url=str(meta.get("u", "")),
        )
    )


async def _update_post(call: Call, meta: Meta, fields: Fields) -> Answer:
    words = text(fields, "text") or str(meta.get("t", ""))
    impact = text(fields, "impact") or str(meta.get("m", ""))
    return await updates.post_update(call, words, moment(meta.get("n")), impact, timeless=not meta.get("n"))


async def _tried(call: Call, meta: Meta, fields: Fields) -> None:
    tried = await call.guard(text(fields, "tried"), "tried")
    await call.act("update", partial(cadence.nothing_new, tried=tried, policy=call.desk.policy))


async def _note(call: Call, meta: Meta, fields: Fields) -> Answer | None:
    words = await call.guard(text(fields, "text"), "text")
    if meta.get("s"):
        rule = checklist.correct if meta.get("k") == "correct" else checklist.note_step
        await call.act("note", partial(rule, runbook=slug_of(call, meta), step=str(meta.get("s", "")), text=words))
        return None
    happened = None
    if typed := text(fields, "happened"):
        found = time_in(typed, call.desk.now(), past=True)
        if found is None or isinstance(found, Zoneless) or found[1]:
            raise Refused("Write a time with its zone, such as 13:40 UTC.", field="happened")
        happened = found[0]
    try:
        await call.act("note", partial(notes.note, text=words, happened=happened))
    except Refused as refused:
        raise Refused(refused.sentence, field="happened" if refused.field == "at" else "text") from None
    return Answer("Noted.")


async def _handover(call: Call, meta: Meta, fields: Fields) -> Answer:
    """What the next lead has to know goes into the timeline; the old lead stays until the new one has it."""
    user = await call.person(str(fields.get("to") or ""))
    parts = []
    for name, head in (("state", "State"), ("tried", "Tried"), ("paused", "Paused"), ("next", "Next decision")):
        if words := await call.guard(text(fields, name), name):
            parts.append(f"{head}: {words}")
    await call.act("note", partial(notes.note, text="Hand-over. " + " ".join(parts)), key=f"{call.key}:note")
    await call.act("role", partial(roles.take, role="lead", user=user, policy=call.desk.policy))
    return Answer(f"<@{user}> has the hand-over. It is in the timeline.")


async def _hold(call: Call, meta: Meta, fields: Fields) -> Answer:
    until = moment(fields.get("until"))
    if until is None:
        raise Refused("Choose until when.", field="until")
    watcher = await call.person(str(fields.get("watcher") or ""))
    await call.act("hold", partial(cadence.hold, until=until, watcher=watcher))
    return Answer(f"Quiet until then; <@{watcher}> watches.")


async def _skip(call: Call, meta: Meta, fields: Fields) -> None:
    reason = await call.guard(text(fields, "reason"), "reason")
    step = str(meta.get("s", ""))
    await call.act("skip", partial(checklist.skip, runbook=slug_of(call, meta), step=step, reason=reason))


async def _ask(call: Call, meta: Meta, fields: Fields) -> Answer:
    count, amount, evidence = [await call.guard(text(fields, one), one) for one in ("count", "amount", "evidence")]
    done = await call.act(
        "ask",
        partial(
            dual_control.ask,
            runbook=slug_of(call, meta),
            step=str(meta.get("s", "")),
            evidence=evidence,
            count=count,
            amount=amount,
            confirmers=call.confirmers(),
            again=bool(fields.get("again")),
            policy=call.desk.policy,
        ),
    )
    asked = next((one for one in done.events if isinstance(one, e.Asked)), None)
    people = " or ".join(f"<@{user}>" for user in asked.to) if asked else ""
    return Answer(f"Asked {people}. Wait for their go; the message in the channel shows it.")


async def _go(call: Call, meta: Meta, fields: Fields) -> None:
    await call.act("go", partial(dual_control.go, ask=deliveries.number(meta, "a"), policy=call.desk.policy))


async def _refuse(call: Call, meta: Meta, fields: Fields) -> None:
    reason = await call.guard(text(fields, "reason"), "reason")
    await call.act("refuse", partial(dual_control.refuse, ask=deliveries.number(meta, "a"), reason=reason))


async def _done(call: Call, meta: Meta, fields: Fields) -> None:
    result = await call.guard(text(fields, "result"), "result")
    await call.act("done", partial(dual_control.done, ask=deliveries.number(meta, "a"), result=result))


async def _comms(call: Call, meta: Meta, fields: Fields) -> Answer:
    template = call.desk.texts.template(str(meta.get("n", "")), str(meta.get("g", "")), str(meta.get("t", "")))
    values = {slot.name: text(fields, slot.name) for slot in template.slots}
    return await customer_messages.draft(call, template, values, replaces=str(meta.get("p", "")))


async def _approve(call: Call, meta: Meta, fields: Fields) -> Answer:
    return await customer_messages.approve(call, str(meta.get("d", "")), str(meta.get("h", "")))


async def _resolve(call: Call, meta: Meta, fields: Fields) -> Answer:
    ticked = {one for name, chosen in fields.items() if name.startswith("checks") for one in chosen or ()}
    answers = [
        e.Check(name=name, met="yes" if name in ticked else "unknown") for name, _ in call.desk.policy.resolve_checks
    ]
    return await ending.resolve_with(call, answers, text(fields, "note"), text(fields, "override"))


#: callback id -> handler; fields and metadata are described in slack/views
FORMS: dict[str, Handler] = {
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


def fields_of(view: Mapping[str, Any]) -> dict[str, Any]:
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


def text(fields: Fields, name: str) -> str:
    """What was typed there, without space around it; empty where nothing was."""
    value = fields.get(name)
    return str(value).strip() if value not in (None, []) else ""


def moment(value: Any) -> datetime | None:
    """A chosen time (epoch seconds), or None where none was chosen."""
    try:
        return datetime.fromtimestamp(int(value), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None


async def on_submission(desk: Desk, body: Mapping[str, Any], ack: Callable[..., Awaitable[Any]]) -> None:
    """A form, from its delivery to its answer. Never raises."""
    view = body.get("view") or {}
    call: Call | None = None
    answer: Answer | None = None
    try:
        meta = block_kit.parse(view.get("private_metadata") or "")
        call = await deliveries.view_call(desk, body, meta)
        if meta.get("i"):
            await deliveries.about(call, str(meta["i"]))
            call.channel = call.known.channel or call.channel
        handler = FORMS.get(str(view.get("callback_id", "")))
        result = await handler(call, meta, fields_of(view)) if handler else None
        if isinstance(result, Next):
            await ack(response_action="push", view=dict(result.view))
            return
        answer = deliveries.warned(call, result)
        # Everything on the stack closes: a preview lies over the form that led to it.
        await ack(response_action="clear") if view.get("previous_view_id") else await ack()
    except Exception as error:
        said = deliveries.trouble(error, call)
        field = _field_for(view, error)
        if field:
            await ack(response_action="errors", errors={field: desk.directory.plainly(said.text)[:2000]})
        elif isinstance(error, StoreUnavailable):
            await ack(**in_form(body, said.text))
        else:
            await ack()
            answer = said
        answer = said if is_late(ack) else answer
    else:
        answer = answer or (Answer("It is recorded.") if is_late(ack) else None)
    if call is not None:
        await respond.finish(call, answer)


#: what Slack sends of a form beyond what it takes of one
#: (https://docs.slack.dev/reference/views/modal-views, https://docs.slack.dev/surfaces/modals)
_OF_FORMS = (
    "type", "callback_id", "title", "blocks", "close", "submit", "private_metadata", "clear_on_close",
    "notify_on_close", "external_id",
)  # fmt: skip
_TROUBLE = "trouble"


def in_form(body: Mapping[str, Any], sentence: str) -> dict[str, Any]:
    """An answer that keeps the form open: the sentence beside its first question, or on top where it has none."""
    view = body.get("view") or {}
    if inputs := _inputs(view):
        return {"response_action": "errors", "errors": {inputs[0]: sentence[:2000]}}
    same = {name: view[name] for name in _OF_FORMS if view.get(name) not in (None, "")}
    blocks = [one for one in view.get("blocks") or () if one.get("block_id") != _TROUBLE]
    same["blocks"] = [{**block_kit.section(sentence), "block_id": _TROUBLE}, *blocks][: block_kit.MODAL_BLOCKS]
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
