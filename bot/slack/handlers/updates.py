"""Updates, facts, notes, tasks, waiting."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from bot.domain import cadence, lifecycle, notes
from bot.slack.requests import respond
from bot.slack.requests.arguments import (
    Arguments,
    MissingArguments,
    ParseResult,
    TimeWithoutZone,
    person_in,
    split_first_word,
    time_in,
)
from bot.slack.requests.context import Reply, Request
from bot.slack.surfaces import modals
from bot.slack.surfaces.text import when

Values = dict[str, Any]


def read_text(text: str, call: Request) -> ParseResult:
    """Some text, any text."""
    return Arguments({"text": text}) if text else MissingArguments()


def read_maybe_text(text: str, call: Request) -> ParseResult:
    """Some text or none."""
    return Arguments({"text": text})


# -- updates ----------------------------------------------------------------------------------------


async def update(call: Request, values: Values) -> Reply | None:
    """With text: a preview with [Post] and [Edit]; without: the form."""
    incident = call.required_incident
    call.services.policy.require_right("update", call.actor)
    text = await call.refuse_secrets(values["text"], "text")
    if not text:
        await call.open_view(update_view(call, ""))
        return None
    return respond.update_preview_reply(incident, text, _next_by(call), call.services.now())


def update_view(call: Request, text: str) -> modals.ModalView:
    """The form for an update, with the last one's text to begin from."""
    incident = call.required_incident
    last = incident.last_update
    return modals.update_form(
        incident,
        text=text or (last.text if last and not last.nothing_new else ""),
        next_by=_next_by(call),
        now=call.services.now(),
        response_url=call.response_url,
    )


def _next_by(call: Request) -> datetime | None:
    every = cadence.interval(call.required_incident, call.services.policy)
    return call.services.now() + every if every else None


async def post_update(
    call: Request, text: str, next_by: datetime | None, impact: str = "", *, timeless: bool = False
) -> Reply:
    """Say it to all."""
    words = await call.refuse_secrets(text, "text")
    impact = await call.refuse_secrets(impact, "impact")
    done = await call.act(
        "update",
        partial(
            cadence.post_update,
            text=words,
            next_by=next_by,
            timeless=timeless,
            impact=impact,
            policy=call.services.policy,
        ),
    )
    if done.repeated:
        return Reply("That update is posted already. Nothing was sent twice.")
    last = done.incident.last_update
    due = f" The next one is due by {when(last.next_by, call.services.now())}." if last and last.next_by else ""
    return Reply(f"Posted.{due} You can undo it for 30 seconds.")


# -- facts ------------------------------------------------------------------------------------------


async def title(call: Request, values: Values) -> Reply:
    """Correct the title."""
    text = await call.refuse_secrets(values["text"], "title")
    done = await call.act("title", partial(lifecycle.retitle, title=text))
    return Reply(f"The title of {done.incident.name} is changed; the card shows it.")


async def impact(call: Request, values: Values) -> Reply:
    """State the impact."""
    text = await call.refuse_secrets(values["text"], "impact")
    await call.act("impact", partial(lifecycle.state_impact, impact=text))
    return Reply("The card shows the impact now.")


def read_time(text: str, call: Request) -> ParseResult:
    """A time and nothing else."""
    if not text:
        return MissingArguments()
    found = time_in(text, call.services.now(), past=True)
    if isinstance(found, TimeWithoutZone):
        return replace(found, before="started") if not found.after else None
    if found is None or found[1]:
        return None
    return Arguments({"at": found[0]})


async def started(call: Request, values: Values) -> Reply:
    """Correct when it began."""
    await call.act("started", partial(lifecycle.correct_start, started=values["at"]))
    return Reply(f"It began {when(values['at'], call.services.now())}; the card shows it.")


# -- notes and tasks --------------------------------------------------------------------------------


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


def read_task(text: str, call: Request) -> ParseResult:
    """[@who] text [by date]."""
    if not text:
        return MissingArguments()
    found = person_in(text, call.actor.user)
    assignee, words = found if found else ("", text)
    if not words:
        return MissingArguments()
    body, sep, due = words.rpartition(" by ")
    if sep and body and len(due.split()) <= 3:
        return Arguments({"text": body, "assignee": assignee, "due": due})
    return Arguments({"text": words, "assignee": assignee, "due": ""})


async def task(call: Request, values: Values) -> Reply:
    """An action item."""
    text = await call.refuse_secrets(values["text"], "task")
    assignee = await call.resolve_member(values["assignee"]) if values["assignee"] else ""
    await call.act("task", partial(notes.add_task, text=text, assignee=assignee, due=values["due"]))
    who = f" for <@{assignee}>" if assignee else ""
    return Reply(f"Task{who} written down; it will be in the postmortem.")


# -- waiting ----------------------------------------------------------------------------------------


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
        found = time_in(until, call.services.now())
        if isinstance(found, TimeWithoutZone) and not found.after:
            return replace(found, before=f"waiting for {what} until")
        if isinstance(found, tuple) and not found[1]:
            at = found[0] if found[0] > call.services.now() else found[0] + timedelta(days=1)
            return Arguments({"what": what, "until": at})
    return Arguments({"what": rest, "until": None})


async def waiting(call: Request, values: Values) -> Reply:
    """Wait for somebody else, by name."""
    if not values["what"]:
        done = await call.act("waiting", notes.stop_waiting)
        if not done.events:
            return Reply(f"{done.incident.name} waits for nobody. Nothing changed.")
        return Reply("No longer waiting; reminders go on.")
    what = await call.refuse_secrets(values["what"], "what")
    done = await call.act("waiting", partial(notes.wait_for, what=what, look_again=values["until"]))
    again = done.incident.look_again
    at = when(again, call.services.now()) if again else ""
    return Reply(f"Waiting. Reminders pause; look again {at}. `{call.services.command} waiting over` ends it.")


def ask_time_zone(call: Request, zoneless: TimeWithoutZone) -> Reply:
    """Ask back for the zone: two buttons that say the same thing again with it."""
    typed = f"{zoneless.hour:02d}:{zoneless.minute:02d}"
    if zoneless.day:
        typed = f"{zoneless.day} {typed}"
        shown = "%Y-%m-%d %H:%M UTC"
    else:
        shown = "%H:%M UTC"
    day = datetime.fromisoformat(zoneless.day) if zoneless.day else call.services.now()
    clock = day.replace(hour=zoneless.hour, minute=zoneless.minute, second=0, microsecond=0)
    mine = format(clock - timedelta(seconds=call.actor.tz_offset), shown)
    choices = [
        (label, f"{zoneless.before} {time} {zoneless.after}".strip())
        for label, time in ((f"{typed} UTC", f"{typed} UTC"), (f"{typed} mine ({mine})", mine))
    ]
    return respond.choices_reply("Which zone is that time in? Nothing was done yet.", choices)


def dumps(value: Any) -> str:
    """Compact JSON for a button's value."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
