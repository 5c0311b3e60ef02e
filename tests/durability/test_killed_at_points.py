"""`bot run` in a process of its own is killed (SIGKILL) before or after a commit or a call to Slack.

The next one goes on, and people do again what they saw fail. The end is as if nothing had happened. And what was
acknowledged is kept.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import random
import subprocess
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest

from bot.domain import events as e
from bot.domain.effect import EffectState
from bot.policies import load
from bot.store import SqlStore
from tests.durability import outside
from tests.durability.outside import POLICY_FILE, Killed, Life, Outside, born
from tests.durability.runs import ALL_POINTS, LONG, SEED, Databases, Files
from tests.story import short
from tests.story.short import Act, Seen, kept, public, seen
from tests.thorough import THOROUGH
from tests.world import BEGIN, KEY, World, world_at

pytestmark = pytest.mark.timeout(LONG)


@pytest.fixture(scope="module")
def nursery() -> Iterator[subprocess.Popen[str]]:
    """Forks bots."""
    with outside.nursery() as one:
        yield one


# -- the story --------------------------------------------------------------------------------------------------------


async def with_a_runbook(world: World) -> None:
    await short.types(world, "ana", "/incident runbook horizon-outage", short.room(world))


async def reminded(world: World) -> None:
    """The lead directly, then the channel."""
    await world.advance(seconds=(BEGIN + timedelta(minutes=36) - world.clock.now()).total_seconds())


async def less_severe(world: World) -> None:
    await short.types(world, "ana", "/incident sev 2 only one partner", short.room(world))


@dataclass(frozen=True)
class Chapter:
    """What happens, at which minute of the story, and the event that says that it has: people look for it in the
    timeline before they do it again."""

    act: Act
    minute: int
    event: str
    times: int = 1

    @property
    def name(self) -> str:
        return self.act.__name__


STORY = (
    Chapter(short.declared, 0, "Declared"),
    Chapter(with_a_runbook, 3, "RunbookAttached"),
    Chapter(short.ticked, 6, "StepTicked"),
    Chapter(short.asked, 9, "Asked"),
    Chapter(short.agreed, 12, "GoGiven"),
    Chapter(short.done, 15, "AskDone"),
    Chapter(reminded, 18, "Reminded", 2),
    Chapter(short.updated, 39, "UpdatePosted"),
    Chapter(short.drafted, 42, "CommsDrafted"),
    Chapter(short.approved, 45, "CommsApproved"),
    Chapter(less_severe, 48, "SeverityChanged"),
    Chapter(short.resolved, 51, "Resolved"),
    Chapter(short.written, 54, "PostmortemWritten"),
)
END = BEGIN + timedelta(minutes=57)
#: no chapter has more points; every one has so many
MOST, COMMON = 100, 6
#: so many clicks
FLOOD = 5000 if ALL_POINTS else 600
#: so many of those that every chapter has are tried where not all are: by `make test`, and in CI on PostgreSQL
FEW, SOME = 1, 4


@dataclass
class Telling:
    """The story, told once; in each of its `mortal` chapters the bot dies at the point `at` of that chapter."""

    world: Outside
    at: int
    mortal: Collection[str]

    def __post_init__(self) -> None:
        #: what there was after each chapter
        self.stages: list[Seen] = []
        #: chapters in which it died
        self.died: list[str] = []
        #: the text for the public was begun, and nobody knows what came of it
        self.uncertain = False

    async def tell(self) -> None:
        """Up to the last mortal chapter; up to the end where there is none."""
        left = set(self.mortal)
        for chapter, then in zip(STORY, [*STORY[1:], None], strict=True):
            if chapter.name in left:
                await self._with_a_death(chapter)
                left.remove(chapter.name)
            else:
                await chapter.act(self.world)
            until = BEGIN + timedelta(minutes=then.minute) if then else END
            await self.world.advance(seconds=(until - self.world.clock.now()).total_seconds())
            await self._nothing_is_left_over(
                f"died at point {self.at} of {self.died}; after {chapter.name}; SEED={SEED}"
            )
            self.stages.append(await seen(self.world))
            self.uncertain = "CommsUncertain" in await self.world.types()
            if self.uncertain or (self.mortal and not left):
                return

    async def _with_a_death(self, chapter: Chapter) -> None:
        world = self.world
        try:
            await world.doomed(self.at)
            await chapter.act(world)
            await world.settle()
            await world.doomed(0)
        except Killed:
            self.died.append(chapter.name)
            for who in ("ana", "ben", "carla"):  # what was open when it failed is closed, and opened anew
                while world.person(who).view is not None:
                    await world.person(who).close_view()
            there = await world.types() if await world.bot.store.find(world.slack.team_id, 1) else []
            if there.count(chapter.event) < chapter.times:
                await chapter.act(world)

    async def _nothing_is_left_over(self, where: str) -> None:
        """One channel, no mark twice, nothing due, the timeline as it was written."""
        incident, store = await self.world.incident(), self.world.bot.store
        ours = [one.id for one in self.world.slack.channels if one.name.startswith("inc-")]
        assert ours == [incident.channel], where
        marks = Counter(one.metadata["event_payload"]["id"] for _, one in kept(self.world) if one.metadata)
        assert set(marks.values()) == {1}, where
        states = {one.state for one in await store.effects(incident.id)}
        assert states <= {EffectState.SENT, EffectState.REFUSED}, where
        assert await store.verify() == [], where

    def agrees(self, undisturbed: list[Seen]) -> None:
        """People see after each chapter what they would have seen, and the timeline tells the same."""
        for chapter, there, whole in zip(STORY, self.stages, undisturbed, strict=False):
            where = f"died at point {self.at} of {self.died}; seen after {chapter.name}; SEED={SEED}"
            if self.uncertain and chapter.act is short.approved:
                a_person_decides(there, self.world, where)
                return
            # Slack may tell of those who come in before it answers who invited them: then they stand one by one.
            same, gone = Counter(there.messages), Counter(whole.messages)
            assert same == gone, f"{where}: there is {same - gone}; there should be {gone - same}"
            assert there.rooms == whole.rooms, where
            told = [sorted(name for name in one.timeline if name != "Invited") for one in (there, whole)]
            assert told[0] == told[1], where


def a_person_decides(there: Seen, world: World, where: str) -> None:
    """The text is not public, and people are asked to look."""
    assert public(world) == [] and there.timeline.count("CommsSending") == 1, where
    assert [labels for *_, labels, _ in there.messages].count(("It is there", "It is not there")) == 1, where


async def told(nursery: Any, places: Files | Databases, at: int, mortal: Collection[str]) -> Telling:
    async with outside.outside(nursery, places) as world:
        telling = Telling(world, at, mortal)
        await telling.tell()
        return telling


async def killed_at(nursery: Any, places: Files | Databases, points: Iterable[int]) -> tuple[int, int, list[str]]:
    """Tell it with a death at each of these points of every chapter that has as many, one death after the other in one
    telling. How often it died, how often a person had to be asked, and the chapters that have more points than these.
    """
    undisturbed = (await told(nursery, places, 0, ())).stages
    mortal, deaths, asked = [one.name for one in STORY], 0, 0
    for at in points:
        left, died = list(mortal), list[str]()
        while left:
            telling = await told(nursery, places, at, left)
            telling.agrees(undisturbed)
            died += telling.died
            asked += telling.uncertain
            # Where nobody knows what came of the text, the later chapters are told anew without that.
            over = [one.name for one in STORY[: len(telling.stages)]]
            left = [name for name in left if name not in over]
        mortal = [name for name in mortal if name in died]
        deaths += len(died)
    return deaths, asked, mortal


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
async def test_killed_at_any_point(
    request: pytest.FixtureRequest, nursery: Any, files: Files, database: str, record_property: Any
) -> None:
    places = files if database == "sqlite" else request.getfixturevalue("databases")
    everywhere = ALL_POINTS or (THOROUGH and database == "sqlite")
    many = MOST if everywhere else SOME if THOROUGH else FEW
    points = range(1, MOST + 1) if everywhere else random.Random(SEED).sample(range(1, COMMON + 1), many)
    deaths, asked, left = await killed_at(nursery, places, points)
    record_property("tried", f"{deaths} deaths on {database}, SEED={SEED}")
    if everywhere:
        assert left == [] and deaths > 200, "every chapter has lived through the points that it has not"
        assert asked, "it died between the intent and the post of a text, too"
    else:
        assert deaths > many * len(STORY) / 2


# -- what was acknowledged --------------------------------------------------------------------------------------------


def note(world: World, room: str, number: int) -> bytes:
    """A slash command as Slack posts it."""
    fields = {
        "command": "/incident", "text": f"note number {number}", "team_id": world.slack.team_id,
        "user_id": world.person("ana").id, "channel_id": room, "trigger_id": f"1.{number}", "response_url": "",
    }  # fmt: skip
    return urlencode(fields).encode()


def signed(secret: str, body: bytes) -> dict[str, str]:
    stamp = str(int(time.time()))
    digest = hmac.new(secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}


async def flood(world: World, bot: Life, room: str, numbers: Iterable[int], enough: int = 0) -> set[int]:
    """Post them, 50 at a time; those that were answered with 200. After `enough` of them the bot is killed."""
    acknowledged: set[int] = set()
    left, where = iter(numbers), f"http://127.0.0.1:{bot.port}/slack/events"

    async def one(session: aiohttp.ClientSession) -> None:
        for number in left:
            body = note(world, room, number)
            headers = {"Content-Type": "application/x-www-form-urlencoded", **signed(world.slack.signing_secret, body)}
            try:
                async with session.post(where, data=body, headers=headers) as said:
                    if said.status == 200:
                        acknowledged.add(number)
            except aiohttp.ClientError:
                return  # dead
            if enough and len(acknowledged) >= enough:
                await bot.end()

    async with aiohttp.ClientSession() as session:
        await asyncio.gather(*(one(session) for _ in range(50)))
    return acknowledged


async def test_killed_under_a_flood(nursery: Any, tmp_path: Path, files: Files) -> None:
    """Nothing that was acknowledged is missing; delivered once more to the next bot, each counts once."""
    async with files.fresh() as url, world_at(tmp_path, policy=load(POLICY_FILE)) as world:
        await world.stop_bot()
        world.settings = world.settings.model_copy(update={"database_url": url})
        await world.start_bot()
        room = (await world.declare()).id
        id = (await world.incident()).id
        await world.stop_bot()
        http = {"SLACK_MODE": "http", "SLACK_SIGNING_SECRET": world.slack.signing_secret}
        store = SqlStore.open(url, KEY.encode())

        async def stored() -> Counter[int]:
            entries = [entry.event for entry in await store.entries(id)]
            notes = [one.text for one in entries if isinstance(one, e.Noted)]
            return Counter(int(text.removeprefix("number ")) for text in notes)

        try:
            bot = await born(nursery, world.slack, url, "", **http)
            acknowledged = await flood(world, bot, room, range(FLOOD), enough=FLOOD // 2)
            kept = await stored()
            assert FLOOD // 2 <= len(acknowledged) < FLOOD
            assert acknowledged - set(kept) == set() and set(kept.values()) == {1}
            bot = await born(nursery, world.slack, url, "", **http)
            left = set(range(FLOOD))
            while left:  # what is not answered in time is delivered again
                left -= await flood(world, bot, room, left)
            assert await stored() == Counter(range(FLOOD))
            assert await store.verify() == []
        finally:
            await bot.end()
            await store.close()
