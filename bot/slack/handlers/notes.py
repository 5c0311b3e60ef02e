"""Notes: a line for the timeline, with the time at which it happened."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import partial

from bot.domain import notes
from bot.domain.errors import Refused
from bot.slack.handlers.steps import act_on_step
from bot.slack.requests.arguments import (
    Arguments,
    MissingArguments,
    ParseResult,
    Tense,
    TimeWithoutZone,
    split_first_word,
    time_in,
)
from bot.slack.requests.context import Reply, Request
from bot.slack.surfaces import modals
from bot.slack.surfaces.acts import StepAct
from bot.slack.surfaces.text import when


def read_note(text: str, call: Request) -> ParseResult:
    """Text, perhaps with "at 13:40 UTC" before it."""
    if not text:
        return MissingArguments()
    first, rest = split_first_word(text)
    if first.lower() == "at" and rest:
        found = time_in(rest, call.services.now(), Tense.PAST)
        if isinstance(found, TimeWithoutZone):
            return replace(found, before="note at") if found.after else MissingArguments()
        if found is not None:
            return Arguments({"text": found[1], "at": found[0]}) if found[1] else MissingArguments()
    return Arguments({"text": text, "at": None})


async def note(call: Request, text: str = "", at: datetime | None = None) -> Reply | None:
    """A line of the timeline; without words, the form."""
    if not text:
        await call.open_view(modals.note_form(call.required_incident, response_url=call.response_url))
        return None
    text = await call.refuse_secrets(text, "text" if call.is_form else "note")
    await call.act("note", partial(notes.note, text=text, happened=at))
    return Reply(f"Noted at {when(at, call.services.now())}." if at else "Noted.")


async def note_from_form(
    call: Request, text: str, at: datetime | None, runbook: str = "", step: str = "", correction: bool = False
) -> Reply | None:
    """The form of a note: a line of the timeline, or, with `step`, what is put right about that step."""
    if step:
        return await act_on_step(call, runbook, step, StepAct.CORRECT if correction else StepAct.NOTE, text)
    try:
        return await note(call, text, at)
    except Refused as refused:
        raise Refused(refused.sentence, field="happened" if refused.field == "at" else "text") from None
