"""The tools at the side: the fault panel with every kind, the connections of Socket Mode, the journal's filters."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import aiohttp
import pytest
from playwright.async_api import expect

from localslack import Call
from localslack.faults import KINDS
from localslack.tests.page.desk import Desk, Tab
from tests.world import World


@pytest.fixture
async def ana(desk: Desk, world: World) -> AsyncIterator[Tab]:
    """Ana, with the fault panel open."""
    tab = await desk.tab(world.slack, "ana", "#general")
    await tab.tools("Faults")
    await tab.pane.get_by_label("What goes wrong").wait_for()
    yield tab


async def plant(tab: Tab, kind: str, argument: str | None = None, times: str | None = None) -> None:
    await tab.pane.get_by_label("What goes wrong").select_option(kind)
    if argument is not None:
        await tab.pane.locator("#fault-argument").fill(argument)
    if times is not None:
        await tab.pane.get_by_label("How many times").fill(times)
    await tab.pane.get_by_role("button", name="Add fault").click()


# -- faults ------------------------------------------------------------------------------------------


async def test_every_kind_is_offered_and_can_be_planted(ana: Tab, world: World) -> None:
    """What the panel proposes for a kind, its argument and its method, is taken by the server as it stands."""
    options = ana.pane.get_by_label("What goes wrong").locator("option")
    assert {await one.get_attribute("value") for one in await options.all()} == set(KINDS)
    for number, kind in enumerate(KINDS, 1):
        await plant(ana, kind)
        await expect(ana.pane.locator(".fault-list li")).to_have_count(number)
    await expect(ana.toasts).to_have_count(0)
    planted = world.slack.faults.planted
    assert [one.kind.partition(":")[0] for one in planted] == [kind.partition(":")[0] for kind in KINDS]
    for one, does in zip(planted, KINDS.values(), strict=True):
        place = does.partition(": ")[0]
        assert "deliveries" in place or one.method.startswith("delivery:") == place.startswith("delivery"), one
    await ana.pane.get_by_role("button", name="Clear all").click()
    await expect(ana.pane.locator(".fault-list")).to_have_count(0)
    assert planted == []


@pytest.mark.parametrize(
    ("kind", "argument", "planted"),
    [
        pytest.param("error:<code>", "name_taken", "error:name_taken", id="an error of one's own"),
        pytest.param("429:<seconds>", "7", "429:7", id="seconds to wait"),
        pytest.param("slow:<seconds>", "0.5", "slow:0.5", id="half a second late"),
    ],
)
async def test_a_kind_with_its_argument(ana: Tab, world: World, kind: str, argument: str, planted: str) -> None:
    await plant(ana, kind, argument, "3")
    await expect(ana.pane.locator(".fault-list li")).to_have_text(f"chat.postMessage {planted} 3 times")
    assert [(one.kind, one.times) for one in world.slack.faults.planted] == [(planted, 3)]


async def test_what_cannot_be_planted_is_said(ana: Tab, world: World) -> None:
    await plant(ana, "error:<code>", "Not A Code")
    await expect(ana.toasts).to_contain_text("The fault was not set")
    assert world.slack.faults.planted == []


async def test_a_fault_that_stays_and_one_that_is_used_up(ana: Tab, world: World) -> None:
    """0 keeps a fault; one that is used up leaves the list by itself, and the form keeps what stands there."""
    await plant(ana, "missing_scope", times="0")
    await expect(ana.pane.locator(".fault-list li")).to_contain_text("until removed")
    await ana.pane.get_by_role("button", name="Clear all").click()
    await plant(ana, "duplicate", times="1")
    await expect(ana.pane.locator(".fault-list li")).to_contain_text("delivery:* duplicate once")
    await world.say("ana", "/incident list")
    await expect(ana.pane.locator(".fault-list")).to_have_count(0)
    await expect(ana.pane.get_by_label("What goes wrong")).to_have_value("duplicate")


async def test_one_fault_is_removed_and_the_others_stay(ana: Tab, world: World) -> None:
    """Each has a button that says what it removes, and the keyboard goes on to the next one."""
    await plant(ana, "hang")
    await plant(ana, "drop", times="0")
    await expect(ana.pane.locator(".fault-list li")).to_have_count(2)
    await ana.pane.get_by_role("button", name="Remove hang for chat.postMessage").press("Enter")
    await expect(ana.pane.locator(".fault-list li")).to_have_text(["delivery:* drop until removed"])
    await expect(ana.pane.get_by_role("button", name="Remove drop for delivery:*")).to_be_focused()
    assert [one.kind for one in world.slack.faults.planted] == ["drop"]


# -- connections ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("button", ["Ask to renew", "Cut"])
async def test_a_connection_goes_and_the_app_comes_back(ana: Tab, world: World, button: str) -> None:
    opened = len(world.slack.journal.of("apps.connections.open"))
    await ana.pane.get_by_role("button", name=button, exact=True).click()
    await expect(ana.toasts.filter(has_text=button)).to_contain_text("done")
    await world.slack.connected(15)
    assert len(world.slack.journal.of("apps.connections.open")) > opened
    await world.say("ana", "/incident list")


async def test_tickets_expire(ana: Tab, world: World) -> None:
    """An address that was handed out and not used is worth nothing after the press; a warning closes nothing."""
    sockets = world.slack.sockets
    ticket, connected = sockets.new_ticket(), sockets.connected
    await ana.pane.get_by_role("button", name="Warn", exact=True).click()
    await expect(
        ana.toasts.filter(has_text=re.compile(r"Warn: done. \d connections? (is|are) open now"))
    ).to_be_visible()
    await ana.pane.get_by_role("button", name="Expire tickets").click()
    await expect(ana.toasts.filter(has_text="Expire tickets: done")).to_be_visible()
    address = f"{world.slack.url}/link/?ticket={ticket}"
    async with aiohttp.ClientSession() as session, session.get(address) as answer:
        assert answer.status == 404
    assert sockets.connected >= connected  # a warned program may open others already


# -- the journal ---------------------------------------------------------------------------------------


async def rows(tab: Tab) -> list[str]:
    return [text.strip() for text in await tab.pane.locator(".call-name").all_text_contents()]


async def test_the_journal_by_method_and_outcome(ana: Tab, world: World) -> None:
    await world.declare("ana")
    world.slack.faults.add("delivery:slash_commands", "drop")
    await world.person("ana").command("/incident list", channel="#general")
    await ana.tools("Requests")
    count, method = ana.pane.locator(".call-count"), ana.pane.get_by_label("Filter by method")
    outcome = ana.pane.get_by_label("Filter by outcome")

    await method.select_option("delivery:slash_commands")
    await expect(count).to_contain_text("2 of")
    assert await rows(ana) == [
        "→ slash_commands Ana Silva · /incident list",
        "→ slash_commands Ana Silva · /incident declare sev1 Withdrawals are stuck",
    ]
    await outcome.select_option("failed")
    await expect(count).to_contain_text("1 of")
    await expect(ana.pane.locator(".call.bad .call-outcome")).to_have_text("operation_timeout")
    await outcome.select_option("error")
    await expect(ana.pane.get_by_text("No request matches.")).to_be_visible()

    await outcome.select_option("ok")
    await method.select_option("chat.postMessage")
    posted = world.slack.journal.of("chat.postMessage")
    await expect(count).to_contain_text(f"{len(posted)} of")
    await ana.pane.get_by_label("Filter by words").fill("inc-1 -nowhere")
    await expect(ana.pane.locator(".call").first).to_be_visible()
    assert {row.split(" #")[0] for row in await rows(ana)} == {"← chat.postMessage"}


async def test_the_journal_follows_and_is_held(ana: Tab, world: World) -> None:
    """New requests come at the top without taking the keyboard or an opened row away; Hold keeps the list as it is."""
    await ana.tools("Requests")
    await ana.pane.get_by_label("Filter by method").focus()
    call = asked(world, "probe.one")
    row = ana.pane.locator(".call", has_text="probe.one")
    await row.locator("summary").click()
    await expect(row.get_by_label("The request")).to_contain_text('"colour": "green"')
    asked(world, "probe.two")
    await expect(ana.pane.locator(".call", has_text="probe.two")).to_be_visible()
    await expect(row.get_by_label("The request")).to_be_visible()
    await expect(row.locator("summary")).to_be_focused()
    assert call.number

    await ana.pane.get_by_role("button", name="Hold").click()
    asked(world, "probe.three")
    await expect(ana.pane.get_by_role("button", name="Hold")).to_have_attribute("aria-pressed", "true")
    await expect(ana.pane.locator(".call", has_text="probe.three")).to_have_count(0)
    await ana.pane.get_by_role("button", name="Hold").click()
    await expect(ana.pane.locator(".call", has_text="probe.three")).to_be_visible()


def asked(world: World, method: str) -> Call:
    """A request of somebody's, as the journal has it."""
    journal, args = world.slack.journal, {"colour": "green"}
    call = journal.begin(method, args, world.slack.clock.now(), None)
    journal.end(call, world.slack.clock.now(), "ok")
    return call


