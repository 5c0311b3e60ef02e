"""Notifications as Slack gives them: for a new message that mentions somebody, never for an edit."""

from __future__ import annotations

from playwright.async_api import expect

from localslack import LocalSlack
from localslack.tests.page.desk import Desk


async def test_an_edit_notifies_nobody_and_a_new_mention_does(desk: Desk, slack: LocalSlack) -> None:
    carla = await desk.tab(slack, "carla", "#general")
    bell = carla.page.get_by_role("button", name="Notifications")
    ben = slack.person("ben")
    ts = await ben.post("#payments", "look at this")
    await expect(carla.sidebar.locator(".side-row", has_text="payments").locator(".dot")).to_be_visible()
    await ben.edit("#payments", ts, "look at this, @carla")
    await ben.post("#payments", "a line after the edit")
    await expect(carla.sidebar.locator(".side-row", has_text="payments")).to_contain_text("2 unread")
    await expect(carla.toasts).to_have_count(0)
    await expect(bell).to_have_accessible_name("Notifications")
    assert slack.person("carla").notifications == []

    await ben.post("#payments", "@carla please look")
    await expect(carla.toasts).to_contain_text("please look")
    await expect(bell).to_have_accessible_name("Notifications, 1 new")
    await expect(carla.page).to_have_title("(1) #general · Carla Rossi · Sandbox")
    await expect(carla.sidebar.locator(".side-row", has_text="payments").locator(".badge")).to_have_text("1")


async def test_mentions_are_counted_and_kept_over_a_reload(desk: Desk, slack: LocalSlack) -> None:
    for number in range(3):
        await slack.person("ben").post("#payments", f"@carla number {number}")
    carla = await desk.tab(slack, "carla", "#general")
    badge = carla.sidebar.locator(".side-row", has_text="payments").locator(".badge")
    await expect(badge).to_have_text("3")
    await expect(carla.page.get_by_role("button", name="Notifications, 3 new")).to_be_visible()
    await carla.tools("Notified")
    await expect(carla.pane.locator(".notice-list li")).to_have_count(3)
    await carla.pane.locator(".notice-list button").first.click()
    await expect(carla.message("number 2")).to_be_in_viewport()
    await expect(badge).to_have_count(0)
    await carla.page.reload()
    await expect(carla.page.get_by_role("button", name="Notifications", exact=True)).to_be_visible()
    await expect(badge).to_have_count(0)


async def test_what_is_on_the_screen_makes_no_noise(desk: Desk, slack: LocalSlack) -> None:
    """A mention in the open channel shows itself; going to a channel takes its notices away."""
    carla = await desk.tab(slack, "carla", "#general")
    await slack.person("ben").post("#payments", "@carla over there")
    await expect(carla.toasts).to_have_count(1)
    await carla.open("payments")
    await expect(carla.toasts).to_have_count(0)
    await slack.person("ben").post("#payments", "@carla and here")
    await expect(carla.message("and here")).to_be_visible()
    await expect(carla.toasts).to_have_count(0)


async def test_the_bell_counts_what_has_not_been_seen(desk: Desk, slack: LocalSlack) -> None:
    """Reading a channel or a thread takes its notices from the count; what comes before one's eyes is never in it."""
    ben = slack.person("ben")
    parent = await slack.person("carla").post("#payments", "who looks")
    carla = await desk.tab(slack, "carla", "#general")
    bell = carla.page.locator(".bell")
    await ben.post("#general", "@carla right here")
    await expect(carla.message("right here")).to_be_visible()
    await ben.post("#payments", "@carla one")
    await ben.post("#payments", "I do", parent)
    await expect(bell).to_have_accessible_name("Notifications, 2 new")
    await carla.open("payments")
    await expect(bell).to_have_accessible_name("Notifications, 1 new")
    await carla.thread("who looks")
    await expect(bell).to_have_accessible_name("Notifications")
    await ben.post("#payments", "and I found it", parent)
    await expect(carla.in_thread("and I found it")).to_be_visible()
    await expect(carla.pane.locator(".replies-line")).to_have_text("2 replies")
    await expect(bell).to_have_accessible_name("Notifications")
