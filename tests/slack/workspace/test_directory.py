"""Who is who, while Slack does not tell, or tells another replica."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from bot.slack.outbound.web_api import web_client
from bot.slack.workspace.directory import Directory
from localslack import LocalSlack, team_members
from tests.postgres import Postgres
from tests.world import World, world_at


async def until(true: Callable[[], bool], what: str, within: float = 10.0) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    while not true():
        assert loop.time() - began < within, what
        await asyncio.sleep(0.01)


def calls(slack: LocalSlack, method: str) -> int:
    return len(slack.journal.of(method))


# -- Slack does not tell ------------------------------------------------------------------------------------------


async def test_people_are_read_on_where_slack_stopped(world: World) -> None:
    """So many pages a minute: each try gets further."""
    slack = world.slack
    first = next(iter(slack.workspaces[0].world.users.values()))
    for number in range(250):
        user = replace(first, id=f"U01MANY{number:03}", handle=f"many{number}")
        slack.workspaces[0].world.users[user.id] = user
    async with aiohttp.ClientSession() as session:
        one = Directory(web_client(slack.bot_token, slack.api_url, session))
        slack.faults.add("users.list", "slow:0")  # the first page comes
        slack.faults.add("users.list", "429:1")  # the second does not
        before = calls(slack, "users.list")
        await one.warm()
        assert len(one.names) == 200
        assert one.reads.failures["users.list"].text == "answers 429 and asks to wait 1 s"
        await one.retry_unread()
        assert calls(slack, "users.list") == before + 2, "Slack is asked nothing before its time"
        await asyncio.sleep(1)
        await one.retry_unread()
        assert not one.reads.failures
        assert len(one.names) > 250 and calls(slack, "users.list") == before + 3


async def test_after_a_restart_it_goes_on_with_what_it_knew(world: World) -> None:
    """And asks again soon, not with the next refresh."""
    slack = world.slack
    await world.stop_bot()
    group = next(one for one in slack.workspaces[0].world.groups.values() if one.handle == "payments-oncall")
    group.users = [world.person("ana").id]  # meanwhile
    slack.faults.add("usergroups.list", "500_before")
    await world.start_bot()
    directory, team = world.bot.token_workspace.directory, slack.team_id
    levels = world.bot.service.policies[team].levels
    assert world.person("ben").id in levels[0], "as it was"
    await world.bot._sync_workspaces()
    assert directory.expand(["@payments-oncall"]) == (world.person("ana").id,)
    assert world.bot.service.policies[team].levels[0] == (world.person("ana").id,)
    asked = calls(slack, "usergroups.list")
    await world.bot._sync_workspaces()
    assert calls(slack, "usergroups.list") == asked, "once is enough"


# -- Slack tells another replica ----------------------------------------------------------------------------------

Pair = tuple[World, World]


@pytest.fixture
async def replicas(tmp_path: Path, postgres18: Postgres) -> AsyncIterator[Pair]:
    """Two bots on one database. Slack's deliveries go to the first."""
    url = postgres18.create()
    async with world_at(tmp_path, "http", database_url=url) as one:
        other = World(one.slack, one.settings, one.policy)
        told = one.slack.event_url
        await other.start_bot()
        one.slack.event_url = told
        await until(lambda: one.bot.store.is_listening and other.bot.store.is_listening, "both listen")
        await asyncio.gather(*one.bot.tasks, *other.bot.tasks)
        try:
            yield one, other
        finally:
            await other.stop_bot()
    postgres18.drop(url)


async def test_who_leaves_a_group_leaves_it_in_every_replica(replicas: Pair) -> None:
    one, other = replicas
    slack, team = one.slack, one.slack.team_id
    group = next(each for each in slack.workspaces[0].world.groups.values() if each.handle == "payments-oncall")
    ana, ben = one.person("ana").id, one.person("ben").id
    assert ben in other.bot.service.policies[team].levels[0]
    asked = calls(slack, "usergroups.list")
    team_members.regroup(slack.workspaces[0].world, group, [ana])
    for world in (one, other):
        await until(lambda w=world: w.bot.service.policies[team].levels[0] == (ana,), "who is called")  # type: ignore[misc]
        assert "payments-oncall" not in world.bot.token_workspace.directory.groups_of(ben)
        assert "payments-oncall" in world.bot.token_workspace.directory.groups_of(ana)
    assert calls(slack, "usergroups.list") == asked + 1, "one of them asked Slack"


