"""One private incident, lived through by those in it, and somebody outside who tries everything: nothing is learnt.

What they try comes from the bot's own tables (verbs, buttons, forms, shortcuts, events), so that a new one is tried
without a line here. An event that the tables gain has to be placed below. The deliveries are signed, as if Slack had
vouched for every word of them.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from bot.slack.inbound.dispatch import BUTTONS, FORMS
from bot.slack.inbound.events import EVENT_HANDLERS
from bot.slack.surfaces.acts import ACTS, Act
from localslack import Channel
from tests.sentences import NO_SUCH_INCIDENT
from tests.story.acts import direct_message, press, press_step, submit, write_text
from tests.story.forged import Forger, everything_seen_by
from tests.world import World, world_at

TITLE = "Zanzibar ledger paid twice to Quokka"
#: what is the incident's alone: its title's own words, what was written in it, who is in it besides the declarer
WORDS = ("Zanzibar", "Quokka", "wombat", "Carla", "U01CARLAROS", "Dipo", "U01DIPOADEY")

#: verb -> what would be followed inside
SAID = {
    "declare": "sev3 Receipts are blurred", "sev": "2 so", "title": "Receipts", "impact": "some", "started":
    "13:40 UTC", "lead": "me", "comms-lead": "me", "scribe": "me", "add": "@ben", "page": "@ben", "handover": "@ben",
    "note": "seen", "task": "call them", "waiting": "for the bank", "comms": "payment-delays",
    "runbook": "horizon-outage", "step": "3.2 done", "duplicate": "INC-1", "check": "horizon",
    "join": "INC-1", "accept": "lead", "keep": "lead", "task-done": "1", "published": "yes",
    "hold": "until 23:00 UTC @ben",
}  # fmt: skip

#: events of which Slack itself says that they happened in the channel, to members: nobody outside brings them about
INSIDE = {
    "member_joined_channel", "member_left_channel", "channel_left", "group_left", "channel_archive", "group_archive",
    "channel_unarchive", "group_unarchive", "channel_deleted", "group_deleted",
}  # fmt: skip
#: events of the workspace, of no channel
ELSEWHERE = {
    "user_change", "team_join", "subteam_updated", "subteam_created", "app_home_opened", "app_uninstalled",
    "tokens_revoked", "channel_created", "channel_rename", "group_rename", "subteam_members_changed",
}  # fmt: skip


#: values under a key that mean something else for other buttons
OF_ACTION = {"inc:task-done": {"t": 5}, "inc:page": {"p": 0}}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with world_at(tmp_path, "http") as one:
        yield one


async def lived(world: World) -> Channel:
    """A private incident with nearly everything in it, still open; its channel."""
    await world.say("ana", f"/incident declare sev1 {TITLE}")
    await press(world, "ana", "#general", "This sounds delicate", "Private")
    place = world.channel()
    for said in (
        "add @carla", "add @dipo", "lead @carla", "impact wombat wallets", "note the wombat called",
        "runbook horizon-outage", "task @dipo ask the wombat", "sev 2 only a wombat", "sev 1 more wombats",
    ):  # fmt: skip
        await world.say("ana", f"/incident {said}", place.id)
    await world.say("ana", "/incident step 5.4 ask", place.id)
    await submit(world, "ana", {"count": "1"}, "Ask")
    await press_step(world, "ana", place.id, "3.4", "Stopped")
    await world.say("ana", "/incident update The wombat sleeps", place.id)
    await press(world, "ana", place.id, "This goes to the channel", "Post")
    values = {"what": "some payouts", "since": "13:40 UTC", "next_update": "15:00 UTC"}
    await write_text(world, "ana", place.id, values)
    await world.person("dipo").click(direct_message(world, "dipo", "asks you to approve"), label="Approve")
    await world.settle()
    await world.advance(hours=2)
    return place


async def entries(world: World) -> list[Any]:
    return await world.bot.store.entries((await world.incident()).id)


async def test_an_outsider_learns_nothing_and_changes_nothing(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)  # what `bot.logs` lets libraries write
    with capture_logs() as logs:
        place = await lived(world)
        incident = await world.incident()
        secret = (*WORDS, "INC-1", incident.id, place.id, "inc-1")
        ben = Forger(world, "ben")
        before = await entries(world)
        said = [
            *await by_command(ben, place),
            *await by_click(ben, place, incident.id),
            *await by_form(ben, incident.id),
            *await by_message(ben, place),
            *await by_event(ben, place, before[-1]),
        ]
        await world.settle()
        assert await entries(world) == before
        said += await pages(world)
        said.append(everything_seen_by(world, ben.me))
        found = {word: one for word in secret for one in said if word in one}
        assert not found, {word: around(one, word) for word, one in found.items()}
        # The story goes on and ends, and still nobody outside hears of it.
        await world.say("ana", "/incident mitigate the wombat is awake", place.id)
        await world.say("ana", "/incident false-alarm it was the wombat", place.id)
        await world.say("ana", "/incident postmortem", place.id)
    for who in ("ben", "eve", "gus"):
        seen = everything_seen_by(world, world.person(who))
        assert not [(word, around(seen, word)) for word in secret if word in seen], who
    written = "\n".join(map(str, logs)) + caplog.text
    assert not [around(written, word) for word in ("Zanzibar", "Quokka", "wombat", "inc-1") if word in written]
    assert not [one for one in logs if one["event"] in ("handler.failed", "listening.failed", "after.failed")]


def around(text: str, word: str) -> str:
    at = text.find(word)
    return text[max(0, at - 120) : at + 80]


async def by_command(ben: Forger, place: Channel) -> list[str]:
    """Every verb from outside, as if from inside, and with the number, which reads like one that is not there."""
    said = []
    for act in ACTS:
        for text in {act.value, f"{act} {SAID.get(act, 'so it is')}"} - {"duplicate INC-1", "join INC-1"}:
            for channel in ("#payments", place.id):
                said.append(await ben.command(text, channel))
                said.append(await ben.forms(place.id))
    await ben.world.declare("ben", "sev3 Buttons are grey")
    own = ben.world.channel()
    for act in (one for one in ACTS if not ACTS[one].takes_free_text and one not in (Act.DECLARE, Act.HELP)):
        one, other = [await ben.command(f"{act} INC-{n}", own.id) for n in (1, 777)]
        assert one == other.replace("777", "1"), act
        said.append(await ben.forms(place.id))
    # What ben typed himself stands in what he was answered.
    for one in ben.world.slack.channels:
        for message in one.by_ts.values():
            if message.only_for == ben.me.id:
                message.text = message.text.replace("INC-1", "INC-777")
                message.blocks[:] = json.loads(json.dumps(message.blocks).replace("INC-1", "INC-777"))
    return said


def carried(id: str) -> dict[str, Any]:
    """Everything that any button or form carries, for what stands in the private incident."""
    return {
        "i": id, "r": "horizon-outage", "s": "5.4", "v": 0, "n": 1, "o": "lead", "sev": "sev3", "t": "so", "u": 5,
        "a": 12, "d": "0" * 12, "h": "0" * 12, "c": "status", "p": "1", "m": "", "g": "customers",
    }  # fmt: skip


async def by_click(ben: Forger, place: Channel, id: str) -> list[str]:
    """Every button and box with the incident's id: from elsewhere, from its channel, from inside a form."""
    said = []
    unknown = str(uuid.uuid4())
    own = {"inc:declare-form", "inc:declare-as", "inc:again"}  # say something of ben's own, about no incident
    for action in BUTTONS:
        for number in (5, "5"):
            value = json.dumps(carried(id) | {"u": number, "t": number})
            said.append(await ben.click(action, value, "#payments"))
            said.append(await ben.click(action, value, place.id))
            said.append(await ben.tick(action, value, place.id))
        said.append(await ben.tick(action, "", place.id))
        meta = json.dumps({"i": id, "r": "horizon-outage", "n": "payment-delays", "g": "customers", "t": "resolved"})
        said.append(await ben.in_form(action, json.dumps({"r": "horizon-outage", "s": "5.4"}), meta))
        if action not in own:
            told = []
            for one in (id, unknown):
                await ben.click(action, json.dumps(carried(one) | OF_ACTION.get(action, {})), "#payments")
                told.append(ben.world.messages("ben", "#payments")[-1].plain)
            assert told == [NO_SUCH_INCIDENT, NO_SUCH_INCIDENT], action
        said.append(await ben.forms(place.id))
    return said


