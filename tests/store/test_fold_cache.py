"""A glance: what this process knows, without asking the database; it lags only behind what others write."""

from __future__ import annotations

import asyncio

import pytest

from bot.domain import events as e
from bot.store import SqlStore

from .acts import KEY, NOW, TEAM, append, count_up, declare, note


def opened(channel: str) -> e.ChannelOpened:
    return e.ChannelOpened(by="bot", at=NOW, channel=channel, name="inc-1")


async def test_what_this_process_has_written_is_in_a_glance(store: SqlStore) -> None:
    assert await store.cached("one") is None
    for job in (declare("one"), append("one", opened("C1")), append("one", note("a"))):
        written = await store.write(job)
        assert await store.cached("one") == written == await store.incident("one")


@pytest.mark.databases("sqlite")  # where the bot is the only one that writes, but for its own commands
async def test_a_glance_may_miss_what_another_process_wrote_and_a_look_does_not(store: SqlStore, url: str) -> None:
    await store.write(declare("one"))
    other = SqlStore.open(url, KEY)
    try:
        newer = await other.write(append("one", note("from elsewhere")))
    finally:
        await other.close()
    glance = await store.cached("one")
    assert glance is not None and glance.seq == newer.seq - 1
    assert await store.incident("one") == newer == await store.cached("one")


@pytest.mark.databases("postgres18")
async def test_a_glance_has_what_another_process_wrote_once_that_is_heard_of(store: SqlStore, url: str) -> None:
    heard = asyncio.Event()
    store.on_change = lambda id: heard.set() if id == "one" else None
    await store.start_serving()
    while not store.is_listening:  # noqa: ASYNC110
        await asyncio.sleep(0.005)
    await store.write(declare("one"))
    assert not heard.is_set()
    other = SqlStore.open(url, KEY)
    newer = await other.write(append("one", note("from elsewhere")))
    await asyncio.wait_for(heard.wait(), 60)
    assert await store.cached("one") == newer
    await other.close()


async def test_an_incident_that_moves_to_another_channel_is_found_there_only(store: SqlStore) -> None:
    await store.write(declare("one"))
    await store.write(append("one", opened("C1")))
    assert await store.by_channel(TEAM, "C1") == "one"
    await store.write(append("one", opened("C2")))
    assert (await store.by_channel(TEAM, "C1"), await store.by_channel(TEAM, "C2")) == (None, "one")
    assert await store.by_channel("T0OTHER", "C2") is None


async def test_reads_beside_writes_never_run_back(store: SqlStore) -> None:
    await store.write(declare("one", "0"))
    seen: list[int] = []

    async def look() -> None:
        while len(seen) < 200:
            incident = await store.incident("one")
            assert incident is not None and int(incident.title) == incident.seq - 1
            seen.append(incident.seq)

    looking = asyncio.create_task(look())
    while not looking.done():
        await store.write(count_up("one"))
    await looking
    assert seen == sorted(seen)
