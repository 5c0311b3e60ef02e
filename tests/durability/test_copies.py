"""As after a power cut: the files of the database, copied at any moment, are a database with a beginning of every
timeline in it, and nothing else."""

from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from bot.domain.events import Entry
from bot.store import SqlStore
from tests.durability.runs import ALL_POINTS, SEED, Files
from tests.store.acts import KEY, append, declare, note

COPIES = 500 if ALL_POINTS else 60
INCIDENTS = 8


async def test_any_copy_is_a_beginning(files: Files, tmp_path: Path) -> None:
    async with files.fresh() as url:
        store = SqlStore.open(url, KEY)
        for number in range(INCIDENTS):
            await store.write(declare(f"i{number}"))
        ended = asyncio.Event()

        async def work(id: str) -> None:
            while not ended.is_set():
                await store.write(append(id, note("x" * random.Random().randrange(400))))

        working = [asyncio.create_task(work(f"i{number}")) for number in range(INCIDENTS)]
        copies = await asyncio.to_thread(_copied, Path(url.removeprefix("sqlite:///")), tmp_path / "copies")
        ended.set()
        await asyncio.gather(*working)
        whole = {f"i{number}": await store.entries(f"i{number}") for number in range(INCIDENTS)}
        await store.close()
    lengths = [await _looked_at(copy, whole) for copy in copies]
    assert lengths == sorted(lengths) and lengths[0] < lengths[-1], "they were taken while it was written"


def _copied(database: Path, folder: Path) -> list[Path]:
    """Copy the database's file, then its log, at random moments: all that a disk would have kept."""
    chance, copies = random.Random(SEED), []
    for number in range(COPIES):
        where = folder / f"{number:03}"
        where.mkdir(parents=True)
        # Between two checkpoints the file stands still, and its log only grows: a copy of both is one moment of theirs.
        while True:
            before = database.stat().st_mtime_ns
            for suffix in ("", "-wal"):
                shutil.copy(f"{database}{suffix}", where / f"copy.sqlite{suffix}")
            if database.stat().st_mtime_ns == before:
                break
        copies.append(where / "copy.sqlite")
        _pause(chance.random() * 0.01)
    return copies


def _pause(seconds: float) -> None:
    import time

    time.sleep(seconds)  # in a thread of its own, while the bot writes


async def _looked_at(copy: Path, whole: dict[str, list[Entry]]) -> int:
    """It opens, is sound, verifies, and holds a beginning of each timeline; how many events there are."""
    with closing(sqlite3.connect(copy)) as raw:
        assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",), f"{copy}; SEED={SEED}"
    store = SqlStore.open(f"sqlite:///{copy}", KEY)
    try:
        assert await store.verify() == [], f"{copy}; SEED={SEED}"
        held = {id: await store.entries(id) for id in whole}
    finally:
        await store.close()
    for id, entries in held.items():
        assert entries == whole[id][: len(entries)]
    return sum(map(len, held.values()))
