"""One incident from `/incident` to its postmortem, told twice: over Socket Mode and over signed HTTP.

The postmortem is compared with tests/story/postmortem.md. After a change that is meant: `KEEP_POSTMORTEM=1 pytest
tests/story/test_whole_story.py` writes it anew; read it before it is committed.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import Literal

import pytest

from bot.domain import events as e
from localslack.plain_text import visible
from tests.story.acts import (
    bot_messages,
    direct,
    direct_message,
    heard,
    in_comms,
    last,
    plain,
    press,
    press_step,
    section,
    submit,
    tick,
    write_text,
)
from tests.world import World, world_at

KEPT = Path(__file__).with_name("postmortem.md")


@pytest.mark.parametrize(
    ("mode", "shared"),
    [
        pytest.param("socket", False, id="socket"),
        pytest.param("http", False, id="http"),
        pytest.param("socket", True, id="PostgreSQL"),
    ],
)
async def test_from_the_command_to_the_postmortem(
    tmp_path: Path, request: pytest.FixtureRequest, mode: Literal["socket", "http"], shared: bool
) -> None:
    url = request.getfixturevalue("postgres18").create() if shared else ""
    async with world_at(tmp_path, mode=mode, database_url=url) as world:
        begun = len(world.slack.journal)
        text = normalised(await whole_story(world))
        assert not [call for call in world.slack.journal[begun:] if call.outcome in ("failed", "error")]
        assert await world.bot.store.verify() == []
    if os.environ.get("KEEP_POSTMORTEM"):
        KEPT.write_text(text)
    assert text == KEPT.read_text()


async def whole_story(world: World) -> str:
    """Every chapter in order; the postmortem as people download it."""
    room = await declared(world)
    await a_second_one_is_a_duplicate(world, room)
    await facts_and_roles(world, room)
    await runbook(world, room)
    await stopped_and_reviewed(world, room)
    await reminded_and_told(world, room)
    await customers_are_told(world, room)
    await lines_of_the_timeline(world, room)
    await two_people(world, room)
    await waiting(world, room)
    await mitigated_and_resolved(world, room)
    text = await written(world, room)
    await closed(world, room)
    await looked_back(world, room, text)
    return text


def normalised(text: str) -> str:
    """Without what differs from run to run: ids of channels and messages, revisions of content."""
    text = re.sub(r"/archives/[CG][A-Z0-9]+", "/archives/CHANNEL", text)
    text = re.sub(r"/p\d{16}", "/pTS", text)
    return re.sub(r"(revision |Revision |\()(file )?[0-9a-f]{7,12}\b", r"\1REVISION", text)


def switch(world: World, id: str, value: str) -> None:
    """What the stand-in for the network does from now on."""
    next(one for one in world.slack.switches if one.id == id).set(value)


def shown_form(world: World, who: str) -> str:
    """The words of the topmost form."""
    view = world.person(who).view
    assert view is not None
    return visible("", view["blocks"])


# -- the chapters, in the order in which they happen ------------------------------------------------------


async def declared(world: World) -> str:
    """14:00, by the form; the channel, the card, the announcement."""
    await world.say("ana", "/incident Withdrawals are stuck", "#payments")
    await submit(
        world,
        "ana",
        {"title": "Withdrawals to Nigeria wait", "severity": "sev2", "summary": "payouts to NG"},
        "Declare",
    )
    room = world.channel()
    assert room.name == "inc-1-withdrawals-to-nigeria-wait"
    assert world.person("ana").id in room.members
    assert f"INC-1 is open: <#{room.id}>. You are in it and lead it." in last(world, "ana", "#payments")
    card = world.find("ana", room.id, "SEV-2 · Withdrawals to Nigeria wait")
    assert [pin.ts for pin in room.pins] == [card.ts]
    assert "Impact: payouts to NG" in plain(card) and "update by 16:00 UTC" in plain(card)
    assert "Withdrawals to Nigeria wait" in last(world, "eve", "#incidents")
    return room.id


async def a_second_one_is_a_duplicate(world: World, room: str) -> None:
    """By the command, with the severity; one that sounds alike is shown first."""
    await world.advance(minutes=1)
    shown = await world.say("ben", "/incident declare sev1 Withdrawals to Nigeria wait long")
    assert "INC-1 is open and sounds alike" in shown
    await press(world, "ben", "#general", "sounds alike", "Declare anyway")
    other = world.channel(2).id
    await world.say("ben", "/incident duplicate INC-1", other)
    assert "Duplicate of INC-1" in heard(world, "ben", other)
    await world.say("ben", "/incident reopen looked different at first", other)
    await world.say("ben", "/incident false-alarm one report, counted twice", other)
    assert "False alarm" in heard(world, "ben", other)
    assert "INC-2" not in await world.say("eve", "/incident list")
    await world.person("ben").join("#" + world.slack.channel(room).name)
    await world.person("carla").join("#" + world.slack.channel(room).name)
    await world.settle()


async def facts_and_roles(world: World, room: str) -> None:
    """Facts are corrected, the severity rises, three people take roles, the lead is handed over by two people."""
    await world.advance(minutes=1)
    assert "answered already" in await world.say("ben", "/incident ack", room)
    await world.say("ana", "/incident title Withdrawals to Nigeria and Kenya are stuck", room)
    await world.say("ana", "/incident impact payouts to NG and KE wait, about 1,200 of them", room)
    await world.say("ana", "/incident started 13:40 UTC", room)
    await world.say("ana", "/incident sev 1 payouts to two countries stand still", room)
    assert "SEV-2 → SEV-1 by Ana Silva: payouts to two countries stand still. Updates every 30 min." in heard(
        world, "ana", room
    )
    await world.advance(minutes=1)
    await world.say("ben", "/incident lead me", room)
    await press(world, "ana", room, "Ben Okafor is taking over", "Fine")
    assert "You are the lead of INC-1" in direct(world, "ben")
    await press(world, "carla", room, "SEV-1 · Withdrawals to Nigeria and Kenya are stuck", "Take comms lead")
    await world.say("ben", "/incident scribe @eve", room)
    await world.say("ben", "/incident add @dipo", room)
    assert world.person("dipo").id in world.slack.channel(room).members
    assert world.person("eve").id in world.slack.channel(room).members
    card = world.find("dipo", room, "SEV-1 · Withdrawals")
    assert "Lead Ben Okafor · comms Carla Rossi · scribe Eve Lindqvist" in plain(card) and "since 13:40 UTC" in plain(
        card
    )


async def runbook(world: World, room: str) -> None:
    """Attached by choice; ticked, un-ticked, skipped; a step that names a probe brings its reading."""
    await world.advance(minutes=1)
    await world.say("ben", "/incident runbook horizon-outage", room)
    await tick(world, "carla", room, "3.1")
    assert "horizon reads *ok*, 14:04 UTC" in plain(await section(world, "dipo", room, "*3.1*"))
    await tick(world, "carla", room, "3.2")
    await tick(world, "carla", room, "3.2", on=False)
    await tick(world, "ben", room, "3.2")
    await world.say("ben", "/incident step 3.3 skip one server in use, nothing to compare", room)
    steps = await section(world, "ana", room, "*3.3*")
    assert "Carla Rossi, 14:04 UTC" in plain(steps) and "Skipped by Ben Okafor, 14:04 UTC: one server in use" in plain(
        steps
    )
    parent = world.find("ana", room, "Runbook Horizon outage")
    assert "3 of 19" in plain(parent) and "Next, 3.4" in plain(parent)


async def stopped_and_reviewed(world: World, room: str) -> None:
    """Stopping is done at once by one; a second person looks at it, and it may not be the same one."""
    await world.advance(minutes=1)
    await press_step(world, "carla", room, "3.4", "Stopped")
    assert "did this alone, as one person may" in heard(world, "ben", room)
    await press(world, "carla", room, "did this alone", "Reviewed")
    assert "You did this yourself, so somebody else has to look at it" in last(world, "carla", room)
    await world.advance(minutes=2)
    await press(world, "ben", room, "did this alone", "Reviewed")
    assert "reviewed by Ben Okafor" in plain(await section(world, "ana", room, "*3.4*"))
    await press_step(world, "carla", room, "3.4", "Correct…")
    await submit(world, "carla", {"text": "two workers were running, both are stopped"})


async def reminded_and_told(world: World, room: str) -> None:
    """14:32: reminded, nothing new; an update with its preview, taken back, and posted again."""
    await world.advance(minutes=20)
    assert "INC-1: The update is due 14:32 UTC" in direct(world, "carla")
    await world.advance(minutes=7)
    await press(world, "ben", room, "The update is due 14:32 UTC", "Nothing new")
    assert "Still being investigated; nothing new." in heard(world, "dipo", room)
    assert "Update sent 14:34 UTC, 2 min late." in heard(world, "dipo", room)
    await world.say("ben", "/incident update The fallback server answers; moving over", room)
    await press(world, "ben", room, "This goes to the channel and the announcement thread", "Edit")
    await submit(world, "ben", {"text": "The fallback server answers; we move over to it"}, "Preview")
    await submit(world, "ben", button="Post")
    line = world.find("eve", "#incidents", "*INC-1*")
    assert "we move over to it" in plain(world.messages("eve", "#incidents", line.ts)[-1])
    await press(world, "ben", room, "we move over to it", "Undo")
    assert "we move over to it" not in heard(world, "dipo", room)
    assert len(world.messages("eve", "#incidents", line.ts)) == 1
    await world.say("ben", "/incident update The fallback server answers; payouts move over to it", room)
    await press(world, "ben", room, "This goes to the channel", "Post")
    assert "payouts move over to it" in plain(world.messages("eve", "#incidents", line.ts)[-1])
    assert "Next update by 15:04 UTC" in heard(world, "dipo", room)


async def customers_are_told(world: World, room: str) -> None:
    """A draft with an e-mail address in it: masked, approved by a second person, public, said last."""
    await world.advance(minutes=2)
    await write_text(
        world, "carla", room,
        {
            "what": "payouts to Nigeria and Kenya", "since": "13:40 UTC", "count": "1,200",
            "money": "waiting payments are held", "todo": "Questions: write to help@example.com",
            "next_update": "15:00 UTC",
        },
    )  # fmt: skip
    asked = direct_message(world, "dipo", "asks you to approve a text")
    assert "help@example.com" not in plain(asked) and "an e-mail address" in plain(asked)
    assert not [one for one in bot_messages(world, "#customer-comms") if "payouts" in one]
    await world.person("dipo").click(asked, label="Approve")
    await world.settle()
    public = world.find("eve", "#customer-comms", "payouts to Nigeria and Kenya are taking longer than usual")
    assert "Next update: 15:00 UTC." in plain(public)
    said = in_comms(world, "carla", room, "written by Carla Rossi, approved by Dipo Adeyemi")
    assert "This is what was said last." in plain(said)
    card = world.find("dipo", room, "SEV-1 · Withdrawals")
    assert "customers told 14:36 UTC" in plain(card) and "promised 15:00 UTC" in plain(card)


async def lines_of_the_timeline(world: World, room: str) -> None:
    """Notes, a time that lies back, a task, a reading, a pin and its removal, the shortcut, a mention in a thread."""
    await world.advance(minutes=2)
    await world.say("eve", "/incident note worker 2 was restarted", room)
    await world.say("eve", "/incident note at 13:38 UTC the provider changed its load balancer", room)
    await world.say("ben", "/incident task @carla add an alert that compares two operators by Friday", room)
    switch(world, "horizon-a", "failing")
    await world.say("dipo", "/incident check horizon", room)
    assert "horizon: degraded" in heard(world, "dipo", room) or "horizon: down" in heard(world, "dipo", room)
    switch(world, "horizon-a", "ok")
    seen = await world.person("dipo").post(room, "provider says: fixed on their side at 14:30 UTC")
    gone = await world.person("dipo").post(room, "lunch, anyone?")
    await world.advance(minutes=1)
    for ts in (seen, gone):
        await world.person("eve").react(room, ts, "pushpin")
        await world.person("ben").react(room, ts, "pushpin")
    await world.settle()
    await world.person("eve").unreact(room, gone, "pushpin")
    await world.settle()
    assert "lunch, anyone?" in heard(world, "eve", room, world.find("eve", room, "SEV-1 · Withdrawals").ts)
    await world.person("ben").unreact(room, gone, "pushpin")
    await world.settle()
    thread = heard(world, "eve", room, world.find("eve", room, "SEV-1 · Withdrawals").ts)
    assert "lunch, anyone?" not in thread and "14:38 UTC" in thread and "fixed on their side" in thread
    by_hand = await world.person("carla").post(room, "the queue holds 1,204 payouts now")
    await world.person("eve").shortcut("Add to timeline", by_hand, room)
    await world.settle()
    assert "In the timeline, at 14:39 UTC" in last(world, "eve", room)
    parent = world.find("ben", room, "Runbook Horizon outage")
    await world.person("ben").post(room, "@incident step 4.1 done", parent.ts)
    await world.settle()
    assert "Step 4.1 is done." in heard(world, "ben", room, parent.ts)


async def two_people(world: World, room: str) -> None:
    """Resuming takes two: refused once, expired once, then asked, agreed and done; corrected, never un-ticked."""
    await world.advance(minutes=1)
    ask = {"count": "1,204 payouts", "amount": "NGN 48,000,000", "evidence": "fallback is at the tip since 14:30 UTC"}
    await world.say("carla", "/incident step 5.4 ask", room)
    await submit(world, "carla", {"count": "1,204 payouts"}, "Ask")
    await press(world, "ben", room, "Carla Rossi asks: Resume outgoing payments", "Refuse")
    await submit(world, "ben", {"reason": "show first that the fallback is at the tip"}, "Refuse")
    assert "Ben Okafor refused: show first" in heard(world, "carla", room)
    await world.say("carla", "/incident step 5.4 ask", room)
    await submit(world, "carla", ask, "Ask")
    await press(world, "carla", room, "Carla Rossi asks: Resume outgoing payments", "Go")
    assert "You asked for this, so somebody else has to agree" in last(world, "carla", room)
    await world.advance(minutes=24)
    await press(world, "ben", room, "The update is due 15:04 UTC", "Post update")
    await submit(world, "ben", {"text": "Fallback is at the tip; we wait for a second look"}, "Preview")
    await submit(world, "ben", button="Post")
    await world.advance(minutes=6)
    assert "nobody agreed before 15:10 UTC" in heard(world, "carla", room)
    await world.person("carla").select(
        world.find("carla", room, "Runbook Horizon outage"), "inc:section", "5. Resolution"
    )
    await world.settle()
    await press_step(world, "carla", room, "5.4", "Ask")
    await submit(world, "carla", ask, "Ask")
    await press(world, "ben", room, "Carla Rossi asks: Resume outgoing payments", "Go")
    assert "1,204 payouts" in shown_form(world, "ben") and "NGN 48,000,000" in shown_form(world, "ben")
    await submit(world, "ben", {}, "Go: Resume outgoing pay…")
    await world.advance(minutes=3)
    await press(world, "carla", room, "go-ahead from Ben Okafor", "Done…")
    await submit(world, "carla", {"result": "queue moves; first payment confirmed in ledger 55,120,033"}, "Done")
    await press_step(world, "carla", room, "5.4", "Correct…")
    await submit(world, "carla", {"text": "1,203 payouts: one had been cancelled by its sender"})
    await world.say("carla", "/incident step 5.4 undo", room)
    assert "Asking again may pay twice." in last(world, "carla", room)


async def waiting(world: World, room: str) -> None:
    """Waiting for somebody else rests the reminders; looking again wakes them. A promise to customers does not rest."""
    await world.say("ben", "/incident waiting for the provider's last word until 15:30 UTC", room)
    await world.advance(minutes=10)
    assert "Customers were promised a text by 15:00 UTC" in heard(world, "carla", room)
    await world.advance(minutes=8)
    assert "Time to look again: the provider's last word." in heard(world, "ben", room)
    await world.say("ben", "/incident update Payouts run over the fallback; the queue is nearly empty", room)
    await press(world, "ben", room, "This goes to the channel", "Post")


async def mitigated_and_resolved(world: World, room: str) -> None:
    """The harm stops; the conditions of SEV-1; what is open takes a reason and a second person."""
    await world.say("ben", "/incident mitigate payouts run over the fallback", room)
    assert "Updates come half as often" in heard(world, "ana", room)
    await write_text(
        world, "carla", room,
        {
            "what": "payouts to Nigeria and Kenya", "since": "13:40 UTC", "ended": "15:20 UTC",
            "queued": "all completed", "money": "no payment lost or paid twice", "todo": "",
        },
        "payment-delays customers resolved",
    )  # fmt: skip
    await press(world, "dipo", world.person("dipo").dm_messages()[-1].channel, "asks you to approve", "Approve")
    assert "Resolved: payouts to Nigeria and Kenya arrive as usual." in heard(world, "eve", "#customer-comms")
    await world.advance(minutes=12)
    await world.say("ben", "/incident resolve", room)
    assert "Customers have been told: met" in shown_form(world, "ben")
    await submit(
        world, "ben",
        {
            "checks": ["impact", "unpaused"], "note": "moved to the fallback, queue empty since 15:20 UTC",
            "override": "finance reconciles tomorrow morning",
        },
    )  # fmt: skip
    assert "Resolved:" not in heard(world, "ana", room)
    await press(world, "ben", room, "asks to resolve INC-1 although conditions are open", "Agree: resolve")
    assert "somebody else has to agree" in last(world, "ben", room)
    await press(world, "ana", room, "asks to resolve INC-1 although conditions are open", "Agree: resolve")
    over = world.find("dipo", room, "Resolved: Withdrawals to Nigeria and Kenya are stuck")
    assert "Counts and sums are reconciled" in plain(over) and "Ana Silva agreed" in plain(over)
    await press(world, "ben", room, "Resolved: Withdrawals", "Stand down")


async def written(world: World, room: str) -> str:
    """The postmortem, a file in the channel."""
    await world.advance(minutes=5)
    await world.say("ben", "/incident postmortem", room)
    files = [file for one in world.slack.channel(room).messages for file in one.files]
    assert [one["name"] for one in files] == ["inc-1-postmortem.md"]
    content = world.slack.world.files[files[0]["id"]].content
    assert content is not None
    shared = (await world.bot.store.entries((await world.incident()).id))[-1].event
    assert isinstance(shared, e.PostmortemShared)
    assert (shared.file, shared.text_hash) == (files[0]["id"], hashlib.sha256(content).hexdigest())
    return content.decode()


async def closed(world: World, room: str) -> None:
    """The record closes; notes are still welcome, changes are not."""
    await world.say("ben", "/incident close postmortem is being read", room)
    assert "is closed" in await world.say("ben", "/incident title something else", room)
    assert "Noted" in await world.say("eve", "/incident note finance: sums agree", room)
    card = world.find("dipo", room, "SEV-1 · Withdrawals")
    assert "status Resolved, closed" in plain(card)


async def looked_back(world: World, room: str, text: str) -> None:
    """Status, timeline, who and list say the same afterwards; the chain of entries is whole."""
    assert "Resolved, closed" in await world.say("dipo", "/incident status", room)
    timeline = await world.say("dipo", "/incident timeline", room)
    assert "Ben Okafor closed the record" in timeline
    # the same words for an entry as in the postmortem, but for what came after it
    lines = [re.sub(r"^(\d\d:\d\d UTC) ", r"- **\1** ", line) for line in timeline.splitlines()[1:]]
    told = text.replace("\\", "")
    assert len(lines) == 25 and [line for line in lines if line not in told] == lines[-2:]
    assert "No incident is open." in await world.say("eve", "/incident list")
    assert "Lead: Ben Okafor" in await world.say("dipo", "/incident who", room)
