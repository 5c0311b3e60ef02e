"""views.*"""

from __future__ import annotations

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from localslack import LocalSlack
from localslack.tests.methods.asking import error_of
from localslack.tests.shop import order_form, plain, section

ANA = "U01ANASILVA"


async def test_a_trigger_serves_once_and_for_three_seconds(sandbox: LocalSlack, client: AsyncWebClient) -> None:
    trigger = sandbox.interactivity.new_trigger(ANA)
    late = sandbox.interactivity.new_trigger(ANA)
    assert await error_of(client, "views.open", trigger_id=trigger, view=order_form()) is None
    assert await error_of(client, "views.open", trigger_id=trigger, view=order_form()) == "exchanged_trigger_id"
    sandbox.clock.advance(3.1)
    assert await error_of(client, "views.open", trigger_id=late, view=order_form()) == "expired_trigger_id"
    assert await error_of(client, "views.open", trigger_id="1.2.3", view=order_form()) == "invalid_trigger_id"


async def test_a_view_that_slack_does_not_take_costs_no_trigger(sandbox: LocalSlack, client: AsyncWebClient) -> None:
    trigger = sandbox.interactivity.new_trigger(ANA)
    with pytest.raises(SlackApiError) as refused:
        await client.views_open(trigger_id=trigger, view=order_form(title=plain("x" * 25)))
    assert refused.value.response["error"] == "invalid_arguments"
    assert "[json-pointer:/view/title/text]" in refused.value.response["response_metadata"]["messages"][0]
    huge = order_form(blocks=[section("x" * 3000) for _ in range(90)], submit=None)
    assert await error_of(client, "views.open", trigger_id=trigger, view=huge) == "view_too_large"
    assert await error_of(client, "views.open", trigger_id=trigger, view=order_form()) is None


async def test_three_views_at_most(sandbox: LocalSlack, client: AsyncWebClient) -> None:
    opened = await client.views_open(trigger_id=sandbox.interactivity.new_trigger(ANA), view=order_form())
    root = opened["view"]["id"]
    for _ in range(2):
        await client.views_push(trigger_id=sandbox.interactivity.new_trigger(ANA, root), view=order_form())
    assert [view["root_view_id"] for view in sandbox.person("ana").views] == [root] * 3
    trigger = sandbox.interactivity.new_trigger(ANA, root)
    assert await error_of(client, "views.push", trigger_id=trigger, view=order_form()) == "push_limit_reached"
    await sandbox.person("ana").close_view()
    assert len(sandbox.person("ana").views) == 2


async def test_a_push_needs_an_open_form(sandbox: LocalSlack, client: AsyncWebClient) -> None:
    trigger = sandbox.interactivity.new_trigger(ANA)
    assert await error_of(client, "views.push", trigger_id=trigger, view=order_form()) == "not_found"


async def test_updates_check_the_hash(sandbox: LocalSlack, client: AsyncWebClient) -> None:
    opened = await client.views_open(
        trigger_id=sandbox.interactivity.new_trigger(ANA), view=order_form(external_id="e1")
    )
    old = opened["view"]["hash"]
    await client.views_update(external_id="e1", hash=old, view=order_form(title=plain("B"), external_id="e1"))
    assert sandbox.person("ana").view is not None and sandbox.person("ana").view["title"]["text"] == "B"
    view_id = opened["view"]["id"]
    assert await error_of(client, "views.update", view_id=view_id, hash=old, view=order_form()) == "hash_conflict"
    assert await error_of(client, "views.update", view_id=view_id, view=order_form()) is None
    assert await error_of(client, "views.update", view_id="V0NONE", view=order_form()) == "not_found"
    assert await error_of(client, "views.update", view=order_form()) == "invalid_arguments"


async def test_external_ids_are_unique(sandbox: LocalSlack, client: AsyncWebClient) -> None:
    form = order_form(external_id="e1")
    await client.views_open(trigger_id=sandbox.interactivity.new_trigger(ANA), view=form)
    trigger = sandbox.interactivity.new_trigger("U01BENOKAFO")
    assert await error_of(client, "views.open", trigger_id=trigger, view=form) == "duplicate_external_id"


async def test_the_home_tab(sandbox: LocalSlack, client: AsyncWebClient) -> None:
    home = {"type": "home", "blocks": [section("one")]}
    first = await client.views_publish(user_id=ANA, view=home)
    await client.views_publish(user_id=ANA, view=home, hash=first["view"]["hash"])
    stale = first["view"]["hash"]
    assert await error_of(client, "views.publish", user_id=ANA, view=home, hash=stale) == "hash_conflict"
    assert await error_of(client, "views.publish", user_id="U0NOBODY", view=home) == "invalid_arguments"
    assert await error_of(client, "views.publish", user_id=ANA, view=order_form()) == "invalid_arguments"
