"""Updates, facts, notes, tasks, waiting."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from bot.domain import cadence, lifecycle, notes
from bot.slack.requests import respond
from bot.slack.requests.arguments import Missing, Parsed, Reading, Zoneless, person_in, split, time_in
from bot.slack.requests.context import Answer, Call
from bot.slack.surfaces import modals
from bot.slack.surfaces.text import when

Values = dict[str, Any]


def read_text(text: str, call: Call) -> Reading:
    """Some text, any text."""
    return Parsed({"text": text}) if text else Missing()


def read_maybe_text(text: str, call: Call) -> Reading:
    """Some text or none."""
    return Parsed({"text": text})


# -- updates ----------------------------------------------------------------------------------------


async def update(call: Call, values: Values) -> Answer | None:
    """With text: a preview with [Post] and [Edit]; without: the form."""
    incident = call.known
    call.desk.policy.allow("update", call.actor)
    text = await call.guard(values["text"], "text")
    if not text:
        await call.open(update_view(call, ""))
        return None
    return respond.update_preview(incident, text, _next_by(call), call.desk.now())


def update_view(call: Call, text: str) -> modals.View:
    """The form for an update, with the last one's text to begin from."""
    incident = call.known
    last = incident.last_update
    return modals.update_form(
        incident,
        text=text or (last.text if last and not last.nothing_new else ""),
        next_by=_next_by(call),
        now=call.desk.now(),
        response_url=call.response_url,
    )


def _next_by(call: Call) -> datetime | None:
    every = cadence.interval(call.known, call.desk.policy)
    return call.desk.now() + every if every else None


async def post_update(
    call: Call, text: str, next_by: datetime | None, impact: str = "", *, timeless: bool = False
) -> Answer:
    """Say it to all."""
    words = await call.guard(text, "text")
    impact = await call.guard(impact, "impact")
    done = await call.act(
        "update",
        partial(
            cadence.post_update, text=words, next_by=next_by, timeless=timeless, impact=impact, policy=call.desk.policy
        ),
    )
    if done.repeated:
        return Answer("That update is posted already. Nothing was sent twice.")
    last = done.incident.last_update
    due = f" The next one is due by {when(last.next_by, call.desk.now())}." if last and last.next_by else ""
    return Answer(f"Posted.{due} You can undo it for 30 seconds.")


# -- facts ------------------------------------------------------------------------------------------


async def title(call: Call, values: Values) -> Answer:
    """Correct the title."""
    text = await call.guard(values["text"], "title")
    done = await call.act("title", partial(lifecycle.retitle, title=text))
    return Answer(f"The title of {done.incident.name} is changed; the card shows it.")


async def impact(call: Call, values: Values) -> Answer:
    """State the impact."""
    text = await call.guard(values["text"], "impact")
    await call.act("impact", partial(lifecycle.state_impact, impact=text))
    return Answer("The card shows the impact now.")


def read_time(text: str, call: Call) -> Reading:
    """A time and nothing else."""
    if not text:
        return Missing()
    found = time_in(text, call.desk.now(), past=True)
    if isinstance(found, Zoneless):
        return replace(found, before="started") if not found.after else None
    if found is None or found[1]:
        return None
    return Parsed({"at": found[0]})


async def started(call: Call, values: Values) -> Answer:
    """Correct when it began."""
    await call.act("started", partial(lifecycle.correct_start, started=values["at"]))
    return Answer(f"It began {when(values['at'], call.desk.now())}; the card shows it.")


# -- notes and tasks --------------------------------------------------------------------------------


def read_note(text: str, call: Call) -> Reading:
    """Text, perhaps with "at 13:40 UTC" before it."""
    if not text:
        return Missing()
    first, rest = split(text)
    if first.lower() == "at" and rest:
        found = time_in(rest, call.desk.now(), past=True)
        if isinstance(found, Zoneless):
            return replace(found, before="note at") if found.after else Missing()
        if found is not None:
            return Parsed({"text": found[1], "at": found[0]}) if found[1] else Missing()
    return Parsed({"text": text, "at": None})


