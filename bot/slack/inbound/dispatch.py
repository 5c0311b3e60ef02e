"""Which handler does what: each act of `surfaces/acts.py`, each button and each form bound to one handler.

Typed words, buttons and forms are thin readers in front of the same handlers: a reader answers with the handler's
arguments by name.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain import events
from bot.domain.errors import Refused
from bot.slack.handlers import (
    acknowledge,
    backfill,
    customer_messages,
    declare,
    ending,
    facts,
    help,
    more,
    notes,
    people,
    postmortem,
    probes,
    roles,
    runbooks,
    severity,
    status,
    steps,
    tasks,
    updates,
    waiting,
)
from bot.slack.inbound.form_values import FormValues
from bot.slack.requests import readers
from bot.slack.requests.arguments import ParseResult, Tense
from bot.slack.requests.context import Outcome, Request
from bot.slack.surfaces.acts import Act, StepAct
from bot.slack.surfaces.button_values import (
    AskValue,
    DeclareValue,
    DraftValue,
    IncidentValue,
    PageValue,
    ReadingValue,
    RoleValue,
    RunbookValue,
    SectionValue,
    SeverityValue,
    StepValue,
    TaskValue,
    UndoValue,
    UpdateValue,
)

Handler = Callable[..., Awaitable[Outcome]]
WordsReader = Callable[[str, Request], ParseResult]
Arguments = Mapping[str, Any]


@dataclass(frozen=True)
class Binding:
    """An act's handler, and the reader of what is typed after its word."""

    read: WordsReader
    handler: Handler


@dataclass(frozen=True)
class Press:
    """What was pressed: the value that the element carried; of a box whether it is ticked, of a menu what is chosen."""

    value: Any
    on: bool = False
    chosen: str = ""


@dataclass(frozen=True)
class Button:
    """A button, a box or a menu: the act that it does, what it carries, and how that reads as arguments.

    `handler`: where it is not the act's own, but a step on the way to it, such as its form. `shown_in_place`: the
    message in which it was pressed shows what came of it, so that nothing more is said.
    """

    act: Act
    value: type[IncidentValue] = IncidentValue
    read: Callable[[Request, Press], Arguments] = lambda call, press: {}
    handler: Handler | None = None
    shown_in_place: bool = False


@dataclass(frozen=True)
class Form:
    """A submitted form: the act that it does, and how its fields and metadata read as arguments."""

    act: Act
    read: Callable[[Request, FormValues], Arguments] = lambda call, form: {}
    handler: Handler | None = None


def _role(role: str) -> WordsReader:
    def read(text: str, call: Request) -> ParseResult:
        return readers.with_arguments(readers.read_person(text, call), role=role)

    return read


def _optional(name: str) -> WordsReader:
    """Any words, also none, as the argument of this name."""
    return lambda text, call: readers.read_optional_text(text, name)


def _required(name: str) -> WordsReader:
    """Some words, as the argument of this name."""
    return lambda text, call: readers.read_text(text, name)


