"""Whatever is wrong with what people, Slack or a file hand over.

The one who did it, and nobody else, gets a sentence that says what to do (or a parked duty that `/readyz` and `bot
doctor` show). The timeline holds nothing of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.doctor import CheckResult, examine
from bot.domain import events as e
from bot.domain.effect import EffectState
from localslack import Channel, Message
from tests.world import World, world_at

PLACE = "#inc-1-withdrawals-are-stuck"


@contextlib.asynccontextmanager
async def untouched(world: World) -> AsyncIterator[None]:
    """No incident begins, and no timeline grows by anything."""
    before = await timelines(world)
    yield
    await world.settle()
    assert await timelines(world) == before


async def timelines(world: World) -> list[Any]:
    rows = await world.bot.store.listing(world.slack.team_id, open_only=False)
    return [await world.bot.store.entries(row.id) for row in rows]


def told(world: World, who: str, sentence: str) -> Message:
    """This person alone was told: privately in a channel or directly; nobody else reads it anywhere."""
    me = world.person(who).id
    holding = [one for place in world.slack.channels for one in place.by_ts.values() if sentence in one.plain]
    assert holding, f"{who} was not told {sentence!r}"
    for one in holding:
        place = world.slack.world.channels[one.channel]
        assert one.only_for == me or (place.is_im and me in place.members), f"others read it too: {one.plain}"
    return holding[-1]


def card(world: World, place: Channel) -> Message:
    """The pinned card."""
    found = [place.by_ts[pin.ts] for pin in place.pins if not place.by_ts[pin.ts].deleted]
    assert len(found) == 1
    return found[0]


def section(world: World, place: str) -> Message:
    """The first section of the runbook's checklist, in its thread."""
    parent = world.find("ana", place, "Horizon outage")
    return next(one for one in world.messages("ana", place, parent.ts) if "Ask Horizon five times" in one.plain)


async def parked(world: World) -> dict[str, str]:
    return {one.key: one.error for one in await world.bot.store.parked()}


async def complaints(world: World) -> list[CheckResult]:
    """What `bot doctor` finds wrong."""
    return [one for one in await examine(world.settings) if not one.ok]


# -- severities, people, titles -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param("sev 9", "There is no severity “9”. Use one of sev1, sev2, sev3.", id="a number"),
        pytest.param("sev sev0 all is lost", "There is no severity “sev0”. Use one of", id="a name"),
        pytest.param("declare sev9 Payouts", "There is no severity “sev9”. Use one of", id="declaring"),
        pytest.param("lead @nobody", "@nobody is not in this workspace. Nothing was done.", id="lead, nobody"),
        pytest.param("add @nobody", "@nobody is not in this workspace. Nothing was done.", id="add, nobody"),
        pytest.param("task @nobody call", "@nobody is not in this workspace. Nothing was done.", id="task, nobody"),
        pytest.param("scribe <@U0NOBODY1>", "That person is not in this workspace. Nothing was done.", id="an id"),
        pytest.param("lead @gus", "cannot act on incidents here, so nothing was done. Name a member.", id="a guest"),
        pytest.param("comms-lead @deploys", "so nothing was done. Name a member.", id="a bot"),
        pytest.param("title " + "stuck " * 500, "The title has 2999 characters; at most 200 fit.", id="3,000 letters"),
        pytest.param("declare " + "x" * 3000, "The title has 3000 characters; at most 200 fit.", id="declared at once"),
        pytest.param("title 🔥🔥", "a title needs letters or digits", id="emoji only"),
        pytest.param("title :fire: :rotating_light:", "a title needs letters or digits", id="emoji by name"),
        pytest.param("declare 🔥", "a title needs letters or digits", id="declared with emoji"),
        pytest.param("runbook horizon-outaeg", "Did you mean `horizon-outage`?", id="runbook, one near"),
        pytest.param("runbook zzzz", "`/incident runbook` lists them.", id="runbook, none near"),
        pytest.param("comms payment-dleays", "Did you mean `payment-delays`?", id="template, one near"),
        pytest.param("comms zzzz", "`/incident comms` lists them.", id="template, none near"),
        pytest.param(
            "comms payment-delays partners", "“partners” is neither an audience", id="template, unknown audience"
        ),
        pytest.param("step 9.9 done", "No runbook is attached, so there are no steps.", id="a step of no runbook"),
        pytest.param("duplicate INC-77", "There is no INC-77 here.", id="an incident that is not there"),
        pytest.param("n " + "y" * 4001, "at most 4000 fit. Nothing was done.", id="more than can be read"),
        pytest.param("waiting over", "waits for nobody. Nothing changed.", id="nothing is waited for"),
    ],
)
async def test_words_that_cannot_be_followed(world: World, text: str, sentence: str) -> None:
    place = await world.declare()
    async with untouched(world):
        await world.say("ana", f"/incident {text}", place.name)
    told(world, "ana", sentence)
    assert world.person("ana").view is None


