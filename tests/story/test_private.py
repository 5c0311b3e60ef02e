"""What holds for private incidents from the first second: nobody learns of them who was not asked in by name."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from bot.config import ROOT
from bot.domain.customer_template import text_hash
from tests.sentences import NO_SUCH_INCIDENT
from tests.story.acts import (
    bot_messages,
    direct,
    direct_message,
    heard,
    last,
    mentioned,
    press,
    press_step,
    submit,
    write_text,
)
from tests.story.forged import Forger
from tests.world import World, test_policy, world_at

TITLE = "Customer paid twice by a replay"
#: what nobody outside may read: words of the title
TELLING = ("Customer", "replay", "paid")
OUTSIDERS = ("ben", "carla", "dipo", "eve", "gus")


async def private(world: World, text: str = f"sev1 {TITLE}") -> str:
    """Declared with words that need care, then [Private]; the channel's id."""
    answer = await world.say("ana", f"/incident declare {text}")
    assert "Nothing was opened yet" in answer
    assert not [one for one in world.slack.world.channels.values() if one.name.startswith("inc-")]
    await press(world, "ana", "#general", "This sounds delicate", "Private")
    return world.channel().id


def everything_seen_by(world: World, who: str) -> str:
    """All that this person can read anywhere, private answers and notifications too."""
    person = world.person(who)
    seen = [note.text for note in person.notifications]
    for channel in world.slack.world.channels.values():
        if world.slack.world.visible(channel, person.user):
            seen += [channel.name, channel.topic]
            seen += [one.plain for one in channel.by_ts.values() if one.only_for in (None, person.id)]
    return "\n".join(seen)


async def test_the_form_asks_and_the_words_of_the_title_choose_private(world: World) -> None:
    await world.say("ana", "/incident A key of ours leaked", "#payments")
    form = world.person("ana").view
    assert form is not None
    chosen = next(one for one in form["blocks"] if one["block_id"] == "private")["element"]["initial_option"]
    assert chosen["value"] == "private"
    await submit(world, "ana", {}, "Declare")
    room = world.channel()
    assert (room.name, room.is_private) == ("inc-1", True)


async def test_nobody_hears_of_it(world: World) -> None:
    room = world.slack.channel(await private(world))
    assert (room.name, room.is_private) == ("inc-1", True)
    assert not any(word in room.topic for word in TELLING)
    assert set(room.members) == {world.person("ana").id, world.slack.bot_user_id}
    assert not [one for one in bot_messages(world, "#incidents") if "INC-1" in one]
    await world.say("ana", "/incident impact one customer, NGN 120,000 twice", room.id)
    await world.say("ana", "/incident sev 2 one customer only", room.id)
    await world.say("ana", "/incident sev 1 three more found", room.id)
    await world.say("ana", "/incident update Replays are off", room.id)
    assert "announcement" not in last(world, "ana", room.id)
    await press(world, "ana", room.id, "This goes to the channel", "Post")
    await world.advance(hours=3)
    await world.say("ana", "/incident mitigate replays are off", room.id)
    await world.say("ana", "/incident note all four were told by phone", room.id)
    assert set(room.members) == {world.person("ana").id, world.slack.bot_user_id}
    for who in OUTSIDERS:
        assert not any(word in everything_seen_by(world, who) for word in ("INC-1", "inc-1", *TELLING)), who


@pytest.mark.parametrize(
    "said",
    [
        pytest.param("/incident list", id="list"),
        pytest.param("/incident status", id="status in another channel is the list"),
        pytest.param("/incident timeline", id="an incident's verb elsewhere names where it works"),
        pytest.param("/incident declare sev1 Customers are paid late by the replay", id="nothing like it is offered"),
    ],
)
async def test_only_members_find_it(world: World, said: str) -> None:
    room = await private(world)
    await world.say("ben", said, "#payments")
    assert not any(word in heard(world, "ben", "#payments") for word in ("INC-1 ", TITLE, room))
    assert f"<#{room}>" in await world.say("ana", "/incident list", "#payments")


