"""SR-VIW and SR-INT: modals, the Home tab, triggers, response URLs, and what people do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from localslack import LocalSlack
from localslack import blocks as kit
from localslack.tests import shop
from localslack.tests.rules.book import case, rule
from localslack.tests.rules.conftest import Try
from localslack.tests.shop import Json, order_form, plain, section

ANA, BEN = "U01ANASILVA", "U01BENOKAFO"
GENERAL = "C01GENERAL1"
HOME: Json = {"type": "home", "blocks": [section("x")]}


@pytest.mark.parametrize(
    ("taken", "refused", "problem"),
    [
        case("SR-VIW-01", {"title": plain("x" * 24)}, {"title": plain("x" * 25)}, "must be less than 25 characters"),
        case("SR-VIW-02", {"submit": plain("x" * 24)}, {"submit": plain("x" * 25)}, "must be less than 25 characters"),
        case("SR-VIW-02", {"close": plain("x" * 24)}, {"close": plain("x" * 25)}, "must be less than 25 characters"),
        case("SR-VIW-03", {"private_metadata": "x" * 3000}, {"private_metadata": "x" * 3001}, "must be less than 3001"),
        case("SR-VIW-04", {"callback_id": "x" * 255}, {"callback_id": "x" * 256}, "must be less than 256 characters"),
        case("SR-VIW-04", {"external_id": "x" * 255}, {"external_id": "x" * 256}, "must be less than 256 characters"),
        case("SR-VIW-06", {"submit": plain("Go")}, {"submit": None}, "must define `submit`"),
        case("SR-VIW-12", {"title": plain("T")}, {"title": None}, "must provide an object"),
    ],
)
def test_parts_of_a_view(taken: Json, refused: Json, problem: str) -> None:
    assert kit.view_problems(order_form(**taken), "modal") == []
    assert any(problem in each for each in kit.view_problems(order_form(**refused), "modal"))


def trigger(slack: Try, user: str = ANA, view: str | None = None) -> str:
    return slack.sandbox.interactivity.new_trigger(user, view)


async def opened(slack: Try, user: str = ANA, **more: Any) -> Json:
    given = {"trigger_id": trigger(slack, user), "view": order_form(**more)}
    view: Json = (await slack.takes("views.open", **given))["view"]
    return view


@rule("SR-VIW-05")
async def test_the_largest_view(slack: Try) -> None:
    def large(last: int) -> Json:
        blocks = [section("x" * 2900, f"b{n}") for n in range(83)]
        return {"type": "modal", "title": plain("T"), "blocks": [*blocks, section("x" * last, "last")]}

    room = 250_000 - len(json.dumps(large(0)))
    await slack.takes("views.open", trigger_id=trigger(slack), view=large(room))
    await slack.refuses("view_too_large", "views.open", trigger_id=trigger(slack), view=large(room + 1))


@rule("SR-VIW-07")
async def test_three_on_top_of_each_other(slack: Try) -> None:
    root = (await opened(slack))["id"]
    for _ in range(2):
        await slack.takes("views.push", trigger_id=trigger(slack, view=root), view=order_form())
    late = trigger(slack, view=root)
    await slack.refuses("push_limit_reached", "views.push", trigger_id=late, view=order_form())


@rule("SR-VIW-08")
async def test_an_outdated_hash(slack: Try) -> None:
    view = await opened(slack)
    update = {"view_id": view["id"], "hash": view["hash"], "view": order_form()}
    await slack.takes("views.update", **update)
    await slack.refuses("hash_conflict", "views.update", **update)


@rule("SR-VIW-09")
async def test_external_ids(slack: Try) -> None:
    await opened(slack, external_id="one")
    view = order_form(external_id="one")
    await slack.refuses("duplicate_external_id", "views.open", trigger_id=trigger(slack, BEN), view=view)
    other = await opened(slack, BEN, external_id="two")
    await slack.takes("views.update", view_id=other["id"], view=order_form(external_id="two"))
    await slack.refuses("duplicate_external_id", "views.update", view_id=other["id"], view=view)


@rule("SR-VIW-10")
async def test_a_push_comes_from_inside(slack: Try) -> None:
    view = await opened(slack)
    await slack.refuses("not_found", "views.push", trigger_id=trigger(slack), view=order_form())
    await slack.takes("views.push", trigger_id=trigger(slack, view=view["id"]), view=order_form())


@rule("SR-VIW-11")
async def test_the_home_tab(slack: Try) -> None:
    await slack.takes("views.publish", user_id=ANA, view=HOME)
    await slack.refuses("invalid_arguments", "views.publish", user_id=ANA, view=order_form())
    manifest = shop.manifest()
    manifest["features"]["app_home"]["home_tab_enabled"] = False
    async with LocalSlack(manifest=manifest) as other:
        without = Try(other, slack.session)
        await without.refuses("not_enabled", "views.publish", user_id=ANA, view=HOME)


# -- gestures -----------------------------------------------------------------------------------------


@rule("SR-INT-01")
async def test_a_trigger_serves_once(slack: Try) -> None:
    once = trigger(slack)
    await slack.takes("views.open", trigger_id=once, view=order_form())
    await slack.refuses("exchanged_trigger_id", "views.open", trigger_id=once, view=order_form())
    await slack.refuses("invalid_trigger_id", "views.open", trigger_id="1.2.3", view=order_form())
    await slack.refuses("invalid_arguments", "views.open", view=order_form())


@rule("SR-INT-02")
async def test_a_trigger_lives_three_seconds(slack: Try) -> None:
    early, late = trigger(slack), trigger(slack)
    slack.sandbox.clock.advance(3)
    await slack.takes("views.open", trigger_id=early, view=order_form())
    slack.sandbox.clock.advance(0.001)
    await slack.refuses("expired_trigger_id", "views.open", trigger_id=late, view=order_form())


async def respond(slack: Try, url: str) -> str:
    async with slack.session.post(url, json={"text": "x"}) as response:
        return await response.text()


@rule("SR-INT-03")
async def test_five_answers(slack: Try) -> None:
    url = slack.sandbox.interactivity.new_response_url(ANA, GENERAL)
    for _ in range(5):
        slack.holds(await respond(slack, url) == "ok")
    slack.fails("used_url" in await respond(slack, url))


@rule("SR-INT-04")
async def test_thirty_minutes(slack: Try) -> None:
    url = slack.sandbox.interactivity.new_response_url(ANA, GENERAL)
    slack.sandbox.clock.advance(30 * 60)
    slack.holds(await respond(slack, url) == "ok")
    slack.sandbox.clock.advance(1)
    slack.fails("expired_url" in await respond(slack, url))


@pytest.fixture
async def answering(sandbox: LocalSlack) -> AsyncIterator[Json]:
    """A program that answers with `body`, once `ready` is set."""
    told: Json = {"ready": asyncio.Event(), "body": None, "asked": 0}
    told["ready"].set()

    async def answer(request: web.Request) -> web.Response:
        told["asked"] += 1
        await told["ready"].wait()
        return web.Response() if told["body"] is None else web.json_response(told["body"])

    app = web.Application()
    app.router.add_post("/", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.01)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    sandbox.event_url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    yield told
    told["ready"].set()
    await runner.cleanup()


@rule("SR-INT-05")
async def test_acknowledged_in_time(slack: Try, answering: Json) -> None:
    assert slack.sandbox.delivery.ack_seconds == 3.0
    ana = slack.sandbox.person("ana")
    slack.holds((await ana.command("/tea")).ok)
    answering["ready"].clear()
    slack.sandbox.delivery.ack_seconds = 0.05
    answer = await ana.command("/tea")
    slack.fails((answer.failed, answer.error) == (True, "operation_timeout"))
    slack.sandbox.clock.advance(600)
    await slack.sandbox.idle()
    slack.fails(answering["asked"] == 2)  # never sent again


@rule("SR-INT-06")
async def test_errors_name_input_blocks(slack: Try, answering: Json) -> None:
    await opened(slack)
    ana = slack.sandbox.person("ana")
    answering["body"] = {"response_action": "errors", "errors": {"what": "No coffee."}}
    slack.holds((await ana.submit({"what": "coffee"})).errors == {"what": "No coffee."})
    answering["body"] = {"response_action": "errors", "errors": {"more": "That is a row of buttons."}}
    result = await ana.submit({"what": "coffee"})
    slack.fails((result.failed, result.error) == (True, "invalid_errors"))


@rule("SR-INT-07")
async def test_no_commands_in_threads(slack: Try, answering: Json) -> None:
    async def command(**more: str) -> Json:
        body = {"as": "ana", "do": "command", "channel": GENERAL, "text": "/tea", **more}
        async with slack.session.post(f"{slack.sandbox.url}/_sandbox/act", json=body) as response:
            answer: Json = await response.json()
            return answer

    ts = await slack.sandbox.person("ana").post("#general", "x")
    slack.holds((await command())["ok"])
    slack.fails((await command(thread_ts=ts))["error"] == "/tea is not supported in threads")
