"""`/incident waiting`: wait for somebody else; reminders pause."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import partial

from bot.domain import notes
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
from bot.slack.surfaces.text import when


def read_waiting(text: str, call: Request) -> ParseResult:
    """for <what> [until 05:00 UTC]; "over" ends it."""
    if not text:
        return MissingArguments()
    if text.lower() in ("over", "done", "off"):
        return Arguments({"what": "", "until": None})
    first, rest = split_first_word(text)
    if first.lower() != "for":
        return None
    if not rest:
        return MissingArguments()
    what, sep, until = rest.rpartition(" until ")
    if sep:
        found = time_in(until, call.services.now(), Tense.FUTURE)
        if isinstance(found, TimeWithoutZone) and not found.after:
            return replace(found, before=f"waiting for {what} until")
        if isinstance(found, tuple) and not found[1]:
            return Arguments({"what": what, "until": found[0]})
    return Arguments({"what": rest, "until": None})


async def waiting(call: Request, what: str = "", until: datetime | None = None) -> Reply:
    """Wait for somebody else, by name."""
    if not what:
        done = await call.act("waiting", notes.stop_waiting)
        if not done.events:
            return Reply(f"{done.incident.name} waits for nobody. Nothing changed.")
        return Reply("No longer waiting; reminders go on.")
    what = await call.refuse_secrets(what, "what")
    done = await call.act("waiting", partial(notes.wait_for, what=what, look_again=until))
    again = done.incident.look_again
    at = when(again, call.services.now()) if again else ""
    return Reply(f"Waiting. Reminders pause; look again {at}. `{call.services.command} waiting over` ends it.")
