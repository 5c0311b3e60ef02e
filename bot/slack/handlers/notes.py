"""`/incident note`: a line for the timeline."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from bot.domain import notes
from bot.slack.requests.arguments import (
    Arguments,
    MissingArguments,
    ParseResult,
    TimeWithoutZone,
    split_first_word,
    time_in,
)
from bot.slack.requests.context import Reply, Request
from bot.slack.surfaces.text import when

Values = dict[str, Any]


def read_note(text: str, call: Request) -> ParseResult:
    """Text, perhaps with "at 13:40 UTC" before it."""
    if not text:
        return MissingArguments()
    first, rest = split_first_word(text)
    if first.lower() == "at" and rest:
        found = time_in(rest, call.services.now(), past=True)
        if isinstance(found, TimeWithoutZone):
            return replace(found, before="note at") if found.after else MissingArguments()
        if found is not None:
            return Arguments({"text": found[1], "at": found[0]}) if found[1] else MissingArguments()
    return Arguments({"text": text, "at": None})


async def note(call: Request, values: Values) -> Reply:
    """A line of the timeline."""
    text = await call.refuse_secrets(values["text"], "note")
    await call.act("note", partial(notes.note, text=text, happened=values["at"]))
    at = f" at {when(values['at'], call.services.now())}" if values["at"] else ""
    return Reply(f"Noted{at}.")