async def test_a_long_title_in_the_form_is_cut_and_an_emoji_one_is_refused(world: World) -> None:
    ana = world.person("ana")
    await world.say("ana", "/incident " + "Payouts to Nigeria stand still " * 96)
    assert ana.view is not None
    assert len(ana.view["blocks"][0]["element"]["initial_value"]) <= 200
    async with untouched(world):
        refused = await ana.submit({"title": "🔥 🔥"})
    assert refused.errors == {"title": "Say in a few words what is broken: a title needs letters or digits."}
    too_long = await ana.submit({"title": "x" * 201})
    assert list(too_long.errors) == ["title"]
    assert (await ana.submit({"title": "Payouts to Nigeria"})).ok


# -- guests and bots ----------------------------------------------------------------------------------------

GUESTS = "Guests cannot act on incidents here. Ask a member to do it, or an admin to change that."
BOTS = "Bots and workflows cannot act on incidents. A person of this workspace can."


async def with_guest(world: World) -> Channel:
    place = await world.declare()
    await world.say("ana", "/incident runbook horizon-outage", place.name)
    await world.person("ana").invite(place.name, "gus")
    await world.settle()
    return place


@pytest.mark.parametrize(
    "text",
    ["note seen", "ack", "sev 2 better", "lead me", "declare sev1 Mine", "update", "", "Payouts fail", "resolve"],
)
async def test_a_guest_types(world: World, text: str) -> None:
    place = await with_guest(world)
    where = place.name if text and text != "Payouts fail" else "#general"
    async with untouched(world):
        await world.say("gus", f"/incident {text}".strip(), where)
    assert world.person("gus").view is None
    told(world, "gus", GUESTS)


@pytest.mark.parametrize("label", ["Post update", "Take comms lead"])
async def test_a_guest_or_a_bot_presses_a_button_of_the_card(world: World, label: str) -> None:
    place = await with_guest(world)
    async with untouched(world):
        for who, sentence in (("gus", GUESTS), ("deploys", BOTS)):
            await world.person(who).click(card(world, place), label=label)
            await world.settle()
            assert world.person(who).view is None
            told(world, who, sentence)


async def test_a_guest_ticks_pins_and_mentions(world: World) -> None:
    place = await with_guest(world)
    said = await world.person("ana").post(place.name, "the bank called")
    await world.settle()
    async with untouched(world):
        await world.person("gus").tick(section(world, place.name), label="Ask Horizon five times")
        await world.settle()
        told(world, "gus", GUESTS)
        await world.person("gus").react(place.name, said, "pushpin")
        await world.person("gus").post(place.name, "@incident-commander note seen")
        await world.settle()
    heard = [one for one in world.messages("gus", place.name) if one.ephemeral and GUESTS in one.plain]
    assert len(heard) >= 2


async def test_a_guest_sees_in_the_list_only_what_they_were_brought_into(world: World) -> None:
    place = await world.declare()
    assert await world.say("gus", "/incident list") == "No incident is open. `/incident declare` begins one."
    await world.person("ana").invite(place.name, "gus")
    await world.settle()
    assert "INC-1" in await world.say("gus", "/incident list")


