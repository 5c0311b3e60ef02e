"""Title, impact and start: correct what the card says."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import partial

from bot.domain import lifecycle
from bot.slack.requests.arguments import Arguments, MissingArguments, ParseResult, Tense, TimeWithoutZone, time_in
from bot.slack.requests.context import Reply, Request
from bot.slack.surfaces.text import when


async def title(call: Request, title: str) -> Reply:
    """Correct the title."""
    text = await call.refuse_secrets(title, "title")
    done = await call.act("title", partial(lifecycle.retitle, title=text))
    return Reply(f"The title of {done.incident.name} is changed; the card shows it.")


async def impact(call: Request, impact: str) -> Reply:
    """State the impact."""
    text = await call.refuse_secrets(impact, "impact")
    await call.act("impact", partial(lifecycle.state_impact, impact=text))
    return Reply("The card shows the impact now.")


def read_time(text: str, call: Request) -> ParseResult:
    """A time and nothing else."""
    if not text:
        return MissingArguments()
    found = time_in(text, call.services.now(), Tense.PAST)
    if isinstance(found, TimeWithoutZone):
        return replace(found, before="started") if not found.after else None
    if found is None or found[1]:
        return None
    return Arguments({"at": found[0]})


async def started(call: Request, at: datetime) -> Reply:
    """Correct when it began."""
    await call.act("started", partial(lifecycle.correct_start, started=at))
    return Reply(f"It began {when(at, call.services.now())}; the card shows it.")