# -- what failed -----------------------------------------------------------------------------------------


SILENT = "incident-commander did not respond within 3 seconds."


def silence(world: World, kind: str) -> None:
    world.slack.faults.add(f"delivery:{kind}", "drop")


async def said(tab: Tab, words: str) -> None:
    """The page says it; then it is dismissed."""
    toast = tab.toasts.filter(has_text=words)
    await expect(toast).to_have_count(1)
    await toast.get_by_role("button", name="Dismiss").click()


async def test_a_gesture_that_nobody_answers_is_shown(desk: Desk, world: World) -> None:
    """A button, a shortcut of a message, one of the composer, a command: said in the page, and never tried again."""
    room = (await world.declare("ana")).id
    await world.person("ben").post(room, "the queue is growing")
    ben = await desk.tab(world.slack, "ben", room)
    begun = len(world.slack.journal)

    silence(world, "block_actions")
    await ben.centre.locator(".message .block-actions").get_by_role("button").first.click()
    await said(ben, SILENT)

    silence(world, "message_action")
    await ben.message("the queue").focus()
    await ben.message("the queue").get_by_role("button", name="More actions").click()
    await ben.page.get_by_role("menuitem", name="Add to timeline").click()
    await said(ben, SILENT)

    silence(world, "shortcut")
    await ben.page.locator("#composer-text").fill("/decl")
    await ben.centre.get_by_role("option", name="Declare incident").click()
    await said(ben, SILENT)

    silence(world, "slash_commands")
    await ben.write("/incident status")
    failed = ben.centre.locator(".message", has_text='/incident failed with the error "operation_timeout"')
    await expect(failed).to_have_count(1)
    await expect(ben.toasts).to_have_count(0)

    deliveries = [call for call in world.slack.journal[begun:] if call.method in GESTURES]
    assert [(call.method, call.outcome) for call in deliveries] == [(method, "failed") for method in GESTURES]


