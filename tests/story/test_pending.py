"""Requests that wait for a second person: which change ends them, and that whoever asked is told."""

from __future__ import annotations

import pytest

from tests.story.acts import heard, last, mentioned, submit, write_text
from tests.story.test_two_people import ask
from tests.story.test_two_people import incident as with_runbook
from tests.world import World

AGREE = "Agree: resolve"
ASKS = "asks to resolve INC-1"
ENDED = "your request to resolve INC-1 was not agreed to"


async def asked_to_resolve(world: World) -> str:
    """A SEV-1 of Ana's that she asks to resolve with open conditions; the channel."""
    room = (await world.declare("ana", "sev1 Payouts wait")).id
    await world.say("ana", "/incident add @dipo", room)
    await world.say("ana", "/incident resolve", room)
    await submit(world, "ana", {"checks": ["impact"], "note": "moved", "override": "we count tomorrow"}, "Resolve")
    return room


@pytest.mark.parametrize("hours", [pytest.param(20, id="20 hours"), pytest.param(7 * 24, id="7 days")])
async def test_a_request_does_not_outlive_an_ending(world: World, hours: int) -> None:
    """The button that is still on somebody's screen says why not."""
    room = await asked_to_resolve(world)
    button = world.find("ben", room, ASKS)
    await world.say("dipo", "/incident false-alarm the probe was wrong", room)
    assert any(f"{ENDED}, because the incident was ended or reopened" in one for one in mentioned(world, "ana", room))
    await world.advance(hours=hours)
    await world.say("dipo", "/incident reopen it was right", room)
    assert ASKS not in heard(world, "ben", room)
    world.slack.channel(room).by_ts[button.ts].deleted = False  # Ben's screen has not been refreshed
    await world.person("ben").click(button, label=AGREE)
    await world.settle()
    assert "Nobody asks to resolve this any more. Nothing was done." in last(world, "ben", room)
    assert "Resolved" not in await world.types()


@pytest.mark.parametrize(
    ("change", "because"),
    [
        pytest.param("/incident sev 2 one bank only", "the severity changed since", id="severity"),
        pytest.param("/incident false-alarm the probe was wrong", "was ended or reopened since", id="ending"),
        pytest.param("/incident duplicate INC-2", "was ended or reopened since", id="duplicate"),
    ],
)
async def test_who_asked_is_told_what_ended_it(world: World, change: str, because: str) -> None:
    room = await asked_to_resolve(world)
    await world.declare("eve", "sev2 The same at another bank")
    await world.say("dipo", change, room)
    told = [one for one in mentioned(world, "ana", room) if ENDED in one]
    assert len(told) == 1 and because in told[0] and "`/incident resolve`" in told[0]


async def test_a_request_expires(world: World) -> None:
    """After half an hour nobody can agree any more, and its asker hears of it."""
    room = await asked_to_resolve(world)
    await world.advance(minutes=31)
    assert ASKS not in heard(world, "ben", room)
    assert any(f"{ENDED}, because nobody answered in time" in one for one in mentioned(world, "ana", room))


async def test_a_condition_that_changed_ends_it(world: World) -> None:
    """While the request waits, somebody asks for a second person on a step."""
    room = await with_runbook(world, "ben", "carla")
    await world.say("ana", "/incident sev 1 payouts to two countries", room)
    await world.say("ana", "/incident resolve", room)
    await submit(world, "ana", {"checks": ["impact"], "note": "moved", "override": "we count tomorrow"}, "Resolve")
    await ask(world, room, "carla")
    assert any(f"{ENDED}, because a condition changed" in one for one in mentioned(world, "ana", room))


async def test_a_step_is_not_to_be_done_after_the_end(world: World) -> None:
    room = await with_runbook(world, "ben", "carla")
    await ask(world, room)
    await world.say("carla", "/incident false-alarm the probe was wrong", room)
    told = [one for one in mentioned(world, "ana", room) if "your request for a second person has ended" in one]
    assert len(told) == 1 and "This is not to be done now: Resume outgoing payments" in told[0]


async def test_a_text_for_customers_that_is_void(world: World) -> None:
    """A severity that changed voids it; its author is told, and only once."""
    room = (await world.declare("ana", "sev1 Payouts wait")).id
    for who in ("dipo", "carla"):
        await world.say("ana", f"/incident add @{who}", room)
    await write_text(world, "carla", room, {"what": "payouts", "since": "13:40 UTC", "next_update": "15:00 UTC"})
    await world.say("ana", "/incident sev 2 one bank only", room)
    await world.advance(minutes=61)
    told = [one for one in mentioned(world, "carla", room) if "your text for customers was not sent" in one]
    assert len(told) == 1 and "because the severity changed since" in told[0]


async def test_a_hand_over_outlives_a_severity_and_no_ending(world: World) -> None:
    room = (await world.declare("ana", "sev2 Deposits wait")).id
    await world.say("ana", "/incident add @ben", room)
    await world.say("ben", "/incident lead me", room)
    await world.say("ana", "/incident sev 1 it spreads", room)
    assert (await world.incident()).offers
    await world.say("ana", "/incident false-alarm the probe was wrong", room)
    assert any("the hand-over of the lead was not answered" in one for one in mentioned(world, "ben", room))


async def test_who_ends_it_themselves_needs_no_word(world: World) -> None:
    room = await asked_to_resolve(world)
    await world.say("ana", "/incident false-alarm the probe was wrong", room)
    assert ENDED not in heard(world, "ana", room)
