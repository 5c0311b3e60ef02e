"""Ten thousand messages do not slow the page down: measured against a hundred in the same run."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import expect

from localslack import LocalSlack
from localslack.messages import post
from localslack.tests.page.desk import Desk, Tab

FEW, MANY = 100, 10_000
#: times slower that a hundredfold channel may be, and seconds below which nothing is called slow
RATIO, FLOOR = 4.0, 0.25


def talk_much(slack: LocalSlack, channel: str, number: int) -> None:
    """Fill a channel, without telling anybody of each message."""
    room, world = slack.channel(channel), slack.world
    people = [slack.person(handle).user for handle in ("ben", "carla", "dipo")]
    for at in range(number):
        post(
            world,
            room,
            people[at % 3],
            f"*{at}* of {number}: the queue holds {at * 7} payouts, <https://example.com|look>",
        )


async def took(what: Callable[[], Awaitable[None]]) -> float:
    """Seconds, the best of three: the others were the machine's."""
    times = []
    for _ in range(3):
        begun = time.perf_counter()
        await what()
        times.append(time.perf_counter() - begun)
    return min(times)


@pytest.mark.parametrize("what", ["open the channel", "hear a message", "write a message"])
async def test_a_long_channel_is_as_quick_as_a_short_one(desk: Desk, slack: LocalSlack, what: str) -> None:
    times = []
    for channel, number in (("#payments", FEW), ("#incidents", MANY)):
        talk_much(slack, channel, number)
        ana = await desk.tab(slack, "ana", "#general")
        times.append(await took(lambda ana=ana, channel=channel: ACTS[what](ana, slack, channel)))  # type: ignore[misc]
    short, long = times
    assert long < max(FLOOR, RATIO * short), f"{what}: {short:.3f} s with {FEW} messages, {long:.3f} s with {MANY}"


async def opened(ana: Tab, slack: LocalSlack, channel: str) -> None:
    await ana.open("general")
    await ana.open(channel[1:])
    await expect(ana.centre.locator(".message").last).to_contain_text("payouts")


async def heard(ana: Tab, slack: LocalSlack, channel: str) -> None:
    if channel[1:] not in await ana.centre.locator("h1").inner_text():
        await ana.open(channel[1:])
    ts = await slack.person("ben").post(channel, "one more")
    await ana.centre.locator(f'.message[data-ts="{ts}"]').wait_for()


async def written(ana: Tab, slack: LocalSlack, channel: str) -> None:
    if channel[1:] not in await ana.centre.locator("h1").inner_text():
        await ana.open(channel[1:])
    words = f"mine at {time.perf_counter()}"
    await ana.write(words)
    await ana.message(words).wait_for()


ACTS = {"open the channel": opened, "hear a message": heard, "write a message": written}


HELD = 300
"""Messages that the document holds at most (SHOWN of list.js)."""


async def wheel(ana: Tab, down: int) -> None:
    """Turn the mouse's wheel over the messages."""
    await ana.centre.locator(".scroller").hover()
    await ana.page.mouse.wheel(0, down)


async def to_the_beginning(ana: Tab) -> None:
    """Scroll up with the wheel until the channel's beginning is there."""
    intro = ana.centre.locator(".intro h2")
    while not await intro.is_visible():
        await ana.centre.locator(".scroller").evaluate("node => { node.scrollTop = Math.min(node.scrollTop, 650); }")
        await wheel(ana, -100)
        await ana.page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
        assert await ana.centre.locator(".message").count() <= HELD


async def test_reading_back_needs_no_button_and_no_more_of_the_document(desk: Desk, slack: LocalSlack) -> None:
    """To the first of five hundred messages with the wheel, with at most three hundred in the document, and back."""
    talk_much(slack, "#payments", 500)
    ana = await desk.tab(slack, "ana", "#payments")
    await expect(ana.centre.locator(".message")).to_have_count(100)
    await to_the_beginning(ana)
    await expect(ana.centre.locator(".message").first).to_contain_text("0 of 500")
    await expect(ana.centre.locator(".intro")).to_contain_text("This is the beginning of #payments")

    ts = await slack.person("ben").post("#payments", "news from the end")
    newest = ana.centre.get_by_role("button", name="1 new message")
    await expect(newest).to_be_visible()
    assert await ana.centre.locator(f'.message[data-ts="{ts}"]').count() == 0
    await newest.click()
    await expect(ana.message("news from the end")).to_be_in_viewport()
    await expect(ana.message("news from the end")).to_be_focused()
    await expect(newest).to_be_hidden()
    assert await ana.centre.locator(".message").count() <= HELD


#: to the top, and how far (px) what stood there moves on the screen while older messages come above it
MOVED = """async () => {
    const frame = () => new Promise(done => requestAnimationFrame(() => setTimeout(done)));
    const scroller = document.querySelector("#centre .scroller"), first = scroller.querySelector(".message");
    scroller.dispatchEvent(new WheelEvent("wheel", { deltaY: -1 }));  // a person's, however long ago the last one was
    scroller.scrollTop = 0;
    const before = first.getBoundingClientRect().top;
    while (scroller.querySelector(".message") === first) await frame();
    for (let turn = 0; turn < 3; turn += 1) await frame();
    return Math.abs(first.getBoundingClientRect().top - before);
}"""


async def test_reading_back_keeps_the_place(desk: Desk, slack: LocalSlack) -> None:
    """Older messages come above what is being read, newer ones leave below it: it stays where it is on the screen."""
    talk_much(slack, "#payments", 600)
    ana = await desk.tab(slack, "ana", "#payments")
    await expect(ana.centre.locator(".message")).to_have_count(100)
    await wheel(ana, -100)
    for _ in range(5):
        assert await ana.page.evaluate(MOVED) < 3
    await expect(ana.centre.get_by_role("button", name="Load older messages")).to_be_hidden()
    await expect(ana.centre.locator(".message").first).to_contain_text("0 of 600")


async def test_the_keyboard_walks_past_what_the_document_holds(desk: Desk, slack: LocalSlack) -> None:
    """Up from the first message older ones come; Home and End go to the ends."""
    talk_much(slack, "#payments", 450)
    ana = await desk.tab(slack, "ana", "#payments")
    page, focused = ana.page, ana.centre.locator(".message:focus")
    await ana.centre.locator(".message").last.focus()
    await page.keyboard.press("Home")
    await expect(focused).to_contain_text("350 of 450")
    await page.keyboard.press("ArrowUp")
    await expect(focused).to_contain_text("349 of 450")
    await expect(focused).to_be_in_viewport()
    await page.keyboard.press("End")
    await expect(focused).to_contain_text("449 of 450")
    await expect(focused).to_be_in_viewport()


async def test_a_link_leads_to_a_message_of_long_ago(desk: Desk, slack: LocalSlack) -> None:
    """However far back; one that is gone is said to be gone."""
    talk_much(slack, "#payments", 1_500)
    ana = await desk.tab(slack, "ana", "#general")
    channel = slack.channel("#payments")
    first = next(iter(channel.by_ts))
    await ana.page.goto(f"{slack.url}/?as=ana&channel={channel.id}&ts={first}")
    message = ana.centre.locator(f'.message[data-ts="{first}"]')
    await expect(message).to_be_in_viewport()
    await expect(message).to_be_focused()
    assert await ana.centre.locator(".message").count() <= HELD
    await ana.page.goto(f"{slack.url}/?as=ana&channel={channel.id}&ts=1000000000.000001")
    await expect(ana.toasts).to_contain_text("no longer there")
