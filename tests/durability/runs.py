"""Runs stories from their beginning, each time in a new world, with a death somewhere in them."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import asyncpg
import yaml

from bot.config import ROOT
from bot.domain.effect import EffectState
from localslack import LocalSlack, WorkspaceClock
from tests.durability.mortal import Died, Fate, Mortal, life
from tests.durability.stories import POLICY, Seen, Story, nothing_is_left_over, seen
from tests.postgres import Postgres
from tests.world import BEGIN

MANIFEST = yaml.safe_load((ROOT / "manifest.yaml").read_text())
#: which points are tried where not all are: named by every failure, and set to try the same ones again
SEED = int(os.environ.get("SEED") or random.SystemRandom().randrange(1_000_000))
#: on PostgreSQL, too, every point is tried, and many more faults: takes minutes
ALL_POINTS = bool(os.environ.get("ALL_POINTS"))

#: seconds that a test of many points may take, on a machine that is busy
LONG = 900
#: what was begun and left no trace is looked for twice within this time, before it is begun again
LOOKED_FOR = timedelta(seconds=17)
SETTLED = frozenset({EffectState.SENT, EffectState.REFUSED, EffectState.PARKED})

#: what becomes of a life that ends at a point, in this Slack
Doom = Callable[[int, LocalSlack], Fate]


class Files:
    """SQLite: each world has a copy of an empty database."""

    def __init__(self, empty: Path, folder: Path) -> None:
        self._empty = empty
        self._folder = folder
        self._number = 0

    @asynccontextmanager
    async def fresh(self) -> AsyncIterator[str]:
        self._number += 1
        database = self._folder / f"{self._number}.sqlite"
        shutil.copy(self._empty, database)
        yield f"sqlite:///{database}"

    async def lease_is_over(self, url: str) -> None:
        """A file has none: the lock beside it went with the process."""


class Databases:
    """PostgreSQL: each world has a database of its own."""

    def __init__(self, server: Postgres) -> None:
        self.server = server

    @asynccontextmanager
    async def fresh(self) -> AsyncIterator[str]:
        url = self.server.create()
        try:
            yield url
        finally:
            self.server.drop(url)

    async def lease_is_over(self, url: str) -> None:
        """The dead one's leases run out. (That this takes ten seconds is for the tests of several replicas.)"""
        connection = await asyncpg.connect(url)
        await connection.execute("UPDATE incidents SET lease_until = clock_timestamp() WHERE lease_until IS NOT NULL")
        await connection.close()


@dataclass
class Runs:
    """`doom`: how a life ends. `within`: so soon nothing is left to do for the next one."""

    places: Files | Databases
    doom: Doom = field(default=lambda at, slack: Fate(at))
    within: timedelta = LOOKED_FOR

    async def one(self, before: Story, story: Story, at: int) -> tuple[Seen, Fate]:
        """Tell it; the process dies at the point `at` of the story (0: never) and another one goes on."""
        slack = LocalSlack(MANIFEST, WorkspaceClock(BEGIN))
        await slack.start(0)
        try:
            async with self.places.fresh() as url:
                return await self._one(slack, url, before, story, at)
        finally:
            await slack.stop()

    async def _one(self, slack: LocalSlack, url: str, before: Story, story: Story, at: int) -> tuple[Seen, Fate]:
        async with life(slack, url, POLICY, Fate()) as bot:
            for act in before:
                await act(bot)
        await self.places.lease_is_over(url)
        fate = self.doom(at, slack)
        try:
            async with life(slack, url, POLICY, fate) as bot:
                await told(bot, story)
                return await ended(bot), fate
        except Died:
            pass
        await slack.idle()
        await self.places.lease_is_over(url)
        # Whoever clicked saw an error and clicks again, or Slack delivers again.
        async with life(slack, url, POLICY, Fate()) as next:
            next.id = bot.id
            await next.settle(self.within)
            left = [one.key for one in await next.store.effects(next.id) if one.state not in SETTLED]
            assert left == [], f"died at point {at}, {fate.dead}; SEED={SEED}"
            await told(next, story)
            return await ended(next), fate


async def told(bot: Mortal, story: Story) -> None:
    """Tell it, each act at the same moment in every run, whatever a death or an outage has cost."""
    for number, act in enumerate(story, 1):
        await bot.pass_to(BEGIN + timedelta(minutes=2 * number))
        await act(bot)


async def ended(bot: Mortal) -> Seen:
    """What is there once everything is done."""
    await bot.settle(timedelta(minutes=2))
    await nothing_is_left_over(bot)
    return await seen(bot)


def same(after: Seen, undisturbed: Seen, where: str) -> None:
    """People see what they would have seen, and the timeline tells the same."""
    assert sorted(after.timeline) == sorted(undisturbed.timeline), where
    assert after.channels == undisturbed.channels, where
    new = [one for one in after.messages if one not in undisturbed.messages]
    gone = [one for one in undisturbed.messages if one not in after.messages]
    assert after.messages == undisturbed.messages, f"{where}: there is {new}; there should be {gone}"


__all__ = ["ALL_POINTS", "MANIFEST", "LONG", "SEED", "SETTLED", "Databases", "Files", "Runs", "ended", "same", "told"]