GESTURES = ["delivery:block_actions", "delivery:message_action", "delivery:shortcut", "delivery:slash_commands"]


async def test_a_form_that_nobody_answers_stays_as_it_is(desk: Desk, world: World) -> None:
    ana = await desk.tab(world.slack, "ana", "#general")
    await ana.write("/incident Withdrawals are stuck")
    await ana.form.wait_for()
    silence(world, "view_submission")
    await ana.form.locator(".primary").click()
    await expect(ana.form.get_by_role("alert")).to_have_text(f"{SILENT} Nothing you typed is lost; try again.")
    assert await ana.form.locator("input.field").first.input_value() == "Withdrawals are stuck"
    await ana.form.locator(".primary").click()
    await expect(ana.form).to_have_count(0)
    await expect(ana.message("INC-1 is open")).to_be_visible()


async def test_nobody_is_connected(desk: Desk, world: World) -> None:
    """Slack's other word for it: the app could not be reached at all."""
    room = (await world.declare("ana")).id
    ben = await desk.tab(world.slack, "ben", room)
    await world.stop_bot()
    await ben.centre.locator(".message .block-actions").get_by_role("button").first.click()
    await said(ben, "incident-commander could not be reached, or answered with an error.")
    await world.start_bot()


async def test_the_wait_is_three_seconds(world: World) -> None:
    """What the page says is what was waited for."""
    assert world.slack.delivery.ack_seconds == 3.0
