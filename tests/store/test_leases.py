"""Leases where things happen at the same moment: renewing, giving back, claiming, and a process that stood still."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from bot.domain.effect import Effect, EffectKind, EffectState
from bot.store import SqlStore
from bot.store.lease_sql import LeaseSql
from bot.store.leases import SqlLeases
from bot.store.transaction import SqlTransaction
from tests.postgres import Postgres

from .acts import KEY, NOW, after, declare


@pytest.fixture
async def store(postgres18: Postgres) -> AsyncIterator[SqlStore]:
    one = SqlStore.open(postgres18.create(), KEY)
    yield one
    await one.close()


class Gate:
    """A store's `write` that waits, once, before or after the transaction."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self._open = asyncio.Event()
        self.reached = asyncio.Event()
        self.waits = ""

    async def write(self, job: Callable[[SqlTransaction], Any]) -> Any:
        waits, self.waits = self.waits, ""
        if waits == "before":
            await self._wait()
        value = await self._store.write(job)
        if waits == "after":
            await self._wait()
        return value

    async def _wait(self) -> None:
        self.reached.set()
        await self._open.wait()

    def open(self) -> None:
        self._open.set()


async def test_what_is_claimed_while_others_are_renewed_stays_claimed(store: SqlStore) -> None:
    gate = Gate(store)
    leases = SqlLeases(gate.write, LeaseSql("the store has its own", 10))
    for id in ("a", "b"):
        await store.write(declare(id))
    assert await leases.claim("a")
    gate.waits = "after"
    renewing = asyncio.create_task(leases.renew())
    await gate.reached.wait()
    assert await leases.claim("b")
    gate.open()
    await renewing
    assert leases.holds("a") and leases.holds("b")


async def test_what_is_claimed_while_it_is_given_back_is_held(store: SqlStore) -> None:
    """The giving back comes first, whatever the order in which the database would take the two."""
    gate = Gate(store)
    leases = SqlLeases(gate.write, LeaseSql("the store has its own", 10))
    await store.write(declare("a", due=NOW))
    assert await leases.claim("a")
    gate.waits = "before"
    leaving = asyncio.create_task(leases.release("a"))
    await gate.reached.wait()
    again = asyncio.create_task(leases.claim("a"))
    assert await leases.claim_due(after(1), 9, []) == []
    gate.open()
    await leaving
    assert await again and leases.holds("a")
    await store.write(lambda tx: tx.fence("a"))


async def test_nobody_waits_for_what_another_one_writes_to(store: SqlStore, postgres18: Postgres) -> None:
    """What is locked at the moment is left out, and claimed with the next look."""
    for id in ("a", "b"):
        await store.write(declare(id, due=NOW))
    other = await asyncpg.connect(store._address.render_as_string(hide_password=False))
    async with other.transaction():
        await other.execute("SELECT FROM incidents WHERE id = 'a' FOR UPDATE")
        assert await store.leases.claim_due(after(1), 9, []) == ["b"]
        await store.leases.release("b")
        assert await store.leases.claim_upcoming(NOW - timedelta(seconds=1), 9) == {"b": NOW}
    await other.close()
    assert sorted(await store.leases.claim_due(after(1), 9, [])) == ["a", "b"]


async def test_who_stops_gives_everything_back(store: SqlStore, postgres18: Postgres) -> None:
    """Also what the database gave to a claim that was cancelled, and that nobody here knows of."""
    for id in ("a", "b"):
        await store.write(declare(id, due=NOW))
    assert await store.leases.claim("a")
    await store.write(lambda tx: tx.claim("b"))
    await store.leases.release_all()
    assert not store.leases.holds("a")
    count = text("SELECT count(*) FROM incidents WHERE lease_by IS NOT NULL")
    assert await store.write(lambda tx: tx.connection.execute(count).scalar()) == 0


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        pytest.param("idle_in_transaction_session_timeout", "1s", id="between two statements"),
        pytest.param("transaction_timeout", "2500ms", id="between two messages of one statement"),
    ],
)
async def test_a_transaction_that_stands_still_is_ended_by_the_server(
    store: SqlStore, setting: str, value: str
) -> None:
    """Its rows are locked, so nobody could take over what a frozen process was writing to."""
    assert await store.write(lambda tx: tx.connection.execute(text(f"SHOW {setting}")).scalar()) == value


async def test_a_call_that_came_late_is_looked_at_again(store: SqlStore) -> None:
    """What stands in Slack may be the late one's: it is shown anew, looked for, and that is due at once."""
    await store.write(declare("a", due=after(60)))
    sent = Effect(id="m", team="T0TEAM", incident_id="a", key="card", kind=EffectKind.MESSAGE, state=EffectState.SENT,
                  channel="C1", ts="1.1", hash="f00", started_at=NOW)  # fmt: skip
    begun = Effect(id="n", team="T0TEAM", incident_id="a", key="hail", kind=EffectKind.MESSAGE,
                   state=EffectState.SENDING, channel="C1", hash="f00", started_at=NOW)  # fmt: skip

    def job(tx: SqlTransaction) -> None:
        for effect in (sent, begun):
            tx.save_effect(effect)
            tx.recheck_effect("a", effect.key, after(1))

    await store.write(job)
    card, hail = sorted(await store.effects("a"), key=lambda one: one.key)
    assert (card.hash, card.next_try_at, card.ts) == ("", after(1), "1.1")
    assert hail == begun
    assert await store.next_due() == after(1)
