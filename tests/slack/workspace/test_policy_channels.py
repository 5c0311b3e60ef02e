"""The channels of policy are found when they are used: made, renamed, archived or deleted while the bot runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest

from bot.store import migrate
from localslack.workspace import Workspace
from tests.installing import install, two_banks
from tests.postgres import Postgres
from tests.slack.workspace.test_directory import calls, until
from tests.story.acts import direct_message, press, write_text
from tests.world import World, world_at

TITLE = "Withdrawals are stuck"


@pytest.fixture
async def without(tmp_path: Path) -> AsyncIterator[World]:
    """A world that has none of policy's channels: they bear other names when the bot starts for the first time."""
    async with world_at(tmp_path) as world:
        await world.stop_bot()
        (tmp_path / "incidents.sqlite").unlink()
        for name in ("incidents", "customer-comms"):
            await world.person("ana").rename(f"#{name}", f"old-{name}")
        migrate(world.settings.database_url)
        await world.start_bot()
        yield world


def announced(world: World, channel: str, words: str = TITLE) -> int:
    return sum(words in one.plain for one in world.slack.channel(channel).messages)


def bot_is_in(world: World, channel: str) -> bool:
    return world.bot.token_workspace.directory.bot_user in world.slack.channel(channel).members


def channel_of(world: World, name: str = "incidents") -> str:
    return world.bot.token_workspace.directory.channel(name)


async def test_a_channel_that_is_made_later_has_what_was_owed(without: World) -> None:
    world = without
    await world.declare()
    assert channel_of(world) == ""
    assert (
        "slack: no channel is called #incidents: incidents are announced as soon as there is one"
        in (await world.bot.health()).missing
    )
    await world.person("ana").create_channel("incidents")
    await world.settle()
    assert bot_is_in(world, "#incidents") and announced(world, "#incidents") == 1
    assert not [one for one in (await world.bot.health()).missing if "#incidents" in one]
    await world.declare("ben", "sev2 Cards are refused")
    assert announced(world, "#incidents", "Cards are refused") == 1


async def test_a_channel_that_takes_the_name(without: World) -> None:
    world = without
    await world.declare()
    await world.person("ana").rename("#old-incidents", "incidents")
    await world.settle()
    assert announced(world, "#incidents") == 1


async def test_a_private_channel_that_the_bot_is_invited_into(without: World) -> None:
    world = without
    await world.declare()
    ana = world.person("ana")
    await ana.create_channel("incidents", is_private=True)
    await world.settle()
    assert channel_of(world) == ""
    await ana.invite("#incidents", "bot")
    await world.settle()
    assert announced(world, "#incidents") == 1


async def test_a_private_channel_that_takes_the_name(without: World) -> None:
    world = without
    ana = world.person("ana")
    await ana.create_channel("outages", is_private=True)
    await ana.invite("#outages", "bot")
    await world.declare()
    await ana.rename("#outages", "incidents")
    await world.settle()
    assert announced(world, "#incidents") == 1


async def test_a_channel_that_is_unarchived(tmp_path: Path) -> None:
    async with world_at(tmp_path) as world:
        await world.stop_bot()
        (tmp_path / "incidents.sqlite").unlink()
        migrate(world.settings.database_url)
        await world.person("ana").archive("#incidents")
        await world.start_bot()
        await world.declare()
        assert channel_of(world) == ""
        await world.person("ana").unarchive("#incidents")
        await world.settle()
        assert announced(world, "#incidents") == 1


async def test_a_channel_that_is_renamed_away_stays_until_another_takes_its_name(world: World) -> None:
    ana, old = world.person("ana"), channel_of(world)
    await ana.rename("#incidents", "outages")
    await world.settle()
    assert channel_of(world) == old
    await world.declare()
    assert announced(world, "#outages") == 1
    await world.stop_bot()
    await world.start_bot()
    assert channel_of(world) == old, "after a restart as well"
    await world.bot.token_workspace.directory.refresh()
    assert channel_of(world) == old
    await ana.create_channel("incidents")
    await world.settle()
    assert channel_of(world) == world.slack.channel("#incidents").id != old
    await world.declare("ben", "sev2 Cards are refused")
    assert announced(world, "#incidents", "Cards") == 1 and announced(world, "#outages", "Cards") == 0
    assert announced(world, "#incidents") == 0, "it is announced already"


async def test_customers_are_told_nothing_that_is_for_colleagues(world: World) -> None:
    """The channel of the announcements is renamed to the customers' name: it is not both."""
    ana = world.person("ana")
    await ana.rename("#customer-comms", "old-comms")
    await ana.rename("#incidents", "customer-comms")
    await world.settle()
    assert channel_of(world, "customer-comms") == world.slack.channel("#customer-comms").id
    assert channel_of(world) == ""
    await world.declare()
    assert announced(world, "#customer-comms") == 0
    await ana.create_channel("incidents")
    await world.settle()
    assert announced(world, "#incidents") == 1


@pytest.mark.parametrize("down", [False, True])
async def test_what_stood_in_a_deleted_channel_is_said_anew(world: World, down: bool) -> None:
    """Also where it was deleted while the bot was down."""
    ana = world.person("ana")
    channel = await world.declare()
    await world.say("ana", "/incident update We restart the payouts", channel.id)
    await press(world, "ana", channel.id, "This goes to the channel", "Post")
    if down:
        await world.stop_bot()
    await ana.delete_channel("#incidents")
    if down:
        await world.start_bot()
    await world.settle()
    await world.say("ana", "/incident impact Payouts of two banks", channel.id)
    assert (await world.bot.health()).problems == (), "nothing is given up: it waits for a channel"
    await ana.create_channel("incidents")
    await world.settle()
    assert announced(world, "#incidents", "INC-1") >= 1
    line = next(one for one in world.slack.channel("#incidents").messages if TITLE in one.plain)
    assert any("restart the payouts" in one.plain for one in world.messages("ana", "#incidents", line.ts))
    await world.say("ana", "/incident title Payouts are stuck", channel.id)
    assert announced(world, "#incidents", "Payouts are stuck") >= 1
    assert (await world.bot.health()).problems == ()


