"""Ten thousand messages do not slow the page down: measured against a hundred in the same run."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import expect

from bot.sandbox import Sandbox
from bot.sandbox.talk import post
from tests.page.desk import Desk, Tab
from tests.world import World

FEW, MANY = 100, 10_000
#: times slower that a hundredfold channel may be, and seconds below which nothing is called slow
RATIO, FLOOR = 4.0, 0.25


def talk_much(slack: Sandbox, channel: str, number: int) -> None:
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
async def test_a_long_channel_is_as_quick_as_a_short_one(desk: Desk, world: World, what: str) -> None:
    times = []
    for channel, number in (("#payments", FEW), ("#incidents", MANY)):
        talk_much(world.slack, channel, number)
        ana = await desk.tab(world.slack, "ana", "#general")
        times.append(await took(lambda ana=ana, channel=channel: ACTS[what](ana, world.slack, channel)))  # type: ignore[misc]
    short, long = times
    assert long < max(FLOOR, RATIO * short), f"{what}: {short:.3f} s with {FEW} messages, {long:.3f} s with {MANY}"


async def opened(ana: Tab, slack: Sandbox, channel: str) -> None:
    await ana.open("general")
    await ana.open(channel[1:])
    await expect(ana.centre.locator(".message").last).to_contain_text("payouts")


async def heard(ana: Tab, slack: Sandbox, channel: str) -> None:
    if channel[1:] not in await ana.centre.locator("h1").inner_text():
        await ana.open(channel[1:])
    ts = await slack.person("ben").post(channel, "one more")
    await ana.centre.locator(f'.message[data-ts="{ts}"]').wait_for()


async def written(ana: Tab, slack: Sandbox, channel: str) -> None:
    if channel[1:] not in await ana.centre.locator("h1").inner_text():
        await ana.open(channel[1:])
    words = f"mine at {time.perf_counter()}"
    await ana.write(words)
    await ana.message(words).wait_for()


ACTS = {"open the channel": opened, "hear a message": heard, "write a message": written}


async def test_reading_back_keeps_the_place(desk: Desk, world: World) -> None:
    """Older pages come above what is being read, and do not push it away."""
    talk_much(world.slack, "#payments", 450)
    ana = await desk.tab(world.slack, "ana", "#payments")
    await expect(ana.centre.locator(".message")).to_have_count(100)
    first = ana.centre.locator(".message").first
    ts = await first.get_attribute("data-ts")
    for page in range(2, 5):
        await ana.centre.get_by_role("button", name="Load older messages").click()
        await expect(ana.centre.locator(".message")).to_have_count(100 * page)
    assert ts is not None
    await expect(ana.centre.locator(f'.message[data-ts="{ts}"]')).to_have_count(1)
    await ana.centre.get_by_role("button", name="Load older messages").click()
    await expect(ana.centre.locator(".message")).to_have_count(450)
    await expect(ana.centre.get_by_role("button", name="Load older messages")).to_be_hidden()
    await expect(ana.centre.locator(".intro")).to_contain_text("This is the beginning of #payments")
