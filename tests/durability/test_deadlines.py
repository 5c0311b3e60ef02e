"""Slack waits three seconds, a trigger lives for three, a response URL for half an hour: nobody is left without a word.

Slow databases first: whoever asks is answered within the three seconds, and what was not recorded is said to be so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import pytest

from bot.slack.surfaces.words import outage
from tests.postgres import Postgres
from tests.proxy import Proxy
from tests.sentences import in_slack
from tests.world import World, world_at


async def timed(act: Awaitable[Any]) -> Any:
    loop = asyncio.get_running_loop()
    began = loop.time()
    result = await act
    assert loop.time() - began < 3
    return result


def private(world: World, who: str, *places: str) -> list[str]:
    """What this person alone reads, there and directly."""
    found = [one.plain for place in places for one in world.messages(who, place) if one.ephemeral]
    return found + [one.plain for one in world.person(who).dm_messages()]


@pytest.mark.parametrize("seconds", [pytest.param(2.5, id="2.5 s an answer"), pytest.param(5.0, id="5 s an answer")])
async def test_the_database_takes_its_time(tmp_path: Path, postgres18: Postgres, seconds: float) -> None:
    async with (
        Proxy(postgres18.upstream, delay=seconds) as proxy,
        world_at(tmp_path, "http", database_url=proxy.url(postgres18.create())) as world,
    ):
        room = (await world.declare()).id
        ana, ben, carla, eve = (world.person(one) for one in ("ana", "ben", "carla", "eve"))
        remark = await ana.post(room, "13:58 queue stands still")
        await world.say("ben", "/incident declare")
        before = await world.types()
        proxy.mode = "latency"
        declared, noted, asked, form, _, _ = await asyncio.gather(
            timed(carla.command("/incident declare sev2 Receipts are blurred")),
            timed(ana.command("/incident note queue grows", room)),
            timed(eve.command("/incident")),
            timed(ben.submit({"title": "Payouts are late"})),
            timed(carla.shortcut("inc:declare")),
            ana.react(room, remark, "pushpin"),
        )
        for answer in (declared, noted, asked):
            assert answer.text in (
                in_slack(outage.DATABASE_DOWN),
                in_slack(outage.DATABASE_DOWN_IN_INCIDENT),
                in_slack(outage.COMMIT_OUTCOME_UNKNOWN),
            ), answer
        assert form.errors == {"title": in_slack(outage.DATABASE_DOWN)} and ben.view is not None, (
            "what was typed is still there"
        )
        assert carla.view is not None, "a form that needs nothing of the database is opened at once"
        await world.slack.idle()
        await asyncio.gather(*world.bot.tasks, return_exceptions=True)
        proxy.mode = "ok"
        await world.settle()
        await world.advance(minutes=6)
        # What was said not to be recorded is not, what was said to be unsure may be; the reaction was not acknowledged,
        # and came again.
        types = await world.types()
        assert types[: len(before)] == before
        assert types[len(before) :].count("Noted") in (
            (1, 2) if noted.text == in_slack(outage.COMMIT_OUTCOME_UNKNOWN) else (1,)
        )
        assert [one.title for one in await world.bot.store.listing(world.slack.team_id)] == ["Withdrawals are stuck"]


# -- what Slack hands out for a while ----------------------------------------------------------------------------------


async def form_open_for_long(world: World) -> str:
    """Sent half an hour after it was opened: its response URL serves no more."""
    await world.say("eve", "/incident Receipts are blurred")
    await world.advance(minutes=31)
    assert (await world.person("eve").submit()).ok
    await world.settle()
    return "INC-1 is recorded"


async def used_up(world: World) -> str:
    """Five answers have gone that way, and Slack takes no sixth."""
    world.slack.faults.add("response_url", "error:used_url", 0)
    await world.say("eve", "/incident declare sev3 Receipts are blurred")
    return "INC-1 is open"


async def lost(world: World) -> str:
    """Slack does not answer there."""
    world.slack.faults.add("response_url", "500_before", 0)
    await world.say("eve", "/incident declare sev3 Receipts are blurred")
    return "INC-1 is open"


@pytest.mark.parametrize("act", [form_open_for_long, used_up, lost])
async def test_an_answer_finds_another_way(world: World, act: Any) -> None:
    """Privately in the channel, and directly where that cannot be."""
    said = await act(world)
    heard = private(world, "eve", "#general")
    assert any(said in one or "INC-1 is open" in one for one in heard), heard


@pytest.mark.parametrize("act", [used_up, lost])
async def test_neither_there_nor_in_the_channel(world: World, act: Any) -> None:
    world.slack.faults.add("chat.postEphemeral", "error:user_not_in_channel", 0)
    said = await act(world)
    assert any(said in one.plain for one in world.person("eve").dm_messages())


async def test_a_form_is_asked_for_too_late(world: World) -> None:
    """The trigger has expired by the time that Slack hears of it: a sentence, and the next one opens."""
    world.slack.faults.add("views.open", "error:expired_trigger_id")
    answer = await world.say("ana", "/incident Payouts stuck")
    assert answer == "Slack gave us too little time to open the form. Please ask for it again."
    assert world.person("ana").view is None
    await world.say("ana", "/incident Payouts stuck")
    assert world.person("ana").view is not None
