"""The forms of an update: its text, its preview, and what was tried where there is nothing new."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from bot.domain.cadence import MAX_UPDATE_CHARS
from bot.domain.incident import Incident
from bot.domain.time_text import clock_time, lasted
from bot.slack.surfaces import block_kit
from bot.slack.surfaces.modals.form import VALUE_ACTION_ID, ModalView, incident_modal, private_metadata, text_question
from bot.slack.surfaces.text import escape_line, when

#: times for the next update that can be chosen with one click
NEXT_UPDATE_CHOICES = tuple(timedelta(minutes=minutes) for minutes in (15, 30, 60, 120, 240))

#: the value of "no time is promised"
NO_TIME = "none"


def update_form(
    incident: Incident, *, text: str, next_by: datetime | None, now: datetime, response_url: str = "", impact: str = ""
) -> ModalView:
    """What we know, the impact, the next update's time; `next_by` is what policy suggests, None for no time."""
    blocks = [
        text_question("text", "What do we know?", text, multiline=True, max_length=MAX_UPDATE_CHARS),
        text_question("impact", "Who is affected?", impact or incident.impact, max_length=500, optional=True),
        block_kit.input_block(
            "next_by",
            "Next update by",
            block_kit.static_select(VALUE_ACTION_ID, "Choose a time", *_times(next_by, now)),
        ),
    ]
    title = f"Update {incident.name}"
    return incident_modal("update", title, blocks, incident, submit="Preview", response_url=response_url)


def _times(next_by: datetime | None, now: datetime) -> tuple[list[block_kit.Element], str]:
    """The times that can be chosen, and the one chosen already."""
    times = {int((now + length).timestamp()): (now + length, lasted(length)) for length in NEXT_UPDATE_CHOICES}
    if next_by is not None and next_by > now:
        times.setdefault(int(next_by.timestamp()), (next_by, lasted(next_by - now)))
    options = [
        block_kit.option(f"{clock_time(at, now)}, in {length}", str(at_)) for at_, (at, length) in sorted(times.items())
    ]
    options.append(block_kit.option("No time is promised", NO_TIME))
    return options, str(int(next_by.timestamp())) if next_by and next_by > now else NO_TIME


def update_preview(
    incident: Incident, *, text: str, impact: str, next_by: datetime | None, now: datetime, response_url: str = ""
) -> ModalView:
    """What would be posted, exactly; it lies over the form, to which [Edit] goes back.

    The words travel in the form's memory, or in fields where they are too long.
    """
    where = "the channel" if incident.private else "the channel and the announcement's thread"
    foot = f"Next update by {when(next_by, now)}" if next_by else "No further update is promised"
    head, title = block_kit.section(f"This goes to {where}."), f"Update {incident.name}"
    keys: dict[str, Any] = {"n": int(next_by.timestamp()) if next_by else "", "t": text, "m": impact}
    if len(private_metadata(i=incident.id, u=response_url, **keys)) >= block_kit.MAX_PRIVATE_METADATA_CHARS:
        del keys["t"], keys["m"]
        blocks = [
            head,
            text_question("text", "What do we know?", text, multiline=True, max_length=MAX_UPDATE_CHARS),
            text_question("impact", "Who is affected?", impact, max_length=500, optional=True),
        ]
    else:
        blocks = [
            head,
            block_kit.rich_text_quote(text),
            *([block_kit.section(f"Impact: {escape_line(impact)}")] if impact else []),
        ]
    blocks.append(block_kit.context(foot))
    return incident_modal(
        "update-post", title, blocks, incident, submit="Post", close="Edit", response_url=response_url, **keys
    )


def tried_form(incident: Incident, *, response_url: str = "") -> ModalView:
    """The third "nothing new" in a row takes a sentence."""
    field = text_question("tried", "What was tried, or what do you wait for?", multiline=True, max_length=500)
    return incident_modal("tried", "Nothing new", [field], incident, submit="Post", response_url=response_url)
