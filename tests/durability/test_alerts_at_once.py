"""Alerts of many groups, at the same moment, at several replicas: one incident a group, each alert once."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bot.alerts import Intake
from bot.clock import SystemClock
from bot.domain import events as e
from bot.domain.errors import StoreUnavailable
from bot.domain.policy import Policy
from bot.ports import Transaction
from bot.service import Service
from bot.store import SqlStore, migrate
from tests.postgres import Postgres
from tests.world import KEY

TEAM = "T1"


def nobody(_: object) -> tuple[str, ...]:
    return ()


def taking(store: SqlStore) -> Intake:
    return Intake(Service(store, Policy(), SystemClock()), TEAM, lambda _: None, nobody, lambda _: "")


@pytest.mark.parametrize(
    ("replicas", "webhooks", "groups"),
    [
        pytest.param(1, 500, 25, id="a file"),
        pytest.param(2, 120, 6, id="two replicas"),
        pytest.param(2, 1000, 50, id="two replicas and 1,000 webhooks"),
    ],
)
async def test_one_incident_a_group(
    request: pytest.FixtureRequest, tmp_path: Path, replicas: int, webhooks: int, groups: int
) -> None:
    """Every delivery reaches every replica, so that each of them races with itself as well."""
    url = f"sqlite:///{tmp_path}/x.sqlite"
    if replicas > 1:
        server: Postgres = request.getfixturevalue("postgres18")
        url = await asyncio.to_thread(server.create)
    migrate(url)
    bodies = [
        json.dumps({"name": "Down", "group": f"service {number % groups}", "id": str(number)}).encode()
        for number in range(webhooks)
    ]
    async with AsyncExitStack() as stack:
        stores = [SqlStore.open(url, KEY.encode()) for _ in range(replicas)]
        for store in stores:
            stack.push_async_callback(store.close)
        # As many at once as a sender's connections; a sender repeats what was not stored.
        free = asyncio.Semaphore(40)

        async def send(intake: Intake, body: bytes) -> str:
            async with free:
                while True:
                    try:
                        return (await intake.receive("generic", body)).outcome
                    except StoreUnavailable:
                        await asyncio.sleep(0.1)

        outcomes = Counter(await asyncio.gather(*(send(taking(one), body) for body in bodies for one in stores)))
        assert set(outcomes) <= {"declared", "added", "repeated"} and outcomes.total() == webhooks * replicas

        rows = await stores[0].listing(TEAM, limit=1000)
        assert sorted(row.number for row in rows) == list(range(1, groups + 1))
        for row in rows:
            fired = [one.event for one in await stores[0].entries(row.id) if isinstance(one.event, e.AlertFired)]
            assert len(fired) == len({one.alert for one in fired}) == webhooks // groups
        assert await stores[0].verify() == []


async def test_the_key_is_kept_with_what_it_did(tmp_path: Path) -> None:
    """A delivery that did something is known by its key; one that did nothing leaves nothing."""
    url = f"sqlite:///{tmp_path}/x.sqlite"
    migrate(url)
    store = SqlStore.open(url, KEY.encode())
    try:
        intake = taking(store)
        assert (await intake.receive("generic", b'{"name": "Down", "severity": "info"}')).outcome == "noted"
        keys = []

        def job(tx: Transaction) -> int:
            return tx.forget_deliveries(SystemClock().now().replace(year=2100))

        keys.append(await store.write(job))
        for _ in range(3):
            await intake.receive("generic", b'{"name": "Down"}')
        keys.append(await store.write(job))
        # the key is gone by now: what the incident knows of the alert is enough
        assert (await intake.receive("generic", b'{"name": "Down"}')).outcome == "repeated"
        assert keys == [0, 1] and len(await store.listing(TEAM)) == 1
    finally:
        await store.close()
