"""[More] holds every act: each is pressed and its form filled in, and does what the typed word does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.slack.surfaces.acts import ACTS, Act, Phase
from localslack import plain_text
from tests.story.acts import last
from tests.world import World, world_at


def buttons(world: World, who: str = "ana") -> list[str]:
    view = world.person(who).view
    assert view is not None
    return list(plain_text.button_labels(view["blocks"]))


async def more(world: World, who: str = "ana") -> None:
    await world.say(who, "/incident more", world.channel().name)
    assert world.person(who).view is not None


async def press(world: World, act: Act, values: dict[str, Any] | None = None, who: str = "ana") -> str:
    """Open [More], press the act, fill in its form where it has one; what the person reads then."""
    person = world.person(who)
    await more(world, who)
    await person.click_in_view(action_id=f"inc:act:{act}")
    await world.settle()
    if values is not None:
        result = await person.submit(values)
        assert result.ok, result.errors
        await world.settle()
    view = person.view
    said = plain_text.visible("", view["blocks"][:1]) if view is not None else last(world, who, world.channel().name)
    while person.view is not None:
        await person.close_view()
    return str(said)


async def test_every_act_stands_in_it(tmp_path: Path) -> None:
    async with world_at(tmp_path) as world:
        await world.declare("ana", "sev3 Withdrawals are stuck")
        clicked = {act: one for act, one in ACTS.items() if not one.not_clicked and act is not Act.MORE}
        await more(world)
        assert set(buttons(world)) >= {one.label for one in clicked.values() if one.phase is not Phase.ENDED}
        await world.person("ana").close_view()
        await world.say("ana", "/incident resolve it is over", world.channel().name)
        await more(world)
        assert set(buttons(world)) >= {one.label for one in clicked.values() if one.phase is not Phase.OPEN}


#: act -> what is filled in, and the event that it brings about (none: something is shown)
FORMS = [
    (Act.SEVERITY, {"severity": "sev2", "reason": "fewer"}, "SeverityChanged"),
    (Act.TITLE, {"title": "Payouts are stuck"}, "TitleChanged"),
    (Act.IMPACT, {"impact": "Kenya"}, "ImpactStated"),
    (Act.STARTED, {"at": "13:40 UTC"}, "StartCorrected"),
    (Act.LEAD, {"who": "ben"}, "RoleTaken"),
    (Act.COMMS_LEAD, {"who": "carla"}, "RoleTaken"),
    (Act.SCRIBE, {"who": "eve"}, "RoleTaken"),
    (Act.ADD, {"who": "eve"}, "PersonAdded"),
    (Act.PAGE, {"who": "eve"}, "PersonAdded"),
    (Act.ESCALATE, {"reason": "nobody answers"}, "Escalated"),
    (Act.WAITING, {"what": "the bank", "until": "15:00 UTC"}, "WaitingBegan"),
    (Act.TASK, {"text": "write a test", "assignee": "ben", "due": "Friday"}, "TaskAdded"),
    (Act.RUNBOOK, {"name": "horizon-outage"}, "RunbookAttached"),
    (Act.CHECK, {"probe": "horizon"}, "ReadingTaken"),
    (Act.MITIGATE, {"note": "moved over"}, "Mitigated"),
    (Act.FALSE_ALARM, {"reason": "a test"}, "FalseAlarm"),
    (Act.DUPLICATE, {"number": "INC-2"}, "MarkedDuplicate"),
]


@pytest.mark.parametrize(("act", "values", "event"), FORMS)
async def test_a_form_does_what_the_word_does(tmp_path: Path, act: Act, values: dict[str, Any], event: str) -> None:
    async with world_at(tmp_path) as world:
        await world.declare("eve", "sev3 Other payouts are late")
        other = world.channel()
        await world.declare()
        if act is Act.DUPLICATE:
            values = {"number": "INC-1"}
        assert other is not world.channel()
        await press(world, act, values)
        assert event in await world.types(2)


async def test_what_needs_no_words_is_done_at_once_and_said_in_the_form(tmp_path: Path) -> None:
    async with world_at(tmp_path) as world:
        await world.declare()
        assert (await press(world, Act.FOLLOW)).startswith("You follow INC-1")
        assert (await press(world, Act.WHO)).startswith("Lead: Ana Silva")
        assert "Withdrawals are stuck" in await press(world, Act.STATUS)
        assert (await press(world, Act.HERE)).startswith("Noted")
        # said where it was pressed, and nowhere else
        private = [one.plain for one in world.messages("ana", world.channel().name) if one.ephemeral]
        assert not any("You follow" in one for one in private)


async def test_a_refusal_stands_in_the_form(tmp_path: Path) -> None:
    async with world_at(tmp_path) as world:
        await world.declare()
        assert (await press(world, Act.UNDO)).startswith("No update was posted yet")
        await more(world)
        ana = world.person("ana")
        await ana.click_in_view(action_id="inc:act:started")
        await world.settle()
        for typed, told in (("13:40", "with its zone"), ("soon", "with its zone"), ("23:00 UTC", "lies ahead")):
            result = await ana.submit({"at": typed})
            assert not result.ok or typed == "23:00 UTC", typed
            assert typed == "23:00 UTC" or told in result.errors["at"]


async def test_a_step_by_the_form_may_open_the_next_one(tmp_path: Path) -> None:
    async with world_at(tmp_path) as world:
        await world.declare()
        await world.say("ana", "/incident runbook horizon-outage", world.channel().name)
        await more(world)
        ana = world.person("ana")
        await ana.click_in_view(action_id="inc:act:step")
        await world.settle()
        await ana.submit({"which": "horizon-outage 5.4", "what": "ask"})
        await world.settle()
        assert ana.view is not None and ana.view["callback_id"] == "inc:ask"
        await ana.submit({"count": "12", "evidence": "queue is empty"})
        await world.settle()
        assert "Asked" in await world.types()


async def test_where_there_is_nothing_to_choose_the_form_says_so(tmp_path: Path) -> None:
    async with world_at(tmp_path) as world:
        await world.declare()
        for act in (Act.TASK_DONE, Act.APPROVE, Act.ACCEPT, Act.STEP):
            assert await press(world, act) == "There is nothing to choose from here. Nothing was done."


async def test_catch_me_up_shows_the_digest(tmp_path: Path) -> None:
    async with world_at(tmp_path) as world:
        place = await world.declare()
        await world.say("ana", "/incident runbook horizon-outage", place.name)
        await world.say("ana", "/incident catch-up", place.name)
        card = next(one for one in world.messages("ana", place.name) if "INC-1 · declared" in one.plain)
        await world.person("ana").click(card, label="More")
        await world.settle()
        await world.person("ana").click_in_view(action_id="inc:act:catch-up")
        await world.settle()
        shown = last(world, "ana", place.name)
        assert "SEV-1 · Withdrawals are stuck" in shown and "Do: step 3.1" in shown and "Do not do alone: 5.4" in shown
