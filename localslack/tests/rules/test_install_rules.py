"""SR-OAU: letting the app into workspaces, and what it is given there."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import parse_qs, urlsplit

from slack_sdk.oauth import AuthorizeUrlGenerator

from localslack.tests.rules.book import rule
from localslack.tests.rules.conftest import Try
from localslack.tests.shop import SCOPES, Json

BACK = "http://127.0.0.1:9/slack/oauth_redirect"


async def allow(slack: Try, team: str = "", answer: str = "allow", **more: str) -> dict[str, str]:
    """Somebody presses a button on the consent page: what the app's redirect URL is called with."""
    sandbox = slack.sandbox
    url = AuthorizeUrlGenerator(
        client_id=sandbox.client_id, scopes=SCOPES, redirect_uri=BACK, authorization_url=sandbox.authorize_url
    ).generate("the-state")
    async with slack.session.get(url) as page:
        assert "Tea Shop asks to be let in" in await page.text()
    form = {"answer": answer, "team": team, **more}
    async with slack.session.post(url, data=form, allow_redirects=False) as response:
        assert response.status == 302
        return {key: values[0] for key, values in parse_qs(urlsplit(response.headers["Location"]).query).items()}


async def exchange(slack: Try, code: str, **changes: Any) -> Json:
    sandbox = slack.sandbox
    given = {"id": sandbox.client_id, "secret": sandbox.client_secret, "redirect_uri": BACK} | changes
    form = {"code": code, "redirect_uri": given["redirect_uri"]}
    url = f"{sandbox.api_url}oauth.v2.access"
    basic = base64.b64encode(f"{given['id']}:{given['secret']}".encode()).decode()
    async with slack.session.post(url, data=form, headers={"Authorization": f"Basic {basic}"}) as response:
        body: Json = await response.json()
        return body


async def installed(slack: Try, team: str = "") -> Json:
    body = await exchange(slack, (await allow(slack, team))["code"])
    slack.holds(body["ok"])
    return body


@rule("SR-OAU-01")
async def test_a_code_serves_once(slack: Try) -> None:
    back = await allow(slack)
    assert back["state"] == "the-state"
    slack.holds((await exchange(slack, back["code"]))["ok"])
    slack.fails((await exchange(slack, back["code"]))["error"] == "invalid_code")
    assert (await allow(slack, answer="cancel")) == {"error": "access_denied", "state": "the-state"}


@rule("SR-OAU-02")
async def test_a_code_lives_ten_minutes(slack: Try) -> None:
    early, late = await allow(slack), await allow(slack)
    slack.sandbox.clock.advance(600)
    slack.holds((await exchange(slack, early["code"]))["ok"])
    slack.sandbox.clock.advance(0.1)
    slack.fails((await exchange(slack, late["code"]))["error"] == "invalid_code")


@rule("SR-OAU-03")
async def test_the_client_is_known(slack: Try) -> None:
    await installed(slack)
    code = (await allow(slack))["code"]
    slack.fails((await exchange(slack, code, id="1.2"))["error"] == "invalid_client_id")
    slack.fails((await exchange(slack, code, secret="guess"))["error"] == "bad_client_secret")
    secrets = (slack.sandbox.client_secret, code)
    slack.fails(not any(secret in repr(list(slack.sandbox.journal)) for secret in secrets))


@rule("SR-OAU-04")
async def test_the_redirect_url_is_the_same(slack: Try) -> None:
    await installed(slack)
    other = "http://127.0.0.1:9/elsewhere"
    slack.fails(
        (await exchange(slack, (await allow(slack))["code"], redirect_uri=other))["error"] == "bad_redirect_uri"
    )
    away = f"{slack.sandbox.authorize_url}?client_id={slack.sandbox.client_id}&redirect_uri=https://evil.example/"
    async with slack.session.get(away) as page:
        slack.fails((page.status, await page.text()) == (400, "bad_redirect_uri"))


async def test_where_the_app_is_not_installed_it_hears_nothing(slack: Try) -> None:
    second = slack.sandbox.add_workspace("Second Bank")
    ana = second.person("ana")
    await ana.open_home()
    slack.fails((await ana.command("/tea")).error == "not_a_command")
    await slack.sandbox.idle()
    slack.holds(len(slack.sandbox.journal) == 0)


async def test_a_token_from_before_does_not_come_back(slack: Try) -> None:
    await slack.takes("auth.test")
    slack.sandbox.uninstall()
    await slack.refuses("account_inactive", "auth.test")
    await installed(slack)
    await slack.refuses("token_revoked", "auth.test")


async def test_another_site_cannot_press_allow(slack: Try) -> None:
    url = f"{slack.sandbox.authorize_url}?client_id={slack.sandbox.client_id}&redirect_uri={BACK}"
    for headers, status in (({"Origin": "https://evil.example"}, 403), ({"Host": "evil.example"}, 403), ({}, 302)):
        async with slack.session.post(url, data={"answer": "allow"}, headers=headers, allow_redirects=False) as answer:
            slack.taken += answer.status == 302
            slack.refused += answer.status == 403
            assert answer.status == status
    assert len(slack.sandbox.install.codes) == 1


@rule("SR-OAU-05")
async def test_each_workspace_for_itself(slack: Try) -> None:
    second = slack.sandbox.add_workspace("Second Bank")
    ours, theirs = await installed(slack), await installed(slack, second.team_id)
    slack.holds(ours["access_token"] == slack.sandbox.bot_token)
    slack.fails(theirs["access_token"] != ours["access_token"] and theirs["bot_user_id"] != ours["bot_user_id"])
    slack.token = theirs["access_token"]
    who = await slack.takes("auth.test")
    assert (who["team"], who["user_id"]) == ("Second Bank", second.bot_user_id)
    await slack.refuses("channel_not_found", "chat.postMessage", channel="C01GENERAL1", text="x")
    await slack.takes("chat.postMessage", channel="#general", text="hello there")
    slack.holds([m.text for m in second.person("ana").messages("#general")] == ["hello there"])
    slack.fails(slack.sandbox.channel("#general").messages == [])


@rule("SR-OAU-06")
async def test_a_revoked_token(slack: Try) -> None:
    slack.holds(not (await slack.takes("auth.revoke", test=True))["revoked"])
    slack.holds((await slack.takes("auth.revoke"))["revoked"])
    await slack.refuses("token_revoked", "auth.test")
    await slack.sandbox.idle()
    heard = {call.method for call in slack.sandbox.journal if call.method.startswith("delivery:")}
    assert heard == {"delivery:event:app_uninstalled"}  # tokens_revoked is not subscribed to
    again = await installed(slack)
    slack.fails(again["access_token"] != slack.token)
    slack.token = again["access_token"]
    await slack.takes("auth.test")


@rule("SR-OAU-07", "SR-OAU-08")
async def test_authorizations_of_an_event(slack: Try) -> None:
    second = slack.sandbox.add_workspace("Second Bank")
    await installed(slack, second.team_id)
    for workspace in slack.sandbox.workspaces:
        await workspace.person("ana").open_home()
    await slack.sandbox.idle()
    slack.token = slack.sandbox.app_token
    teams = set()
    for call in slack.sandbox.journal.of("delivery:event:app_home_opened"):
        slack.fails(len(call.args["authorizations"]) == 1)
        listed = await slack.takes("apps.event.authorizations.list", event_context=call.args["event_context"])
        teams |= {each["team_id"] for each in listed["authorizations"]}
    slack.holds(teams == {slack.sandbox.team_id, second.team_id})
    await slack.refuses("invalid_event_context", "apps.event.authorizations.list", event_context="4-made-up")
