"""The story again where Slack keeps its rate limits."""

from __future__ import annotations

from pathlib import Path

from tests.story.test_whole_story import KEPT, normalised, whole_story
from tests.world import world_at


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
        assert limited >= {"chat.postMessage", "conversations.create"}
        said = [one.plain for one in world.messages("ana", room.id) if "because of" in one.plain]
        assert [f"because of {number}." in one for number, one in enumerate(said)] == [True] * 12
        for number in range(1, 25):
            assert len(world.channel(number).pins) == len(world.channel(number).bookmarks) == 1
            name = f"*INC-{number}*"
            assert len([one for one in world.messages("eve", "#incidents") if name in one.plain]) == 1
