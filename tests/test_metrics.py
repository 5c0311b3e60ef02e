"""The two figures that are promised to be watched: what was not taken up, and how late reminders were."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bot.metrics import REASONS, REGISTRY
from tests.durability.test_database_away import read_only
from tests.web.test_edge import get
from tests.world import World, world_at

LATENESS = "incident_commander_reminder_lateness_seconds"


def sample(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def lateness() -> tuple[float, float]:
    """How many reminders were sent, and their lateness in all, in seconds."""
    return sample(f"{LATENESS}_count"), sample(f"{LATENESS}_sum")


def missed() -> dict[str, float]:
    return {reason: sample("incident_commander_deliveries_missed_total", reason=reason) for reason in REASONS}


@pytest.mark.parametrize(
    ("away", "late"),
    [
        pytest.param(0, 0, id="in time"),
        pytest.param(20, 20 * 60, id="the bot was away for twenty minutes"),
    ],
)
async def test_reminders(world: World, away: int, late: float) -> None:
    await world.declare()
    await world.advance(minutes=24)
    count, total = lateness()
    if away:
        await world.stop_bot()
        world.slack.clock.advance(timedelta(minutes=1 + away).total_seconds())  # the first was due after one
        world.clock.moved()
        await world.start_bot()
        await world.settle()
    else:
        await world.advance(minutes=7)
    after, sum_after = lateness()
    assert after > count and "Reminded" in await world.types()
    # All that are told at once are as late as the first of them.
    assert sum_after - total == pytest.approx(late * (after - count), abs=2)


async def test_slack_takes_it_later(world: World) -> None:
    """What Slack puts off is late, too."""
    await world.declare()
    await world.advance(minutes=26)
    count, total = lateness()
    world.slack.faults.add("chat.postMessage", "429:60", 1)
    await world.advance(minutes=6)
    after, sum_after = lateness()
    assert (after - count, round(sum_after - total)) == (1, 60)


async def test_a_wait_moves_the_time_of_a_reminder(world: World) -> None:
    """An update of 14:30 is due at 15:10 when people waited for 40 minutes: due since then, and told in time."""
    place = await world.declare()
    await world.say("ana", "/incident waiting for the bank until 15:30 UTC", place.name)
    await world.advance(minutes=40)
    count, total = lateness()
    await world.say("ana", "/incident waiting over", place.name)
    assert lateness()[0] == count
    await world.advance(minutes=26)
    after, sum_after = lateness()
    assert after > count and sum_after - total < 5


async def test_what_rested_is_not_late(world: World) -> None:
    """While somebody else is waited for no update is due; then it is, at once."""
    place = await world.declare()
    count, total = lateness()
    await world.say("ana", "/incident waiting for the bank 2h", place.name)
    assert "WaitingBegan" in await world.types()
    await world.advance(hours=3)
    after, sum_after = lateness()
    assert after > count and "WaitingEnded" in await world.types()
    assert sum_after - total < 5


async def test_deliveries(tmp_path: Path) -> None:
    async with world_at(tmp_path, "http") as world:
        room = (await world.declare()).id
        taken, before = sample("incident_commander_deliveries_total"), missed()
        await world.say("ana", "/incident note all is well", room)
        await world.say("ana", "/incident sev sev9", room)  # refused in words: nothing is wrong with the bot
        assert sample("incident_commander_deliveries_total") == taken + 2 and missed() == before
        ts = await world.person("ana").post(room, "13:58 queue stands still")
        async with read_only(world):
            await world.person("ana").command("/incident note queue grows", room)
            await world.person("ana").react(room, ts, "pushpin")
            await world.slack.idle()
        await world.settle()
        after = missed()
        assert after["database"] - before["database"] >= 2
        assert (after["failed"], after["late"]) == (before["failed"], before["late"])
        status, text = await get(world, "/metrics")
        assert status == 200 and "incident_commander_deliveries_missed_total{" in text and f"{LATENESS}_bucket" in text
