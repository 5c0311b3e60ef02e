"""The first start needs `auth.test` alone: what Slack does not list is said, gone without, and learned later."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.store import migrate
from localslack.workspace import Workspace
from tests.installing import install, two_banks
from tests.slack.workspace.test_directory import calls, until
from tests.world import World, world_at

METHODS = ["users.list", "usergroups.list", "conversations.list"]
ANSWERS = [
    pytest.param("500_before", "answers 500", id="500"),
    pytest.param("404", "answers 404", id="404"),
    pytest.param("429:1", "answers 429 and asks to wait", id="429"),
    pytest.param("error:missing_scope", "answers missing_scope", id="missing_scope"),
    pytest.param("error:internal_error", "answers internal_error", id="internal_error"),
    pytest.param("error:ratelimited", "answers 429 and asks to wait", id="ratelimited"),
    pytest.param("error:team_access_not_granted", "answers team_access_not_granted", id="refused"),
    pytest.param("cut_before", "gives no answer", id="cut"),
    pytest.param("hang", "", id="nothing"),
]


@pytest.fixture
async def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """A world whose bot has never started: its database is empty."""
    async with world_at(tmp_path, getattr(request, "param", "socket")) as world:
        await world.stop_bot()
        world.settings = world.settings.model_copy(update={"database_url": f"sqlite:///{tmp_path}/new.sqlite"})
        migrate(world.settings.database_url)
        yield world


async def page(world: World, path: str) -> tuple[int, dict[str, Any]]:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{world.bot.port}{path}") as answer:
        return answer.status, await answer.json()


async def learn(world: World) -> None:
    """Slack answers again, and the bot looks, as it does every few seconds."""
    world.slack.faults.clear()
    directory = world.bot.token_workspace.directory
    directory.reads._retry_at.clear()
    if directory._reading is not None:
        directory._reading.cancel()  # as when a call that hangs has run out of time
        await asyncio.gather(directory._reading, return_exceptions=True)
    await directory.refresh() if not directory.reads.failures else await world.bot._sync_workspaces()
    await world.settle()


@pytest.mark.parametrize(("fault", "answer"), ANSWERS)
@pytest.mark.parametrize("method", METHODS)
async def test_it_listens_serves_and_learns_later(fresh: World, method: str, fault: str, answer: str) -> None:
    world = fresh
    world.slack.faults.add(method, fault, 0)
    loop = asyncio.get_running_loop()
    began = loop.time()
    await world.start_bot()
    assert loop.time() - began < 8, "nobody waits for a list"
    assert world.bot.socket_mode is not None and world.bot.socket_mode.status().connected

    status, ready = await page(world, "/readyz")
    assert (status, ready["ready"], ready["problems"]) == (200, True, [])
    alive, said = await page(world, "/healthz")
    assert alive == 200 and said["alive"]
    if answer:
        for told in (ready["missing"], said["missing"]):
            assert any(one.startswith(f"slack: {method} {answer}") for one in told), told

    channel = await world.declare("ana")  # not known: asked about one by one, where people are not listed
    assert channel.name == "inc-1-withdrawals-are-stuck"
    assert world.find("ana", channel.id, "Withdrawals are stuck")
    directory = world.bot.token_workspace.directory
    assert directory.name(world.person("ana").id) == "Ana Silva"

    await learn(world)
    assert not directory.reads.failures and "missing" not in (await page(world, "/readyz"))[1]
    assert len(directory.names) == 8
    levels = world.bot.service.policies[world.slack.team_id].levels
    assert world.person("ben").id in levels[0]
    assert "Withdrawals are stuck" in world.slack.channel("#incidents").messages[-1].plain
    asked = calls(world.slack, method)
    await world.bot._sync_workspaces()
    assert calls(world.slack, method) == asked, "once is enough"


@pytest.mark.parametrize("fresh", ["http"], indirect=True)
@pytest.mark.parametrize("fault", ["500_before", "hang"])
async def test_signed_requests_are_served(fresh: World, fault: str) -> None:
    world = fresh
    for method in METHODS:
        world.slack.faults.add(method, fault, 0)
    await world.start_bot()
    channel = await world.declare("ana")
    assert world.find("ana", channel.id, "Withdrawals are stuck")
    await learn(world)
    assert "Withdrawals are stuck" in world.slack.channel("#incidents").messages[-1].plain


async def test_everything_at_once(fresh: World) -> None:
    world = fresh
    for method in (*METHODS, "users.info"):
        world.slack.faults.add(method, "500_before", 0)
    await world.start_bot()
    said = await world.say("ana", "/incident declare sev1 Withdrawals are stuck")
    assert "Slack does not say at the moment who you are, so nothing was done. Try again in a minute" in said
    world.slack.faults.clear()
    for method in METHODS:
        world.slack.faults.add(method, "500_before", 0)
    channel = await world.declare("ana")
    assert world.find("ana", channel.id, "Withdrawals are stuck")
    assert [one.partition(":")[2].split(" answers")[0].strip() for one in world.bot.missing()] == METHODS
    assert not [one for one in world.slack.channel("#incidents").messages if "Withdrawals" in one.plain]
    await learn(world)
    assert [one for one in world.slack.channel("#incidents").messages if "Withdrawals" in one.plain]


@pytest.mark.parametrize("methods", [["users.list", "users.info"], ["usergroups.list"]], ids=["people", "groups"])
async def test_responders_are_brought_in_when_they_are_known(fresh: World, methods: list[str]) -> None:
    world = fresh
    for method in methods:
        world.slack.faults.add(method, "500_before", 0)
    await world.start_bot()
    world.slack.faults.clear()
    for method in methods[:1]:
        world.slack.faults.add(method, "500_before", 0)
    channel, ben = await world.declare("ana"), world.person("ben").id
    if methods == ["usergroups.list"]:
        assert ben not in channel.members
    await learn(world)
    await world.bot._sync_workspaces()
    await world.settle()
    assert ben in channel.members and world.person("carla").id in channel.members


async def test_auth_test_alone_is_waited_for(fresh: World) -> None:
    world = fresh
    world.slack.faults.add("auth.test", "429:1")
    loop = asyncio.get_running_loop()
    began = loop.time()
    await world.start_bot()
    assert 1 <= loop.time() - began < 8
    assert calls(world.slack, "auth.test") == 2 + 1  # the life before


async def test_people_of_a_group_are_asked_about_one_by_one(fresh: World) -> None:
    """Slack lists groups and not people: whoever would be called is known all the same."""
    world = fresh
    world.slack.faults.add("users.list", "error:internal_error", 0)
    await world.start_bot()
    team, ben = world.slack.team_id, world.person("ben").id
    await until(lambda: ben in world.bot.service.policies[team].levels[0], "who is called")
    channel = await world.declare("ana")
    assert ben in channel.members
    assert world.bot.token_workspace.directory.app_id, "deliveries for another app are turned away"


async def test_whoever_needs_a_group_is_told_to_wait(fresh: World) -> None:
    world = fresh
    world.policy = replace(world.policy, may_resolve=("@incident-leads",))
    world.slack.faults.add("usergroups.list", "500_before", 0)
    await world.start_bot()
    channel = await world.declare("ana")
    said = await world.say("ana", "/incident false-alarm it was a test", channel.id)
    assert "Slack has not told me yet who is in them, so nothing was done. Try again in a minute" in said, said
    assert (await world.incident()).open
    await learn(world)
    await world.say("ana", "/incident false-alarm it was a test", channel.id)
    assert not (await world.incident()).open


async def test_a_stop_does_not_wait_for_a_list(fresh: World) -> None:
    world = fresh
    world.slack.faults.add("users.list", "hang", 0)
    await world.start_bot()
    loop = asyncio.get_running_loop()
    began = loop.time()
    await world.stop_bot()
    assert loop.time() - began < 5


@pytest.mark.parametrize("method", METHODS)
async def test_one_of_two_workspaces_does_not_answer(tmp_path: Path, method: str) -> None:
    """It is named by its id, and the other one is not kept waiting."""
    async with two_banks(tmp_path) as (world, first, second):
        world.slack.faults.add(method, "404", 1)
        await install(world, first)
        await install(world, second)
        (sentence,) = world.bot.missing()
        assert sentence.startswith(f"slack: {first.team_id}: {method} answers 404")
        for where in (first, second):
            answer = await where.person("ana").command("/incident declare sev1 Cards are refused", channel="#general")
            await world.settle()
            assert not answer.failed
        await world.bot._sync_workspaces()
        await world.settle()
        assert world.bot.missing() == ()
        for where in (first, second):
            assert announced(where) == 1


def announced(where: Workspace) -> int:
    return sum("Cards are refused" in one.plain for one in where.world.channel("#incidents").messages)
