"""Installing by OAuth: who comes back has to be who was sent, once and in time; and what is kept of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
import yaml
from aiohttp import web
from cryptography.fernet import Fernet
from pydantic import SecretStr

from bot.config import ROOT
from bot.doctor import examine
from bot.store import SqlStore, StoreRefused
from bot.store.installations import SqlInstallations, TokenKeys
from bot.token_commands import list_installations, rotate
from bot.web.edge import Health, web_application
from bot.web.install import OAuthApp, OAuthEndpoint
from localslack.workspace import Workspace
from tests.installing import Browser, install, token_of, two_banks
from tests.test_cli import bot
from tests.world import KEY, World

Banks = tuple[World, Workspace, Workspace]


@pytest.fixture
async def banks(tmp_path: Path) -> AsyncIterator[Banks]:
    async with two_banks(tmp_path) as found:
        yield found


def browser(world: World) -> Browser:
    return Browser(f"http://127.0.0.1:{world.bot.port}")


async def test_what_is_asked_for_is_what_the_manifest_names(banks: Banks) -> None:
    world, first, _ = banks
    one = browser(world)
    asked = parse_qs(urlsplit(await one.leave(f"?team={first.team_id}")).query)
    scopes = yaml.safe_load((ROOT / "manifest.yaml").read_text())["oauth_config"]["scopes"]["bot"]
    assert asked["scope"] == [",".join(scopes)] and asked["team"] == [first.team_id]
    assert asked["redirect_uri"] == [world.settings.slack_redirect_url] and len(asked["state"][0]) >= 43
    cookie = one.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Path=/slack" in cookie
    assert asked["state"][0] not in cookie


async def test_the_whole_way(banks: Banks) -> None:
    world, first, _ = banks
    said = await install(world, first)
    assert "is installed" in said and "Type /incident in any channel" in said
    (row,) = await world.bot.installations.all()
    assert (row.team, row.bot_user, row.token) == (first.team_id, first.bot_user_id, token_of(world.slack, first))
    assert row.installed_by == "U01ANASILVA" and row.revoked_at is None and "commands" in row.scopes
    assert row.token not in repr(row)
    await install(world, first)  # again, without leaving: the same workspace, once
    assert len(await world.bot.installations.all()) == 1 and len(list(world.bot.workspaces)) == 1


async def test_an_address_serves_once(banks: Banks) -> None:
    world, first, _ = banks
    one = browser(world)
    back = await one.consent(await one.leave(), first.team_id)
    assert "is installed" in await one.come_back(back)
    assert "used already" in await one.come_back(back) and one.status == 400
    assert len(world.slack.journal.of("oauth.v2.access")) == 1


async def test_another_browser_cannot_come_back(banks: Banks) -> None:
    """Whoever sends somebody the address of their own consent does not get the other's workspace."""
    world, first, _ = banks
    mine, other = browser(world), browser(world)
    back = await mine.consent(await mine.leave(), first.team_id)
    await other.leave()
    assert "another browser" in await other.come_back(back)
    other.cookie = ""
    assert "another browser" in await other.come_back(back)
    assert "is installed" in await mine.come_back(back), "it was not used up by that"


@pytest.mark.parametrize(
    "query",
    [
        pytest.param("", id="nothing at all"),
        pytest.param("?code=1.2.3", id="no state"),
        pytest.param("?code=1.2.3&state=forged", id="a state that nobody was sent with"),
        pytest.param("?code=1.2.3&state=" + "x" * 5000, id="a long one"),
        pytest.param("?code=%00%ff&state=%00%ff", id="no text"),
        pytest.param("?error=access_denied&state=forged", id="a refusal that nobody asked for"),
        pytest.param("?error=<script>alert(1)</script>&state=x", id="markup"),
    ],
)
async def test_what_is_forged_is_refused(banks: Banks, query: str) -> None:
    world, _, _ = banks
    one = browser(world)
    await one.leave()
    said = await one.come_back(f"{one.url}/slack/oauth_redirect{query}")
    assert one.status == 400 and "begin again" in said and "alert" not in said
    assert await world.bot.installations.all() == [] and world.slack.journal.of("oauth.v2.access") == []


async def test_ten_minutes_are_the_end(banks: Banks) -> None:
    world, first, _ = banks
    late, in_time = browser(world), browser(world)
    back = await late.consent(await late.leave(), first.team_id)
    await world.jump(seconds=300)
    soon = await in_time.consent(await in_time.leave(), first.team_id)
    await world.jump(seconds=300)
    assert "older than ten minutes" in await late.come_back(back)
    assert "is installed" in await in_time.come_back(soon)


async def test_cancelled_at_slack(banks: Banks) -> None:
    world, first, _ = banks
    one = browser(world)
    said = await one.come_back(await one.consent(await one.leave(), first.team_id, "cancel"))
    assert one.status == 400 and "You cancelled at Slack" in said
    assert await world.bot.installations.all() == []


