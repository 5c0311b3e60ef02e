"""Two people are two people: asked, agreed, done; refused, expired, taken back, corrected; and what one does alone."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.domain.incident import Mark
from localslack import Message
from tests.story.acts import (
    bot_messages,
    direct,
    heard,
    last,
    mentioned,
    plain,
    press,
    press_step,
    refused,
    section,
    submit,
    tick,
)
from tests.world import World, test_policy, world_at

EVIDENCE = {"count": "12 payouts", "amount": "NGN 1,200,000", "evidence": "queue is at 12 since 13:58 UTC"}
ASKS = "Ana Silva asks: Resume outgoing payments"
STEP = "5.4"


async def incident(world: World, *people: str) -> str:
    """An incident of Ana's with the runbook, and these people in it; the channel."""
    room = (await world.declare("ana", "sev2 Deposits wait")).id
    for who in people:
        await world.say("ana", f"/incident add @{who}", room)
    await world.say("ana", "/incident runbook horizon-outage", room)
    await world.person("ana").select(world.find("ana", room, "Runbook Horizon"), "inc:section", "5. Resolution")
    await world.settle()
    return room


async def ask(world: World, room: str, who: str = "ana", values: dict[str, Any] = EVIDENCE) -> Message:
    """Ask for a second person on the step that resumes payments; the message that asks."""
    await press_step(world, who, room, STEP, "Ask")
    await submit(world, who, values, "Ask")
    return world.find(who, room, "asks: Resume outgoing payments")


async def mark(world: World) -> Mark:
    """How that step stands."""
    return (await world.incident()).checklists[0].state(STEP).mark


async def test_ask_go_done(world: World) -> None:
    room = await incident(world, "ben", "carla")
    asked = await ask(world, room)
    for who in ("ben", "carla"):
        assert any("asks: Resume" in one for one in mentioned(world, who, room)), "a new message mentions who may"
    assert all(word in plain(asked) for word in ("12 payouts", "NGN 1,200,000", "queue is at 12", "Expires 14:30 UTC"))
    await world.person("ben").click(asked, label="Go")
    await world.settle()
    form = world.person("ben").view
    assert form is not None and form["submit"]["text"].startswith("Go: Resume")
    assert all(word in str(form["blocks"]) for word in ("12 payouts", "NGN 1,200,000", "queue is at 12"))
    assert await mark(world) is Mark.ASKED, "opening the form gives nothing"
    await submit(world, "ben")
    assert await mark(world) is Mark.GO
    assert any("go-ahead from Ben Okafor, 14:00 UTC. Do it before 14:10 UTC" in plain(one)
               for one in mentioned(world, "ana", room))  # fmt: skip
    assert "Done 14" not in plain(await section(world, "ana", room, f"*{STEP}*")), "no sign of done before it is"
    await press(world, "ana", room, "go-ahead from Ben Okafor", "Done…")
    assert "result" in (await refused(world, "ana", {"result": "  "}))
    await submit(world, "ana", {"result": "hash 3f1c, ledger 55,120,033"})
    step = plain(await section(world, "ana", room, f"*{STEP}*"))
    assert "Done once, 14:00 UTC by Ana Silva with Ben Okafor: hash 3f1c" in step
    assert "Asking again may pay twice." in step


async def test_the_asker_is_told_who_may(world: World) -> None:
    room = await incident(world, "ben", "carla")
    asked = await ask(world, room)
    await world.person("ana").click(asked, label="Go")
    await world.settle()
    assert world.person("ana").view is None, "no form is filled in for nothing"
    ben, carla = world.person("ben").id, world.person("carla").id
    assert last(world, "ana", room) == (
        f"You asked for this, so somebody else has to agree: <@{ben}> or <@{carla}> are in this channel."
    )
    await world.say("ana", f"/incident step {STEP} go", room)
    assert "You asked for this, so somebody else has to agree" in last(world, "ana", room)
    assert await mark(world) is Mark.ASKED


@pytest.mark.parametrize(
    ("who", "label", "says"),
    [
        pytest.param("ben", "Done…", "asked for this and does it", id="only the asker says done"),
        pytest.param("ben", "Not done", "only they can take it back", id="only the asker takes it back"),
    ],
)
async def test_the_second_person_does_not_do_it(world: World, who: str, label: str, says: str) -> None:
    room = await incident(world, "ben")
    asked = await ask(world, room)
    await world.person("ben").click(asked, label="Go")
    await submit(world, "ben")
    await press(world, who, room, "go-ahead from Ben Okafor", label)
    assert says in last(world, who, room)
    assert await mark(world) is Mark.GO


