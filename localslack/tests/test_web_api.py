"""The Web API's edge: tokens, scopes, unknown methods, planted faults, rate limits, response URLs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from localslack import LocalSlack
from localslack.tests import shop
from localslack.tests.shop import Json


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def call(sandbox: LocalSlack, session: aiohttp.ClientSession, method: str, token: str = "", **more: Any) -> Json:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with session.post(f"{sandbox.api_url}{method}", headers=headers, **more) as response:
        answer: Json = await response.json()
        return answer


@pytest.mark.parametrize(
    ("method", "holder", "error"),
    [
        pytest.param("auth.test", "", "not_authed", id="no token"),
        pytest.param("auth.test", "xoxb-else", "invalid_auth", id="another token"),
        pytest.param("auth.test", "app", "not_allowed_token_type", id="the app token for a bot's method"),
        pytest.param("apps.connections.open", "bot", "not_allowed_token_type", id="the bot token for the app's method"),
        pytest.param("chat.shout", "bot", "unknown_method", id="no such method"),
        pytest.param("auth.test", "bot", None, id="good"),
        pytest.param("api.test", "", None, id="needs no token"),
    ],
)
async def test_tokens(
    sandbox: LocalSlack, session: aiohttp.ClientSession, method: str, holder: str, error: str | None
) -> None:
    token = {"bot": sandbox.bot_token, "app": sandbox.app_token}.get(holder, holder)
    answer = await call(sandbox, session, method, token)
    assert (answer["ok"], answer.get("error")) == (error is None, error)


async def test_a_token_may_come_in_the_form_and_never_reaches_the_journal(
    sandbox: LocalSlack, session: aiohttp.ClientSession
) -> None:
    assert (await call(sandbox, session, "auth.test", data={"token": sandbox.bot_token}))["ok"]
    assert sandbox.bot_token not in repr(list(sandbox.journal))


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        pytest.param(b"{", "invalid_json", id="broken"),
        pytest.param(b"[1]", "json_not_object", id="not an object"),
        pytest.param(b"[" * 100_000, "invalid_json", id="nested deeply"),
    ],
)
async def test_json_bodies(sandbox: LocalSlack, session: aiohttp.ClientSession, raw: bytes, error: str) -> None:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {sandbox.bot_token}"}
    async with session.post(f"{sandbox.api_url}auth.test", data=raw, headers=headers) as response:
        assert (await response.json())["error"] == error


async def test_missing_scope_names_what_is_needed(session: aiohttp.ClientSession) -> None:
    async with LocalSlack(manifest=shop.manifest(scopes=["channels:read"])) as sandbox:
        refused = await call(sandbox, session, "pins.add", sandbox.bot_token)
        assert (refused["error"], refused["needed"], refused["provided"]) == (
            "missing_scope", "pins:write", "channels:read",
        )  # fmt: skip
        # Reading public channels is granted, reading private ones is not.
        listed = await call(sandbox, session, "conversations.list", sandbox.bot_token)
        assert len(listed["channels"]) == 4
        refused = await call(
            sandbox, session, "conversations.list", sandbox.bot_token, data={"types": "public_channel,private_channel"}
        )
        assert (refused["error"], refused["needed"]) == ("missing_scope", "groups:read")


async def test_scopes_are_told_in_a_header(sandbox: LocalSlack, client: AsyncWebClient) -> None:
    answer = await client.auth_test()
    assert set(answer.headers["x-oauth-scopes"].split(",")) == set(shop.SCOPES)
    assert (answer["user_id"], answer["team_id"]) == (sandbox.bot_user_id, sandbox.team_id)


async def test_an_uninstalled_app_is_told_so(sandbox: LocalSlack, client: AsyncWebClient) -> None:
    sandbox.uninstall()
    with pytest.raises(SlackApiError, match="account_inactive"):
        await client.auth_test()


POST = {"channel": "#general", "text": "hello"}


@pytest.mark.parametrize(
    ("kind", "posted", "status"),
    [
        pytest.param("error:restricted_action", 0, 200, id="refused"),
        pytest.param("429:30", 0, 429, id="rate limited"),
        pytest.param("500_before", 0, 500, id="failed, nothing done"),
        pytest.param("500_after", 1, 500, id="done, answer lost"),
        pytest.param("cut_before", 0, None, id="cut, nothing done"),
        pytest.param("cut_after", 1, None, id="done, connection cut"),
    ],
)
async def test_planted_faults(
    sandbox: LocalSlack, session: aiohttp.ClientSession, kind: str, posted: int, status: int | None
) -> None:
    sandbox.faults.add("chat.postMessage", kind)
    headers = {"Authorization": f"Bearer {sandbox.bot_token}"}
    try:
        async with session.post(f"{sandbox.api_url}chat.postMessage", data=POST, headers=headers) as response:
            seen: int | None = response.status
            if status == 429:
                assert response.headers["Retry-After"] == "30"
    except aiohttp.ClientError:
        seen = None
    assert seen == status
    assert len(sandbox.channel("#general").messages) == posted
    assert sandbox.journal[-1].outcome == "fault"
    assert (await call(sandbox, session, "chat.postMessage", sandbox.bot_token, data=POST))["ok"]  # used up


async def test_a_hanging_call_neither_answers_nor_keeps_the_workspace_busy(
    sandbox: LocalSlack, session: aiohttp.ClientSession
) -> None:
    sandbox.faults.add("chat.postMessage", "hang")
    hanging = asyncio.create_task(call(sandbox, session, "chat.postMessage", sandbox.bot_token, data=POST))
    await asyncio.sleep(0.05)
    await sandbox.idle()
    assert not hanging.done()
    assert sandbox.channel("#general").messages == []
    hanging.cancel()


def test_unknown_kinds_of_faults_are_refused(sandbox: LocalSlack) -> None:
    with pytest.raises(ValueError, match="no such kind"):
        sandbox.faults.add("chat.postMessage", "explode")


async def test_latency_delays_every_call(sandbox: LocalSlack, client: AsyncWebClient) -> None:
    sandbox.latency = 0.05
    begun = time.monotonic()
    await client.auth_test()
    assert time.monotonic() - begun >= 0.05


async def test_rate_limits_by_the_workspaces_clock(sandbox: LocalSlack, session: aiohttp.ClientSession) -> None:
    sandbox.limits.on = True
    headers = {"Authorization": f"Bearer {sandbox.bot_token}"}

    async def post(channel: str) -> tuple[int, str | None]:
        data = {"channel": channel, "text": "x"}
        async with session.post(f"{sandbox.api_url}chat.postMessage", data=data, headers=headers) as response:
            return response.status, response.headers.get("Retry-After")

    # A burst of five in a channel, then one a second; other channels have their own bucket.
    assert [(await post("C01GENERAL1"))[0] for _ in range(5)] == [200] * 5
    assert await post("C01GENERAL1") == (429, "1")
    assert await post("C01PAYMENTS") == (200, None)
    sandbox.clock.advance(1)
    assert [(await post("C01GENERAL1"))[0] for _ in range(2)] == [200, 429]
    # Tier 2: twenty a minute.
    listed = [await call(sandbox, session, "usergroups.list", sandbox.bot_token) for _ in range(21)]
    assert [answer["ok"] for answer in listed] == [True] * 20 + [False]


async def test_response_urls_serve_five_times_for_thirty_minutes(
    sandbox: LocalSlack, session: aiohttp.ClientSession
) -> None:
    ana = sandbox.person("ana")
    url = sandbox.interactivity.new_response_url(ana.id, "C01GENERAL1")
    seen = []
    for _ in range(6):
        async with session.post(url, json={"text": "hi"}) as response:
            seen.append((response.status, await response.text()))
    assert [status for status, _ in seen] == [200] * 5 + [404]
    assert "used_url" in seen[-1][1]
    old = sandbox.interactivity.new_response_url(ana.id, "C01GENERAL1")
    sandbox.clock.advance(30 * 60 + 1)
    async with session.post(old, json={"text": "late"}) as response:
        assert "expired_url" in await response.text()
    assert len(ana.messages("#general")) == 5


@pytest.mark.parametrize(
    ("body", "error"),
    [
        pytest.param({}, "no_text", id="nothing to show"),
        pytest.param({"blocks": [{"type": "nonsense"}]}, "invalid_blocks", id="bad blocks"),
        pytest.param([1], "invalid_payload", id="not an object"),
    ],
)
async def test_what_a_response_url_does_not_take(
    sandbox: LocalSlack, session: aiohttp.ClientSession, body: Any, error: str
) -> None:
    url = sandbox.interactivity.new_response_url("U01ANASILVA", "C01GENERAL1")
    async with session.post(url, json=body) as response:
        assert (await response.json())["error"] == error
