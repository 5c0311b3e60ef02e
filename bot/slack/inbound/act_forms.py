"""The forms of [More]: the questions that an act's row declares, read as its handler's arguments."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bot.domain.errors import Refused
from bot.slack.handlers import more
from bot.slack.inbound.dispatch import binding_of
from bot.slack.inbound.form_values import FormValues
from bot.slack.requests.arguments import Tense, incident_in
from bot.slack.requests.context import Outcome, Request
from bot.slack.surfaces.acts import ACTS, Act, FieldKind, FormField, StepAct

CALLBACK_ID = "inc:act"


def act_named(word: str) -> Act:
    """The act of this word. Raises Refused where it is none of ours: a button of another version."""
    try:
        return Act(word)
    except ValueError:
        raise Refused("That button is of another version of the bot. Nothing was done.") from None


async def press(call: Request, word: str) -> Outcome:
    """A button of [More]: the act's form where it asks something, else the act."""
    act = act_named(word)
    if ACTS[act].fields:
        await more.open_act_form(call, act)
        return None
    return await binding_of(act).handler(call)


async def submit(call: Request, form: FormValues) -> Outcome:
    """The form of an act, filled in."""
    act = act_named(form.memory("a"))
    now = call.services.now()
    arguments = {one.name: _argument(one, form, now) for one in ACTS[act].fields}
    arguments |= _OF_ACT.get(act, {})
    return await binding_of(act).handler(call, **arguments)


#: three acts share a handler, which is told the role
_OF_ACT: dict[Act, dict[str, Any]] = {one: {"role": one.value} for one in (Act.LEAD, Act.COMMS_LEAD, Act.SCRIBE)}


def _argument(field: FormField, form: FormValues, now: datetime) -> Any:
    """One answer as the handler takes it. Raises Refused, which lands beside the question."""
    said = form.text(field.name)
    match field.kind:
        case FieldKind.PAST_TIME:
            return form.typed_time(field.name, now, Tense.PAST)
        case FieldKind.FUTURE_TIME:
            return form.typed_time(field.name, now, Tense.FUTURE)
        case FieldKind.STEP_ACT:
            return StepAct(said)
        case FieldKind.TASK:
            return int(said)
    if field.name == "number":
        number = incident_in(said)
        if number is None:
            raise Refused("Write the incident's number, such as INC-40.", field=field.name)
        return number
    return said
