"""The groups of policy are found when they are used: made, renamed, filled, disabled while the bot runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from localslack import Channel, Message, team_members
from localslack.objects import group_object
from tests.installing import install, two_banks
from tests.slack.workspace.test_directory import calls
from tests.story.test_private import private
from tests.world import World, test_policy, world_at

POLICY = replace(
    test_policy(levels=(("@nights",),), may_resolve=("@nights",)),
    severities=tuple(replace(one, responders=("@nights",)) for one in test_policy().severities),
)


@pytest.fixture
async def nightly(tmp_path: Path) -> Any:
    """A world whose policy names a group that is not there."""
    async with world_at(tmp_path, policy=POLICY) as world:
        yield world


def called(world: World) -> tuple[tuple[str, ...], ...]:
    """Whom the policy calls, level by level."""
    return world.bot.service.policies[world.slack.team_id].levels


async def ends(world: World, who: str) -> bool:
    """Whether somebody may end an incident of their own."""
    channel = await world.declare(who, "sev3 A test")
    said = await world.say(who, "/incident false-alarm it was a test", channel.id)
    return "not for everybody" not in said


def mentions(world: World, channel: Channel) -> list[Message]:
    """The messages that call responders."""
    return [one for one in world.messages("ana", channel.name) if "The pinned card says what is known" in one.plain]


async def test_a_group_that_is_made_later(nightly: World) -> None:
    world, ben = nightly, nightly.person("ben").id
    assert called(world) == () and not await ends(world, "ben")
    assert world.bot.missing() == ("slack: @nights of the policy is no user group or person here",)
    world.slack.create_group("nights", ["ben"])
    await world.settle()
    assert called(world) == ((ben,),) and await ends(world, "ben") and not await ends(world, "ana")
    assert world.bot.missing() == ()
    channel = await world.declare("ana")
    assert ben in channel.members


async def test_responders_who_are_found_later_are_brought_in(nightly: World) -> None:
    """Into what is open and public, once, and mentioned there; whoever leaves again is left alone."""
    world, ben = nightly, nightly.person("ben").id
    here = await world.declare("ana")
    over = await world.declare("ana", "sev3 It is over")
    assert await world.say("ana", "/incident false-alarm it was a test", over.id)
    assert ben not in here.members
    world.slack.create_group("nights", ["ben"])
    await world.settle()
    assert ben in here.members
    (said,) = mentions(world, here)
    assert said.plain.startswith(f"<@{ben}>: SEV-1, Withdrawals are stuck.")
    await world.person("ben").leave(here.id)
    world.slack.set_group("nights", ["ben", "carla"])
    await world.bot._sync_workspaces()
    await world.settle()
    assert ben not in here.members
    assert (await world.types()).count("PersonAdded") == 1
    assert len(mentions(world, here)) == 1


async def test_those_who_are_found_together_are_called_in_one_message(nightly: World) -> None:
    """After a worse severity, under its name; standing down tells them, too."""
    world = nightly
    here = await world.declare("ana", "sev2 Payouts wait")
    await world.say("ana", "/incident sev sev1 it spreads", here.id)
    world.slack.create_group("nights", ["ben", "carla"])
    await world.settle()
    (said,) = mentions(world, here)
    ben, carla = (world.person(who).id for who in ("ben", "carla"))
    assert said.plain.startswith(f"<@{ben}> and <@{carla}>: SEV-1, Payouts wait.")
    await world.stop_bot()
    await world.start_bot()
    await world.settle()
    assert len(mentions(world, here)) == 1
    assert set((await world.incident()).responders) == {ben, carla}


async def test_a_private_incident_lets_nobody_in_who_is_found_later(nightly: World) -> None:
    world = nightly
    await private(world)
    before = await world.types()
    world.slack.create_group("nights", ["ben"])
    await world.settle()
    assert (await world.incident()).private and await world.types() == before


async def test_a_group_that_takes_and_loses_the_handle(nightly: World) -> None:
    world = nightly
    world.slack.rename_group("payments-oncall", "nights")
    await world.settle()
    assert world.person("ben").id in called(world)[0] and await ends(world, "ben")
    world.slack.rename_group("nights", "mornings")
    await world.settle()
    assert called(world) == () and not await ends(world, "ben")


async def test_a_group_that_is_disabled_and_enabled(nightly: World) -> None:
    world = nightly
    world.slack.create_group("nights", ["ben"])
    await world.settle()
    world.slack.disable_group("nights")
    await world.settle()
    assert called(world) == () and not await ends(world, "ben")
    world.slack.enable_group("nights")
    await world.settle()
    assert called(world) == ((world.person("ben").id,),) and await ends(world, "ben")


async def test_who_comes_and_goes(nightly: World) -> None:
    world = nightly
    world.slack.create_group("nights", ["ben"])
    await world.settle()
    world.slack.set_group("nights", ["ana"])
    await world.settle()
    assert called(world) == ((world.person("ana").id,),)
    assert not await ends(world, "ben") and await ends(world, "ana")


@pytest.mark.parametrize("lost", ["subteam_updated", "subteam_members_changed"])
async def test_one_event_of_two_is_enough(nightly: World, lost: str) -> None:
    """Slack tells of a change of members twice."""
    world = nightly
    world.slack.create_group("nights", ["ben"])
    await world.settle()
    world.slack.faults.add(f"delivery:event:{lost}", "drop")
    world.slack.set_group("nights", ["ana"])
    await world.settle()
    assert called(world) == ((world.person("ana").id,),)


async def test_events_count_while_slack_lists_no_groups(nightly: World) -> None:
    world = nightly
    world.slack.faults.add("usergroups.list", "500_before", 0)
    world.slack.create_group("nights", ["ben"])
    await world.settle()
    assert called(world) == ((world.person("ben").id,),)
    world.slack.set_group("nights", ["ana"])
    await world.settle()
    assert called(world) == ((world.person("ana").id,),)
    world.slack.disable_group("nights")
    await world.settle()
    assert called(world) == ()
    assert any("usergroups.list answers 500: user groups are as Slack told" in one for one in world.bot.missing())


@pytest.mark.parametrize("slack_lists", [True, False])
async def test_an_event_that_comes_late_brings_nobody_back(nightly: World, slack_lists: bool) -> None:
    world = nightly
    world.slack.create_group("nights", ["ben"])
    await world.advance(minutes=1)
    group = world.slack.world.group("nights")
    old = group_object(world.slack.world, group, users=True)
    team_members.regroup(world.slack.world, group, [world.person("ana").id])
    await world.settle()
    if not slack_lists:
        world.slack.faults.add("usergroups.list", "404", 0)
    event = {"type": "subteam_updated", "subteam": old, "event_ts": world.slack.world.new_ts()}
    world.slack.world.announce(event, None)
    await world.settle()
    assert called(world) == ((world.person("ana").id,),)


async def test_what_is_known_is_not_asked_again(nightly: World) -> None:
    world = nightly
    world.slack.create_group("nights", ["ben"])
    await world.settle()
    before = calls(world.slack, "usergroups.list"), calls(world.slack, "users.list")
    world.slack.set_group("nights", ["ana"])  # two events
    await world.settle()
    assert (calls(world.slack, "usergroups.list"), calls(world.slack, "users.list")) == (before[0] + 1, before[1])


async def test_it_outlives_a_restart_without_slack(nightly: World) -> None:
    world = nightly
    world.slack.create_group("nights", ["ben"])
    await world.settle()
    await world.stop_bot()
    for method in ("auth.test", "users.list", "usergroups.list", "conversations.list"):
        world.slack.faults.add(method, "500_before", 0)
    await world.start_bot()
    assert called(world) == ((world.person("ben").id,),)
    assert world.bot.token_workspace.directory.channel("incidents")


async def test_each_workspace_has_its_own(tmp_path: Path) -> None:
    async with two_banks(tmp_path, begin=False) as (world, first, second):
        world.policy = POLICY
        await world.start_bot()
        await install(world, first)
        await install(world, second)
        policies = world.bot.service.policies
        team_members.create_group(first.world, "nights", "Nights", ["U01BENOKAFO"])
        await world.settle()
        assert policies[first.team_id].levels == (("U01BENOKAFO",),) and policies[second.team_id].levels == ()
        assert world.bot.missing() == (
            f"slack: {second.team_id}: @nights of the policy is no user group or person here",
        )
