"""The process dies at every point of every story, one after the other; the next one finishes it, and nothing is done
twice, forgotten, or told in another order."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable

import pytest

from tests.durability.mortal import Fate
from tests.durability.runs import ALL_POINTS, LONG, SEED, Databases, Files, Runs, same
from tests.durability.stories import STORIES, TEXT, Seen, Story, approve, declare, draft

pytestmark = pytest.mark.timeout(LONG)

#: no story has as many points
ENOUGH = 600
#: on PostgreSQL every so manieth point is tried, beginning at one that the seed chooses
STRIDE = 1 if ALL_POINTS else 11


#: a death before a commit leaves what a death after the call before it leaves: these points are tried in CI, on
#: PostgreSQL, and where all are
SAME = "" if ALL_POINTS or os.environ.get("THOROUGH") else "before a commit"


def in_full(files: Files) -> Runs:
    return Runs(files, lambda at, slack: Fate(at, but=SAME))


def every() -> Iterable[int]:
    return range(1, ENOUGH)


def some(story: int) -> Iterable[int]:
    """Points of the story of that number: every seed tries others, ALL_POINTS tries all."""
    return itertools.takewhile(lambda at: at < ENOUGH, itertools.count(1 + (SEED + story) % STRIDE, STRIDE))


async def dies_at(runs: Runs, before: Story, story: Story, points: Iterable[int]) -> None:
    undisturbed, lived = await runs.one(before, story, 0)
    assert lived.passed > 5
    for at in points:
        after, fate = await runs.one(before, story, at)
        if not fate.dead:
            assert at > lived.passed / 2
            return  # every point has been tried
        where = f"died at point {at}, {fate.dead}; SEED={SEED}"
        same(after, undisturbed, where)
    raise AssertionError("the story does not end")


@pytest.mark.parametrize(("before", "story"), STORIES)
async def test_the_process_dies_at_every_point(files: Files, before: Story, story: Story) -> None:
    await dies_at(in_full(files), before, story, every())


@pytest.mark.parametrize(
    ("number", "before", "story"), [pytest.param(n, *one.values, id=one.id) for n, one in enumerate(STORIES)]
)
async def test_the_process_dies_on_postgresql(databases: Databases, number: int, before: Story, story: Story) -> None:
    await dies_at(Runs(databases), before, story, some(number))


async def test_a_public_text_is_sent_once_or_shown_to_a_person(files: Files) -> None:
    """What was begun and left no trace is not sent again by itself: nobody can take a public text back."""
    asked = await approved(in_full(files), every())
    assert asked, "it died between the intent and the post, too"


async def test_a_public_text_on_postgresql(databases: Databases) -> None:
    await approved(Runs(databases), some(len(STORIES)))


async def approved(runs: Runs, points: Iterable[int]) -> int:
    """How often a person had to be asked."""
    undisturbed, _ = await runs.one((declare, draft), (approve,), 0)
    asked = 0
    for at in points:
        after, fate = await runs.one((declare, draft), (approve,), at)
        if not fate.dead:
            return asked
        where = f"died at point {at}, {fate.dead}; SEED={SEED}"
        if "CommsUncertain" in after.timeline:
            asked += 1
            a_person_decides(after, where)
        else:
            assert [words for place, _, words, _, _ in after.messages if place == "customer-comms"] == [TEXT], where
            assert after == undisturbed, where
    raise AssertionError("the story does not end")


def a_person_decides(after: Seen, where: str) -> None:
    """The text is not public, and people are asked to look."""
    assert [words for place, _, words, _, _ in after.messages if place == "customer-comms"] == [], where
    assert after.timeline.count("CommsSending") == 1 and "CommsPublished" not in after.timeline, where
    buttons = [labels for _, _, _, labels, _ in after.messages]
    assert buttons.count(["It is there", "It is not there"]) == 1, where