#: one row an act, in the order of surfaces/acts.py
BINDINGS: Mapping[Act, Binding] = {
    Act.DECLARE: Binding(declare.read_declare, declare.declare),
    Act.BACKFILL: Binding(readers.read_nothing, backfill.open_backfill_form),
    Act.ACK: Binding(readers.read_nothing, acknowledge.ack),
    Act.JOIN: Binding(people.read_incident, people.join),
    Act.MORE: Binding(readers.read_nothing, more.more),
    Act.STATUS: Binding(readers.read_nothing, status.status),
    Act.CATCH_UP: Binding(readers.read_nothing, status.catch_up),
    Act.LIST: Binding(readers.read_nothing, status.listing),
    Act.TIMELINE: Binding(readers.read_nothing, status.timeline),
    Act.WHO: Binding(readers.read_nothing, people.who),
    Act.CHECK: Binding(probes.read_check, probes.check),
    Act.NETWORK: Binding(readers.read_nothing, probes.network),
    Act.FOLLOW: Binding(readers.read_nothing, people.follow),
    Act.HELP: Binding(help.read_help, help.help),
    Act.SEVERITY: Binding(severity.read_sev, severity.sev),
    Act.TITLE: Binding(_required("title"), facts.title),
    Act.IMPACT: Binding(_required("impact"), facts.impact),
    Act.STARTED: Binding(facts.read_time, facts.started),
    Act.LEAD: Binding(_role("lead"), roles.take_role),
    Act.COMMS_LEAD: Binding(_role("comms-lead"), roles.take_role),
    Act.SCRIBE: Binding(_role("scribe"), roles.take_role),
    Act.ACCEPT: Binding(roles.read_role, roles.accept),
    Act.KEEP: Binding(roles.read_role, roles.keep),
    Act.HERE: Binding(readers.read_nothing, roles.here),
    Act.ADD: Binding(readers.read_person, people.add),
    Act.PAGE: Binding(readers.read_person, people.page),
    Act.HANDOVER: Binding(readers.read_optional_person, people.handover),
    Act.ESCALATE: Binding(_optional("reason"), people.escalate),
    Act.UPDATE: Binding(_optional("text"), updates.update),
    Act.NOTHING_NEW: Binding(_optional("tried"), updates.nothing_new),
    Act.UNDO: Binding(readers.read_nothing, updates.undo),
    Act.SNOOZE: Binding(readers.read_nothing, updates.snooze),
    Act.HOLD: Binding(updates.read_hold, updates.hold),
    Act.WAITING: Binding(waiting.read_waiting, waiting.waiting),
    Act.NOTE: Binding(notes.read_note, notes.note),
    Act.TASK: Binding(tasks.read_task, tasks.task),
    Act.TASK_DONE: Binding(tasks.read_task_number, tasks.finish_task),
    Act.COMMS: Binding(customer_messages.read_comms, customer_messages.comms),
    Act.COMMS_EDIT: Binding(customer_messages.read_draft, customer_messages.edit),
    Act.APPROVE: Binding(customer_messages.read_draft, customer_messages.approve),
    Act.DISCARD: Binding(customer_messages.read_draft, customer_messages.discard),
    Act.PUBLISHED: Binding(customer_messages.read_published, customer_messages.published),
    Act.RUNBOOK: Binding(runbooks.read_runbook, runbooks.attach),
    Act.STEPS: Binding(steps.read_steps, steps.steps),
    Act.STEP: Binding(steps.read_step, steps.step),
    Act.MITIGATE: Binding(_optional("note"), ending.mitigate),
    Act.RESOLVE: Binding(_optional("note"), ending.resolve),
    Act.AGREE: Binding(readers.read_nothing, ending.agree),
    Act.REOPEN: Binding(_optional("reason"), ending.reopen),
    Act.FALSE_ALARM: Binding(_optional("reason"), ending.false_alarm),
    Act.DUPLICATE: Binding(people.read_incident, ending.duplicate),
    Act.CLOSE: Binding(_optional("note"), ending.close),
    Act.STAND_DOWN: Binding(readers.read_nothing, people.stand_down),
    Act.POSTMORTEM: Binding(readers.read_nothing, postmortem.write_postmortem),
}


# -- buttons, boxes, menus --------------------------------------------------------------------------------


def _step(what: StepAct) -> Button:
    """A button beside a step."""

    def read(call: Request, press: Press) -> Arguments:
        return {"runbook": press.value.runbook, "step": press.value.step, "what": what}

    return Button(Act.STEP, StepValue, read, steps.act_on_step, shown_in_place=what is StepAct.DONE)


def _tick(call: Request, press: Press) -> Arguments:
    what = StepAct.DONE if press.on else StepAct.UNDO
    return {"runbook": press.value.runbook, "step": press.value.step, "what": what}


def _tick_despite(call: Request, press: Press) -> Arguments:
    value: ReadingValue = press.value
    return {"runbook": value.runbook, "step": value.step, "what": StepAct.DONE, "reading": value.reading}


def _ask(call: Request, press: Press) -> Arguments:
    return {"ask": press.value.ask}


def _draft(call: Request, press: Press) -> Arguments:
    return {"name": press.value.draft}


def _exact_draft(call: Request, press: Press) -> Arguments:
    return {"name": press.value.draft, "text_hash": press.value.text_hash}


def _offered_role(call: Request, press: Press) -> Arguments:
    return {"role": press.value.role}


def _declare_as(call: Request, press: Press) -> Arguments:
    value: DeclareValue = press.value
    private = {"1": True, "0": False}.get(value.private)
    return {
        "title": value.title,
        "severity": value.severity or None,
        "private": private,
        "ignore_similar": bool(value.anyway) or private is False,
        "ignore_same_title": bool(value.anyway),
    }


async def _in_the_browser(call: Request) -> None:
    """A link acts in the browser, and a page of a list is shown by the list itself."""