async def test_what_bots_say_and_pin_is_not_heard(world: World) -> None:
    """No sentence either: two programs that answer each other never stop."""
    place = await world.declare()
    await world.person("ana").invite(place.name, "deploys")
    await world.settle()
    said = await world.person("ana").post(place.name, "deployed 1.2.3")
    async with untouched(world):
        before = len(place.by_ts)
        await world.person("deploys").post(place.name, "@incident-commander note deployed")
        await world.person("deploys").react(place.name, said, "pushpin")
        await world.settle()
    assert len(place.by_ts) == before + 1


# -- nothing that people write pings ------------------------------------------------------------------------

SHOUT = "<!channel> <!here> <!everyone> <!subteam^S01PAYONCAL> <@U01DIPOADEY> @channel @here"
CALLS = re.compile(r"<!(?:channel|here|everyone)|<!subteam\^S01PAYONCAL|<@U01DIPOADEY>")


def mrkdwn(message: Message) -> str:
    """All of a message in which Slack looks for mentions: plain_text objects cannot hold any."""
    found = [message.text]

    def walk(thing: Any) -> None:
        if isinstance(thing, dict):
            if thing.get("type") == "mrkdwn":
                found.append(str(thing["text"]))
            for value in thing.values():
                walk(value)
        elif isinstance(thing, list):
            for value in thing:
                walk(value)

    walk(message.blocks)
    return "\n".join(found)


async def test_no_text_of_anybody_pings_everybody(world: World) -> None:
    ana = world.person("ana")
    await world.say("ana", f"/incident declare sev1 {SHOUT} stuck")
    place = world.channel()
    await world.say("ana", "/incident runbook horizon-outage", place.name)
    for text in (
        f"title {SHOUT} again", f"impact {SHOUT}", f"note {SHOUT}", f"note at 13:40 UTC {SHOUT}", f"task {SHOUT}",
        f"waiting for {SHOUT}", "waiting over", f"sev 2 {SHOUT}", f"step 3.2 skip {SHOUT}", f"step 3.3 note {SHOUT}",
        f"step 3.4 stopped {SHOUT}", f"runbook {SHOUT}", f"comms {SHOUT}", SHOUT, f"check {SHOUT}", f"escalate {SHOUT}",
    ):  # fmt: skip
        await world.say("ana", f"/incident {text}", place.name)
    await world.say("ana", f"/incident update {SHOUT}", place.name)
    preview = [one for one in world.messages("ana", place.name) if "Post" in one.labels][-1]
    await ana.click(preview, label="Post")
    await world.settle()
    ts = await ana.post(place.name, f"remember & keep {SHOUT.replace('<', '(')}")
    await ana.shortcut("Add to timeline", ts, place.name)
    await world.settle()
    await world.say("ana", f"/incident mitigate {SHOUT}", place.name)
    await world.say("ana", f"/incident false-alarm {SHOUT}", place.name)
    await world.say("ana", f"/incident reopen {SHOUT}", place.name)
    await world.say("ana", "/incident status", place.name)
    await world.say("ana", "/incident timeline", place.name)
    types = await world.types()
    for name in ("TitleChanged", "ImpactStated", "Noted", "TaskAdded", "WaitingBegan", "SeverityChanged",
                 "StepSkipped", "UpdatePosted", "Mitigated"):  # fmt: skip
        assert name in types
    for where in world.slack.channels:
        for one in where.by_ts.values():
            if one.user == world.slack.bot_user_id and one.subtype is None:
                assert not CALLS.search(mrkdwn(one)), mrkdwn(one)
    assert world.person("dipo").notifications == []


# -- files ----------------------------------------------------------------------------------------------

GOOD = "---\ntitle: Queue\nsummary: The queue is long.\n---\n## 1. Overview\n- [ ] Look at it.\n"