async def by_form(ben: Forger, id: str) -> list[str]:
    """Every form that remembers the incident's id; refused beside the field like one of an unknown incident."""
    said = []
    for form in FORMS:
        answers = [await ben.submit(form, json.dumps(carried(one))) for one in (id, str(uuid.uuid4()))]
        assert answers[0] == answers[1], form
        assert NO_SUCH_INCIDENT in answers[0], form
        said += answers
    return said


async def by_message(ben: Forger, place: Channel) -> list[str]:
    """The shortcuts, on a message there."""
    said = []
    for one in place.messages[:2]:
        for callback in ("inc:note", "inc:declare"):
            said += [await ben.shortcut(callback, place.id, one.ts), await ben.forms(place.id)]
    return said


async def by_event(ben: Forger, place: Channel, last: Any) -> list[str]:
    """Every event of which ben could be the author."""
    ts = place.messages[0].ts
    made: dict[str, dict[str, Any]] = {
        "app_mention": {"channel": place.id, "user": ben.me.id, "text": "<@U01BOTUSER1> status", "ts": "5.5"},
        "reaction_added": {
            "user": ben.me.id, "reaction": "pushpin", "item": {"type": "message", "channel": place.id, "ts": ts},
        },
        "reaction_removed": {
            "user": ben.me.id, "reaction": "pushpin", "item": {"type": "message", "channel": place.id, "ts": ts},
        },
    }  # fmt: skip
    assert set(EVENT_HANDLERS) - INSIDE - ELSEWHERE == set(made), (
        "a new event: say here whether an outsider can cause it"
    )
    for kind, event in made.items():
        await ben.event({"type": kind, "event_ts": ts, **event})
    return []


async def pages(world: World) -> list[str]:
    """What the bot's port tells everybody; the figure of open incidents is that of the public ones."""
    found = []
    async with aiohttp.ClientSession() as session:
        for path in ("/healthz", "/readyz", "/metrics", "/"):
            async with session.get(f"http://127.0.0.1:{world.bot.port}{path}") as answer:
                found.append(await answer.text())
    rows = await world.bot.store.listing(world.slack.team_id, open_only=True)
    public = sum(not row.private for row in rows)
    assert f"incident_commander_open_incidents {public}.0" in found[2]
    return found