async def note(call: Call, values: Values) -> Answer:
    """A line of the timeline."""
    text = await call.guard(values["text"], "note")
    await call.act("note", partial(notes.note, text=text, happened=values["at"]))
    at = f" at {when(values['at'], call.desk.now())}" if values["at"] else ""
    return Answer(f"Noted{at}.")


def read_task(text: str, call: Call) -> Reading:
    """[@who] text [by date]."""
    if not text:
        return Missing()
    found = person_in(text, call.actor.user)
    assignee, words = found if found else ("", text)
    if not words:
        return Missing()
    body, sep, due = words.rpartition(" by ")
    if sep and body and len(due.split()) <= 3:
        return Parsed({"text": body, "assignee": assignee, "due": due})
    return Parsed({"text": words, "assignee": assignee, "due": ""})


async def task(call: Call, values: Values) -> Answer:
    """An action item."""
    text = await call.guard(values["text"], "task")
    assignee = await call.person(values["assignee"]) if values["assignee"] else ""
    await call.act("task", partial(notes.add_task, text=text, assignee=assignee, due=values["due"]))
    who = f" for <@{assignee}>" if assignee else ""
    return Answer(f"Task{who} written down; it will be in the postmortem.")


# -- waiting ----------------------------------------------------------------------------------------


def read_waiting(text: str, call: Call) -> Reading:
    """for <what> [until 05:00 UTC]; "over" ends it."""
    if not text:
        return Missing()
    if text.lower() in ("over", "done", "off"):
        return Parsed({"what": "", "until": None})
    first, rest = split(text)
    if first.lower() != "for":
        return None
    if not rest:
        return Missing()
    what, sep, until = rest.rpartition(" until ")
    if sep:
        found = time_in(until, call.desk.now())
        if isinstance(found, Zoneless) and not found.after:
            return replace(found, before=f"waiting for {what} until")
        if isinstance(found, tuple) and not found[1]:
            at = found[0] if found[0] > call.desk.now() else found[0] + timedelta(days=1)
            return Parsed({"what": what, "until": at})
    return Parsed({"what": rest, "until": None})


async def waiting(call: Call, values: Values) -> Answer:
    """Wait for somebody else, by name."""
    if not values["what"]:
        done = await call.act("waiting", notes.stop_waiting)
        if not done.events:
            return Answer(f"{done.incident.name} waits for nobody. Nothing changed.")
        return Answer("No longer waiting; reminders go on.")
    what = await call.guard(values["what"], "what")
    done = await call.act("waiting", partial(notes.wait_for, what=what, look_again=values["until"]))
    again = done.incident.look_again
    at = when(again, call.desk.now()) if again else ""
    return Answer(f"Waiting. Reminders pause; look again {at}. `{call.desk.command} waiting over` ends it.")


def rerun_zones(call: Call, zoneless: Zoneless) -> Answer:
    """Ask back for the zone: two buttons that say the same thing again with it."""
    typed = f"{zoneless.hour:02d}:{zoneless.minute:02d}"
    if zoneless.day:
        typed = f"{zoneless.day} {typed}"
        shown = "%Y-%m-%d %H:%M UTC"
    else:
        shown = "%H:%M UTC"
    day = datetime.fromisoformat(zoneless.day) if zoneless.day else call.desk.now()
    clock = day.replace(hour=zoneless.hour, minute=zoneless.minute, second=0, microsecond=0)
    mine = format(clock - timedelta(seconds=call.actor.tz_offset), shown)
    choices = [
        (label, f"{zoneless.before} {time} {zoneless.after}".strip())
        for label, time in ((f"{typed} UTC", f"{typed} UTC"), (f"{typed} mine ({mine})", mine))
    ]
    return respond.say_again("Which zone is that time in? Nothing was done yet.", choices)


def dumps(value: Any) -> str:
    """Compact JSON for a button's value."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