async def test_a_malformed_runbook_is_refused_at_start_and_the_others_serve(tmp_path: Path) -> None:
    shelf = tmp_path / "runbooks"
    shelf.mkdir()
    (shelf / "queue.md").write_text(GOOD)
    (shelf / "broken.md").write_text(GOOD.replace("Look at it.", "Look at it. {two-people: sometimes}"))
    (shelf / "headless.md").write_text("no front matter at all\n")
    with capture_logs() as logs:
        async with world_at(tmp_path, runbooks_dir=shelf) as world:
            place = await world.declare()
            assert "is attached" in await world.say("ana", "/incident runbook queue", place.name)
            async with untouched(world):
                await world.say("ana", "/incident runbook broken", place.name)
            told(world, "ana", "There is no runbook “broken”.")
            found = [one.summary for one in await complaints(world)]
    said = [str(line["problem"]) for line in logs if line["event"] == "content.refused"]
    assert any("broken.md:6" in one for one in said), said
    assert any("headless.md:1" in one for one in said), said
    assert any("broken.md:6" in one for one in found) and any("headless.md:1" in one for one in found)


async def test_a_missing_slot_keeps_the_form_open_with_the_sentence_beside_it(world: World) -> None:
    place = await world.declare()
    ana = world.person("ana")
    await world.say("ana", "/incident comms payment-delays", place.name)
    assert ana.view is not None
    async with untouched(world):
        # Slack's own client asks for what is required; spaces get past it.
        refused = await ana.submit({"what": "   ", "since": "13:40", "next_update": "15:00"})
    assert list(refused.errors) == ["what"] and refused.errors["what"].endswith(".")
    assert ana.view is not None and not refused.ok


# -- clicks that come late, twice, or together --------------------------------------------------------------


async def test_a_click_on_an_old_message(world: World) -> None:
    place = await world.declare()
    await world.say("ana", "/incident runbook horizon-outage", place.name)
    old = section(world, place.name)
    blocks = list(old.blocks)
    await world.say("ana", "/incident false-alarm it was a test", place.name)
    old.blocks[:] = blocks  # a client that has not drawn the message anew
    async with untouched(world):
        await world.person("ben").tick(old, label="Ask Horizon five times")
        await world.settle()
    told(world, "ben", "INC-1 ended as a false alarm, so nothing was changed.")
    told(world, "ben", "reopen it first: `/incident reopen`.")


async def test_a_click_on_a_message_of_another_installation(world: World) -> None:
    place = await world.declare()
    found = card(world, place)
    found.blocks[:] = json.loads(json.dumps(found.blocks).replace((await world.incident()).id, "0" * 8))
    async with untouched(world):
        await world.person("ben").click(found, label="Take comms lead")
        await world.settle()
    told(world, "ben", "There is no such incident here.")


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("", id="no value"),
        pytest.param("not json", id="not JSON"),
        pytest.param("[1, 2]", id="JSON of another shape"),
        pytest.param('{"i": 7, "o": {"deep": []}}', id="values of other types"),
    ],
)
async def test_a_click_whose_value_is_not_ours(world: World, value: str) -> None:
    place = await world.declare()
    found = card(world, place)
    for block in found.blocks:
        for element in block.get("elements") or []:
            if "value" in element:
                element["value"] = value
    async with untouched(world):
        with capture_logs() as logs:
            await world.person("ben").click(found, label="Take comms lead")
            await world.settle()
    assert [one for one in logs if one["log_level"] == "error"] == []
    assert [one for one in world.messages("ben", place.name) if one.ephemeral]


async def test_a_double_click(world: World) -> None:
    place = await world.declare()
    await world.say("ana", "/incident update NG is back", place.name)
    preview = [one for one in world.messages("ana", place.name) if "Post" in one.labels][-1]
    await asyncio.gather(*(world.person("ana").click(preview, label="Post") for _ in range(2)))
    await world.settle()
    assert (await world.types()).count("UpdatePosted") == 1
    told(world, "ana", "That update is posted already. Nothing was sent twice.")

    for _ in range(2):
        await world.person("ben").click(card(world, place), action_id="inc:more")
    await asyncio.gather(*(world.person("ben").click(card(world, place), label="Take comms lead") for _ in range(2)))
    await world.settle()
    assert (await world.types()).count("RoleTaken") == 2  # the lead's at the beginning, and this one
    told(world, "ben", "You are comms lead already. Nothing changed.")


