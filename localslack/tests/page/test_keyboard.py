"""Messages with the keyboard alone: walking, reacting, answering in a thread."""

from __future__ import annotations

from playwright.async_api import expect

from localslack import LocalSlack
from localslack.tests.page.desk import Desk


async def test_messages_are_walked_with_arrows_and_reacted_to(desk: Desk, slack: LocalSlack) -> None:
    for number in range(5):
        await slack.person("ben").post("#general", f"message {number}")
    ana = await desk.tab(slack, "ana", "#general")
    page = ana.page
    await expect(ana.message("message 4")).to_be_visible()
    await ana.message("message 4").focus()
    await page.keyboard.press("ArrowUp")
    await expect(ana.message("message 3")).to_be_focused()
    await page.keyboard.press("r")
    await page.keyboard.type("pushpin")
    await page.keyboard.press("Enter")
    await expect(ana.message("message 3").locator(".reaction")).to_have_attribute("aria-pressed", "true")
    await ana.message("message 3").focus()
    await page.keyboard.press("t")
    await expect(page.locator("#thread-text")).to_be_focused()
    await page.keyboard.type("in a thread")
    await page.keyboard.press("Enter")
    await expect(ana.message("message 3").locator(".replies")).to_contain_text("1 reply")


async def test_a_message_that_goes_away_leaves_the_focus_beside_it(desk: Desk, slack: LocalSlack) -> None:
    """The keyboard goes on from there, not from the top of the page."""
    ben = slack.person("ben")
    first, second, third = [await ben.post("#general", f"message {number}") for number in range(3)]
    await ben.react("#general", second, "eyes")
    ana = await desk.tab(slack, "ana", "#general")
    await ana.message("message 1").locator(".reaction").focus()
    await ben.delete("#general", second)
    await expect(ana.message("message 2")).to_be_focused()
    await ben.delete("#general", third)
    await expect(ana.message("message 0")).to_be_focused()
    assert first
