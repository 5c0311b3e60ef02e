"""Slack is away for half an hour, or answers late, or things come in an order in which they did not happen."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from datetime import timedelta
from functools import partial

import pytest

from bot.domain import lifecycle
from bot.domain.actor import Actor, ActorKind
from tests.world import World


def once(world: World) -> None:
    """No message of the bot's stands twice anywhere."""
    marks = Counter(
        one.metadata["event_payload"]["id"]
        for place in world.slack.channels
        for one in place.by_ts.values()
        if one.metadata and not one.deleted
    )
    assert set(marks.values()) == {1}


async def test_slack_is_away_for_half_an_hour(world: World) -> None:
    """What is declared and done meanwhile is recorded; afterwards one channel each, and one edit for many changes."""
    before = (await world.declare("ana", "sev2 Deposits wait")).id
    world.slack.faults.add("*", "cut_before", times=0)
    shell = Actor(world.slack.team_id, "cli:night-job", "night-job", ActorKind.CLI)
    for number in range(3):
        rule = partial(lifecycle.declare, title=f"Settlement {number}", severity="sev1", policy=world.policy)
        await world.bot.service.declare("declare", lambda i, r=rule, **more: r(i, **more), shell, key=f"job:{number}")  # type: ignore[misc]
    await world.settle()
    first = (await world.incident()).id
    ana = Actor(world.slack.team_id, world.person("ana").id, "ana")
    for minute in range(30):
        await world.bot.service.act(first, "impact", partial(lifecycle.state_impact, impact=f"{minute} corridors"), ana)
        await world.advance(minutes=1)
    tried = len([one for one in world.slack.journal if one.method == "conversations.create"])
    assert tried < 3 * 20, "the pauses grow"
    world.slack.faults.clear()
    since = len(world.slack.journal)
    await world.advance(minutes=12)  # the longest pause
    names = [one.name for one in world.slack.channels if one.name.startswith("inc-")]
    assert sorted(names) == ["inc-1-deposits-wait", *(f"inc-{n + 2}-settlement-{n}" for n in range(3))]
    edits = [
        one for one in world.slack.journal[since:] if one.method == "chat.update" and one.args["channel"] == before
    ]
    assert len(edits) <= 6, "the last of thirty is shown"
    assert "29 corridors" in world.slack.channel(before).by_ts[world.slack.channel(before).pins[0].ts].plain
    once(world)


@pytest.mark.parametrize("kind", ["500_before", "500_after", "error:service_unavailable"])
async def test_three_failures_and_then_an_answer(world: World, kind: str) -> None:
    """One message, tried again after pauses that grow; none of them at once."""
    channel = await world.declare()
    world.slack.faults.add("chat.postMessage", kind, times=3)
    since = len(world.slack.journal)
    await world.say("ana", "/incident sev 2 fewer than thought", channel.id)
    await world.advance(minutes=3)
    sent = [one for one in world.slack.journal[since:] if one.method == "chat.postMessage"]
    for channel_id in {str(one.args["channel"]) for one in sent}:
        tried = [one.started for one in sent if one.outcome == "fault" and one.args["channel"] == channel_id]
        assert all(later - earlier >= 2 for earlier, later in itertools.pairwise(tried))
    assert len([one for one in world.messages("ben", channel.id) if "fewer than thought" in one.plain]) == 1
    once(world)


@pytest.mark.parametrize(
    "method",
    ["conversations.create", "conversations.invite", "conversations.setTopic", "chat.postMessage", "pins.add",
     "bookmarks.add"],
)  # fmt: skip
async def test_asked_to_wait_half_a_minute(world: World, method: str) -> None:
    """Nothing of that kind is asked there before the time is over; another incident goes on; nothing is lost."""
    world.slack.faults.add(method, "429:30")
    await world.say("ana", "/incident declare sev1 Withdrawals are stuck")
    (refused,) = [one for one in world.slack.journal.of(method) if one.outcome == "fault"]
    await world.say("ben", "/incident declare sev3 Logo is blurred")
    if method != "conversations.create":  # that limit is the workspace's
        other = world.channel(2)
        assert len(other.pins) == len(other.bookmarks) == 1
    await world.advance(seconds=29)
    where = ("channel", "channel_id")
    here = [
        one for one in world.slack.journal.of(method)
        if all(one.args.get(name) == refused.args.get(name) for name in where) and one.number > refused.number
        and one.started > refused.started
    ]  # fmt: skip
    assert here == []
    await world.advance(seconds=40)
    for number in (1, 2):
        assert len(world.channel(number).pins) == len(world.channel(number).bookmarks) == 1
    assert world.channel(1).topic and world.person("ben").id in world.channel(1).members
    once(world)


# -- in another order than things happened -----------------------------------------------------------------------


async def test_ended_before_its_channel_is_open(world: World) -> None:
    """The false alarm is told before Slack has opened the channel: no channel is opened any more."""
    world.slack.faults.add("conversations.create", "429:30")
    await world.say("ana", "/incident declare sev1 Withdrawals are stuck")
    incident = await world.incident()
    ana = Actor(world.slack.team_id, world.person("ana").id, "ana")
    over = partial(lifecycle.call_false_alarm, reason="a test")
    await world.bot.service.act(incident.id, "false alarm", over, ana)
    await world.advance(minutes=2)
    assert [one.name for one in world.slack.channels if one.name.startswith("inc-")] == []
    assert (await world.types())[-1] == "FalseAlarm" or not (await world.incident()).open
    assert await world.bot.store.next_due() is None


async def test_people_join_before_the_channel_is_known(world: World) -> None:
    """Slack tells of members while the answer to the making of the channel is still on its way."""
    world.slack.faults.add("conversations.create", "slow:0.3")
    world.slack.faults.add("delivery:event:member_joined_channel", "reorder")
    await world.declare()
    incident = await world.incident()
    assert incident.channel and {world.person("ana").id} <= set(incident.invited)
    once(world)


async def test_the_last_of_two_edits_stands(world: World) -> None:
    """The older edit is answered late; what stands is what was said last."""
    channel = await world.declare()
    world.slack.faults.add("chat.update", "slow:0.3")
    first = asyncio.create_task(world.person("ana").command("/incident impact NG only", channel=channel.id))
    await asyncio.sleep(0.1)
    await world.person("ben").command("/incident impact NG and KE", channel=channel.id)
    await first
    await world.settle()
    assert "NG and KE" in channel.by_ts[channel.pins[0].ts].plain
    assert (await world.types()).count("ImpactStated") == 2
    assert world.clock.now() - (await world.incident()).declared_at < timedelta(minutes=1)  # type: ignore[operator]
