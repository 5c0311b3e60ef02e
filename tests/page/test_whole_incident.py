"""A newcomer goes through the demo's "Try this" on the page, as Ana and in a second tab as Ben, with the real bot."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import expect

from localslack.tests.page.desk import Desk, Tab
from tests.world import World

ROOM = "inc-1-withdrawals-are-stuck"


async def test_from_the_form_to_the_download(desk: Desk, world: World, tmp_path: Path) -> None:
    tour, begun = world.slack.tour, len(world.slack.journal)
    assert tour is not None
    ana = await desk.tab(world.slack, "ana")
    await declared(ana)
    await runbook(ana)
    ben = await desk.tab(world.slack, "ben", f"#{ROOM}")
    await ticked_by_two(ana, ben)
    await two_people(ana, ben)
    await reminded(ana, world)
    await told(ana, ben)
    await customers(ana, ben)
    await looked(ana)
    await ended(ana, ben)
    await written(ana, tmp_path)
    for tab in (ana, ben):
        await expect(tab.sidebar.locator(".tour-lines li.done")).to_have_count(len(tour.lines))
    assert not [call for call in world.slack.journal[begun:] if call.outcome in ("failed", "error")]


async def line(tab: Tab, number: int) -> None:
    """Lines of "Try this" tick themselves off in their order."""
    await expect(tab.sidebar.locator(".tour-lines li.done")).to_have_count(number)
    assert (await tab.tour())[:number] == [True] * number


async def declared(ana: Tab) -> None:
    """By the command that stands in the card, and the form; the declarer is told where to go."""
    await ana.sidebar.locator(".tour-command").first.click()
    await expect(ana.page.locator("#composer-text")).to_be_focused()
    await ana.page.keyboard.press("Enter")
    await ana.form.wait_for()
    assert await ana.form.get_by_label("What is broken?").input_value() == "Withdrawals are stuck"
    await ana.form.get_by_label("What is broken?").fill("")
    await ana.form.get_by_role("button", name="Declare", exact=True).click()
    await expect(ana.form.locator(".field-error")).to_have_text("Please complete this required field.")
    await ana.form.get_by_label("What is broken?").fill("Withdrawals are stuck")
    await ana.form.get_by_label("SEV-1").check()
    await ana.fill({"Who is affected, and since when?": "payouts to NG since 13:40 UTC"}, "Declare")
    await expect(ana.form).to_have_count(0)
    await expect(ana.message("INC-1 is open").locator(".mark")).to_contain_text("Only visible to you")
    await line(ana, 1)
    await ana.open("inc-1")
    card = ana.message("SEV-1 · Withdrawals are stuck")
    await expect(card).to_contain_text("Impact: payouts to NG since 13:40 UTC")
    await expect(card.locator(".mark")).to_have_text("Pinned")


async def runbook(ana: Tab) -> None:
    await ana.write("/incident runbook horizon-outage")
    await expect(ana.message("Runbook Horizon outage")).to_contain_text("0 of 19")
    await line(ana, 2)


async def ticked_by_two(ana: Tab, ben: Tab) -> None:
    """Both see each other's ticks without a reload, with the name beside them."""
    await ana.thread("Runbook Horizon outage")
    await ben.thread("Runbook Horizon outage")
    await ana.in_thread("3.1").get_by_role("checkbox").first.check()
    await expect(ben.in_thread("3.1")).to_contain_text("Ana Silva, 14:00 UTC")
    await line(ana, 3)
    second = ben.in_thread("3.2").get_by_role("checkbox").nth(1)
    await second.check()
    await expect(ana.in_thread("3.2")).to_contain_text("Ben Okafor, 14:00 UTC")
    await expect(ana.message("Runbook Horizon outage")).to_contain_text("2 of 19")
    await expect(ana.in_thread("3.2").get_by_role("checkbox").nth(1)).to_be_checked()


async def two_people(ana: Tab, ben: Tab) -> None:
    await ana.write("/incident step 5.4 ask")
    await ana.fill({"How many?": "1,204 payouts", "How much in all?": "NGN 48,000,000"}, "Ask")
    await line(ana, 4)
    await ana.press("Ana Silva asks", "Go")
    await expect(ana.message("so somebody else has to agree")).to_be_visible()
    await ben.press("Ana Silva asks", "Go")
    await expect(ben.form).to_contain_text("1,204 payouts")
    await expect(ben.form).to_contain_text("NGN 48,000,000")
    await ben.form.locator(".primary").click()
    await line(ben, 5)
    await ana.press("go-ahead from Ben Okafor", "Done…")
    await ana.form.locator("textarea").first.fill("the queue moves; first payment confirmed")
    await ana.fill({}, "Done")
    await expect(ana.form).to_have_count(0)
    await line(ana, 6)


