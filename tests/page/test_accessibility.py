"""What axe finds on each main state of the page, in light and dark, at 200 % and on a phone: nothing serious."""

from __future__ import annotations

from typing import Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from localslack.tests.page.desk import SIZES, Desk, Tab
from tests.world import World

GRAVE = ("serious", "critical")


async def found(tab: Tab) -> list[str]:
    """The grave findings, each with where it is."""
    answer = await Axe().run(tab.page, options={"resultTypes": ["violations"]})
    return [
        f"{rule['impact']} {rule['id']}: {node['html'][:160]} {node.get('failureSummary', '')[:200]}"
        for rule in answer.response["violations"]
        if rule["impact"] in GRAVE
        for node in rule["nodes"]
    ]


async def no_sideways_scroll(tab: Tab) -> bool:
    return bool(await tab.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_each_state(desk: Desk, world: World, scheme: Literal["light", "dark"], size: str) -> None:
    """The channel, a thread, forms with and without errors, tools, menus and dialogs."""
    await world.declare("ana", "sev1 Withdrawals are stuck")
    room = world.channel().id
    await world.say("ana", "/incident runbook horizon-outage", room)
    await world.person("ben").post(room, "look at <https://status.example.com|the status page> and `ledger`, @ana")
    await world.person("carla").react(room, world.messages("ana", room)[-1].ts, "eyes")
    ben = await desk.tab(world.slack, "ben", room, size=size, scheme=scheme)
    page = ben.page

    async def check(state: str) -> None:
        assert await found(ben) == [], state
        assert await no_sideways_scroll(ben), state

    await expect(ben.message("Runbook Horizon outage")).to_be_visible()
    await check("an incident's channel")
    await ben.message("look at").focus()
    await expect(ben.message("look at").get_by_role("toolbar")).to_be_visible()
    await check("the bar of a message")
    await ben.message("look at").get_by_role("button", name="More actions").click()
    await check("a menu")
    await page.keyboard.press("Escape")
    await ben.thread("Runbook Horizon outage")
    await ben.in_thread("3.1").get_by_role("checkbox").first.check()
    await expect(ben.in_thread("3.1")).to_contain_text("Ben Okafor")
    await check("a thread with a ticked step")
    await ben.pane.get_by_role("button", name="Close this pane").click()
    await ben.write("/incident comms payment-delays")
    await ben.form.wait_for()
    await check("a form")
    await ben.form.locator(".primary").click()
    await expect(ben.form.locator(".field-error").first).to_be_visible()
    await check("a form with errors")
    await page.keyboard.press("Escape")
    await expect(ben.form).to_have_count(0)
    for name in ("Clock", "Requests", "Faults", "Notified"):
        await ben.tools(name)
        await check(f"the tools: {name}")
    await ben.pane.get_by_role("button", name="Close this pane").click()
    await page.keyboard.press("Control+k")
    await check("the jump dialog")
    await page.keyboard.press("Escape")
    if await page.get_by_role("button", name="Channels", exact=True).is_visible():
        await page.get_by_role("button", name="Channels", exact=True).click()
    await check("the list of channels")
    await ben.sidebar.locator(".side-row", has_text="incident-commander").click()
    await expect(page.get_by_role("tabpanel")).to_contain_text("Declare an incident")
    await check("the app's Home")
    await page.get_by_role("tab", name="Messages").click()
    await check("the app's messages")


@pytest.mark.parametrize("size", SIZES)
async def test_there_is_room_to_read_and_write(desk: Desk, world: World, size: str) -> None:
    """Whatever the size: the composer is on the screen, the last message is readable above it, text is not cut off."""
    await world.declare("ana", "sev1 Withdrawals are stuck")
    room = world.channel().id
    await world.person("ben").post(room, "the last word " + "and a long_word_without_any_gap" * 8)
    ana = await desk.tab(world.slack, "ana", room, size=size)
    last = ana.message("the last word")
    await expect(last).to_be_in_viewport()
    await expect(ana.page.locator("#composer-text")).to_be_in_viewport(ratio=1)
    box, words = await ana.centre.bounding_box(), await last.locator(".words").bounding_box()
    assert box is not None and words is not None
    assert words["x"] >= box["x"] and words["x"] + words["width"] <= box["x"] + box["width"]
    assert float(await last.evaluate("node => parseFloat(getComputedStyle(node).fontSize)")) >= 15
