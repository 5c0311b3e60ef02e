"""In which order incidents are attended and listed, how open ones are counted, and what is claimed ahead of time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import make_url
from sqlalchemy.dialects import postgresql, sqlite

from bot.domain import events as e
from bot.domain.incident import Incident
from bot.store import SqlStore, SqlTransaction, read_sql

from .acts import KEY, NOW, TEAM, after, append, declare
from .raw import Raw

WORST = ("sev1", "sev2", "sev3")


def begin(id: str, severity: str, due: datetime | None = NOW, *, private: bool = False) -> Any:
    def job(tx: SqlTransaction) -> Incident:
        declared = e.Declared(
            by="U1", at=NOW, number=tx.next_number(TEAM), title=id, severity=severity, private=private
        )  # fmt: skip
        return tx.append(Incident(team=TEAM, id=id), [declared], due)

    return job


@pytest.mark.parametrize(
    ("worst", "order"),
    [
        pytest.param((), ["three-early", "two-old", "one-old", "one-older-now", "two-now", "one-now"], id="as due"),
        # of one severity: what is fresh as it fell due, then what is long past, the latest first
        pytest.param(
            WORST, ["one-older-now", "one-now", "one-old", "two-now", "two-old", "three-early"], id="worst first"
        ),
        # a severity that the policy does not know any more comes last
        pytest.param(
            ("sev3", "sev2"),
            ["three-early", "two-now", "two-old", "one-older-now", "one-now", "one-old"], id="unknown last",
        ),
    ],
)  # fmt: skip
async def test_the_order_in_which_what_is_due_is_attended(
    store: SqlStore, worst: tuple[str, ...], order: list[str]
) -> None:
    dues = {
        "two-now": 9.5, "one-now": 9.9, "one-older-now": 9.2, "one-old": 4, "two-old": 3, "three-early": 1,
    }  # fmt: skip
    names = {"one": "sev1", "two": "sev2", "three": "sev3"}
    for id, minutes in dues.items():
        await store.write(begin(id, names[id.partition("-")[0]], after(minutes)))
    await store.write(begin("later", "sev1", after(11)))
    assert await store.due_ids(after(10), 9, worst) == order
    await store.leases.release_all()  # who declares holds it
    assert await store.leases.claim_due(after(10), 2, [order[1]], worst) == [order[0], order[2]]
    assert await store.leases.claim_due(after(10), 9, [], worst) == order


async def test_open_ones_are_counted_and_private_ones_are_nobodys(store: SqlStore) -> None:
    assert await store.count_open(TEAM) == 0
    for id in ("a", "b", "c"):
        await store.write(begin(id, "sev2"))
    await store.write(begin("secret", "sev1", private=True))
    await store.write(declare("elsewhere", team="T0OTHER"))
    assert await store.count_open(TEAM) == 3
    await store.write(append("b", e.FalseAlarm(by="U1", at=NOW, reason="a test")))
    assert (await store.count_open(TEAM), await store.count_open("T0OTHER")) == (2, 1)


async def test_a_list_of_the_worst_reads_no_more_than_it_was_asked_for(store: SqlStore) -> None:
    for number, severity in enumerate(["sev3", "sev1", "gone", "sev2", "sev1"], 1):
        await store.write(begin(f"{severity}-{number}", severity))
    worst = await store.listing(TEAM, severity_order=WORST)
    assert [row.id for row in worst] == ["sev1-5", "sev1-2", "sev2-4", "sev3-1", "gone-3"]
    assert await store.listing(TEAM, severity_order=WORST, limit=2) == worst[:2]
    assert [row.number for row in await store.listing(TEAM)] == [5, 4, 3, 2, 1]


def test_a_list_uses_an_index(raw: Raw) -> None:
    """The statement itself, as it is rendered for this database."""
    dialect = postgresql.dialect() if raw.shared else sqlite.dialect()
    for statement in (read_sql.listing_open(WORST).limit(9), read_sql.COUNT_OPEN):
        question = str(statement.params(team="T").compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
        if raw.shared:
            raw(f'ALTER DATABASE "{make_url(raw.url).database}" SET enable_seqscan = off')
            plan = [str(row[0]) for row in raw.rows(f"EXPLAIN {question}")]
            assert any("Index" in step for step in plan) and not any("Seq Scan" in step for step in plan), plan
        else:
            plan = [str(row[3]) for row in raw.rows(f"EXPLAIN QUERY PLAN {question}")]
            assert "USING INDEX ix_incidents_status" in plan[0] or "COVERING INDEX" in plan[0], plan


@pytest.mark.databases("postgres18")
async def test_what_is_due_soon_is_claimed_ahead(store: SqlStore, url: str) -> None:
    """Each by one of them, with its moment; what is due already, or only later, is not among it."""
    dues = {"past": -1.0, "soon": 1 / 60, "sooner": 0.5 / 60, "later": 5.0}
    for id, minutes in dues.items():
        await store.write(begin(id, "sev1", after(minutes)))
    await store.leases.release_all()
    assert await store.leases.claim_upcoming(NOW, 1) == {"sooner": after(0.5 / 60)}
    assert store.leases.holds("sooner") and not store.leases.holds("soon")
    other = SqlStore.open(url, KEY)
    try:
        assert await other.leases.claim_upcoming(NOW, 9) == {"soon": after(1 / 60)}
        assert not await other.leases.claim("sooner") and await store.leases.claim_upcoming(NOW, 9) == {}
    finally:
        await other.close()