async def test_another_incident_cannot_be_called_its_duplicate_by_an_outsider(world: World) -> None:
    await private(world)
    await world.say("ben", "/incident declare sev3 Receipts are blurred")
    answer = await world.say("ben", "/incident duplicate INC-1", world.channel(2).id)
    assert "There is no INC-1 here" in answer


async def test_who_is_asked_in_by_name_belongs_to_it(world: World) -> None:
    room = await private(world)
    await world.say("ana", "/incident add @ben", room)
    assert world.person("ben").id in world.slack.channel(room).members
    assert TITLE in await world.say("ben", "/incident list")
    assert "Name a person" in await world.say("ben", "/incident escalate more hands", room)
    assert set(world.slack.channel(room).members) == {
        world.person("ana").id, world.person("ben").id, world.slack.bot_user_id
    }  # fmt: skip


async def test_asks_go_to_members_only(world: World) -> None:
    room = await private(world)
    await world.say("ana", "/incident runbook horizon-outage", room)
    await world.say("ana", "/incident step 5.4 ask", room)
    result = await world.person("ana").submit({"count": "1"})
    assert "invite somebody" in " ".join(result.errors.values())
    await world.person("ana").close_view()
    await world.say("ana", "/incident add @ben", room)
    await world.say("ana", "/incident step 5.4 ask", room)
    await submit(world, "ana", {"count": "1"}, "Ask")
    asked = (await world.incident()).open_asks[0].asked
    assert asked.to == (world.person("ben").id,)
    assert any("asks" in one for one in mentioned(world, "ben", room))


async def test_reviews_go_to_members_only(world: World) -> None:
    room = await private(world)
    await world.say("ana", "/incident runbook horizon-outage", room)
    await world.say("ana", "/incident add @carla", room)
    await press_step(world, "ana", room, "3.4", "Stopped")
    assert (await world.incident()).checklists[0].state("3.4").review_to == (world.person("carla").id,)


async def test_what_leaves_the_channel_does_not_name_the_title(world: World) -> None:
    """Direct messages are read on lock screens: number and severity only."""
    room = await private(world)
    await world.say("ana", "/incident add @ben", room)
    await world.say("ana", "/incident lead @ben", room)
    await world.advance(minutes=29)
    assert "INC-1: The update is due" in direct(world, "ben")
    await world.say("ben", "/incident mitigate done", room)
    await world.say("ben", "/incident false-alarm test of the replay", room)
    await press(world, "ben", room, "False alarm", "Stand down")
    for who in ("ana", "ben"):
        assert TITLE not in direct(world, who)


async def test_a_text_for_colleagues_is_not_announced(world: World) -> None:
    """The announcement channel learns nothing; a person sends it to whom it concerns and says so."""
    room = await private(world)
    await world.say("ana", "/incident add @dipo", room)
    values = {"what": "some payouts", "since": "13:40 UTC", "next_update": "15:00 UTC"}
    await write_text(world, "ana", room, values, "payment-delays internal")
    await world.person("dipo").click(direct_message(world, "dipo", "asks you to approve"), label="Approve")
    await world.settle()
    assert "some payouts" not in heard(world, "eve", "#incidents") + heard(world, "eve", "#customer-comms")
    assert "the incident is private, so I announce nothing" in heard(world, "ana", room)
    await press(world, "ana", room, "Please post exactly this by hand", "It is there")
    draft = (await world.incident()).last_published_draft
    assert draft is not None and draft.drafted.text_hash == text_hash(draft.drafted.text)


async def test_who_leaves_no_longer_belongs_to_it(world: World) -> None:
    """The open form, the list, the next ask: all as for anybody outside. Asked in again: all as before."""
    room = await private(world)
    await world.say("ana", "/incident runbook horizon-outage", room)
    await world.say("ana", "/incident add @ben", room)
    await world.say("ben", "/incident update", room)
    await world.person("ana").remove(room, "ben")
    await world.settle()
    result = await world.person("ben").submit({"text": "still here"})
    assert NO_SUCH_INCIDENT in result.errors.values()
    assert "INC-1" not in await world.say("ben", "/incident list")
    await world.say("ana", "/incident step 5.4 ask", room)
    assert "invite somebody" in " ".join((await world.person("ana").submit({"count": "1"})).errors.values())
    await world.person("ana").close_view()
    await world.say("ana", "/incident add @ben", room)
    assert world.person("ben").id in world.slack.channel(room).members
    assert TITLE in await world.say("ben", "/incident list")