async def test_a_double_click_gives_one_go(world: World) -> None:
    room = await incident(world, "ben")
    asked = await ask(world, room)
    await asyncio.gather(*(world.person("ben").click(asked, label="Go") for _ in range(2)))
    await world.settle()
    await submit(world, "ben")
    if world.person("ben").view is not None:  # the second click's form, over the first
        await world.person("ben").submit({})
        await world.settle()
    assert (await world.types()).count("GoGiven") == 1


async def test_two_at_once_one_go(world: World) -> None:
    """Both had the form open; who comes second is told what stands, and nothing is recorded twice."""
    room = await incident(world, "ben", "carla")
    asked = await ask(world, room)
    for who in ("ben", "carla"):
        await world.person(who).click(asked, label="Go")
    results = await asyncio.gather(*(world.person(who).submit({}) for who in ("ben", "carla")))
    await world.settle()
    assert all(not one.failed for one in results)
    assert (await world.types()).count("GoGiven") == 1
    second = (await world.incident()).asks
    went = next(iter(second.values())).second
    other = "carla" if went == world.person("ben").id else "ben"
    assert "has the go-ahead of" in heard(world, other, room)


async def test_two_tick_the_same_step_at_once(world: World) -> None:
    room = await incident(world, "ben")
    message = await section(world, "ana", room, "*3.2*")
    block = next(one["block_id"] for one in message.blocks if ":3.2:" in one.get("block_id", ""))
    await asyncio.gather(*(world.person(who).tick(message, block_id=block) for who in ("ana", "ben")))
    await world.settle()
    assert (await world.types()).count("StepTicked") == 1
    state = (await world.incident()).checklists[0].state("3.2")
    other = "ben" if state.by == world.person("ana").id else "ana"
    assert "did that already, 14:00 UTC. Nothing changed." in heard(world, other, room, world.find(
        "ana", room, "Runbook Horizon").ts) + heard(world, other, room)  # fmt: skip


async def test_an_ask_lapses_and_says_so_to_the_asker(world: World) -> None:
    room = await incident(world, "ben")
    asked = await ask(world, room)
    await world.advance(minutes=31)
    assert any("nobody agreed before 14:30 UTC, so it is not to be done" in plain(one)
               for one in mentioned(world, "ana", room))  # fmt: skip
    assert not world.find("ben", room, "Ana Silva asked: Resume").labels
    assert world.find("ben", room, "Ana Silva asked: Resume").ts == asked.ts
    assert await mark(world) is Mark.OPEN


async def test_a_go_lapses_and_is_not_done(world: World) -> None:
    room = await incident(world, "ben")
    asked = await ask(world, room)
    await world.person("ben").click(asked, label="Go")
    await submit(world, "ben")
    answer = world.find("ana", room, "go-ahead from Ben Okafor")
    await world.person("ana").click(answer, label="Done…")
    await world.jump(minutes=11)
    assert "expired" in " ".join((await refused(world, "ana", {"result": "sent"})).values())
    assert "the go-ahead expired 14:1" in heard(world, "ana", room)
    assert await mark(world) is Mark.OPEN
    await world.person("ana").close_view()
    await world.say("ana", f"/incident step {STEP} alone sent it at 14:09 UTC, the form came too late", room)
    assert "did alone what needs two people" in heard(world, "ben", room)
    assert await mark(world) is Mark.REVIEW


async def test_refused_with_a_reason_and_asked_again(world: World) -> None:
    room = await incident(world, "ben")
    asked = await ask(world, room)
    await world.person("ben").click(asked, label="Refuse")
    assert await refused(world, "ben", {"reason": " "})
    await submit(world, "ben", {"reason": "two of the twelve are twins"})
    assert any("Ben Okafor refused: two of the twelve are twins" in one for one in mentioned(world, "ana", room))
    assert await mark(world) is Mark.OPEN
    assert (await ask(world, room, values={"count": "10 payouts"})).ts != asked.ts


async def test_a_go_is_taken_back_by_refusing(world: World) -> None:
    room = await incident(world, "ben", "carla")
    asked = await ask(world, room)
    await world.person("ben").click(asked, label="Go")
    await submit(world, "ben")
    await world.say("carla", f"/incident step {STEP} refuse the queue moved meanwhile", room)
    assert await mark(world) is Mark.OPEN
    assert "Carla Rossi refused" in heard(world, "ana", room)


