"""A step that names a probe is looked at before it counts as done, whichever way somebody says that it is done."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from bot.domain.incident import Mark, StepState
from tests.story.acts import last, section, tick
from tests.story.test_whole_story import switch
from tests.world import World, world_at

#: of the shipped runbook: a step that names the probe, and the one after it, which names none
STEP, OTHER = "3.1", "3.2"
RUNBOOK = "horizon-outage"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with world_at(tmp_path) as one:
        place = await one.declare()
        await one.say("ana", f"/incident runbook {RUNBOOK}", place.name)
        yield one


async def state(world: World) -> StepState:
    return (await world.incident()).checklists[0].state(STEP)


async def by_box(world: World) -> None:
    await tick(world, "ana", world.channel().name, STEP)


async def by_button(world: World) -> None:
    parent = world.find("ana", world.channel().name, f"Next, {STEP}")
    assert (await world.person("ana").click(parent, label="Done")).ok
    await world.settle()


async def by_word(world: World) -> None:
    await world.say("ana", f"/incident step {STEP} done", world.channel().name)


async def by_list(world: World) -> None:
    await world.say("ana", "/incident steps", world.channel().name)
    ana = world.person("ana")
    assert ana.view is not None
    block = next(one["block_id"] for one in ana.view["blocks"] if f":{STEP}:" in one.get("block_id", ""))
    await ana.tick_in_view(block_id=block)
    await world.settle()


async def by_form(world: World) -> None:
    await world.say("ana", "/incident more", world.channel().name)
    await world.person("ana").click_in_view(label="A step")
    await world.settle()
    await world.person("ana").submit({"which": f"{RUNBOOK} {STEP}", "what": "done"})
    await world.settle()


WAYS = [by_box, by_button, by_word, by_list, by_form]


@pytest.mark.parametrize("way", WAYS)
async def test_it_is_ticked_once_the_reading_is_ok(world: World, way: Callable[[World], Awaitable[None]]) -> None:
    await way(world)
    assert (await world.types())[-2:] == ["ReadingTaken", "StepTicked"]
    after = await state(world)
    assert after.mark is Mark.DONE and after.reading is not None and after.reading.state == "ok"
    # everybody reads it beside the step
    assert "horizon reads *ok*" in (await section(world, "carla", world.channel().name, f"*{STEP}*")).plain


@pytest.mark.parametrize("way", WAYS)
async def test_a_reading_that_is_not_ok_is_asked_about(world: World, way: Callable[[World], Awaitable[None]]) -> None:
    switch(world, "network", "failing")
    await world.advance(minutes=5)
    await way(world)
    before = await state(world)
    assert before.mark is Mark.OPEN and before.reading is not None and before.reading.state == "down"
    place = world.channel().name
    assert "horizon reads *down*" in (await section(world, "carla", place, f"*{STEP}*")).plain
    asked = world.messages("ana", place)[-1]
    assert asked.ephemeral and "Shall the step count as done all the same?" in asked.plain
    assert not any("all the same" in one.plain for one in world.messages("carla", place))
    await world.person("ana").click(asked, label="It is done all the same")
    await world.settle()
    assert (await state(world)).mark is Mark.DONE
    assert (await world.types()).count("ReadingTaken") == 1


async def test_the_question_is_asked_anew_once_somebody_else_has_looked(world: World) -> None:
    place = world.channel().name
    switch(world, "network", "failing")
    await world.advance(minutes=5)
    await by_word(world)
    asked = world.messages("ana", place)[-1]
    await world.person("carla").command(f"/incident step {STEP} done", channel=place)
    await world.settle()
    await world.person("ana").click(asked, label="It is done all the same")
    await world.settle()
    assert (await state(world)).mark is Mark.OPEN  # what ana read is not the latest
    assert "Shall the step count" in last(world, "ana", place)
    assert (await world.types()).count("ReadingTaken") == 3


async def test_a_step_without_a_probe_is_ticked_at_once(world: World) -> None:
    await world.say("ana", f"/incident step {OTHER} done", world.channel().name)
    assert (await world.types())[-1] == "StepTicked"
    assert "ReadingTaken" not in await world.types()


async def test_ticked_again_after_an_undo_it_is_looked_at_again(world: World) -> None:
    await by_word(world)
    await world.say("ana", f"/incident step {STEP} undo", world.channel().name)
    await by_word(world)
    assert (await world.types())[-4:] == ["StepTicked", "StepUnticked", "ReadingTaken", "StepTicked"]


async def test_two_at_once_tick_it_once(world: World) -> None:
    place = world.channel().name
    for who in ("ana", "carla"):
        await world.person(who).command(f"/incident step {STEP} done", channel=place)
    await world.settle()
    assert (await world.types()).count("StepTicked") == 1
    assert (await state(world)).mark is Mark.DONE
