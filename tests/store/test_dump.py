"""A database as text, and back: whatever it holds comes out the same on either kind of database."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import tracemalloc
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from bot.domain import events as e
from bot.domain.effect import EffectState
from bot.domain.incident import Incident
from bot.ports import Installation
from bot.store import SqlStore, SqlTransaction, StoreRefused, backup, dump, engines, installations
from bot.store.tables import deliveries
from tests.postgres import Postgres

from . import timeline
from .acts import KEY, NOW, TEAM, after, append, declare, effect, note
from .raw import Raw

HOSTILE = '\'); DROP TABLE events; -- " \\ \n\r\t \u2028 \u202eevil 😬 «текст» <!channel> {"end":1}\x7f\U0010ffff'
KEYS = installations.TokenKeys("k2qfI4v1kQ0hYV9yqk5h5qkJ8Wq3cYb1o9b9r2v2w2s=")


async def everything(store: SqlStore) -> None:
    """Every type of event, hostile texts, a redacted body, a private incident, calls, deliveries, people, tokens."""
    story = timeline.story()

    def tell(tx: SqlTransaction) -> None:
        number = tx.next_number(TEAM)
        first = next(one for one in story if isinstance(one, e.Declared))
        assert number == 1
        story[0] = e.Declared(**{**first.__dict__, "number": number})
        tx.append(Incident(team=TEAM, id="golden"), story, None)

    await store.write(tell)
    await store.write(declare("two", HOSTILE))
    await store.write(append("two", note(HOSTILE), note("a secret"), note("more")))
    await store.write(lambda tx: tx.redact("two", [3]))
    await store.write(declare("B two", "Sorted by bytes", team="T1"))
    await store.write(declare("a two", "Äpfel", team="T1"))
    for number, state in enumerate(EffectState):
        one = effect(f"k{number}", "two", state=state, error=HOSTILE, next_try_at=after(number), attempts=number)
        await store.write(lambda tx, one=one: tx.save_effect(one))
    await store.write(lambda tx: tx.save_delivery(TEAM, HOSTILE, "two", HOSTILE, NOW + timedelta(microseconds=1)))
    await store.write(lambda tx: tx.save_person(TEAM, "U1", {"name": HOSTILE, "n": [1, None, True]}, NOW))
    kept = installations.SqlInstallations(store, KEYS)
    await kept.save(Installation(team=TEAM, token="xoxb-1", bot_user="U0BOT", scopes="a,b", installed_by="U1",
                                 installed_at=NOW))  # fmt: skip
    await kept.save_oauth_state("state", "cookie", "", NOW)


def exported(url: str) -> bytes:
    out = io.BytesIO()
    engines.run_in_transaction(engines.parse_url(url), lambda connection: dump.write(connection, out), write=False)
    return out.getvalue()


def taken_in(url: str, data: bytes, folder: Path, key: bytes = KEY) -> backup.RestoreResult:
    file = folder / "export.jsonl"
    file.write_bytes(data)
    return backup.import_dump(url, key, file, NOW)


@pytest.fixture
def sqlite(migrated: Path, tmp_path: Path) -> Any:
    """Makes empty SQLite databases."""
    numbers = count()
    return lambda: f"sqlite:///{shutil.copy(migrated, tmp_path / f'{next(numbers)}.sqlite')}"


async def test_a_team_moves_to_postgresql_and_back(sqlite: Any, postgres18: Postgres, tmp_path: Path) -> None:
    first, second, third = sqlite(), postgres18.create(), sqlite()
    store = SqlStore.open(first, KEY)
    await everything(store)
    before = {id: await store.incident(id) for id in ("golden", "two", "B two", "a two")}
    calls = await store.effects("two")
    assert before["golden"] is not None and before["golden"].private
    assert len(await store.entries("golden")) == len(timeline.story())  # every type of event is in it
    await store.close()
    data = exported(first)
    assert b"xoxb-1" not in data and b"a secret" not in data and b"cookie" not in data
    for url in (second, third):
        made = taken_in(url, data, tmp_path)
        assert made.contents.incidents == 4 and made.looked_at == 0
        assert exported(url) == data
        copy = SqlStore.open(url, KEY)
        assert await copy.verify() == []
        assert {id: await copy.incident(id) for id in before} == before
        assert await copy.effects("two") == calls
        assert (await copy.write(lambda tx: tx.next_number(TEAM))) == 3
        kept = await installations.SqlInstallations(copy, KEYS).one(TEAM)
        assert kept is not None and kept.token == "xoxb-1"
        await copy.close()
    raw = Raw(second)
    assert raw.rows("SELECT count(*) FROM incidents WHERE lease_by IS NOT NULL") == [(0,)]


async def test_leases_stay_behind(postgres18: Postgres, tmp_path: Path) -> None:
    url = postgres18.create()
    store = SqlStore.open(url, KEY)
    await store.write(declare("a"))
    before = exported(url)
    assert await store.leases.claim("a")
    assert exported(url) == before
    await store.close()


async def test_what_is_kept_already_is_left_alone(url: str, store: SqlStore, tmp_path: Path) -> None:
    await store.write(declare("one"))
    data = exported(url)
    await store.close()
    with pytest.raises(StoreRefused, match="is not empty"):
        taken_in(url, data, tmp_path)
    assert exported(url) == data


def changed(data: bytes, how: str) -> bytes:
    lines = data.splitlines(keepends=True)
    header = json.loads(lines[0])
    match how:
        case "cut":
            return data[: len(data) * 2 // 3]
        case "cut at a line":
            return b"".join(lines[:-1])
        case "a line is missing":
            return b"".join(lines[:3] + lines[4:])
        case "a byte changed":
            return data.replace(b"Withdrawals", b"withdrawals", 1)
        case "something follows":
            return data + b"{}\n"
        case "nothing":
            return b""
        case "of a later program":
            return b"".join([json.dumps({**header, "schema": "9999"}).encode() + b"\n", *lines[1:]])
        case "of a later format":
            return b"".join([json.dumps({**header, "version": 2}).encode() + b"\n", *lines[1:]])
    return how.encode()


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        pytest.param("cut", "cut off|not JSON", id="cut in a line"),
        pytest.param("cut at a line", "cut off", id="its end is gone"),
        pytest.param("a line is missing", "digest", id="a line is missing"),
        pytest.param("a byte changed", "digest", id="a byte changed"),
        pytest.param("something follows", "follows after the end", id="something follows"),
        pytest.param("nothing", "cut off", id="an empty file"),
        pytest.param("[1]\n", "not an object", id="another file"),
        pytest.param("[" * 100_000 + "\n", "not JSON", id="deep nesting"),
        pytest.param('{"table":"events"}\n', "not a header", id="no header"),
        pytest.param("of a later program", "newer version", id="of a later program"),
        pytest.param("of a later format", "newer version", id="of a later format"),
    ],
)
async def test_a_file_that_is_not_whole_changes_nothing(
    url: str, store: SqlStore, sqlite: Any, tmp_path: Path, how: str, sentence: str
) -> None:
    await store.close()
    other = sqlite()
    writing = SqlStore.open(other, KEY)
    await writing.write(declare("one"))
    await writing.close()
    empty = exported(url)
    with pytest.raises(StoreRefused, match=sentence):
        taken_in(url, changed(exported(other), how), tmp_path)
    assert exported(url) == empty


def whole(*rows: dict[str, Any], schema: str = "0002", **tables: int) -> bytes:
    """A file with these rows and a digest that fits."""
    lines = [{"format": "incident-commander", "version": 1, "schema": schema, "tables": tables}, *rows]
    data = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    end = {"end": len(rows), "sha256": hashlib.sha256(data).hexdigest()}
    return data + json.dumps(end).encode() + b"\n"


DELIVERY = {"table": "deliveries", "team_id": "T", "key": "k", "incident_id": "i", "answer": "", "at":
            "2026-11-20T14:32:00.000000Z"}  # fmt: skip


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        pytest.param(whole({"table": "sqlite_master", "x": 1}), "no table", id="another table"),
        pytest.param(whole({**DELIVERY, "evil": 1}), "no column 'evil'", id="another column"),
        pytest.param(whole({**DELIVERY, "at": "yesterday"}), "another kind", id="no moment"),
        pytest.param(whole({**DELIVERY, "at": 5}), "another kind", id="a number for a moment"),
        pytest.param(whole({**DELIVERY, "answer": ["x"]}), "another kind", id="a list for a text"),
        pytest.param(whole(DELIVERY, DELIVERY, deliveries=2), "not taken", id="the same row twice"),
        pytest.param(whole({"table": "deliveries", "key": "k"}), "lacks 'answer'", id="half a row"),
        pytest.param(whole(DELIVERY, deliveries=2), "other numbers of rows", id="fewer than it says"),
        pytest.param(whole(teams=1), "other numbers of rows", id="none where it says one"),
    ],
)
def test_a_made_up_file_is_refused(url: str, tmp_path: Path, data: bytes, sentence: str) -> None:
    empty = exported(url)
    with pytest.raises(StoreRefused, match=sentence):
        taken_in(url, data, tmp_path)
    assert exported(url) == empty


def test_a_file_of_an_earlier_shape_is_taken(url: str, tmp_path: Path) -> None:
    assert taken_in(url, whole(DELIVERY, schema="0001", deliveries=1), tmp_path).contents.rows["deliveries"] == 1


async def test_another_key_is_refused(url: str, store: SqlStore, sqlite: Any, tmp_path: Path) -> None:
    await store.close()
    other = sqlite()
    writing = SqlStore.open(other, KEY)
    await writing.write(declare("one"))
    await writing.close()
    with pytest.raises(StoreRefused, match="CHAIN_KEY"):
        taken_in(url, exported(other), tmp_path, KEY + b"!")
    assert engines.run_in_transaction(engines.parse_url(url), dump.empty, write=False)


def test_rows_stream(url: str, tmp_path: Path) -> None:
    """What 30 MB of rows take in memory is a small part of that, both ways."""
    rows = [{**DELIVERY, "key": f"{n:08}", "answer": "x" * 2000, "at": NOW} for n in range(15_000)]
    for row in rows:
        del row["table"]
    engines.run_in_transaction(engines.parse_url(url), lambda one: one.execute(insert(deliveries), rows), write=True)
    rows.clear()
    file = tmp_path / "x.jsonl"
    tracemalloc.start()
    try:
        with file.open("wb") as out:
            engines.run_in_transaction(engines.parse_url(url), lambda one: dump.write(one, out), write=False)
        engines.run_in_transaction(engines.parse_url(url), lambda one: one.execute(deliveries.delete()), write=True)
        backup.import_dump(url, KEY, file, NOW)
        assert tracemalloc.get_traced_memory()[1] < 12_000_000 < file.stat().st_size
    finally:
        tracemalloc.stop()
