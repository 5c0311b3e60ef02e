"""Messages that only one person sees, on the page."""

from __future__ import annotations

from playwright.async_api import expect

from localslack.tests.page.desk import Desk
from tests.world import World


async def test_what_only_one_person_sees_does_not_last(desk: Desk, world: World) -> None:
    """As in Slack: it can be dismissed, stays while the page is open, and is gone when it is opened anew."""
    ana = await desk.tab(world.slack, "ana", "#general")
    for words in ("/incident status", "/incident list"):
        await ana.write(words)
    mine = ana.centre.locator(".message.ephemeral")
    await expect(mine).to_have_count(2)
    await mine.first.get_by_role("button", name="Dismiss").press("Enter")
    await expect(mine).to_have_count(1)
    await expect(mine).to_be_focused()
    await ana.open("payments")
    await ana.open("general")
    await expect(mine).to_have_count(1)
    await ana.page.reload()
    await expect(ana.centre.locator(".intro h2")).to_be_visible()
    await expect(mine).to_have_count(0)