async def test_a_channel_that_is_deleted_and_made_anew(world: World) -> None:
    ana = world.person("ana")
    await ana.delete_channel("#incidents")
    await world.settle()
    assert channel_of(world) == ""
    await world.declare()
    await ana.create_channel("incidents")
    await world.settle()
    assert announced(world, "#incidents") == 1


@pytest.mark.parametrize("what", ["created", "renamed", "deleted"])
async def test_what_happened_while_the_bot_was_down_is_learned(without: World, what: str) -> None:
    world, ana = without, without.person("ana")
    if what == "deleted":
        await ana.create_channel("incidents")
        await world.settle()
    await world.declare()
    await world.stop_bot()
    if what == "created":
        await ana.create_channel("incidents")
    elif what == "renamed":
        await ana.rename("#old-incidents", "incidents")
    else:
        await ana.delete_channel("#incidents")
    await world.start_bot()
    if what == "deleted":
        assert channel_of(world) == ""
        assert any("#incidents" in one for one in world.bot.missing())
        return
    assert announced(world, "#incidents") == 1


async def test_an_event_that_comes_late_changes_nothing(world: World) -> None:
    """Slack tries an event again for minutes: the channel bore the name then, and does not now."""
    ana, now = world.person("ana"), channel_of(world)
    other = await ana.create_channel("elsewhere")
    await world.settle()
    channel = {"id": other, "name": "incidents", "created": 1}
    world.slack.world.announce(
        {"type": "channel_rename", "channel": channel, "event_ts": world.slack.world.new_ts()}, None
    )
    await world.settle()
    assert channel_of(world) == now


async def test_an_event_counts_while_slack_does_not_answer(without: World) -> None:
    world = without
    world.slack.faults.add("conversations.info", "500_before", 0)
    await world.declare()
    await world.person("ana").create_channel("incidents")
    await world.settle()
    assert announced(world, "#incidents") == 1


async def test_a_customer_text_goes_where_customers_read_now(without: World) -> None:
    world = without
    room = (await world.declare()).id
    await world.person("ana").create_channel("customer-comms")
    await world.settle()
    await world.say("ana", "/incident add @dipo", room)
    await write_text(
        world, "ana", room, {"what": "payouts to Nigeria", "since": "13:40 UTC", "next_update": "15:00 UTC"}
    )
    asked = direct_message(world, "dipo", "asks you to approve a text")
    await world.person("dipo").click(asked, label="Approve")
    await world.settle()
    assert announced(world, "#customer-comms", "payouts to Nigeria") == 1


async def test_other_channels_cost_no_call(world: World) -> None:
    before = [calls(world.slack, method) for method in ("conversations.info", "conversations.list")]
    for number in range(5):
        await world.person("ana").create_channel(f"lunch-{number}")
        await world.person("ana").rename(f"#lunch-{number}", f"dinner-{number}")
    await world.settle()
    assert [calls(world.slack, method) for method in ("conversations.info", "conversations.list")] == before


async def test_each_workspace_has_its_own(tmp_path: Path) -> None:
    async with two_banks(tmp_path) as (world, first, second):
        for where in (first, second):
            await where.person("ana").rename("#incidents", "outages")
            await install(world, where)
            answer = await where.person("ana").command(f"/incident declare sev1 {TITLE}", channel="#general")
            await world.settle()
            assert not answer.failed
        await first.person("ana").create_channel("incidents")
        await world.settle()
        assert said_in(first, ["#incidents"]) == 1
        assert "incidents" not in second.world.names and said_in(second, ["#outages"]) == 0
        (sentence,) = world.bot.missing()
        assert sentence.startswith(f"slack: {second.team_id}: no channel is called #incidents")
        await second.person("ana").rename("#outages", "incidents")
        await world.settle()
        assert said_in(second, ["#incidents"]) == 1 and said_in(first, ["#incidents"]) == 1


def said_in(where: Workspace, channels: Iterable[str]) -> int:
    return sum(TITLE in one.plain for name in channels for one in where.world.channel(name).messages)


async def test_every_replica_learns_it(tmp_path: Path, postgres18: Postgres) -> None:
    """Slack tells the first; both post there from then on, and what was missing comes once."""
    url = postgres18.create()
    async with world_at(tmp_path, "http", database_url=url) as one:
        other = World(one.slack, one.settings, one.policy)
        told = one.slack.event_url
        await other.start_bot()
        one.slack.event_url = told
        try:
            await until(lambda: one.bot.store.is_listening and other.bot.store.is_listening, "both listen")
            ana = one.person("ana")
            await ana.delete_channel("#incidents")
            for world in (one, other):
                await until(lambda w=world: channel_of(w) == "", "it is gone")  # type: ignore[misc]
            await one.declare()
            made = await ana.create_channel("incidents")
            for world in (one, other):
                await until(lambda w=world: channel_of(w) == made, "it is found")  # type: ignore[misc]
            await until(lambda: announced(one, "#incidents") == 1, "it is announced")
            await asyncio.sleep(0.5)
            assert announced(one, "#incidents") == 1
        finally:
            await other.stop_bot()
    postgres18.drop(url)
