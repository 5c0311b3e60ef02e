"""Whoever may not act on incidents is told so by everything that acts, and nothing of theirs is done.

What they try comes from the bot's own tables, with values that would work for a member; a new verb, button or form is
tried without a line here. They stand in the incident's channel: a guest was brought there, a stranger shares it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.slack.inbound.dispatch import BUTTONS, FORMS
from bot.slack.inbound.events import EVENT_HANDLERS
from bot.slack.surfaces.acts import ACTS, Act
from tests.story.acts import press, submit, write_text
from tests.story.forged import FILLED, Forger
from tests.story.test_outsider import ELSEWHERE, INSIDE, SAID, carried
from tests.world import World, world_at

#: only shows what everybody in the channel reads there
LOOKING = {"status", "catch-up", "list", "timeline", "who", "help"}
LOOKING_BY_CLICK = {"inc:catch-up"}
#: values that hold something else under a key than other buttons do
OTHER_VALUES = {"inc:declare-form": {"t": "so", "a": ""}, "inc:declare-as": {"t": "so", "a": ""}, "inc:page": {"p": 0}}
#: another stage in a form that is open already
FORMS_INSIDE = {"inc:stage", "inc:page"}
#: what the form of a customer text takes
AT = {
    name: {"type": "plain_text_input", "value": value}
    for name, value in (("since", "13:40 UTC"), ("next_update", "15:00 UTC"), ("count", "12"))
}

KINDS = [
    pytest.param({"is_restricted": True}, "Guests cannot act on incidents here", id="a guest"),
    pytest.param({"is_stranger": True}, "You belong to another workspace", id="a stranger"),
    pytest.param({"is_bot": True}, "Bots and workflows cannot act on incidents", id="a program"),
    pytest.param({"deleted": True}, "Your account is deactivated here", id="somebody gone"),
]


async def lived(world: World, place: str) -> dict[str, Any]:
    """A public incident in which everything can be acted on; what its buttons carry."""
    for said in ("add @ben", "add @carla", "runbook horizon-outage", "task call the bank", "impact payouts wait"):
        await world.say("ana", f"/incident {said}", place)
    await world.say("ana", "/incident step 5.4 ask", place)
    await submit(world, "ana", {"count": "1"}, "Ask")
    await world.say("ana", "/incident update Still looking", place)
    await press(world, "ana", place, "This goes to the channel", "Post")
    await write_text(world, "ana", place, {"what": "some payouts", "since": "13:40 UTC", "next_update": "15:00 UTC"})
    incident = await world.incident()
    draft = next(iter(incident.drafts.values())).drafted
    return carried(incident.id) | {
        "a": incident.open_asks[0].seq, "d": draft.draft, "h": draft.text_hash, "u": incident.updates[-1].seq,
        "c": "note seen",
    }  # fmt: skip


async def timelines(world: World) -> dict[str, Any]:
    rows = await world.bot.store.listing(world.slack.team_id, open_only=False)
    return {row.id: await world.bot.store.entries(row.id) for row in rows}


class Told:
    """What somebody is told privately, anywhere, from one look to the next; forms that opened count as told."""

    def __init__(self, forger: Forger) -> None:
        self._forger = forger
        self._seen: set[tuple[str, str]] = set()
        self.since("")

    def since(self, answer: str) -> str:
        """The answer, and what reached them beside it."""
        me, found = self._forger.me, [answer]
        for place in self._forger.world.slack.channels:
            for one in place.by_ts.values():
                if (place.id, one.ts) in self._seen:
                    continue
                self._seen.add((place.id, one.ts))
                if one.only_for == me.id or (place.is_im and me.id in place.members):
                    found.append(one.plain)
        return "\n".join(found)


@pytest.mark.parametrize(("profile", "sentence"), KINDS)
async def test_whatever_they_try(tmp_path: Path, profile: dict[str, Any], sentence: str) -> None:
    async with world_at(tmp_path, "http") as world:
        place = await world.declare()
        values = await lived(world, place.id)
        ben = Forger(world, "ben")
        user = {"id": ben.me.id, "name": "ben", "team_id": world.slack.team_id, "real_name": "Ben", **profile}
        await ben.event({"type": "user_change", "user": user, "event_ts": "5.5"})
        told, before = Told(ben), await timelines(world)
        wrong: list[str] = []

        async def look(what: str, answer: str, expect: bool = True) -> None:
            said = told.since(answer)
            if (sentence in said) is not expect:
                wrong.append(f"{what}: {said[:200]!r}")
            if ben.me.view is not None:
                wrong.append(f"{what} opened {await ben.forms('')}"[:300])
            if await timelines(world) != before:
                wrong.append(f"{what} was recorded")

        with capture_logs() as logs:
            for act, declared in ACTS.items():
                text = f"{act} {SAID.get(act, 'so it is')}"
                text = text if declared.takes_free_text or act in SAID else act.value
                elsewhere = ["#general"] if declared.works_outside_incident else []
                for where in elsewhere if act is Act.BACKFILL else [place.id, *elsewhere]:
                    await look(text, await ben.command(text, where), act not in LOOKING)
            for text in ("Payouts are late", ""):
                await look(repr(text), await ben.command(text, "#general"))
            for action in BUTTONS:
                own = {"inc:task-done": {"t": task(before)}, **OTHER_VALUES}.get(action, {})
                answer = await ben.click(action, json.dumps(values | own), place.id)
                if action not in FORMS_INSIDE:
                    await look(action, answer, action not in LOOKING_BY_CLICK)
            for form in FORMS:
                text = values | {"n": "payment-delays", "t": "investigating"} if form == "inc:comms" else values
                await look(form, await ben.submit(form, json.dumps(text), FILLED | AT))
            for callback in ("inc:note", "inc:declare"):
                await look(callback, await ben.shortcut(callback, place.id, place.messages[0].ts))
            for kind in sorted(set(EVENT_HANDLERS) - INSIDE - ELSEWHERE):
                item = {"type": "message", "channel": place.id, "ts": place.messages[0].ts}
                await ben.event(
                    {"type": kind, "user": ben.me.id, "channel": place.id, "text": "<@U01BOTUSER1> note seen",
                     "ts": "5.6", "event_ts": "5.6", "reaction": "pushpin", "item": item}
                )  # fmt: skip
                silent = (profile.get("is_bot") and kind.startswith("reaction")) or kind == "reaction_removed"
                await look(kind, "", not silent)
        assert not wrong, "\n".join(wrong)
        assert not [one for one in logs if one["event"] in ("handler.failed", "listening.failed", "after.failed")]


def task(timeline: dict[str, Any]) -> int:
    return next(e.seq for entries in timeline.values() for e in entries if type(e.event).__name__ == "TaskAdded")