async def test_who_leads_and_leaves_is_told_nothing_more(world: World) -> None:
    room = await private(world)
    await world.say("ana", "/incident add @ben", room)
    await world.say("ana", "/incident add @carla", room)
    await world.say("ana", "/incident lead @ben", room)
    assert (await world.incident()).lead == world.person("ben").id
    await world.person("ana").remove(room, "ben")
    await world.settle()
    assert (await world.incident()).lead == ""
    told = direct(world, "ben")
    assert "Ben Okafor cannot act here any more, so nobody is the lead now." in heard(world, "ana", room)
    await world.advance(hours=1)
    assert direct(world, "ben") == told


async def test_a_public_incident_does_not_name_a_private_one_as_what_it_repeats(world: World) -> None:
    """Also for somebody who is in both: others read it there. Where everybody is in both, it may be named."""
    room = await private(world)
    await world.say("ana", "/incident declare sev3 Receipts are blurred")
    answer = await world.say("ana", "/incident duplicate INC-1", world.channel(2).id)
    assert "INC-1 is private, and people who are not in it would read its number here." in answer
    assert (await world.incident(2)).open
    await world.say("ana", "/incident declare sev1 The keys leaked")
    await press(world, "ana", "#general", "This sounds delicate", "Private")
    other = world.channel(3).id
    await world.say("ana", "/incident add @ben", other)
    assert "INC-1 is private" in await world.say("ana", "/incident duplicate INC-1", other)
    await world.say("ana", "/incident add @ben", room)
    assert "duplicate of INC-1" in await world.say("ana", "/incident duplicate INC-1", other)


async def test_who_came_while_nobody_looked_is_in_it(world: World) -> None:
    """Slack's word that somebody joined was lost: what they say in the channel is looked into, and counts."""
    room = await private(world)
    world.slack.faults.add("delivery:event:member_joined_channel", "drop", 0)
    await world.person("ana").invite(room, "ben")
    await world.settle()
    assert not (await world.incident()).is_participant(world.person("ben").id)
    assert "Noted." in await world.say("ben", "/incident note here", room)
    assert (await world.incident()).is_participant(world.person("ben").id)


async def test_policy_may_name_who_reads_the_list(tmp_path: Path) -> None:
    """They see it there; they act in it once somebody has brought them in."""
    async with world_at(tmp_path, policy=test_policy(may_read_private=("@comms",))) as world:
        await private(world)
        assert TITLE in await world.say("eve", "/incident list")
        assert "INC-1" not in await world.say("ben", "/incident list")
        incident = await world.incident()
        await Forger(world, "eve").click("inc:take", json.dumps({"i": incident.id, "o": "scribe"}), "#general")
        assert NO_SUCH_INCIDENT in last(world, "eve", "#general")
        assert await world.incident() == incident


async def test_a_text_for_customers_has_no_number_of_it(tmp_path: Path) -> None:
    folder = tmp_path / "templates"
    shutil.copytree(ROOT / "comms_templates", folder)
    for file in (folder / "customers").rglob("*.j2"):
        file.write_text(file.read_text() + "\nReference: {{ incident.ref }}\n")
    async with world_at(tmp_path, templates_dir=folder) as world:
        room = await private(world)
        values = {"what": "some payouts", "since": "13:40 UTC", "next_update": "15:00 UTC"}
        await world.say("ana", "/incident add @dipo", room)
        await write_text(world, "ana", room, values)
        await world.person("dipo").click(direct_message(world, "dipo", "asks you to approve"), label="Approve")
        await world.settle()
        assert "Reference: this incident" in heard(world, "eve", "#customer-comms")
        assert "INC-1" not in heard(world, "eve", "#customer-comms")