@pytest.mark.parametrize(
    ("fault", "words", "status"),
    [
        pytest.param("error:invalid_code", "does not take that code", 400, id="a code that ran out"),
        pytest.param("error:bad_client_secret", "SLACK_CLIENT_SECRET is not", 400, id="another secret"),
        pytest.param("error:something_new", "Slack refused it (something_new)", 400, id="a word of a later day"),
        pytest.param("500_before", "Slack does not answer", 502, id="no answer"),
        pytest.param("429:30", "Slack does not answer", 502, id="asked to wait"),
    ],
)
async def test_what_slack_refuses_is_said(banks: Banks, fault: str, words: str, status: int) -> None:
    world, first, _ = banks
    one = browser(world)
    back = await one.consent(await one.leave(), first.team_id)
    world.slack.faults.add("oauth.v2.access", fault)
    assert words in await one.come_back(back) and one.status == status
    assert await world.bot.installations.all() == []


async def test_another_workspace_than_the_one_of_the_link(banks: Banks) -> None:
    world, first, second = banks
    one = browser(world)
    there = await one.leave(f"?team={first.team_id}")
    assert "another workspace" in await one.come_back(await one.consent(there, second.team_id))
    assert await world.bot.installations.all() == []


async def test_only_those_whom_the_settings_name(tmp_path: Path) -> None:
    async with two_banks(tmp_path, slack_workspaces="T0OTHER, T02SANDBOX1") as (world, first, second):
        one = browser(world)
        assert "may not install" in await one.come_back(await one.consent(await one.leave(), first.team_id))
        await install(world, second)
        assert [one.team for one in await world.bot.installations.all()] == [second.team_id]


async def test_pages_are_words_and_nothing_else(banks: Banks) -> None:
    world, first, _ = banks
    first.world.team_name = "<img src=x onerror=alert(1)> & Sons"
    one = browser(world)
    back = await one.consent(await one.leave(), first.team_id)
    async with aiohttp.ClientSession() as session, session.get(back, headers={"Cookie": one.cookie}) as page:
        body = await page.text()
        assert "&lt;img src=x onerror=alert(1)&gt; &amp; Sons" in body and "<img" not in body and "<script" not in body
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
        assert page.headers["Cache-Control"] == "no-store" and page.headers["Referrer-Policy"] == "no-referrer"
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        assert 'incident_commander_install=""' in page.headers["Set-Cookie"]
    async with aiohttp.ClientSession() as session, session.head(f"{one.url}/slack/install") as answer:
        assert answer.status == 405, "looking makes no rows"
    async with aiohttp.ClientSession() as session, session.get(f"{one.url}/slack/install?team=x'><b>") as answer:
        assert answer.status == 400 and "<b>" not in await answer.text()


async def test_strangers_cannot_fill_the_database(banks: Banks) -> None:
    world, _, _ = banks
    kept, now = world.bot.installations, world.clock.now()
    assert all(
        await asyncio.gather(*(kept.save_oauth_state(f"state {number}", "cookie", "", now) for number in range(1000)))
    )
    assert not await kept.save_oauth_state("one more", "cookie", "", now)
    assert await kept.save_oauth_state("one more", "cookie", "", now + timedelta(minutes=10))


async def test_another_replica_takes_the_redirect(banks: Banks) -> None:
    """The state stands in the database: the browser may come back to another process than it left."""
    world, first, _ = banks
    settings = world.settings
    store = SqlStore.open(settings.database_url, KEY.encode())
    keys = settings.token_keys
    assert keys is not None

    async def well() -> Health:
        return Health(())

    async def served(team: str) -> bool:
        return False

    async def exchange(code: str) -> dict[str, object]:
        return world.slack.install.exchange(
            settings.slack_client_id, world.slack.client_secret, code, settings.slack_redirect_url
        )

    ours = OAuthApp(settings.slack_client_id, "commands", settings.slack_authorize_url, settings.slack_redirect_url)
    kept = SqlInstallations(store, TokenKeys(keys.get_secret_value()))
    site = web_application(None, (), well, pages=OAuthEndpoint(ours, exchange, served, kept, world.clock).routes())
    runner = web.AppRunner(site)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        one = browser(world)
        back = await one.consent(await one.leave(), first.team_id)
        elsewhere = back.replace(f":{world.bot.port}/", f":{runner.addresses[0][1]}/")
        assert elsewhere != back
        assert "begins to answer in a minute" in await one.come_back(elsewhere)
    finally:
        await runner.cleanup()
        await store.close()
    # the first replica did not see it happen, and serves the workspace at its first word
    answer = await first.person("ana").command("/incident declare sev1 Withdrawals are stuck", channel="#general")
    await world.settle()
    assert "INC-1" in str(answer.text) + str([one.plain for one in first.person("ana").messages("#general")])