#: action id (up to its second colon) -> what it does
BUTTONS: Mapping[str, Button] = {
    "inc:ack": Button(Act.ACK),
    "inc:update": Button(Act.UPDATE, handler=updates.open_update_form),
    "inc:update-form": Button(
        Act.UPDATE, UpdateValue, lambda call, press: {"text": press.value.text}, updates.open_update_form
    ),
    "inc:update-post": Button(
        Act.UPDATE, UpdateValue, lambda call, press: {"text": press.value.text}, updates.post_update
    ),
    "inc:undo": Button(Act.UNDO, UndoValue, lambda call, press: {"update": press.value.update}),
    "inc:nothing-new": Button(Act.NOTHING_NEW, shown_in_place=True),
    "inc:snooze": Button(Act.SNOOZE, shown_in_place=True),
    "inc:hold": Button(Act.HOLD),
    "inc:look-again": Button(Act.WAITING, shown_in_place=True),
    "inc:take": Button(
        Act.LEAD, RoleValue, lambda call, press: {"who": call.actor.user, "role": press.value.role}
    ),
    "inc:fine": Button(Act.ACCEPT, RoleValue, _offered_role, shown_in_place=True),
    "inc:not-yet": Button(Act.KEEP, RoleValue, _offered_role, shown_in_place=True),
    "inc:here": Button(Act.HERE, shown_in_place=True),
    "inc:handover": Button(Act.HANDOVER),
    "inc:join": Button(Act.JOIN),
    "inc:follow": Button(Act.FOLLOW),
    "inc:stand-down": Button(Act.STAND_DOWN),
    "inc:more": Button(Act.MORE),
    "inc:catch-up": Button(Act.CATCH_UP),
    "inc:sev": Button(
        Act.SEVERITY, SeverityValue,
        lambda call, press: {"severity": press.value.severity, "reason": severity.CHOSEN_WHEN_ASKED},
    ),
    "inc:note": Button(Act.NOTE),
    "inc:task-done": Button(
        Act.TASK_DONE, TaskValue, lambda call, press: {"task": press.value.task}, shown_in_place=True
    ),
    "inc:attach": Button(
        Act.RUNBOOK, RunbookValue, lambda call, press: {"name": press.value.runbook, "how": "guess"},
        shown_in_place=True,
    ),
    "inc:decline": Button(Act.RUNBOOK, read=lambda call, press: {"name": runbooks.NO_RUNBOOK}, shown_in_place=True),
    "inc:section": Button(
        Act.STEPS, SectionValue,
        lambda call, press: {"runbook": press.value.runbook, "section": press.value.section}, steps.open_section,
    ),
    "inc:list": Button(Act.STEPS, RunbookValue, lambda call, press: {"runbook": press.value.runbook}),
    "inc:page": Button(Act.STEPS, PageValue, handler=_in_the_browser),
    "inc:tick": Button(Act.STEP, StepValue, _tick, steps.act_on_step, shown_in_place=True),
    "inc:tick-despite": Button(Act.STEP, ReadingValue, _tick_despite, steps.act_on_step),
    "inc:step-done": _step(StepAct.DONE),
    "inc:stopped": _step(StepAct.DONE),
    "inc:skip": _step(StepAct.SKIP),
    "inc:ask": _step(StepAct.ASK),
    "inc:review": _step(StepAct.REVIEW),
    "inc:correct": _step(StepAct.CORRECT),
    "inc:go": Button(Act.STEP, AskValue, _ask, steps.go_form),
    "inc:refuse": Button(Act.STEP, AskValue, _ask, steps.refuse_form),
    "inc:done": Button(Act.STEP, AskValue, _ask, steps.done_form),
    "inc:not-done": Button(Act.STEP, AskValue, _ask, steps.record_not_done, shown_in_place=True),
    "inc:comms": Button(Act.COMMS),
    "inc:stage": Button(
        Act.COMMS, read=lambda call, press: {"stage": press.chosen}, handler=customer_messages.change_stage
    ),
    "inc:approve": Button(Act.APPROVE, DraftValue, _exact_draft),
    "inc:comms-edit": Button(Act.COMMS_EDIT, DraftValue, _draft),
    "inc:discard": Button(Act.DISCARD, DraftValue, _draft),
    "inc:comms-there": Button(
        Act.PUBLISHED, DraftValue, lambda call, press: {"name": press.value.draft, "public": "yes"}
    ),
    "inc:comms-missing": Button(
        Act.PUBLISHED, DraftValue, lambda call, press: {"name": press.value.draft, "public": "no"}
    ),
    "inc:mitigate": Button(Act.MITIGATE),
    "inc:resolve": Button(Act.RESOLVE),
    "inc:agree-resolve": Button(Act.AGREE, shown_in_place=True),
    "inc:reopen": Button(Act.REOPEN),
    "inc:postmortem": Button(Act.POSTMORTEM),
    "inc:declare-form": Button(
        Act.DECLARE, DeclareValue, lambda call, press: {"title": press.value.title}, declare.open_declare_form
    ),
    "inc:declare-as": Button(Act.DECLARE, DeclareValue, _declare_as, declare.declare_once),
}  # fmt: skip


# -- forms ------------------------------------------------------------------------------------------------


def _fields(*names: str) -> Callable[[Request, FormValues], Arguments]:
    """These fields as texts, each as the argument of its name."""
    return lambda call, form: {name: form.text(name) for name in names}