async def test_a_form_submitted_twice(world: World) -> None:
    await world.say("ana", "/incident Payouts stuck")
    world.slack.faults.add("delivery:view_submission", "duplicate")
    await world.person("ana").submit()
    await world.settle()
    assert len(await timelines(world)) == 1
    assert len([one for one in world.slack.channels if one.name.startswith("inc-")]) == 1


async def test_two_people_tick_the_same_step_at_once(world: World) -> None:
    place = await world.declare()
    await world.say("ana", "/incident runbook horizon-outage", place.name)
    shown = section(world, place.name)
    await asyncio.gather(
        *(world.person(who).tick(shown, label="Ask Horizon five times") for who in ("ana", "ben", "carla"))
    )
    await world.settle()
    ticked = [entry.event for entry in (await timelines(world))[0] if isinstance(entry.event, e.StepTicked)]
    assert len(ticked) == 1
    late = [who for who in ("ana", "ben", "carla") if world.person(who).id != ticked[0].by]
    for who in late:
        heard = [one.plain for one in world.messages(who, place.name) if one.ephemeral]
        heard += [one.plain for one in world.messages(who, place.name, shown.thread_ts) if one.ephemeral]
        assert any(f"<@{ticked[0].by}> did that already, 14:00 UTC. Nothing changed." in one for one in heard)


# -- deliveries that come again -----------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["socket", "http"])
async def test_a_redelivered_command(tmp_path: Path, mode: Any) -> None:
    async with world_at(tmp_path, mode) as world:
        world.slack.faults.add("delivery:slash_commands", "duplicate", 2)
        place = await world.declare()
        await world.say("ana", "/incident note the bank called", place.name)
        assert len(await timelines(world)) == 1
        assert (await world.types()).count("Noted") == 1
        assert len([one for one in world.slack.channels if one.name.startswith("inc-")]) == 1


async def test_a_redelivered_event(world: World) -> None:
    place = await world.declare()
    for kind in ("app_mention", "reaction_added", "reaction_removed", "channel_archive", "member_joined_channel"):
        world.slack.faults.add(f"delivery:event:{kind}", "duplicate", 3)
    await world.person("ana").post(place.name, "@incident-commander note the bank called")
    ts = await world.person("ana").post(place.name, "three payouts found")
    await world.settle()
    await world.person("ana").react(place.name, ts, "pushpin")
    await world.settle()
    assert (await world.types()).count("Noted") == 2
    await world.person("ana").unreact(place.name, ts, "pushpin")
    await world.settle()
    assert (await world.types()).count("NoteWithdrawn") == 1
    await world.person("ana").archive(place.name)
    await world.settle()
    assert (await world.types()).count("ChannelLost") == 1


async def test_an_event_that_slack_delivers_late(world: World) -> None:
    """Retries are not dropped: they may be the only delivery."""
    place = await world.declare()
    world.slack.faults.add("delivery:event:app_mention", "drop")
    await world.person("ana").post(place.name, "@incident-commander note the bank called")
    await world.settle()
    assert (await world.types()).count("Noted") == 1


# -- where a verb works ---------------------------------------------------------------------------------------


async def test_a_verb_outside_an_incident_channel(world: World) -> None:
    async with untouched(world):
        await world.say("ana", "/incident resolve")
        told(world, "ana", "`resolve` works in an incident's channel. Nothing was done. None is open now.")
    await world.say("ana", "/incident declare sev1 Signing key leaked")
    await world.person("ana").click(told(world, "ana", "This sounds delicate."), label="Private")
    await world.settle()
    async with untouched(world):
        text = await world.say("ben", "/incident note seen")
    assert "None is open now." in text and "inc-1" not in text  # a private one is not named to others
    ts = await world.person("ben").post("#payments", "seen at the bank")
    async with untouched(world):
        await world.person("ben").shortcut("Add to timeline", ts, "#payments")
        await world.settle()
    assert any("That works on messages in an incident's channel" in one.plain for one in directly(world, "ben"))


