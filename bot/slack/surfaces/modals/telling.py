"""Forms in which people say where it stands, or what happened."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from bot.domain.cadence import UPDATE_LIMIT
from bot.domain.incident import Incident
from bot.domain.notes import NOTE_LIMIT
from bot.domain.times import clock_time, lasted
from bot.slack.surfaces import block_kit
from bot.slack.surfaces.modals.form import VALUE, View, ask_text, form, remembered
from bot.slack.surfaces.text import line, when

#: times for the next update that can be chosen with one click
CHOICES = tuple(timedelta(minutes=minutes) for minutes in (15, 30, 60, 120, 240))
#: the value of "no time is promised"
NO_TIME = "none"


def update_form(
    incident: Incident, *, text: str, next_by: datetime | None, now: datetime, response_url: str = "", impact: str = ""
) -> View:
    """What we know, the impact, the next update's time; `next_by` is what policy suggests, None for no time."""
    blocks = [
        ask_text("text", "What do we know?", text, lines=True, most=UPDATE_LIMIT),
        ask_text("impact", "Who is affected?", impact or incident.impact, most=500, optional=True),
        block_kit.field("next_by", "Next update by", block_kit.select(VALUE, "Choose a time", *_times(next_by, now))),
    ]
    title = f"Update {incident.name}"
    return form("update", title, blocks, incident, submit="Preview", response_url=response_url)


def _times(next_by: datetime | None, now: datetime) -> tuple[list[block_kit.Element], str]:
    """The times that can be chosen, and the one chosen already."""
    times = {int((now + length).timestamp()): (now + length, lasted(length)) for length in CHOICES}
    if next_by is not None and next_by > now:
        times.setdefault(int(next_by.timestamp()), (next_by, lasted(next_by - now)))
    options = [
        block_kit.option(f"{clock_time(at, now)}, in {length}", str(at_)) for at_, (at, length) in sorted(times.items())
    ]
    options.append(block_kit.option("No time is promised", NO_TIME))
    return options, str(int(next_by.timestamp())) if next_by and next_by > now else NO_TIME


def update_preview(
    incident: Incident, *, text: str, impact: str, next_by: datetime | None, now: datetime, response_url: str = ""
) -> View:
    """What would be posted, exactly; it lies over the form, to which [Edit] goes back.

    The words travel in the form's memory, or in fields where they are too long.
    """
    where = "the channel" if incident.private else "the channel and the announcement's thread"
    foot = f"Next update by {when(next_by, now)}" if next_by else "No further update is promised"
    head, title = block_kit.section(f"This goes to {where}."), f"Update {incident.name}"
    keys: dict[str, Any] = {"n": int(next_by.timestamp()) if next_by else "", "t": text, "m": impact}
    if len(remembered(i=incident.id, u=response_url, **keys)) >= block_kit.METADATA:
        del keys["t"], keys["m"]
        blocks = [
            head,
            ask_text("text", "What do we know?", text, lines=True, most=UPDATE_LIMIT),
            ask_text("impact", "Who is affected?", impact, most=500, optional=True),
        ]
    else:
        blocks = [head, block_kit.quotation(text), *([block_kit.section(f"Impact: {line(impact)}")] if impact else [])]
    blocks.append(block_kit.context(foot))
    return form("update-post", title, blocks, incident, submit="Post", close="Edit", response_url=response_url, **keys)


def tried_form(incident: Incident, *, response_url: str = "") -> View:
    """The third "nothing new" in a row takes a sentence."""
    field = ask_text("tried", "What was tried, or what do you wait for?", lines=True, most=500)
    return form("tried", "Nothing new", [field], incident, submit="Post", response_url=response_url)


def note_form(
    incident: Incident, *, text: str = "", slug: str = "", step: str = "", version: int = 0, correction: bool = False,
    response_url: str = "",
) -> View:  # fmt: skip
    """A line of the timeline; with `slug` and `step` a remark on that step, or its correction."""
    what = f"What is so about step {step}?" if correction else "What happened?"
    hint = "What was recorded stays; this is added beneath it." if correction else ""
    blocks = [ask_text("text", what, text, lines=True, most=NOTE_LIMIT, hint=hint)]
    keys: dict[str, Any] = {"r": block_kit.ref(slug), "s": step, "v": version} if slug else {}
    if correction:
        return form("note", f"Correct {step}", blocks, incident, submit="Correct", k="correct", **keys)
    if not slug:
        blocks.append(ask_text("happened", "When?", optional=True, hint="13:40 UTC; empty is now", most=40))
    title = f"Note in {incident.name}"
    return form("note", title, blocks, incident, submit="Add", response_url=response_url, **keys)
