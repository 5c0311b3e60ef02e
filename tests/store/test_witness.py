"""What a chain alone cannot tell, whoever kept an older look at its end can: it was once longer."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.store import SqlStore, StoreRefused, engines, witness
from bot.store.witness import Witness

from .acts import KEY, after, append, declare, note
from .raw import Raw


async def seen(url: str) -> Witness:
    return await asyncio.to_thread(
        engines.run_in_transaction, engines.parse_url(url), witness.take_witness, write=False
    )


async def missing(url: str, before: Witness) -> list[str]:
    def look(connection: object) -> list[str]:
        return list(witness.missing_since(connection, before))  # type: ignore[arg-type]

    return await asyncio.to_thread(engines.run_in_transaction, engines.parse_url(url), look, write=False)


@pytest.fixture
async def written(store: SqlStore) -> SqlStore:
    """Three incidents of four events each, and copies of the tables beside them."""
    for id in ("one", "two", "three"):
        await store.write(declare(id))
        await store.write(append(id, *(note(f"line {n}", after(n)) for n in range(3))))
    return store


#: to do as somebody with the database and without the key, who kept copies of its tables of before
KEEP = "CREATE TABLE old_i AS SELECT * FROM incidents; CREATE TABLE old_e AS SELECT * FROM events"


@pytest.mark.parametrize(
    ("script", "found"),
    [
        # each leaves a database whose chains, index rows and numbers all fit
        pytest.param("DELETE FROM events WHERE incident_id='one'; DELETE FROM incidents WHERE id='one'; INSERT INTO "
                     "incidents SELECT * FROM old_i WHERE id='one'; INSERT INTO events SELECT * FROM old_e WHERE "
                     "incident_id='one'", "INC-1 (one): 5 events were there at the last look, 4 are left.",
                     id="one incident put back"),
        pytest.param("DELETE FROM events WHERE incident_id='three'; DELETE FROM incidents WHERE id='three'; "
                     "UPDATE teams SET next_number=3", "INC-3 (three): it was there at the last look, and is gone.",
                     id="the latest incident and its number"),
        pytest.param("DELETE FROM events; DELETE FROM incidents; DELETE FROM teams",
                     "INC-2 (two): it was there at the last look, and is gone.", id="everything"),
        pytest.param("DELETE FROM events; DELETE FROM incidents; INSERT INTO incidents SELECT * FROM old_i; "
                     "INSERT INTO events SELECT * FROM old_e", "INC-1 (one): 5 events were there",
                     id="the whole database put back"),
    ],
)  # fmt: skip
async def test_what_fits_in_itself_and_is_older(url: str, written: SqlStore, raw: Raw, script: str, found: str) -> None:
    raw(KEEP)
    await written.write(append("one", note("what somebody would rather not have said", after(9))))
    before = await seen(url)
    raw(script)
    assert await written.verify() == []
    assert any(found in problem for problem in await missing(url, before))


async def test_put_back_and_grown_again(url: str, written: SqlStore, raw: Raw) -> None:
    """Another past of the same length, made by the program itself: the event of before is not there."""
    raw(KEEP)
    await written.write(append("one", note("what was said", after(9))))
    before = await seen(url)
    raw(
        "DELETE FROM events WHERE incident_id='one'; DELETE FROM incidents WHERE id='one'; INSERT INTO incidents "
        "SELECT * FROM old_i WHERE id='one'; INSERT INTO events SELECT * FROM old_e WHERE incident_id='one'"
    )
    again = SqlStore.open(url, KEY)
    await again.write(append("one", note("what was not", after(9)), note("and more", after(10))))
    assert await again.verify() == []
    await again.close()
    assert await missing(url, before) == ["INC-1 (one): event 5 is not the one that was there at the last look."]


async def test_what_goes_on_and_what_is_redacted_is_no_problem(url: str, written: SqlStore) -> None:
    before = await seen(url)
    await written.write(append("one", note("more", after(9))))
    await written.write(declare("four"))
    await written.write(lambda tx: tx.redact("two", [4]))
    assert await missing(url, before) == []


@pytest.mark.databases("sqlite")
async def test_the_file(url: str, written: SqlStore, tmp_path: Path) -> None:
    path, now = tmp_path / "witness.json", await seen(url)
    assert witness.read(path, KEY) is None
    witness.write(path, KEY, now)
    assert witness.read(path, KEY) == now
    assert path.stat().st_mode & 0o777 == 0o600
    whole = path.read_text()
    assert "line" not in whole  # nothing that anybody wrote
    for text in (whole.replace(", 4,", ", 3,"), whole[:-3], "", "[]", "{}", '{"seen": "{}", "seal": "é"}'):
        path.write_text(text)
        with pytest.raises(StoreRefused, match="verify --witness"):
            witness.read(path, KEY)
    path.write_text(whole)
    with pytest.raises(StoreRefused):
        witness.read(path, KEY + b"!")
    with pytest.raises(StoreRefused, match="cannot be written"):
        witness.write(tmp_path / "no" / "witness.json", KEY, now)
    assert [one.name for one in tmp_path.iterdir() if one.name.endswith(".part")] == []
