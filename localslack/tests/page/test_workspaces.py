"""A page of another workspace, and the way there."""

from __future__ import annotations

from playwright.async_api import expect

from localslack import LocalSlack
from localslack.tests.page.desk import Desk


async def test_the_top_left_leads_to_another_workspace(desk: Desk, slack: LocalSlack) -> None:
    """There everything is of that workspace: what is said, who reads it, and each link."""
    alone = await desk.tab(slack, "ana", "#general")
    await expect(alone.page.get_by_role("button", name="Workspace:")).to_have_count(0)

    second = slack.add_workspace("Second Bank")
    ana = await desk.tab(slack, "ana", "#general")
    await ana.page.get_by_role("button", name="Workspace: Sandbox").click()
    await ana.page.get_by_role("menuitem", name="Second Bank").click()
    await expect(ana.page.get_by_role("button", name="Workspace: Second Bank")).to_be_visible()
    assert f"team={second.team_id}" in ana.page.url
    await ana.write("Morning from here")
    await expect(ana.message("Morning from here")).to_be_visible()
    assert [message.text for message in second.person("ben").messages("#general")] == ["Morning from here"]
    assert "Morning from here" not in [message.text for message in slack.person("ben").messages("#general")]

    await second.person("ben").post("#payments", "Anybody there")
    await expect(ana.sidebar.locator(".side-row.unread", has_text="payments")).to_be_visible()
    await ana.open("payments")
    await ana.page.reload()
    await expect(ana.message("Anybody there")).to_be_visible()
    await expect(alone.sidebar.locator(".side-row.unread", has_text="payments")).to_have_count(0)
