"""The story again where Slack is at its strictest: its rate limits, and every kind of fault in turn."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from bot.cli import rearm_all
from tests.story.acts import heard
from tests.story.short import AFTERWARDS, CHAPTERS, standing
from tests.story.test_whole_story import KEPT, normalised, whole_story
from tests.world import World, world_at

#: everything that the bot changes in Slack
WRITING = (
    "conversations.create", "conversations.invite", "conversations.setTopic", "conversations.open", "chat.postMessage",
    "chat.update", "chat.delete", "pins.add", "bookmarks.add", "files.getUploadURLExternal",
    "files.completeUploadExternal",
)  # fmt: skip
READING = ("conversations.history", "conversations.replies", "users.conversations", "bookmarks.list")


async def test_the_whole_story_with_rate_limits(tmp_path: Path) -> None:
    """At Slack's numbers the story is the same, to the minute."""
    async with world_at(tmp_path, strict=True) as world:
        begun = len(world.slack.journal)
        text = normalised(await whole_story(world))
        odd = {call.error for call in world.slack.journal[begun:] if call.outcome in ("failed", "error")}
        assert odd <= {"ratelimited"}
    assert text == KEPT.read_text()


async def test_a_busy_minute(tmp_path: Path) -> None:
    """More is said in a moment than Slack takes in half a minute: everything arrives, once, in order."""
    async with world_at(tmp_path, strict=True) as world:
        people = ("ana", "ben", "carla", "dipo")
        for number in range(24):
            await world.person(people[number % 4]).command(f"/incident declare sev3 Report number {number}")
        room = world.channel(1)
        for number in range(12):
            await world.person("ana").command(f"/incident sev {2 + number % 2} because of {number}.", channel=room.id)
        await world.settle()
        limited = {call.method for call in world.slack.journal if call.error == "ratelimited"}
        assert limited == {"chat.postMessage", "conversations.create"}
        said = [one.plain for one in world.messages("ana", room.id) if "because of" in one.plain]
        assert [f"because of {number}." in one for number, one in enumerate(said)] == [True] * 12
        for number in range(1, 25):
            assert len(world.channel(number).pins) == len(world.channel(number).bookmarks) == 1
            name = f"*INC-{number}*"
            assert len([one for one in world.messages("eve", "#incidents") if name in one.plain]) == 1


# -- each fault in turn -----------------------------------------------------------------------------------------------

LOST = "500_before", "cut_before", "hang"


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What stands where nothing goes wrong."""
    import asyncio

    async def tell() -> list[str]:
        async with world_at(tmp_path_factory.mktemp("undisturbed")) as world:
            await short_story(world, ())
            return standing(world)

    return asyncio.run(tell())


async def short_story(world: World, faults: tuple[tuple[str, str, int], ...]) -> None:
    """Every chapter with these faults planted before it: (method or delivery, kind, times)."""
    for chapter in CHAPTERS:
        for fault in faults:
            world.slack.faults.add(*fault)
        await chapter(world)
        await world.advance(seconds=AFTERWARDS)
        world.slack.faults.clear()


def on_all(kind: str, times: int = 1, methods: tuple[str, ...] = WRITING) -> tuple[tuple[str, str, int], ...]:
    return tuple((method, kind, times) for method in methods)


@pytest.mark.parametrize(
    ("faults", "mode"),
    [
        pytest.param(on_all("429:5"), "socket", id="asked to wait"),
        pytest.param(on_all("429:5", 3), "socket", id="asked to wait again and again"),
        pytest.param(on_all("500_before"), "socket", id="500, not done"),
        pytest.param(on_all("500_after"), "socket", id="500, done"),
        pytest.param(on_all("500_after") + on_all("500_before", 2, READING), "socket", id="500, and looking fails"),
        pytest.param(on_all("cut_before"), "socket", id="cut, not done"),
        pytest.param(on_all("cut_after"), "socket", id="cut, done"),
        pytest.param(on_all("hang"), "socket", id="no answer, not done"),
        pytest.param(on_all("slow:0.05", 3), "socket", id="slow"),
        pytest.param(on_all("slow:0.4"), "socket", id="slower than the bot waits, done"),
        pytest.param((("delivery:*", "duplicate", 9),), "socket", id="deliveries twice, by socket"),
        pytest.param((("delivery:*", "duplicate", 9),), "http", id="deliveries twice, by HTTP"),
        pytest.param((("delivery:event:*", "reorder", 3),), "socket", id="events in another order"),
        pytest.param((("delivery:event:*", "socket_cut", 1),), "socket", id="the socket is cut"),
        pytest.param(
            (("delivery:event:*", "socket_cut", 1), ("apps.connections.open", "expired_ticket", 1)), "socket",
            id="the socket is cut, and the ticket for the next one has expired",
        ),
    ],
)  # fmt: skip
async def test_each_fault_in_turn(
    tmp_path: Path, undisturbed: list[str], faults: tuple[tuple[str, str, int], ...], mode: str
) -> None:
    """The same messages stand, once each, as if nothing had happened."""
    async with world_at(tmp_path, mode=mode, slack_timeout=0.25) as world:  # type: ignore[arg-type]
        await short_story(world, faults)
        assert standing(world) == undisturbed
        assert await world.bot.store.parked() == []