async def reminded(ana: Tab, world: World) -> None:
    """Half an hour later something is due, and those who have to do it are mentioned."""
    await ana.page.get_by_role("button", name="Move the clock 30 min on").click()
    await expect(ana.page.locator(".topbar .tick-time")).to_have_text("14:30:00")
    world.clock.moved()
    await expect(ana.message("The update is due")).to_contain_text("@Ana Silva")
    await line(ana, 7)


async def told(ana: Tab, ben: Tab) -> None:
    await ana.press("The update is due", "Post update")
    await ana.form.locator("textarea").first.fill("The fallback answers; payouts move over to it")
    await ana.form.locator(".primary").click()
    await expect(ana.form).to_contain_text("This goes to the channel")
    await ana.fill({}, "Post")
    await expect(ben.message("payouts move over to it")).to_contain_text("Update by Ana Silva")
    await line(ana, 8)


async def customers(ana: Tab, ben: Tab) -> None:
    """Drafted by Ana, approved by Ben in a direct message, public, and in the card as said last."""
    await ana.write("/incident comms payment-delays")
    values = {"What is delayed": "bank payouts to Nigeria", "Since": "13:40 UTC", "Next update at": "15:00 UTC"}
    await ana.fill(values, "Draft")
    await expect(ana.form).to_have_count(0)
    await line(ana, 9)
    await ben.sidebar.locator(".side-row", has_text="incident-commander").click()
    await ben.press("asks you to approve a text", "Approve")
    await line(ben, 10)
    await ben.open("customer-comms")
    await expect(ben.message("bank payouts to Nigeria are taking longer than usual")).to_be_visible()
    await expect(ana.message("SEV-1 · Withdrawals are stuck")).to_contain_text("customers told 14:30 UTC")
    await ben.open("inc-1")


async def looked(ana: Tab) -> None:
    """The switch of the stand-in, and the reading that notices it."""
    await ana.tools("Clock")
    await ana.pane.get_by_role("group", name="Horizon A").get_by_text("Fails (503)").click()
    await ana.write("/incident check horizon")
    await expect(ana.message("horizon: degraded")).to_contain_text("horizon-b is healthy")
    await line(ana, 11)


async def ended(ana: Tab, ben: Tab) -> None:
    await ana.write("/incident resolve")
    await ana.form.wait_for()
    await ana.form.get_by_label("Customers are no longer affected").check()
    await ana.fill(
        {"How did it end?": "moved to the fallback", "Why with open conditions?": "sums tomorrow"}, "Resolve"
    )
    await expect(ana.form).to_have_count(0)
    await line(ana, 12)
    await ben.press("asks to resolve INC-1", "Agree: resolve")
    await confirmed(ben)
    await expect(ana.message("Resolved: Withdrawals are stuck")).to_contain_text("Ben Okafor agreed")
    await line(ana, 13)


async def confirmed(tab: Tab) -> None:
    """Say yes where the button asks again."""
    again = tab.page.locator("dialog.dialog .dialog-buttons button").last
    if await again.count():
        await again.click()


async def written(ana: Tab, tmp_path: Path) -> None:
    """The postmortem is shown beside its message and arrives on the disk as it is shown."""
    await ana.write("/incident postmortem")
    file = ana.page.locator(".file-card").last
    await file.get_by_role("button", name="Preview").click()
    await expect(file.locator(".file-preview")).to_contain_text("# INC-1: Withdrawals are stuck")
    async with ana.page.expect_download() as arriving:
        await file.get_by_role("link", name="Download").click()
    download = await arriving.value
    assert download.suggested_filename == "inc-1-postmortem.md"
    await download.save_as(tmp_path / "postmortem.md")
    text = (tmp_path / "postmortem.md").read_text()
    assert text.startswith("# INC-1: Withdrawals are stuck")
    assert "bank payouts to Nigeria are taking longer than usual" in text
    await line(ana, 14)


async def test_a_command_that_nobody_answers_is_shown_as_failed(desk: Desk, world: World) -> None:
    """Commands are never tried again; what was typed is back in the box."""
    ana = await desk.tab(world.slack, "ana")
    world.slack.faults.add("delivery:slash_commands", "drop")
    await ana.write("/incident status")
    await expect(ana.message("/incident failed with the error")).to_be_visible()
    await expect(ana.page.locator("#composer-text")).to_have_value("/incident status")


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        pytest.param("/nothing here", "/nothing is not a valid command", id="unknown command"),
        pytest.param("a < b & <b>c</b>", "a < b & <b>c</b>", id="typed markup stays text"),
    ],
)
async def test_what_the_composer_says(desk: Desk, world: World, typed: str, answer: str) -> None:
    ana = await desk.tab(world.slack, "ana")
    await ana.write(typed)
    await expect(ana.message(answer)).to_be_visible()
