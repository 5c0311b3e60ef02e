"""Histories that nobody thought of: people, crashes, restarts, wrong clocks, and a Slack on a bad day, drawn at random.

Each run draws others. It prints its seed and how many it tried; SIMULATION_SEED draws the same ones again, the first
group of them whatever time that takes. With SIMULATION_SECONDS it goes on longer. What fails is cut down to a short
script, which is printed.
"""

from __future__ import annotations

import math
import os
import random
import shutil
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.durability.histories import Away, Crash, Do, History, Pass, Step, histories
from tests.durability.holds import everything_holds
from tests.durability.simulated_slack import Trouble
from tests.durability.simulation import World, told
from tests.postgres import Postgres

Holds = Callable[[World], Awaitable[None]]
Tell = Callable[..., None]

#: draws the same histories again
NAMED = os.environ.get("SIMULATION_SEED")
SEED = int(NAMED or random.SystemRandom().randrange(1_000_000))
#: for the two searches together; `make ci` takes more
SECONDS = float(os.environ.get("SIMULATION_SECONDS") or 15)
#: histories that belong together: each such group has a seed of its own, which alone brings it back
GROUP = 20
#: seconds for cutting a failure down
SHRINKING = 40.0


class Search:
    """Tells histories until the time is over, or one fails."""

    def __init__(self, tell: Callable[[History], None], bots: int) -> None:
        self._tell = tell
        self._bots = bots
        self.tried = 0

    def go(self, seconds: float) -> None:
        """Raises AssertionError with a short script that fails, why, and what finds it again."""
        until, number = time.monotonic() + seconds, SEED
        if NAMED:  # found by another run, perhaps on a quicker day
            self._group(number, math.inf)
            number += 1
        while time.monotonic() < until:
            self._group(number, until)
            number += 1

    def _group(self, number: int, until: float) -> None:
        failed: list[tuple[History, str]] = []

        @seed(number)
        @settings(
            max_examples=GROUP, database=None, deadline=None, phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(histories(self._bots))
        def group(history: History) -> None:
            if failed or time.monotonic() > until:
                return
            self.tried += 1
            if why := self.fails(history):
                failed.append((history, why))

        group()
        for history, why in failed:
            short = self.cut(history, why)
            raise AssertionError(
                f"{self.fails(short) or why}\n\nSIMULATION_SEED={number} finds it again; cut down from "
                f"{len(history.steps)} steps to {len(short.steps)}:\n{short!r}"
            )

    def fails(self, history: History) -> str:
        """Why it fails, empty where it does not."""
        try:
            self._tell(history)
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        return ""

    def cut(self, history: History, why: str) -> History:
        """The same without what it fails without as well: pieces first, then single steps, as long as there is time."""
        until, size = time.monotonic() + SHRINKING, max(1, len(history.steps) // 2)
        while size:
            shorter, at = False, 0
            while at < len(history.steps) and time.monotonic() < until:
                fewer = replace(history, steps=history.steps[:at] + history.steps[at + size :])
                if self.fails(fewer):
                    history, shorter = fewer, True
                else:
                    at += size
            size = size if shorter and size == 1 and time.monotonic() < until else size // 2
        return history


def _report(record_property: Callable[[str, object], None], search: Search, where: str) -> None:
    said = f"{search.tried} histories {where}, SIMULATION_SEED={SEED}"
    record_property("tried", said)
    print(said)


@pytest.fixture
def tell(empty: Path, tmp_path: Path) -> Tell:
    """Tells a history of one bot, on a file of its own, and asks whether everything holds."""

    def on_a_file(history: History, holds: Holds = everything_holds) -> None:
        database = tmp_path / "incidents.sqlite"
        shutil.copy(empty, database)
        try:
            told(history, f"sqlite:///{database}", holds)
        finally:
            for file in tmp_path.glob("incidents.sqlite*"):
                file.unlink()

    return on_a_file


@pytest.mark.timeout(SECONDS + SHRINKING * 3 + 60)
def test_one_bot_on_a_file(tell: Tell, record_property: Callable[[str, object], None]) -> None:
    search = Search(tell, bots=1)
    try:
        search.go(SECONDS * 0.6)
    finally:
        _report(record_property, search, "of one bot on a file")


@pytest.mark.timeout(SECONDS + SHRINKING * 3 + 60)
def test_two_bots_on_one_database(postgres18: Postgres, record_property: Callable[[str, object], None]) -> None:
    def on_postgresql(history: History) -> None:
        url = postgres18.create()
        try:
            told(history, url, everything_holds)
        finally:
            postgres18.drop(url)

    search = Search(on_postgresql, bots=2)
    try:
        search.go(SECONDS * 0.4)
    finally:
        _report(record_property, search, "of two bots on one PostgreSQL")


#: what a search found, cut down
FOUND = [
    pytest.param(
        (
            Do("declare"),
            Do("draft", which=1),
            Trouble("unsure, done late", "post", seconds=30, count=3),
            Pass(0.01),
            Do("approve", 1, 1),
        ),
        id="a message that was dropped for another comes through late",
    ),
    pytest.param(
        (Trouble("unsure, not done", "open_channel"), Do("declare small"), Pass(0.01), Do("resolve")),
        id="it ended before it had a channel, whose opening is then owed no more",
    ),
    pytest.param(
        (
            Trouble("unsure, not done", "open_channel"),
            Do("declare small"),
            Pass(0.01),
            Do("resolve"),
            Pass(60),
            Do("reopen", 1),
        ),
        id="reopened, it gets the channel that it had not",
    ),
    pytest.param(
        (
            Do("declare", 2),
            Away(3),
            Do("false alarm"),
            Pass(1),
            Do("reopen", 1, twice=True),
            Crash(points=8),
            Away(2),
        ),
        id="dead while it showed what is then taken back",
    ),
    pytest.param(
        (
            Do("declare privately", 2),
            Pass(3),
            Trouble("unsure, done late", "post", seconds=30),
            Pass(1560),
            Do("update", 2, 1),
        ),
        id="a reminder is deleted before its first attempt comes through",
    ),
    pytest.param(
        (
            Do("declare"),
            Trouble("refused", "upload"),
            Do("postmortem", 0, 1, 1, True),
            Pass(20),
            Do("postmortem", 0, 1),
        ),
        id="a postmortem whose file is refused is written anew",
    ),
    pytest.param(
        (
            Do("declare small"),
            Pass(60),
            Trouble("unsure, done late", "post", hang=0, seconds=30, count=3),
            Pass(2820),
        ),
        id="three attempts come through, each after the look that followed it",
    ),
    pytest.param(
        (
            Do("declare"),
            Trouble("unsure, done late", "post", hang=0.05, seconds=30),
            Pass(60),
            Do("impact"),
            Do("impact"),
            Trouble("unsure, done", "edit", hang=9, count=3),
        ),
        id="the first attempt comes through, and edits fail when it is to be looked for",
    ),
    pytest.param(
        (
            Do("declare"),
            Trouble("unsure, done late", "post", hang=0.05, seconds=30),
            Pass(60),
            Trouble("refused", "edit"),
            Do("impact"),
        ),
        id="the first attempt comes through, and an edit is refused before it is looked for",
    ),
    pytest.param(
        (
            Do("declare"),
            Trouble("unsure, done late", "post", hang=0.05, seconds=30),
            Pass(60),
            Trouble("later", "edit", seconds=30),
            Do("impact"),
        ),
        id="the first attempt comes through, and an edit is put off before it is looked for",
    ),
    pytest.param(
        (
            Do("declare small", twice=True),
            Pass(20),
            Do("draft"),
            Trouble("unsure, done late", "post", hang=0.05, seconds=30, count=4),
            Do("approve", who=1),
            Pass(60),
        ),
        id="what an earlier attempt said is found, and says no longer what is so",
    ),
]


@pytest.mark.parametrize("steps", FOUND)
def test_what_was_found_before(tell: Tell, steps: tuple[Step, ...]) -> None:
    tell(History(steps))


def test_a_history_that_is_told_again_is_the_same(tell: Tell) -> None:
    """Else no seed would find anything again."""
    journals = []

    async def keep(world: World) -> None:
        journals.append(world.slack.journal)

    steps = (
        Do("declare", twice=True),
        Trouble("unsure, done late", seconds=14, count=4),
        Do("tick", 1),
        Do("update", 2),
        Crash(points=9, down=5),
        Pass(8),
        Do("draft"),
        Do("ask", 1),
        Pass(26 * 60),
    )
    for _ in range(3):
        tell(History(steps), keep)
    assert len(journals[0]) > 20 and journals[0] == journals[1] == journals[2]
