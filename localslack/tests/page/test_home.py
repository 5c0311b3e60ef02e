"""The app's Home tab on the page, of an app that has one: published, used, published again."""

from __future__ import annotations

from playwright.async_api import expect
from slack_sdk.web.async_client import AsyncWebClient

from localslack import LocalSlack
from localslack.tests import shop
from localslack.tests.page.desk import Desk


def view(words: str) -> shop.Json:
    buttons = {"type": "actions", "block_id": "act", "elements": [shop.button("Order", "order")]}
    return {"type": "home", "blocks": [shop.section(words), buttons]}


async def test_what_is_published_stands_there_and_can_be_used(desk: Desk) -> None:
    async with LocalSlack(manifest=shop.manifest()) as slack:
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
        ana = await desk.tab(slack, "ana", "#general")
        await ana.sidebar.locator(".side-row", has_text="tea-shop").click()
        await expect(ana.page.get_by_role("tab", name="Home")).to_have_attribute("aria-selected", "true")
        assert slack.journal.of("delivery:event:app_home_opened")
        me = slack.person("ana").id
        await client.views_publish(user_id=me, view=view("Two cups wait"))
        await expect(ana.centre).to_contain_text("Two cups wait")
        await ana.centre.get_by_role("button", name="Order", exact=True).click()
        await slack.idle()
        [pressed] = slack.journal.of("delivery:block_actions")
        assert pressed.args["container"]["type"] == "view"
        await client.views_publish(user_id=me, view=view("Three cups wait"))
        await expect(ana.centre).to_contain_text("Three cups wait")
        await ana.page.get_by_role("tab", name="Messages").click()
        await expect(ana.page.locator("#composer-text")).to_be_visible()
