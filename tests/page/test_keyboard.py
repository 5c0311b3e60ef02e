"""The keyboard alone: declare, go there, read, tick, write, leave a form, and never lose one's place."""

from __future__ import annotations

from playwright.async_api import Page, expect

from localslack.tests.page.desk import Desk
from tests.world import World


async def focused(page: Page) -> str:
    """What has the focus: its label, else its words."""
    return str(
        await page.evaluate(
            "(document.activeElement.getAttribute('aria-label') || document.activeElement.textContent || '').trim()"
        )
    )


async def tab_to(page: Page, label: str, key: str = "Tab", most: int = 60) -> None:
    """Press a key until something has the focus; a failure where it cannot be reached."""
    seen = []
    for _ in range(most):
        if label in (now := await focused(page)):
            return
        seen.append(now[:40])
        await page.keyboard.press(key)
    raise AssertionError(f"{label!r} is not reached with {key}; seen: {seen}")


async def test_an_incident_without_a_mouse(desk: Desk, world: World) -> None:
    ana = await desk.tab(world.slack, "ana", "#general")
    page = ana.page
    await expect(page.locator("#composer-text")).to_be_focused()

    await page.keyboard.type("/inc")
    await expect(ana.centre.get_by_role("option").first).to_have_attribute("aria-selected", "true")
    await page.keyboard.press("Tab")
    await page.keyboard.type("Withdrawals are stuck")
    await page.keyboard.press("Enter")
    await expect(ana.form).to_be_visible()
    assert await page.evaluate("document.activeElement.value") == "Withdrawals are stuck"
    await page.keyboard.press("Tab")
    await page.keyboard.press("ArrowDown")
    for _ in range(12):  # Tab stays inside the form
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.closest('dialog') !== null")
    await page.keyboard.press("Control+Enter")
    await expect(ana.form).to_have_count(0)
    await expect(page.locator("#composer-text")).to_be_focused()

    await expect(ana.message("INC-1 is open")).to_be_visible()
    await page.keyboard.press("Control+k")
    await page.keyboard.type("inc-1")
    await page.keyboard.press("Enter")
    await expect(ana.centre.locator("h1")).to_contain_text("inc-1-withdrawals")
    await expect(page.locator("#composer-text")).to_be_focused()

    await page.keyboard.type("/incident runbook horizon-outage")
    await page.keyboard.press("Enter")
    await expect(ana.message("Runbook Horizon outage").locator(".replies")).to_be_visible()
    await tab_to(page, "replies", "Shift+Tab")
    await page.keyboard.press("Enter")
    await expect(ana.pane.locator("h2")).to_have_text("Thread")
    await expect(page.locator("#thread-text")).to_be_focused()
    await tab_to(page, "Close this pane", "Shift+Tab")
    box = ana.in_thread("3.1").get_by_role("checkbox").first
    for _ in range(40):
        if await box.evaluate("node => node === document.activeElement"):
            break
        await page.keyboard.press("Tab")
    await page.keyboard.press("Space")
    await expect(ana.in_thread("3.1")).to_contain_text("Ana Silva, 14:00 UTC")
    await expect(box).to_be_focused()  # drawn anew, and the place is kept
    await page.keyboard.press("Escape")
    await expect(ana.pane).to_be_hidden()
    await expect(page.locator("#composer-text")).to_be_focused()


async def test_the_clock_keeps_the_focus_while_reminders_come(desk: Desk, world: World) -> None:
    """A notification draws the bar on top anew; somebody who moves the clock by the keyboard stays where they are."""
    await world.declare("ana", "sev1 Withdrawals are stuck")
    ana = await desk.tab(world.slack, "ana", "#general")
    button = ana.page.get_by_role("button", name="Move the clock 30 min on")
    await button.focus()
    await ana.page.keyboard.press("Enter")
    await expect(ana.page.locator(".topbar .tick-time")).to_have_text("14:30:00")
    world.clock.moved()
    await expect(ana.toasts.first).to_contain_text("update is due")
    await expect(button).to_be_focused()


async def test_escape_leaves_a_form_and_gives_the_focus_back(desk: Desk, world: World) -> None:
    ana = await desk.tab(world.slack, "ana", "#general")
    await ana.write("/incident Withdrawals are stuck")
    await ana.form.wait_for()
    await ana.page.keyboard.press("Escape")
    await expect(ana.form).to_have_count(0)
    await expect(ana.page.locator("#composer-text")).to_be_focused()
    assert world.person("ana").view is None


async def test_the_preview_goes_back_to_the_words(desk: Desk, world: World) -> None:
    """[Edit] of the preview is the form again, with what was typed in it."""
    await world.declare("ana", "sev1 Withdrawals are stuck")
    ana = await desk.tab(world.slack, "ana", world.channel().id)
    await ana.write("/incident update")
    await ana.fill({"What do we know?": "The fallback answers"}, "Preview")
    await expect(ana.form).to_contain_text("This goes to the channel")
    await ana.form.get_by_role("button", name="Edit", exact=True).press("Enter")
    field = ana.form.get_by_label("What do we know?")
    await expect(field).to_have_value("The fallback answers")
    await field.fill("The fallback answers since 14:00 UTC")
    await ana.form.get_by_role("button", name="Preview", exact=True).press("Enter")
    await expect(ana.form).to_contain_text("since 14:00 UTC")
    await ana.form.get_by_role("button", name="Post", exact=True).press("Enter")
    await expect(ana.form).to_have_count(0)
    await expect(ana.message("since 14:00 UTC")).to_contain_text("Update by Ana Silva")
