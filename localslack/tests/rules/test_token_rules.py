"""SR-TOK and SR-RAT: who may call what, with which arguments, and how often."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest

from localslack import LocalSlack
from localslack.methods import METHODS
from localslack.rate_limits import PER_MINUTE, POSTS_PER_MINUTE
from localslack.tests import shop
from localslack.tests.rules.book import rule
from localslack.tests.rules.conftest import Try
from localslack.tests.shop import Json

GENERAL, PAYMENTS = "C01GENERAL1", "C01PAYMENTS"


@pytest.fixture
async def narrow() -> AsyncIterator[Try]:
    """An app that may read public channels, and nothing else."""
    async with LocalSlack(manifest=shop.manifest(scopes=["channels:read"])) as sandbox:
        async with aiohttp.ClientSession() as session:
            found = Try(sandbox, session)
            yield found
        assert found.taken and found.refused


@rule("SR-TOK-01")
async def test_a_token_is_given(slack: Try) -> None:
    await slack.takes("auth.test")
    slack.token = ""
    await slack.refuses("not_authed", "auth.test")


@rule("SR-TOK-02")
async def test_a_token_is_known(slack: Try) -> None:
    await slack.takes("auth.test")
    slack.token += "x"
    await slack.refuses("invalid_auth", "auth.test")


@rule("SR-TOK-03")
async def test_a_token_is_of_the_right_kind(slack: Try) -> None:
    await slack.refuses("not_allowed_token_type", "apps.connections.open")
    slack.token = slack.sandbox.app_token
    await slack.takes("apps.connections.open")
    await slack.refuses("not_allowed_token_type", "auth.test")


@rule("SR-TOK-04")
async def test_a_scope_is_missing(narrow: Try) -> None:
    await narrow.takes("conversations.info", channel=GENERAL)
    refused = await narrow.refuses("missing_scope", "users.info", user="U01ANASILVA")
    assert (refused["needed"], refused["provided"]) == ("users:read", "channels:read")


@rule("SR-TOK-05")
async def test_a_scope_for_the_kind_of_conversation(narrow: Try) -> None:
    await narrow.takes("conversations.list", types="public_channel")
    refused = await narrow.refuses("missing_scope", "conversations.list", types="public_channel,private_channel")
    assert refused["needed"] == "groups:read"


@rule("SR-TOK-06")
async def test_unknown_methods(slack: Try) -> None:
    await slack.takes("api.test")
    await slack.refuses("unknown_method", "chat.shout")


@rule("SR-TOK-07")
async def test_required_arguments(slack: Try) -> None:
    await slack.takes("conversations.info", channel=GENERAL)
    refused = await slack.refuses("invalid_arguments", "conversations.info")
    assert refused["response_metadata"]["messages"] == ["[ERROR] missing required field: channel"]


@rule("SR-TOK-14")
async def test_strings_are_strings(slack: Try) -> None:
    await slack.takes("chat.postMessage", channel=GENERAL, text=5)
    for wrong in ({"text": "x"}, ["x"]):
        refused = await slack.refuses("invalid_arguments", "chat.postMessage", channel=GENERAL, text=wrong)
        assert refused["response_metadata"]["messages"] == ["[ERROR] must provide a string [json-pointer:/text]"]
        await slack.refuses("invalid_arguments", "conversations.info", channel=wrong)


@rule("SR-TOK-15")
async def test_addresses_need_a_scope_of_their_own(slack: Try) -> None:
    grant = slack.sandbox.install.grants[slack.token]
    grant.scopes |= {"users:read.email"}
    slack.sandbox.world.app = replace(slack.sandbox.app, scopes=grant.scopes)
    people = (await slack.takes("users.list"))["members"]
    slack.holds(all(each["profile"]["email"] for each in people if not each["is_bot"]))
    # Somebody let the app in without that scope.
    grant.scopes -= {"users:read.email"}
    people = (await slack.takes("users.list"))["members"]
    slack.fails(not any("email" in each["profile"] for each in people))
    one = await slack.takes("users.info", user="U01ANASILVA")
    slack.fails("email" not in one["user"]["profile"])


@rule("SR-TOK-08")
async def test_methods_for_people(slack: Try) -> None:
    await slack.takes("chat.postMessage", channel=GENERAL, text="x")
    await slack.refuses("not_allowed_token_type", "reminders.add", text="x", time="in 5 minutes")
    await slack.refuses("not_allowed_token_type", "search.messages", query="x")


async def send(slack: Try, method: str, **more: object) -> Json:
    headers = {"Authorization": f"Bearer {slack.token}"} | dict(more.pop("headers", {}))  # type: ignore[call-overload]
    async with slack.session.post(f"{slack.sandbox.api_url}{method}", headers=headers, **more) as response:  # type: ignore[arg-type]
        body: Json = await response.json()
        return body


@rule("SR-TOK-09")
async def test_json_bodies(slack: Try) -> None:
    json_ = {"Content-Type": "application/json"}
    slack.holds((await send(slack, "auth.test", data=b"{}", headers=json_))["ok"])
    slack.fails((await send(slack, "auth.test", data=b"{", headers=json_))["error"] == "invalid_json")
    slack.fails((await send(slack, "auth.test", data=b"[]", headers=json_))["error"] == "json_not_object")


@rule("SR-TOK-10")
async def test_forms_and_json_alike(slack: Try) -> None:
    blocks = '[{"type": "divider"}]'
    form = await send(slack, "chat.postMessage", data={"channel": GENERAL, "text": "x", "blocks": blocks})
    slack.holds(form["message"]["blocks"][0]["type"] == "divider")
    slack.holds((await send(slack, "chat.postMessage", json={"channel": GENERAL, "text": "x", "blocks": blocks}))["ok"])
    broken = await send(slack, "chat.postMessage", data={"channel": GENERAL, "text": "x", "blocks": "[{"})
    slack.fails(broken["error"] == "invalid_blocks_format")


@rule("SR-TOK-11")
async def test_types_of_bodies(slack: Try) -> None:
    say = {"channel": GENERAL, "text": "x"}
    form = b"channel=C01GENERAL1&text=x"
    warnings = {
        "application/json": ["missing_charset"],
        "application/json; charset=utf-8": None,
        "application/x-www-form-urlencoded": None,
        "application/x-www-form-urlencoded; charset=utf-8": ["superfluous_charset"],
        "text/plain": None,
    }
    for kind, expected in warnings.items():
        body = json.dumps(say).encode() if "json" in kind else form
        answer = await send(slack, "chat.postMessage", data=body, headers={"Content-Type": kind})
        slack.holds(answer["ok"])
        assert answer.get("response_metadata", {}).get("warnings") == expected
        assert answer.get("warning") == (expected[0] if expected else None)
    refused = {
        "application/xml": "invalid_post_type",
        "application/json; charset=utf-16": "invalid_charset",
        "multipart/form-data": "invalid_form_data",
    }
    for kind, error in refused.items():
        answer = await send(slack, "chat.postMessage", data=form, headers={"Content-Type": kind})
        slack.fails(answer["error"] == error)
    untyped = await send(slack, "chat.postMessage", data=form, skip_auto_headers=["Content-Type"])
    slack.fails(untyped["error"] == "missing_post_type")


@rule("SR-TOK-12")
async def test_a_token_in_a_body(slack: Try) -> None:
    inside = {"token": slack.token}
    slack.token = ""
    slack.holds((await send(slack, "auth.test", data=inside))["ok"])
    slack.fails((await send(slack, "auth.test", json=inside))["error"] == "not_authed")


@rule("SR-TOK-13")
async def test_scopes_in_headers(slack: Try) -> None:
    _, _, headers = await slack.ask("users.info", user="U01ANASILVA")
    slack.holds(headers["x-accepted-oauth-scopes"] == "users:read")
    assert "chat:write" in headers["x-oauth-scopes"].split(",")
    slack.token += "x"
    _, _, headers = await slack.ask("users.info", user="U01ANASILVA")
    slack.fails("x-oauth-scopes" not in headers)


# -- rate limits --------------------------------------------------------------------------------------


@pytest.fixture
async def busy(slack: Try) -> Try:
    """The same, with the limits on."""
    slack.sandbox.limits.on = True
    return slack


async def limited(slack: Try, method: str, **args: str) -> int:
    """The seconds that a call has to wait, 0 where it was taken."""
    status, _, headers = await slack.ask(method, **args)
    slack.taken += status == 200
    slack.refused += status == 429
    return int(headers.get("Retry-After", 0))


@rule("SR-RAT-01", "SR-RAT-02", "SR-RAT-03", "SR-RAT-04", "SR-RAT-07")
@pytest.mark.parametrize(
    ("method", "calls", "wait"),
    [
        pytest.param("usergroups.list", 20, 3, id="tier 2"),
        pytest.param("team.info", 50, 2, id="tier 3"),
        pytest.param("users.info", 100, 1, id="tier 4"),
        pytest.param("auth.test", 600, 1, id="special"),
    ],
)
async def test_tiers(busy: Try, method: str, calls: int, wait: int) -> None:
    args = {"user": "U01ANASILVA"} if method == "users.info" else {}
    assert [await limited(busy, method, **args) for _ in range(calls)] == [0] * calls
    assert await limited(busy, method, **args) == wait
    busy.sandbox.clock.advance(wait)
    assert await limited(busy, method, **args) == 0
    busy.sandbox.clock.advance(60)
    assert [await limited(busy, method, **args) for _ in range(calls)] == [0] * calls


@rule("SR-RAT-05")
async def test_messages_in_a_channel(busy: Try) -> None:
    async def post(channel: str) -> int:
        return await limited(busy, "chat.postMessage", channel=channel, text="x")

    assert [await post(GENERAL) for _ in range(6)] == [0, 0, 0, 0, 0, 1]
    assert await post(PAYMENTS) == 0
    busy.sandbox.clock.advance(1)
    assert [await post(GENERAL) for _ in range(2)] == [0, 1]
    # A person's id and the id of the direct message with that person are one channel.
    direct = (await busy.takes("conversations.open", users="U01ANASILVA"))["channel"]["id"]
    assert [await post(where) for where in ["U01ANASILVA", direct] * 3] == [0, 0, 0, 0, 0, 1]


@rule("SR-RAT-06")
async def test_counted_apart(busy: Try) -> None:
    assert [await limited(busy, "usergroups.list") for _ in range(21)] == [0] * 20 + [3]
    assert await limited(busy, "users.list") == 0
    other = busy.sandbox.add_workspace("Other")
    busy.token = busy.sandbox.install.grant(other, busy.sandbox.app.scopes)
    assert await limited(busy, "usergroups.list") == 0


@rule("SR-RAT-08")
async def test_messages_in_a_workspace(busy: Try) -> None:
    made = [await busy.sandbox.person("ana").create_channel(f"c{n}") for n in range(POSTS_PER_MINUTE // 5 + 1)]
    assert POSTS_PER_MINUTE == 300
    for channel in made[:-1]:
        for _ in range(5):
            assert await limited(busy, "chat.postMessage", channel=channel, text="x") == 0
    assert await limited(busy, "chat.postMessage", channel=made[-1], text="x") == 1


@rule("SR-RAT-09")
async def test_events_in_an_hour(slack: Try) -> None:
    assert slack.sandbox.delivery.events_per_hour == 30_000
    slack.sandbox.delivery.events_per_hour = 2
    ana = slack.sandbox.person("ana")
    for _ in range(5):
        await ana.open_home()
    await slack.sandbox.idle()
    sent = slack.sandbox.journal.of("delivery:event:app_home_opened")
    # Nobody listens: each was tried twice.
    slack.holds(len({call.args["event_id"] for call in sent}) == 2)
    told = slack.sandbox.journal.of("delivery:event:app_rate_limited")
    slack.fails({call.args["minute_rate_limited"] for call in told} == {int(slack.sandbox.clock.now()) // 60 * 60})
    slack.sandbox.clock.advance(3600)
    await ana.open_home()
    await slack.sandbox.idle()
    sent = slack.sandbox.journal.of("delivery:event:app_home_opened")
    slack.holds(len({call.args["event_id"] for call in sent}) == 3)


def test_no_method_is_of_a_tier_that_the_book_does_not_know() -> None:
    assert {method.tier for method in METHODS.values()} <= set(PER_MINUTE) - {1}
