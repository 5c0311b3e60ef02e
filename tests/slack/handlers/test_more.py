"""[More] holds every act: each is pressed and its form filled in, and does what the typed word does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.slack.surfaces.acts import ACTS, Act
from localslack import plain_text
from tests.story.acts import last, submit
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


async def offered(world: World) -> set[str]:
    await more(world)
    found = set(buttons(world))
    await world.person("ana").close_view()
    return found


#: act -> what somebody types so that it can be done; before that [More] does not offer it
FIRST = {
    Act.STEP: "runbook horizon-outage",
    Act.UNDO: "nothing-new",
    Act.TASK_DONE: "task write a test",
    Act.ACCEPT: "lead me",
    Act.HOLD: "mitigate moved over",
    Act.REOPEN: "resolve it is over",
}


async def test_every_act_stands_in_it(tmp_path: Path) -> None:
    """Each as soon as there is something that it can be done to, in one incident from its beginning to its end."""
    async with world_at(tmp_path) as world:
        await world.declare("ana", "sev3 Withdrawals are stuck")
        room = world.channel().name
        clicked = {one.label for act, one in ACTS.items() if not one.not_clicked and act is not Act.MORE}
        seen = await offered(world)
        assert not seen & {ACTS[act].label for act in FIRST}
        for act, typed in FIRST.items():
            await world.say("ben" if act is Act.ACCEPT else "ana", f"/incident {typed}", room)
            now = await offered(world)
            assert ACTS[act].label in now, act
            seen |= now
        drafts = {ACTS[act].label for act in (Act.COMMS_EDIT, Act.APPROVE, Act.DISCARD, Act.PUBLISHED)}
        assert clicked - seen == {*drafts, ACTS[Act.AGREE].label}


async def test_a_text_and_an_override_bring_their_acts(tmp_path: Path) -> None:
    async with world_at(tmp_path) as world:
        room = (await world.declare()).name
        await world.say("ana", "/incident comms payment-delays", room)
        await submit(world, "ana", {"what": "some payouts", "since": "13:40 UTC", "next_update": "15:00 UTC"})
        assert {ACTS[act].label for act in (Act.COMMS_EDIT, Act.APPROVE, Act.DISCARD)} <= await offered(world)
        await world.say("ana", "/incident resolve", room)
        await submit(world, "ana", {"note": "over", "override": "nobody can count now"})
        assert ACTS[Act.AGREE].label in await offered(world)


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
        await world.say("ana", "/incident nothing-new", world.channel().name)
        assert "can undo that update. Post a new one" in await press(world, Act.UNDO, who="ben")
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


async def test_where_there_is_nothing_to_choose_any_more_the_form_says_so(tmp_path: Path) -> None:
    """[More] was open while somebody else did it."""
    async with world_at(tmp_path) as world:
        room = (await world.declare()).name
        await world.say("ana", "/incident task write a test", room)
        await more(world)
        await world.say("ben", "/incident task-done 1", room)
        await world.person("ana").click_in_view(action_id=f"inc:act:{Act.TASK_DONE}")
        await world.settle()
        view = world.person("ana").view
        assert view is not None
        said = plain_text.visible("", view["blocks"])
        assert said == "There is nothing to choose from here. Nothing was done."


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