async def test_who_is_deactivated_acts_in_no_replica(replicas: Pair) -> None:
    one, other = replicas
    user = next(each for each in one.slack.workspaces[0].world.users.values() if each.handle == "ben")
    assert other.bot.token_workspace.directory.may_act(user.id)
    team_members.change(one.slack.workspaces[0].world, user, deleted=True)
    for world in (one, other):
        await until(lambda w=world: not w.bot.token_workspace.directory.may_act(user.id), "nobody acts for Ben")  # type: ignore[misc]
        await until(
            lambda w=world: user.id not in w.bot.service.policies[one.slack.team_id].levels[0],  # type: ignore[misc]
            "nobody calls Ben",
        )


async def test_what_was_told_while_it_was_deaf_is_learned(replicas: Pair, postgres18: Postgres) -> None:
    one, other = replicas
    user = next(each for each in one.slack.workspaces[0].world.users.values() if each.handle == "ben")
    hearing = other.bot.store._listener
    assert hearing is not None
    await hearing.stop()
    team_members.change(one.slack.workspaces[0].world, user, deleted=True)
    await until(lambda: not one.bot.token_workspace.directory.may_act(user.id), "the first is told")
    assert other.bot.token_workspace.directory.may_act(user.id) and not other.bot.store.is_listening
    await one.slack.idle()
    hearing.start()
    await until(
        lambda: not other.bot.token_workspace.directory.may_act(user.id), "the other learns it when it listens again"
    )
    await hearing.stop()  # and while it does not listen, with each look
    team_members.change(one.slack.workspaces[0].world, user)
    await until(lambda: one.bot.token_workspace.directory.may_act(user.id), "the first is told")
    await one.slack.idle()
    await other.bot._sync_workspaces()
    assert other.bot.token_workspace.directory.may_act(user.id)


# -- the channels of policy ---------------------------------------------------------------------------------------


async def test_it_joins_when_it_hears(world: World) -> None:
    """Slack tells of a join at once: what nobody hears would stand in the journal as failed."""
    ours = world.bot.token_workspace.directory.bot_user
    for name in ("incidents", "customer-comms"):
        assert ours in world.slack.channel(f"#{name}").members
    joins = [one.number for one in world.slack.journal.of("conversations.join")]
    opened = [one.number for one in world.slack.journal.of("apps.connections.open")]
    assert joins and max(opened[:1]) < min(joins)
    assert [one for one in world.slack.journal if one.outcome not in ("ok", "acked")] == []


async def test_a_join_that_slack_puts_off_is_made_later(world: World) -> None:
    slack, ours = world.slack, world.bot.token_workspace.directory.bot_user
    await world.stop_bot()
    slack.channel("#incidents").members.remove(ours)
    slack.faults.add("conversations.join", "429:30")
    await world.start_bot()
    assert ours not in slack.channel("#incidents").members
    await world.bot._sync_workspaces()
    assert ours in slack.channel("#incidents").members


# -- who is called so -----------------------------------------------------------------------------------------------


async def test_nobody_takes_what_was_meant_for_somebody_else_by_taking_their_name(world: World) -> None:
    """A handle is one person's; a name is chosen."""
    people = world.bot.token_workspace.directory
    ben = people.by_handle("@ben")
    assert ben is not None and ben.id == world.person("ben").id
    for who, name in (("ana", "Ben"), ("eve", "payments-oncall"), ("carla", "Zoe"), ("dipo", "Zoe")):
        await people.apply_user_event(
            {"id": world.person(who).id, "name": who, "team_id": people.team, "real_name": name}
        )
    assert people.by_handle("@ben") == ben
    assert people.by_handle("@zoe") is None, "two are called so"
    found = people.by_handle("@payments-oncall")
    assert found is not None and found.id == world.person("eve").id, "nobody else is called so"
    people._groups.clear()
    assert people.expand(["@payments-oncall", "@ben"]) == (ben.id,), "policy names groups and handles, not names"