def _declaration(call: Request, form: FormValues) -> Arguments:
    severity = form.text("severity")
    return {
        "title": form.text("title"),
        "severity": None if severity in ("", "assume") else severity,
        "summary": form.text("summary"),
    }


def _updated(call: Request, form: FormValues) -> Arguments:
    return {"text": form.text("text"), "impact": form.text("impact"), "next_by": form.moment("next_by")}


def _previewed(call: Request, form: FormValues) -> Arguments:
    return {
        "text": form.text("text") or form.memory("t"),
        "impact": form.text("impact") or form.memory("m"),
        "next_by": form.remembered_moment("n"),
        "timeless": not form.memory("n"),
    }


def _noted(call: Request, form: FormValues) -> Arguments:
    return {
        "text": form.text("text"),
        "at": form.typed_time("happened", call.services.now(), Tense.PAST),
        "runbook": form.memory("r"),
        "step": form.memory("s"),
        "correction": form.memory("k") == "correct",
    }


def _of_step(what: StepAct, field: str) -> Callable[[Request, FormValues], Arguments]:
    return lambda call, form: {
        "runbook": form.memory("r"), "step": form.memory("s"), "what": what, "text": form.text(field),
    }  # fmt: skip


def _asked(call: Request, form: FormValues) -> Arguments:
    return {
        "runbook": form.memory("r"), "step": form.memory("s"), "again": bool(form.chosen("again")),
        **{name: form.text(name) for name in ("count", "amount", "evidence")},
    }  # fmt: skip


def _answered(field: str = "") -> Callable[[Request, FormValues], Arguments]:
    """The answer to a request for a second person, with the words of this field."""

    def read(call: Request, form: FormValues) -> Arguments:
        return {"ask": form.remembered_int("a")} | ({field: form.text(field)} if field else {})

    return read


def _resolved(call: Request, form: FormValues) -> Arguments:
    ticked = {one for name in form.names if name.startswith("checks") for one in form.chosen(name)}
    checks = [
        events.Check(name=name, met="yes" if name in ticked else "unknown")
        for name, _ in call.services.policy.resolve_checks
    ]
    return {"answers": checks, "note": form.text("note"), "override": form.text("override")}


def _drafted(call: Request, form: FormValues) -> Arguments:
    template = call.services.texts.template(form.memory("n"), form.memory("g"), form.memory("t"))
    values = {slot.name: form.text(slot.name) for slot in template.slots}
    return {"template": template, "values": values, "replaces": form.memory("p")}


#: callback id -> what it does; fields and metadata are described in slack/surfaces/modals
FORMS: Mapping[str, Form] = {
    "inc:declare": Form(
        Act.DECLARE,
        lambda call, form: {
            **_declaration(call, form), "private": form.text("private") == "private", "ignore_similar": True
        },
        declare.open_incident,
    ),
    "inc:backfill": Form(
        Act.BACKFILL,
        lambda call, form: {
            **_declaration(call, form),
            **{one: form.typed_time(one, call.services.now(), Tense.PAST) for one in ("began", "over")},
        },
        backfill.record,
    ),
    "inc:update": Form(Act.UPDATE, _updated, updates.preview),
    "inc:update-post": Form(Act.UPDATE, _previewed, updates.post_update),
    "inc:tried": Form(Act.NOTHING_NEW, _fields("tried")),
    "inc:note": Form(Act.NOTE, _noted, notes.note_from_form),
    "inc:handover": Form(Act.HANDOVER, _fields("to", "state", "tried", "paused", "next"), people.hand_over),
    "inc:hold": Form(
        Act.HOLD, lambda call, form: {"until": form.moment("until"), "watcher": form.text("watcher")}
    ),
    "inc:skip": Form(Act.STEP, _of_step(StepAct.SKIP, "reason"), steps.act_on_step),
    "inc:ask": Form(Act.STEP, _asked, steps.ask),
    "inc:go": Form(Act.STEP, _answered(), steps.give_go),
    "inc:refuse": Form(Act.STEP, _answered("reason"), steps.refuse_ask),
    "inc:done": Form(Act.STEP, _answered("result"), steps.record_done),
    "inc:comms": Form(Act.COMMS, _drafted, customer_messages.draft),
    "inc:approve": Form(Act.APPROVE, lambda call, form: {"name": form.memory("d"), "text_hash": form.memory("h")}),
    "inc:resolve": Form(Act.RESOLVE, _resolved, ending.resolve_with),
}  # fmt: skip


def binding_of(act: Act) -> Binding:
    """The row of an act. Raises Refused where the word is none of ours: a button of an older version."""
    if act not in BINDINGS:
        raise Refused("That button is of another version. Nothing was done.")
    return BINDINGS[act]