def directly(world: World, who: str) -> list[Message]:
    """What this person reads alone, anywhere."""
    me = world.person(who).id
    return [
        one
        for place in world.slack.channels
        for one in place.by_ts.values()
        if one.only_for == me or (place.is_im and me in place.members)
    ]


# -- what happens to the channel by hand ----------------------------------------------------------------------

ARCHIVED = "The channel is archived, so nothing is shown there. Everything is recorded; a person can unarchive it."
REMOVED = "I was removed from the channel, so nothing is shown there. Everything is recorded; invite me again"


async def test_the_channel_is_archived_by_hand(world: World) -> None:
    place = await world.declare()
    await world.person("ben").archive(place.name)
    await world.settle()
    for who in ("ana", "ben"):  # the lead, and whoever did it
        assert [one.plain for one in directly(world, who)].count(f"INC-1 is still open. {ARCHIVED}") == 1
    assert await world.types() == [
        "Declared", "Acknowledged", "RoleTaken", "RunbookGuessed", "ChannelOpened", "Invited", "ChannelLost",
    ]  # fmt: skip
    assert "channel" not in await parked(world)
    async with untouched(world):
        for _ in range(3):
            await world.settle()  # and it does not knock at a closed door for ever
    await world.person("ana").click(card(world, place), label="Take comms lead")
    await world.settle()
    assert ARCHIVED in told(world, "ana", "You are comms lead now.").plain

    await world.person("ana").unarchive(place.name)
    await world.settle()
    assert (await world.types())[-1] == "ChannelRegained"
    assert "Ana Silva" in card(world, place).plain.split("comms")[1]  # what happened meanwhile is shown now
    assert await parked(world) == {}


async def test_the_channel_is_archived_and_slack_did_not_say_so(world: World) -> None:
    place = await world.declare()
    world.slack.faults.add("delivery:event:channel_archive", "drop", 9)
    await world.person("ben").archive(place.name)
    await world.settle()
    await world.say("ana", "/incident note the bank called", place.name)
    assert (await world.types())[-2:] == ["Noted", "ChannelLost"]
    assert list((await parked(world)).values()) == ["is_archived"]
    found = await complaints(world)
    assert any("is_archived" in one.summary and one.advice.startswith("Unarchive the channel") for one in found)
    health = await world.bot.health()
    assert health.parked == 1 and any("parked" in one for one in health.problems)

    await world.person("ana").unarchive(place.name)
    await world.settle()
    assert await parked(world) == {}
    thread = [one.plain for one in world.messages("ana", place.name, card(world, place).ts)]
    assert any("the bank called" in one for one in thread)


async def test_the_card_is_deleted_by_hand(world: World) -> None:
    place = await world.declare()
    await world.person("ana").delete(place.name, card(world, place).ts)
    async with untouched(world):
        await world.settle()
    await world.say("ana", "/incident impact payouts to NG", place.name)
    assert "payouts to NG" in card(world, place).plain
    assert (await world.types())[-1] == "ImpactStated"
    assert await parked(world) == {}


async def test_the_bot_is_removed_from_the_channel(world: World) -> None:
    place = await world.declare()
    await world.person("ben").remove(place.name, "bot")
    await world.settle()
    assert any(REMOVED in one.plain for who in ("ana", "ben") for one in directly(world, who))
    assert (await world.types())[-1] == "ChannelLost"
    await world.say("ana", "/incident note the bank called", place.name)
    assert any("Noted." in one.plain and REMOVED in one.plain for one in directly(world, "ana"))

    await world.person("ana").invite(place.name, "bot")
    await world.settle()
    assert (await world.types())[-2:] == ["Noted", "ChannelRegained"]
    thread = [one.plain for one in world.messages("ana", place.name, card(world, place).ts)]
    assert any("the bank called" in one for one in thread)


