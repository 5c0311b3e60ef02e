"""The story under every kind of fault, on every method that it calls: in the end people see the same.

What the story calls is read off a telling in which nothing goes wrong. A fault is planted anew before each chapter, so
that the first call of each method in each chapter meets it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import pytest_asyncio

from bot.data_commands import rearm_all
from localslack.faults import KINDS
from tests.story.acts import heard
from tests.story.short import Seen, seen, short_story
from tests.world import World, world_at

#: seconds, of real time, until the bot takes a call for lost: short where calls hang
LOST_AFTER, SOON = 5, 0.2


@dataclass(frozen=True)
class Calm:
    """What there is where nothing goes wrong: the methods called, the deliveries made, what people see."""

    methods: frozenset[str]
    deliveries: frozenset[str]
    seen: Seen


@asynccontextmanager
async def patient_world(folder: Path, lost_after: float = LOST_AFTER) -> AsyncIterator[World]:
    """A world in which people wait for what was put off."""
    async with world_at(folder, slack_timeout=lost_after) as world:
        world.patient = True
        yield world


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def calm(tmp_path_factory: pytest.TempPathFactory) -> Calm:
    """The story where nothing goes wrong."""
    async with patient_world(tmp_path_factory.mktemp("calm")) as world:
        begun = len(world.slack.journal)
        await short_story(world)
        called = {call.method for call in world.slack.journal[begun:]}
        deliveries = frozenset(one for one in called if one.startswith("delivery:"))
        return Calm(frozenset(called - deliveries), deliveries, settled(await seen(world)))


def plant(world: World, where: frozenset[str], kind: str, times: int = 1) -> None:
    """Let the next calls of each of these go wrong; 0 times: until it is cleared."""
    for one in sorted(where):
        world.slack.faults.add(one, kind, times)


async def mend(world: World) -> None:
    """Whoever runs the bot re-arms what was given up, as often as it takes; then the cause is gone."""
    while await rearm_all(world.settings):
        await world.settle()
    world.slack.faults.clear()


def difference(one: Seen, other: Seen) -> list[str]:
    """What is in the one and not in the other, and the other way round."""
    found = []
    for name in ("messages", "rooms", "timeline"):
        here, there = Counter(getattr(one, name)), Counter(getattr(other, name))
        found += [f"added: {each}" for each in (here - there).elements()]
        found += [f"missing: {each}" for each in (there - here).elements()]
    return found or ([] if one.timeline == other.timeline else [f"another order: {one.timeline}"])


NO_METHODS = frozenset({"response_url", "upload"})

#: what becomes of the public text of which nobody can know whether it was sent: people look, and send it again
SENT = ["CommsDrafted", "CommsApproved", "CommsSending", "CommsPublished"]
ASKED = ["CommsDrafted", "CommsApproved", "CommsSending", "CommsUncertain", "CommsFailed", *SENT]
REFUSED = ["CommsDrafted", "CommsApproved", "CommsSending", "CommsFailed", *SENT]


def settled(one: Seen) -> Seen:
    """Without what the timeline tells of the way: that a channel was refused, and that people came one by one."""
    return replace(one, timeline=[name for name in one.timeline if name not in ("ChannelRefused", "Invited")])


def told(one: Seen) -> tuple[Seen, list[str]]:
    """The same without what was said on the way to the public text; and what happened on that way."""
    way = [name for name in one.timeline if name.startswith("Comms")]
    about = re.compile(r"\*Comms\*|may be public|certainly not sent|: you approved the text", re.MULTILINE)
    said = [each for each in one.messages if not about.search(f"{each[1]}\n{each[2]}")]
    return Seen(said, one.rooms, [name for name in one.timeline if name not in way]), way


#: kind of fault, and the way of the public text under it
CALLS = [
    pytest.param("429:2", SENT, id="429"),
    pytest.param("404", ASKED, id="404"),
    pytest.param("500_before", ASKED, id="500, not done"),
    pytest.param("500_after", SENT, id="500, done"),
    pytest.param("cut_before", ASKED, id="cut, not done"),
    pytest.param("cut_after", SENT, id="cut, done"),
    pytest.param("hang", ASKED, id="no answer, not done"),
    pytest.param("slow:0.05", SENT, id="slow"),
    pytest.param("error:fatal_error", ASKED, id="fatal_error"),
    pytest.param("error:internal_error", ASKED, id="internal_error"),
    # what is refused is certainly not public: people are told so, and send it again
    pytest.param("missing_scope", REFUSED, id="a scope is missing"),
    pytest.param("off", REFUSED, id="a method is switched off"),
]


@pytest.mark.parametrize(("kind", "way"), CALLS)
async def test_every_method(tmp_path: Path, calm: Calm, kind: str, way: list[str]) -> None:
    # neither an answer's address nor a file's bytes have a scope, or can be switched off
    called = calm.methods - (NO_METHODS if kind in ("missing_scope", "off") else frozenset())

    async def before(world: World) -> None:
        plant(world, called, kind)

    async with patient_world(tmp_path, SOON if kind == "hang" else LOST_AFTER) as world:
        begun = len(world.slack.journal)
        await short_story(world, before, mend)
        met = {call.method for call in world.slack.journal[begun:] if call.outcome == "fault"}
        assert met >= called or kind.startswith("slow")
        after = settled(await seen(world))
    if way == SENT:
        assert difference(after, calm.seen) == []
    else:
        rest, taken = told(after)
        assert taken == way
        assert difference(rest, told(calm.seen)[0]) == []


async def test_the_public_text_is_refused(tmp_path: Path, calm: Calm) -> None:
    """It is certainly not public, and people are told so: they send it again."""

    async def before(world: World) -> None:
        if (await story_so_far(world))[-1:] == ["CommsDrafted"]:
            plant(world, frozenset({"chat.postMessage"}), "missing_scope")

    async with patient_world(tmp_path) as world:
        await short_story(world, before, mend)
        after, way = told(settled(await seen(world)))
    assert way == REFUSED
    assert difference(after, told(calm.seen)[0]) == []


async def story_so_far(world: World) -> list[str]:
    """The names of what has happened; nothing before the declaration."""
    return await world.types() if await world.bot.store.find(world.slack.team_id, 1) else []


#: without these there is no story: the bot speaks, opens the channel and its forms, keeps its buttons true, reads pins
VITAL = frozenset({"chat.postMessage", "conversations.create", "views.open", "chat.update", "conversations.history"})


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("missing_scope", id="scopes are missing"),
        pytest.param("error:restricted_action", id="the workspace does not allow it"),
    ],
)
async def test_refused_all_along(tmp_path: Path, calm: Calm, kind: str) -> None:
    """The story goes on without what Slack refuses; afterwards it is fixed at once."""
    async with patient_world(tmp_path) as world:

        async def before(world: World) -> None:
            if not world.slack.faults.planted:
                plant(world, calm.methods - VITAL - {"response_url"}, kind, times=0)

        async def after(world: World) -> None:
            if (await story_so_far(world))[-1:] == ["PostmortemWritten"]:
                parked = {effect.key for effect in await world.bot.store.parked()}
                assert {"topic", "pin:card", "bookmark:card"} <= parked
                world.slack.faults.clear()
                await mend(world)

        await short_story(world, before, after)
        # Ben, whom nobody could write to, has approved in the channel.
        found, way = told(settled(await seen(world)))
    assert way == SENT
    assert difference(found, told(calm.seen)[0]) == []


@pytest.mark.parametrize(
    ("lost", "unread"),
    [
        pytest.param("chat.postMessage", {"conversations.history", "conversations.replies"}, id="messages"),
        pytest.param("conversations.create", {"users.conversations"}, id="the channel"),
        pytest.param("files.completeUploadExternal", {"conversations.history"}, id="the file"),
        pytest.param("bookmarks.add", {"bookmarks.list"}, id="the bookmark"),
    ],
)
async def test_lost_and_not_to_be_looked_for(tmp_path: Path, calm: Calm, lost: str, unread: set[str]) -> None:
    """What may have been made and cannot be looked for is not made again, also not when it is re-armed."""

    async def before(world: World) -> None:
        so_far = (await story_so_far(world))[-1:]
        if so_far not in (
            ["UpdatePosted"],
            ["CommsDrafted"],
        ):  # a pin is read; what may be public is people's to look for
            plant(world, frozenset({lost}), "cut_after")
            plant(world, frozenset(unread), "missing_scope", times=0)

    async def after(world: World) -> None:
        world.slack.faults.clear()
        await mend(world)

    async with patient_world(tmp_path) as world:
        await short_story(world, before, after)
        found = settled(await seen(world))
    assert difference(found, calm.seen) == []


async def test_a_pin_that_cannot_be_read(tmp_path: Path) -> None:
    """Refused: whoever pinned is told. No answer: the event comes again, and the message is in the timeline once."""
    reading = frozenset({"conversations.history", "conversations.replies"})
    async with patient_world(tmp_path) as world:
        room = (await world.declare()).id
        posted = await world.person("ana").post(room, "provider says: fixed")
        plant(world, reading, "missing_scope", times=0)
        await world.person("ana").react(room, posted, "pushpin")
        await world.settle()
        assert "so it is not in the timeline" in heard(world, "ana", room)
        world.slack.faults.clear()
        plant(world, reading, "500_before", times=3)
        await world.person("ben").react(room, posted, "pushpin")
        await world.settle()
        await world.advance(minutes=2)
        assert (await world.types()).count("Noted") == 1


# -- deliveries ----------------------------------------------------------------------------------------------

#: after what the connection is cut
CUT = {"events": (["UpdatePosted"],), "gestures": (["StepTicked"], ["CommsDrafted"])}

#: which deliveries, kind of fault, how often before each chapter (0: always)
DELIVERIES = [
    pytest.param("all", "duplicate", 0, id="everything twice"),
    pytest.param("all", "slow:0.05", 0, id="everything late"),
    pytest.param("events", "drop", 1, id="events lost once"),
    pytest.param("events", "drop", 2, id="events lost twice"),
    pytest.param("events", "reorder", 1, id="events in another order"),
    pytest.param("gestures", "drop", 1, id="gestures lost"),
    pytest.param("gestures", "socket_cut", 1, id="gestures cut off"),
    pytest.param("events", "socket_cut", 1, id="events cut off"),
]


@pytest.mark.parametrize(("which", "kind", "times"), DELIVERIES)
async def test_deliveries(tmp_path: Path, calm: Calm, which: str, kind: str, times: int) -> None:
    """An event is delivered until it is taken; a gesture that visibly failed is made again."""
    where = frozenset(
        one for one in calm.deliveries if which == "all" or one.startswith("delivery:event:") == (which == "events")
    )

    async def before(world: World) -> None:
        world.slack.faults.clear()
        # A new connection takes its time: what is cut is a mention and a pin, an ask and an approval.
        if kind != "socket_cut" or (await story_so_far(world))[-1:] in CUT[which]:
            plant(world, where, kind, times)

    async def after(world: World) -> None:
        await world.slack.connected()
        if which == "events":
            await world.advance(seconds=61)

    async with patient_world(tmp_path) as world:
        await short_story(world, before, after)
        found = settled(await seen(world))
    assert difference(found, calm.seen) == []


async def test_an_expired_ticket(tmp_path: Path, calm: Calm) -> None:
    """Slack asks the bot to connect anew, and the first address that it gives is worth nothing."""

    async def before(world: World) -> None:
        if "RunbookAttached" in (so_far := await story_so_far(world)) and "GoGiven" not in so_far:
            plant(world, frozenset({"apps.connections.open"}), "expired_ticket")
            await world.slack.disconnect()
            await world.slack.connected()

    async with patient_world(tmp_path) as world:
        await short_story(world, before)
        found = settled(await seen(world))
    assert difference(found, calm.seen) == []


def test_no_kind_is_forgotten() -> None:
    tried = {row.values[0] for row in CALLS} | {row.values[1] for row in DELIVERIES} | {"expired_ticket"}
    assert {str(one).partition(":")[0] for one in tried} == {one.partition(":")[0] for one in KINDS}
