"""The bot's clock jumps, forward and back, and the bot is away for a day.

A reminder comes once, in time or with its lateness. A timeline's time never runs back.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.app import create_bot
from bot.domain.time_text import lasted
from tests.world import World, WorldClock, world_at

HOUR = timedelta(hours=1)


class ShiftedClock(WorldClock):
    """A machine's clock that somebody sets: it may run back, as Slack's does not."""

    shift = timedelta()

    def now(self) -> datetime:
        return super().now() + self.shift

    def jump(self, by: timedelta) -> None:
        self.shift += by
        self.moved()


async def start_shifted(world: World) -> ShiftedClock:
    """The world's bot, by a clock of its own from now on."""
    await world.stop_bot()
    clock = ShiftedClock(world.slack.clock)
    world.clock = clock
    await world.start_bot()
    return clock


async def moments(world: World, number: int = 1) -> list[datetime]:
    incident = await world.incident(number)
    return [entry.event.at for entry in await world.bot.store.entries(incident.id) if entry.event is not None]


def due(world: World, room: str = "") -> list[str]:
    """What the incident's channel is told about an update that is due."""
    return [
        one.plain
        for one in world.messages("ana", room or world.channel().name)
        if "update" in one.plain and "due " in one.plain
    ]


@pytest.mark.parametrize(
    ("jump", "reminded"),
    [
        pytest.param(HOUR, 1, id="an hour forward: the reminder of 14:30 comes once, late"),
        pytest.param(-HOUR, 0, id="an hour back: nothing comes yet"),
        pytest.param(timedelta(days=1), 1, id="a day forward"),
    ],
)
async def test_the_clock_jumps(world: World, jump: timedelta, reminded: int) -> None:
    clock = await start_shifted(world)
    channel = await world.declare()
    await world.advance(minutes=10)
    clock.jump(jump)
    await world.settle()
    await world.say("ana", "/incident impact NG only", channel.id)
    assert (await world.types()).count("Reminded") == len(due(world)) == reminded
    if reminded:
        assert f"{lasted(jump - timedelta(minutes=20))} late" in due(world)[0]
    at = await moments(world)
    assert at == sorted(at), "time never runs back within a timeline"


async def test_back_and_forth_nothing_is_missed_or_doubled(world: World) -> None:
    """Set back after the first reminder, set right again, set forward: each rung comes once."""
    clock = await start_shifted(world)
    channel = await world.declare()
    await world.advance(minutes=26)  # the lead was reminded directly
    first = (await world.types()).count("Reminded")
    for by in (-HOUR, HOUR, -HOUR, HOUR):
        clock.jump(by)
        await world.settle()
        await world.say("ana", f"/incident note set by {by}", channel.id)
    assert first == (await world.types()).count("Reminded") == 1
    await world.advance(minutes=5)
    assert (await world.types()).count("Reminded") == 2 and len(due(world)) == 1
    at = await moments(world)
    assert at == sorted(at)


async def test_set_back_while_something_was_put_off(world: World) -> None:
    """What Slack asked to be put off for three seconds is not put off for an hour."""
    clock = await start_shifted(world)
    channel = await world.declare()
    world.slack.faults.add("chat.update", "429:3", times=0)
    await world.say("ana", "/incident impact NG only", channel.id)
    world.slack.faults.clear()
    clock.jump(-HOUR)
    await world.settle()
    await world.advance(minutes=61)
    card = channel.by_ts[channel.pins[0].ts].plain
    assert "NG only" in card, "in the end it is shown, whatever the clock did"


@pytest.mark.parametrize(
    ("begin", "declared", "then"),
    [
        pytest.param(datetime(2028, 2, 29, 23, 45, tzinfo=UTC), "23:45 UTC", "00:15 UTC", id="the night of a leap day"),
        pytest.param(datetime(2026, 12, 31, 23, 45, tzinfo=UTC), "23:45 UTC", "00:15 UTC", id="the night of a year"),
        # Clocks there go forward or back in these minutes; the bot knows UTC alone, and Slack shows each person theirs.
        pytest.param(datetime(2026, 3, 29, 0, 45, tzinfo=UTC), "00:45 UTC", "01:15 UTC", id="Europe/Berlin, forward"),
        pytest.param(datetime(2026, 11, 1, 5, 45, tzinfo=UTC), "05:45 UTC", "06:15 UTC", id="America/New_York, back"),
        pytest.param(datetime(2026, 4, 4, 15, 45, tzinfo=UTC), "15:45 UTC", "16:15 UTC", id="Australia/Sydney, back"),
    ],
)
async def test_nights_in_which_calendars_or_clocks_change(
    tmp_path: Path, begin: datetime, declared: str, then: str
) -> None:
    async with world_at(tmp_path, begin=begin) as world:
        await world.declare()
        await world.advance(minutes=31)
        (said,) = due(world)
        assert f"due {then}" in said.replace("Thu ", "").replace("Wed ", "") and "late" not in said
        at = await moments(world)
        assert at == sorted(at) and at[-1] - begin == timedelta(minutes=30)
        assert declared in "\n".join(one.plain for one in world.messages("ana", world.channel().name))


async def test_away_for_a_day(world: World) -> None:
    """What fell due meanwhile comes once for each incident, and says how late it is; the longest overdue is first."""
    names = {}
    for number, text in enumerate(("sev1 Payouts wait", "sev1 Deposits wait", "sev2 Cards fail"), 1):
        names[number] = (await world.declare("ana", text)).name
        await world.advance(minutes=1)
    await world.stop_bot()
    world.slack.clock.advance(24 * 3600)
    world.clock.moved()
    since = len(world.slack.journal)
    await world.start_bot()
    await world.settle()
    for number, name in names.items():
        (said,) = due(world, name)
        assert "was due" in said and "23 h" in said.replace("22 h", "23 h") and "late" in said, name
        assert (await world.types(number)).count("Reminded") == 1
    rooms = {world.channel(number).id: number for number in names}
    posts = [one for one in world.slack.journal[since:] if one.method == "chat.postMessage"]
    order = [rooms[one.args["channel"]] for one in posts if "was due" in str(one.args.get("text"))]
    assert sorted(order) == [1, 2, 3]
    await world.stop_bot()
    world.bot = create_bot(world.settings, world.policy, world.clock)
    await world.start_bot()
    await world.settle()
    assert [(await world.types(number)).count("Reminded") for number in names] == [1, 1, 1]