async def test_the_channel_is_deleted_by_hand(world: World) -> None:
    place = await world.declare()
    await world.person("ana").delete_channel(place.name)
    await world.settle()
    assert (await world.types())[-1] == "ChannelLost"
    told(world, "ana", "INC-1 is still open. The channel was deleted, so nothing is shown there.")


# -- what Slack does not allow -----------------------------------------------------------------------------------


async def test_creation_of_channels_is_restricted(world: World) -> None:
    world.slack.faults.add("conversations.create", "error:restricted_action", 99)
    await world.say("ana", "/incident declare sev1 Withdrawals are stuck")
    told(world, "ana", "INC-1 is recorded, but Slack refused to open a channel (restricted_action).")
    told(world, "ana", "an admin can allow this app to create channels; I try again by myself.")
    assert await parked(world) == {"channel": "restricted_action"}
    found = await complaints(world)
    assert {one.advice for one in found if "restricted_action" in one.summary} == {
        "Let this app create channels in the workspace's settings; it is tried again by itself, at once by "
        "`python -m bot rearm`."
    }
    asked = [one.args["name"] for one in world.slack.journal.of("conversations.create")]
    assert asked == ["inc-1-withdrawals-are-stuck"], "`doctor` asks for no channel"
    async with untouched(world):
        await world.advance(seconds=30)
    assert len(world.slack.journal.of("conversations.create")) == 1  # the answer would be the same

    world.slack.faults.clear()
    await rearm(world)
    assert world.channel().name == "inc-1-withdrawals-are-stuck"
    assert card(world, world.channel()) is not None
    assert await parked(world) == {}


async def rearm(world: World) -> None:
    """As `bot rearm` does, from another process."""
    from bot.data_commands import rearm_all

    await rearm_all(world.settings)
    await world.settle()


@pytest.mark.parametrize(
    ("method", "key"),
    [
        pytest.param("pins.add", "pin:card", id="pins"),
        pytest.param("bookmarks.add", "bookmark:card", id="bookmarks"),
        pytest.param("conversations.setTopic", "topic", id="topic"),
        pytest.param("conversations.invite", "invites", id="invitations"),
    ],
)
async def test_a_missing_scope(world: World, method: str, key: str) -> None:
    world.slack.faults.add(method, "error:missing_scope", 99)
    place = await world.declare()
    assert await parked(world) == {key: "missing_scope"}
    found = await complaints(world)
    assert [one.advice for one in found if "missing_scope" in one.summary] == [
        "Add the scopes of manifest.yaml and reinstall the app; it is tried again by itself, at once by "
        "`python -m bot rearm`."
    ]
    assert (await world.bot.health()).parked == 1
    if method == "conversations.invite":
        told(world, "ana", "Join it: Slack has not let me bring you in yet.")
    world.slack.faults.clear()
    await rearm(world)
    assert await parked(world) == {}
    assert place.topic and len(place.pins) == len(place.bookmarks) == 1
    assert world.person("ana").id in place.members and world.person("ben").id in place.members


async def test_a_user_who_left(world: World) -> None:
    world.slack.change_person("carla", deleted=True)
    await world.settle()
    place = await world.declare()
    assert world.slack.world.user("ben").id in place.members  # the others of the group are called
    async with untouched(world):
        await world.say("ana", "/incident add <@U01CARLAROS>", place.name)
        await world.say("ana", "/incident lead <@U01CARLAROS>", place.name)
    told(world, "ana", "<@U01CARLAROS> cannot act on incidents here, so nothing was done. Name a member.")


async def test_a_user_who_left_and_slack_did_not_say_so(world: World) -> None:
    world.slack.faults.add("delivery:event:user_change", "drop", 9)
    world.slack.change_person("carla", deleted=True)
    await world.settle()
    place = await world.declare()
    told(world, "ana", "One person could not be invited: <@U01CARLAROS> (user_not_found).")
    assert world.slack.world.user("ben").id in place.members
    assert await parked(world) == {}