# -- keys ---------------------------------------------------------------------------------------------


async def test_keys_change(tmp_path: Path) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    async with two_banks(tmp_path, token_keys=old) as (world, first, second):
        await install(world, first)
        await install(world, second)
        await world.stop_bot()

        def with_keys(text: str) -> None:
            world.settings = world.settings.model_copy(update={"token_keys": SecretStr(text)})

        with_keys(new)
        for refused in (rotate, list_installations):
            with pytest.raises(StoreRefused, match="cannot be decrypted with TOKEN_KEYS"):
                await refused(world.settings)
        with pytest.raises(StoreRefused, match="cannot be decrypted"):
            await world.start_bot()
        await world.stop_bot()
        with_keys(f"{new}, {old}")
        assert await rotate(world.settings) == 2
        with_keys(new)
        assert [one.token for one in await list_installations(world.settings)] == [
            token_of(world.slack, one) for one in (first, second)
        ]
        await world.start_bot()
        assert len(list(world.bot.workspaces)) == 2


# -- the command line ---------------------------------------------------------------------------------


def environment(world: World) -> dict[str, str]:
    """The world's settings as another process takes them."""
    found = {}
    for name in world.settings.model_fields_set:
        value = getattr(world.settings, name)
        found[name.upper()] = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
    return found


async def test_the_command_line_makes_and_changes_keys(tmp_path: Path) -> None:
    made = await bot("tokens", "key", cwd=tmp_path)
    new = made.out.strip()
    assert made.status == 0 and Fernet(new)
    async with two_banks(tmp_path) as (world, first, _):
        await install(world, first)
        good = environment(world)
        old = good["TOKEN_KEYS"]
        ended = await bot("tokens", "rotate", cwd=tmp_path, **{**good, "TOKEN_KEYS": new})
        assert ended.status == 2 and "Put the key back" in ended.err and ended.out == ""
        ended = await bot("tokens", "rotate", cwd=tmp_path, **{**good, "TOKEN_KEYS": f"{new},{old}"})
        assert ended.out == "1 token is encrypted with the first key.\n"
        ended = await bot("tokens", "rotate", cwd=tmp_path, **{**good, "TOKEN_KEYS": new})
        assert ended.status == 0
        for secret in (new, old, token_of(world.slack, first)):
            assert secret not in ended.out + ended.err


async def test_a_bot_of_one_workspace_has_no_keys(world: World, tmp_path: Path) -> None:
    ended = await bot("tokens", "rotate", cwd=tmp_path, **environment(world))
    assert ended.status == 2 and "There are no TOKEN_KEYS" in ended.err


async def test_the_doctor_looks_at_each_workspace(banks: Banks) -> None:
    world, first, second = banks
    found = await examine(world.settings)
    assert [one.advice for one in found if one.summary == "workspaces: none yet"] == [
        "Open /slack/install in a browser."
    ]
    await install(world, first)
    await install(world, second)
    good = {one.summary for one in await examine(world.settings) if one.ok}
    for where in (first, second):
        assert f"slack: team {where.team_id}, 8 people known" in good
        assert f"slack: team {where.team_id}: channel #incidents" in good
    world.slack.install.grants[token_of(world.slack, second)].revoked = True
    (bad,) = [one for one in await examine(world.settings) if not one.ok]
    assert bad.summary == f"slack: team {second.team_id}: token_revoked"
    assert bad.advice == "Install the bot there again: /slack/install."
    await second.person("ana").command("/incident declare sev1 Cards are refused", channel="#general")
    await world.settle()
    found = await examine(world.settings)
    (gone,) = [one for one in found if "its duties rest" in one.summary]
    assert second.team_id in gone.summary and gone.ok and "install the bot there again" in gone.advice
    world.settings = world.settings.model_copy(update={"token_keys": SecretStr(Fernet.generate_key().decode())})
    bads = [one for one in await examine(world.settings) if not one.ok]
    assert "cannot be decrypted with TOKEN_KEYS" in bads[0].summary and len(bads) == 1


async def test_export_asks_which_workspace(banks: Banks, tmp_path: Path) -> None:
    world, first, second = banks
    for where in (first, second):
        await install(world, where)
        await where.person("ana").command(f"/incident declare sev2 Trouble of {where.team_id}", channel="#general")
        await world.settle()
    await world.stop_bot()
    good = environment(world)
    ended = await bot("export", "1", cwd=tmp_path, **good)
    assert ended.status == 2 and f"--team: {first.team_id}, {second.team_id}" in ended.err
    ended = await bot("export", "1", "--team", second.team_id, "--folder", str(tmp_path / "out"), cwd=tmp_path, **good)
    written = "".join(path.read_text() for path in (tmp_path / "out").iterdir())
    assert f"Trouble of {second.team_id}" in written and first.team_id not in written and "Ana Silva" in written