async def test_done_is_corrected_never_unticked(world: World) -> None:
    room = await incident(world, "ben")
    asked = await ask(world, room)
    await world.person("ben").click(asked, label="Go")
    await submit(world, "ben")
    await world.say("ana", f"/incident step {STEP} done hash 3f1c", room)
    await world.say("ana", f"/incident step {STEP} undo", room)
    assert "Done once" in last(world, "ana", room) and "correct" in last(world, "ana", room)
    await press_step(world, "ben", room, STEP, "Correct…")
    await submit(world, "ben", {"text": "11 payouts, one was cancelled"})
    assert "Note: 11 payouts" in plain(await section(world, "ana", room, f"*{STEP}*"))
    assert await mark(world) is Mark.DONE


async def test_asking_again_takes_a_box_that_says_it_was_read(world: World) -> None:
    room = await incident(world, "ben")
    asked = await ask(world, room)
    await world.person("ben").click(asked, label="Go")
    await submit(world, "ben")
    await world.say("ana", f"/incident step {STEP} done hash 3f1c", room)
    await world.say("ana", f"/incident step {STEP} ask", room)
    errors = await refused(world, "ana", {"count": "3 more"})
    assert "Asking again may pay twice." in errors["again"]
    await submit(world, "ana", {"again": ["yes"]})
    assert await mark(world) is Mark.ASKED


async def test_an_ordinary_tick_never_passes_for_two_people(world: World) -> None:
    room = await incident(world, "ben")
    await world.say("ana", f"/incident step {STEP} done", room)
    assert "needs a second person before it is done" in last(world, "ana", room)
    assert await mark(world) is Mark.OPEN
    await tick(world, "ana", room, "3.2")
    assert (await world.incident()).checklists[0].state("3.2").mark is Mark.DONE


async def test_alone_at_night_those_who_confirm_are_asked(tmp_path: Path) -> None:
    """02:10, nobody else in the channel: policy names who may confirm; they are asked, and money waits."""
    night = datetime(2026, 3, 3, 2, 10, tzinfo=UTC)
    async with world_at(tmp_path, policy=test_policy(may_confirm=("@payments-oncall",)), begin=night) as world:
        room = await incident(world)
        asked = await ask(world, room)
        assert "Money that is held is safe. Wait." in heard(world, "ana", room)
        ben, carla = world.person("ben"), world.person("carla")
        assert any("Resume outgoing" in note.text for note in ben.notifications), "the first is asked at once"
        assert not any("Resume outgoing" in note.text for note in carla.notifications)
        await world.advance(minutes=6)
        assert any("Resume outgoing" in note.text for note in carla.notifications), "then the next"
        assert asked.channel == room and await mark(world) is Mark.ASKED
        await carla.join("#" + world.slack.channel(room).name)
        await world.settle()
        await world.person("carla").click(world.find("carla", room, ASKS), label="Go")
        await submit(world, "carla")
        assert await mark(world) is Mark.GO


async def test_alone_without_anybody_to_ask(world: World) -> None:
    room = await incident(world)
    await press_step(world, "ana", room, STEP, "Ask")
    errors = await refused(world, "ana", EVIDENCE)
    assert "Held money is safe. Wait" in " ".join(errors.values())
    assert await mark(world) is Mark.OPEN


async def test_stopping_is_done_at_once_and_reviewed_within_half_an_hour(world: World) -> None:
    room = await incident(world, "ben")
    await press_step(world, "ana", room, "3.4", "Stopped")
    assert "not yet reviewed" in plain(await section(world, "ana", room, "*3.4*"))
    assert any("Look at it before 14:30 UTC" in plain(one) for one in mentioned(world, "ben", room))
    await press(world, "ana", room, "did this alone", "Reviewed")
    assert "You did this yourself" in last(world, "ana", room)
    await world.advance(minutes=31)
    assert any("nobody has looked yet" in one for one in mentioned(world, "ben", room))
    await press(world, "ben", room, "nobody has looked yet", "Reviewed")
    assert "reviewed by Ben Okafor" in plain(await section(world, "ana", room, "*3.4*"))
    assert not [one for one in bot_messages(world, room) if "nobody has looked yet" in one]
    assert "Reviewed by Ben Okafor" in heard(world, "ana", room)
    assert "Reviewed" not in direct(world, "ana")


async def test_ending_lets_open_asks_lapse(world: World) -> None:
    room = await incident(world, "ben")
    asked = await ask(world, room)
    await world.say("ana", "/incident false-alarm it was a test", room)
    message = world.find("ben", room, "Ana Silva asked: Resume")
    assert message.ts == asked.ts and not message.labels
    await world.say("ben", f"/incident step {STEP} go", room)
    assert "ended as a false alarm" in last(world, "ben", room)