async def test_the_form_does_not_open(world: World) -> None:
    """Slack takes no form: the person reads what to do within Slack's 3 seconds, whatever Slack does."""
    for kind, sentence in (
        ("error:expired_trigger_id", "Slack gave us too little time to open the form. Please ask for it again."),
        ("error:invalid_blocks", "Slack refused the form (invalid_blocks). Type it instead"),
        ("500_before", "Slack did not answer. Please ask for the form again."),
        ("429:5", "Slack did not answer. Please ask for the form again."),
        ("hang", "Slack did not answer. Please ask for the form again."),
    ):
        world.slack.faults.add("views.open", kind)
        async with untouched(world):
            assert sentence in await world.say("ana", "/incident Payouts stuck")
        assert world.person("ana").view is None


# -- Slack falls over in the middle of a declaration -----------------------------------------------------------

CALLS_OF_DECLARE = [
    "conversations.create", "conversations.setTopic", "conversations.invite", "chat.postMessage", "pins.add",
    "bookmarks.add", "response_url",
]  # fmt: skip
FAULTS = [
    pytest.param("429:1", id="429"),
    pytest.param("500_before", id="500, not done"),
    pytest.param("500_after", id="500, done all the same"),
    pytest.param("cut_before", id="cut, not done"),
    pytest.param("cut_after", id="cut, done all the same"),
    pytest.param("hang", id="no answer"),
]


@pytest.fixture
async def impatient(tmp_path: Path) -> AsyncIterator[World]:
    """A world whose bot waits 0.2 seconds for Slack."""
    async with world_at(tmp_path, slack_timeout=0.2) as one:
        yield one


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("method", CALLS_OF_DECLARE)
async def test_each_call_of_a_declaration_may_fail_and_nothing_is_done_twice(
    impatient: World, method: str, kind: str
) -> None:
    impatient.slack.faults.add(method, kind)
    await impatient.say("ana", "/incident declare sev1 Withdrawals are stuck")
    await impatient.advance(seconds=40)
    assert impatient.slack.faults.planted == [], "the call was never made"
    await everything_stands(impatient)


@pytest.mark.parametrize("kind", [pytest.param("500_after", id="500"), pytest.param("429:2", id="429")])
async def test_every_call_of_a_declaration_fails(impatient: World, kind: str) -> None:
    """Also the scheduler's looking for what it may have done."""
    impatient.slack.faults.add("*", kind, 14)
    await impatient.say("ana", "/incident declare sev1 Withdrawals are stuck")
    await impatient.advance(minutes=2)
    assert impatient.slack.faults.planted == []
    await everything_stands(impatient)


async def everything_stands(world: World) -> None:
    """One channel with everybody in it, one card, one announcement; the declarer knows; nothing is left over."""
    places = [one for one in world.slack.channels if one.name.startswith("inc-")]
    assert [one.name for one in places] == ["inc-1-withdrawals-are-stuck"]
    place = places[0]
    assert {world.person(who).id for who in ("ana", "ben", "carla")} <= set(place.members)
    assert place.topic.startswith("SEV-1 · Investigating")
    assert len(place.bookmarks) == 1 and card(world, place)
    ours = [one for where in (place, world.slack.channel("#incidents")) for one in where.messages]
    bot = world.slack.bot_user_id
    texts = Counter((one.channel, one.text) for one in ours if one.user == bot and one.subtype is None)
    assert len(texts) >= 4 and set(texts.values()) == {1}, texts
    assert any("INC-1" in one.plain for one in directly(world, "ana"))
    types = await world.types()
    assert types.count("ChannelOpened") == 1 and "ChannelLost" not in types
    left = [one for one in await world.bot.store.effects((await world.incident()).id) if one.key != "invites"]
    assert {one.state for one in left} == {EffectState.SENT}
    assert (await world.bot.health()).problems == ()
    async with untouched(world):
        await world.settle()
