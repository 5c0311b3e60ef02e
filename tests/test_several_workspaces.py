"""Several workspaces in one bot: each has its own incidents, people and calls; one that leaves stops nobody else."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from bot.domain import notes
from bot.domain.actor import Actor
from bot.domain.errors import Refused
from bot.ports import Installation
from bot.store.installations import SqlInstallations, TokenKeys
from localslack import team_members
from localslack.records import Channel
from localslack.workspace import Workspace
from tests.installing import Browser, free_port, install, token_of, two_banks
from tests.postgres import Postgres
from tests.world import World, world_at

Banks = tuple[World, Workspace, Workspace]


@pytest.fixture(params=["socket", "http"])
async def banks(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Banks]:
    """Both workspaces have installed the bot."""
    async with two_banks(tmp_path, request.param) as (world, first, second):
        await install(world, first)
        await install(world, second)
        yield world, first, second


@pytest.fixture
async def quiet(tmp_path: Path) -> AsyncIterator[Banks]:
    """The same, by Socket Mode alone."""
    async with two_banks(tmp_path) as (world, first, second):
        await install(world, first)
        await install(world, second)
        yield world, first, second


async def declare(world: World, where: Workspace, text: str) -> Channel:
    answer = await where.person("ana").command(f"/incident declare {text}", channel="#general")
    await world.settle()
    assert not answer.failed, answer
    return next(one for one in reversed(where.world.channels.values()) if (one.name or "").startswith("inc-"))


async def said(world: World, where: Workspace, line: str, channel: str = "#general", who: str = "ana") -> str:
    answer = await where.person(who).command(line, channel=channel)
    await world.settle()
    return str(answer.text or "")


def calls_of(world: World, where: Workspace) -> list[str]:
    """The Web API methods that were called in a workspace."""
    return [one.method for one in world.slack.journal if one.team == where.team_id and "." in one.method]


def words_in(where: Workspace) -> str:
    return "\n".join(m.plain for channel in where.world.channels.values() for m in channel.messages)


async def test_each_has_its_own(banks: Banks) -> None:
    world, first, second = banks
    here = await declare(world, first, "sev1 Withdrawals are stuck")
    there = await declare(world, second, "sev2 Cards are refused")
    assert here.name.startswith("inc-1-") and there.name.startswith("inc-1-")
    assert "Cards" not in words_in(first) and "Withdrawals" not in words_in(second)
    for where, mine, other in ((first, "Withdrawals", "Cards"), (second, "Cards", "Withdrawals")):
        listed = await said(world, where, "/incident list")
        assert mine in listed and other not in listed and "INC-1" in listed
    # the groups of policy are each workspace's own people
    assert "U01BENOKAFO" in here.members and not any(user.startswith("U02") for user in here.members)
    assert all(user.startswith(("U02", "B02")) for user in there.members), there.members
    assert not [one for one in world.slack.journal if one.outcome == "error"]
    health = await world.bot.health()
    assert health.problems == () and health.open_incidents == 2 and health.refusing_workspaces == ()


async def test_nobody_acts_across(quiet: Banks) -> None:
    world, first, second = quiet
    await declare(world, first, "sev1 Withdrawals are stuck")
    incident = await world.incident()
    stranger = Actor(second.team_id, "U02ANASILVA", "Ana Silva")
    with pytest.raises(Refused):
        await world.bot.service.act(incident.id, "follow", notes.follow, stranger)
    # a button of the first workspace's incident, in the second one
    there = await declare(world, second, "sev2 Cards are refused")
    own = await world.bot.store.find(second.team_id, 1)
    assert own is not None
    card = next(one for one in second.person("ana").messages(there.id) if own in str(one.blocks))
    card.blocks = json.loads(json.dumps(card.blocks).replace(own, incident.id))
    label = next(e["text"]["text"] for b in card.blocks for e in b.get("elements", ()) if incident.id in str(e))
    before = (await world.incident()).seq
    await second.person("ana").click(card, label=label)
    await world.settle()
    assert (await world.incident()).seq == before
    assert "no such incident" in second.person("ana").messages(there.id)[-1].plain


async def test_a_restart_keeps_both(banks: Banks) -> None:
    world, first, second = banks
    here = await declare(world, first, "sev1 Withdrawals are stuck")
    there = await declare(world, second, "sev2 Cards are refused")
    await world.stop_bot()
    await world.start_bot()
    assert "INC-1" in await said(world, first, "/incident status", here.id)
    assert "Cards" in await said(world, second, "/incident status", there.id)


async def test_one_leaves_and_comes_back(banks: Banks) -> None:
    world, first, second = banks
    here = await declare(world, first, "sev1 Withdrawals are stuck")
    there = await declare(world, second, "sev1 Cards are refused")
    old = token_of(world.slack, second)
    team_members.uninstall(second.world)
    await world.settle()
    assert (await world.bot.health()).refusing_workspaces == (f"{second.team_id}: account_inactive",)
    assert (await world.bot.health()).problems == ()
    rows = {one.team: one for one in await world.bot.installations.all()}
    assert rows[second.team_id].revoked_at is not None and rows[second.team_id].token == ""
    before = len(calls_of(world, second))
    heard = len(here.messages)
    await world.advance(hours=2)
    assert len(calls_of(world, second)) == before, "its duties rest"
    assert len(here.messages) > heard, "the other one's do not"
    id = await world.bot.store.find(second.team_id, 1)
    assert id is not None and (await world.bot.store.incident(id)) is not None, "records are kept"
    assert await world.bot.store.verify() == []
    count = len(there.messages)
    await install(world, second)
    assert token_of(world.slack, second) != old
    assert len(there.messages) > count, "what was owed is paid"
    assert (await world.bot.health()).refusing_workspaces == ()
    assert "Cards" in await said(world, second, "/incident status", there.id)


async def test_a_token_that_is_revoked_unheard(quiet: Banks) -> None:
    """No event arrives: the first call that is refused tells; once, in health."""
    world, _, second = quiet
    there = await declare(world, second, "sev1 Cards are refused")
    world.slack.install.grants[token_of(world.slack, second)].revoked = True
    await said(world, second, "/incident title Cards are refused abroad", there.id)
    assert (await world.bot.health()).refusing_workspaces == (f"{second.team_id}: token_revoked",)
    refused = [one for one in world.slack.journal if one.error == "token_revoked"]
    await world.advance(hours=1)
    assert [one for one in world.slack.journal if one.error == "token_revoked"] == refused
    assert "not installed in this workspace" in await said(world, second, "/incident list")
    await install(world, second)
    assert "Cards are refused abroad" in words_in(second)
    assert {one.error for one in await world.bot.store.parked()} == set()


async def test_a_slip_of_slacks_shuts_nobody_out(quiet: Banks) -> None:
    """One call says invalid_auth, and the token is good."""
    world, first, _ = quiet
    world.slack.faults.add("chat.postMessage", "error:invalid_auth")
    await declare(world, first, "sev1 Withdrawals are stuck")
    assert (await world.bot.health()).refusing_workspaces == ()
    await world.advance(seconds=10)
    assert len({e.key for e in await world.bot.store.effects((await world.incident()).id) if e.ts}) > 2


async def test_a_late_word_of_an_uninstallation_does_not_shut_the_new_one(quiet: Banks) -> None:
    world, first, _ = quiet
    first.world.announce(
        {"type": "tokens_revoked", "tokens": {"bot": [first.bot_user_id]}, "event_ts": first.world.new_ts()}, None
    )
    await world.settle()
    assert (await world.bot.health()).refusing_workspaces == ()
    await declare(world, first, "sev1 Withdrawals are stuck")
    assert "INC-1" in words_in(first)


async def test_a_workspace_that_never_installed_it_is_told_so(tmp_path: Path) -> None:
    async with two_banks(tmp_path) as (world, first, second):
        await install(world, first)
        second.world.installed = True  # Slack delivers; the bot's database knows nothing
        assert "not installed in this workspace" in await said(world, second, "/incident list")
        assert await world.bot.store.listing(second.team_id, open_only=False) == []


async def test_the_workspace_of_the_settings_comes_back_when_its_token_works_again(tmp_path: Path) -> None:
    async with world_at(tmp_path) as world:
        channel = await world.declare()
        grant = world.slack.install.grants[world.slack.bot_token]
        grant.revoked = True
        await world.say("ana", "/incident title Withdrawals wait", channel.id)
        (problem,) = (await world.bot.health()).problems
        assert "refuses SLACK_BOT_TOKEN (token_revoked)" in problem
        await world.say("ana", "/incident impact Payouts of two banks", channel.id)  # still recorded
        await world.jump(minutes=5)
        grant.revoked = False
        await world.bot.workspaces.sync_installations()
        await world.advance(minutes=2)
        assert (await world.bot.health()).problems == ()
        assert world.find("ana", channel.id, "Withdrawals wait")
        assert world.clock.now() - (await world.incident()).last_at < timedelta(hours=1)


async def test_the_tokens_stand_nowhere_in_clear(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    async with two_banks(tmp_path) as (world, first, second):
        await install(world, first)
        await install(world, second)
        await declare(world, first, "sev1 Withdrawals are stuck")
        tokens = [token_of(world.slack, one) for one in (first, second)]
        codes = [one.args.get("code", "") for one in world.slack.journal.of("oauth.v2.access")]
        secret = world.settings.slack_client_secret
        assert secret is not None
    out, err = capfd.readouterr()
    files = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    assert any(b"INC" in body or b"Withdrawals" in body for body in files.values())
    for one in (*tokens, *filter(None, codes), secret.get_secret_value()):
        assert one not in out + err
        assert [path for path, body in files.items() if one.encode() in body or one[-20:].encode() in body] == []


async def test_two_replicas(tmp_path: Path, postgres18: Postgres) -> None:
    """One sends to Slack, the other takes the redirect; both serve; both see a workspace leave and come back."""
    url = postgres18.create()
    async with two_banks(tmp_path, "http", begin=False, database_url=url) as (one, first, second):
        address = one.settings.slack_redirect_url
        other = World(one.slack, one.settings.model_copy(update={"port": free_port()}), one.policy)
        try:
            await other.start_bot()
            await one.start_bot()
            for where, taker in ((first, other), (second, one)):
                browser = Browser(f"http://127.0.0.1:{one.bot.port}")
                back = await browser.consent(await browser.leave(), where.team_id)
                assert back.startswith(address)
                back = back.replace(f":{one.bot.port}/", f":{taker.bot.port}/")
                assert "Type /incident in any channel" in await browser.come_back(back)
            here = await declare(one, first, "sev1 Withdrawals are stuck")  # delivered to the one
            one.slack.event_url = f"http://127.0.0.1:{other.bot.port}/slack/events"
            there = await declare(other, second, "sev2 Cards are refused")  # and to the other
            assert here.name.startswith("inc-1-") and there.name.startswith("inc-1-")
            team_members.uninstall(second.world)  # heard by the other
            await other.settle()
            await one.bot.workspaces.sync_installations()
            for world in (one, other):
                assert [entry.partition(":")[0] for entry in (await world.bot.health()).refusing_workspaces] == [
                    second.team_id
                ]
            await install(one, second)
            await other.bot.workspaces.sync_installations()
            assert (await other.bot.health()).refusing_workspaces == () == (await one.bot.health()).refusing_workspaces
            assert "Cards" in await said(other, second, "/incident status", there.id)
        finally:
            await other.stop_bot()
            await one.stop_bot()
    postgres18.drop(url)


async def test_a_token_that_cannot_be_read_is_trouble_of_ours(tmp_path: Path) -> None:
    """Installed on a replica that has another key: said, logged, and the other workspace goes on."""
    async with two_banks(tmp_path) as (world, first, second):
        await install(world, first)
        elsewhere = SqlInstallations(world.bot.store, TokenKeys(Fernet.generate_key().decode()))
        now = world.clock.now()
        second.world.installed = True
        await elsewhere.save(Installation(second.team_id, "xoxb-0-unreadable", "UBOT", "commands", "U1", now))
        assert "Something went wrong here, and it is logged as" in await said(world, second, "/incident list")
        await declare(world, first, "sev1 Withdrawals are stuck")
        assert "Withdrawals" in await said(world, first, "/incident list")
