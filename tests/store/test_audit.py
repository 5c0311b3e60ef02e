"""Whoever changes a timeline past the program is found out, and redaction is not mistaken for that."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import pytest

from bot.domain import events as e
from bot.store import Damaged, SqlStore

from .acts import KEY, NOW, TEAM, after, append, declare, note
from .raw import Raw


@pytest.fixture
async def written(store: SqlStore) -> SqlStore:
    """Two incidents, the first with six events."""
    await store.write(declare("one"))
    await store.write(declare("two"))
    await store.write(append("one", *(note(f"line {n}", after(n)) for n in range(5))))
    assert await store.verify() == []
    return store


COLUMNS = ("incident_id", "seq", "team_id", "type", "v", "at", "by_", "body", "salt", "digest", "mac", "redacted")


@pytest.mark.parametrize("seq", [1, 3, 6], ids=["first", "middle", "last"])
@pytest.mark.parametrize("column", COLUMNS)
async def test_any_changed_column_is_found(raw: Raw, written: SqlStore, column: str, seq: int) -> None:
    ((was,),) = raw.rows(f"SELECT {column} FROM events WHERE incident_id = 'one' AND seq = ?", seq)
    if was is None:
        spellings: list[object] = ["0" * 64]
    elif isinstance(was, int):
        spellings = [was + 100]
    elif raw.shared:  # a connection for each look, so one change has to do
        spellings = ["x" + was[1:]]
    else:  # a byte in each place, one more, one less, nothing, and the same bytes as a blob
        spellings = [was[:n] + chr(ord(was[n]) ^ 1) + was[n + 1 :] for n in range(len(was))]
        spellings += [was + " ", was[:-1], "", was.encode()]
        if column in ("body", "salt"):
            spellings.append(None)
    for value in spellings:
        change(raw, column, value, "one", seq)
        assert await written.verify(), value
        change(raw, column, was, value if column == "incident_id" else "one", value if column == "seq" else seq)
    assert await written.verify() == []


def literal(value: object) -> object:
    if value is None:
        return "NULL"
    return value if isinstance(value, int) else "'{}'".format(str(value).replace("'", "''"))


def change(raw: Raw, column: str, value: object, id: object, seq: object) -> None:
    if raw.shared:  # a foreign key stands in the way of a value that is not in the script
        raw(f"UPDATE events SET {column} = {literal(value)} WHERE incident_id = {literal(id)} AND seq = {seq}")
    else:
        raw.rows(f"UPDATE events SET {column} = ? WHERE incident_id IS ? AND seq = ?", value, id, seq)


@pytest.mark.parametrize(
    ("script", "found"),
    [
        pytest.param("DELETE FROM events WHERE incident_id='one' AND seq=3", "event 3 is missing", id="one is gone"),
        pytest.param("DELETE FROM events WHERE incident_id='one' AND seq IN (2,3,4)", "events 2 to 4 are missing",
                     id="some are gone"),
        pytest.param("DELETE FROM events WHERE incident_id='one' AND seq=1", "event 1 is missing", id="first gone"),
        pytest.param("DELETE FROM events WHERE incident_id='one' AND seq>4", "its end was cut off", id="cut tail"),
        # the mac that stood at seq 4 is known to everybody, and does not pass for the head
        pytest.param("DELETE FROM events WHERE incident_id='one' AND seq>4; UPDATE incidents SET seq=4 WHERE id='one'",
                     "not the one that was written last", id="cut tail, index row adjusted"),
        pytest.param("DELETE FROM events WHERE incident_id='one' AND seq>4; UPDATE incidents SET seq=4, head=(SELECT "
                     "mac FROM events WHERE incident_id='one' AND seq=4) WHERE id='one'",
                     "not the one that was written last", id="cut tail, head guessed"),
        pytest.param("UPDATE events SET seq=99 WHERE incident_id='one' AND seq=2; UPDATE events SET seq=2 WHERE "
                     "incident_id='one' AND seq=3; UPDATE events SET seq=3 WHERE seq=99", "changed or moved",
                     id="two have changed places"),
        pytest.param("DELETE FROM events WHERE incident_id='one' AND seq=2; UPDATE events SET seq=seq-1 WHERE "
                     "incident_id='one' AND seq>2; UPDATE incidents SET seq=5 WHERE id='one'", "changed or moved",
                     id="one is gone and the rest moved up"),
        pytest.param("INSERT INTO events SELECT incident_id, 7, team_id, type, v, at, by_, body, salt, digest, mac, "
                     "redacted FROM events WHERE incident_id='one' AND seq=6", "added by somebody else", id="added"),
        pytest.param("INSERT INTO events SELECT 'two', 2, team_id, type, v, at, by_, body, salt, digest, mac, redacted "
                     "FROM events WHERE incident_id='one' AND seq=2; UPDATE incidents SET seq=2 WHERE id='two'",
                     "changed or moved", id="one copied from another incident"),
        pytest.param("UPDATE events SET body=NULL, salt=NULL WHERE incident_id='one' AND seq=2",
                     "lost its body, and was not redacted", id="a body taken out"),
        pytest.param("UPDATE events SET body=NULL, salt=NULL, redacted=mac WHERE incident_id='one' AND seq=2",
                     "mark of redaction that this program did not make", id="a body taken out, mark guessed"),
        pytest.param("UPDATE events SET (body, salt, digest) = (SELECT body, salt, digest FROM events WHERE "
                     "incident_id='one' AND seq=3) WHERE incident_id='one' AND seq=2", "changed or moved",
                     id="another event's body"),
        pytest.param("DELETE FROM incidents WHERE id='one'", "its index row is gone", id="index row gone"),
        pytest.param("DELETE FROM incidents WHERE id='one'; DELETE FROM events WHERE incident_id='one'",
                     "INC-1 of team T0TEAM is missing", id="a whole incident gone"),
        pytest.param("UPDATE teams SET next_number=2", "its counter never gave out", id="counter turned back"),
        pytest.param("UPDATE teams SET next_number=4", "INC-3 of team T0TEAM is missing", id="counter turned on"),
    ],
)  # fmt: skip
async def test_tampering_is_named(written: SqlStore, raw: Raw, script: str, found: str) -> None:
    raw(script)
    problems = await written.verify()
    assert any(found in problem for problem in problems), problems
    assert await written.verify(TEAM) != []


@pytest.mark.parametrize(
    "change",
    ["team_id='T9'", "number=7", "channel='C9'", "status='closed'", "status=''", "severity='sev4'", "title='Fine'",
     "title=CAST(title AS BLOB)", "private=true", "private=2", "declared_at='2026-11-20T14:32:00.000001Z'",
     "declared_at='long ago'", "seq=5", "head=substr(head,2)", "redactions=1", "seq='x'", "number='x'"],
)  # fmt: skip
async def test_the_index_row_has_to_say_what_the_timeline_says(written: SqlStore, raw: Raw, change: str) -> None:
    try:
        raw(f"UPDATE incidents SET {change} WHERE id='one'")
    except (asyncpg.DataError, asyncpg.SyntaxOrAccessError):
        return  # nothing of the kind can be in a column of PostgreSQL
    assert await written.verify() != []


@pytest.mark.databases("sqlite")  # PostgreSQL takes no words there
@pytest.mark.parametrize(
    ("change", "found"),
    [
        pytest.param("UPDATE events SET seq='x' WHERE incident_id='one' AND seq=2", "is no number", id="a place"),
        pytest.param("UPDATE incidents SET seq='x' WHERE id='one'", "words where a number belongs", id="a length"),
        pytest.param("UPDATE incidents SET number='x' WHERE id='one'", "words where a number belongs", id="a number"),
        pytest.param("UPDATE teams SET next_number='x'", "The numbers of team T0TEAM are none", id="a counter"),
    ],
)
async def test_words_where_numbers_belong_are_named(written: SqlStore, raw: Raw, change: str, found: str) -> None:
    raw(change)
    assert any(found in problem for problem in await written.verify())


@pytest.mark.databases("sqlite")  # by SQLite's own copies; what is looked for is the same
async def test_an_event_of_another_past_is_found(written: SqlStore, raw: Raw, tmp_path: Path) -> None:
    """A genuine event at its own place, from a copy of the database that went another way: the links tell."""
    copy = tmp_path / "copy.sqlite"
    raw(f"VACUUM INTO '{copy}'")
    other = SqlStore.open(f"sqlite:///{copy}", KEY)
    await other.write(append("one", note("what was not said")))
    await other.close()
    await written.write(append("one", note("what was said"), note("more")))
    raw(
        f"ATTACH '{copy}' AS copy; UPDATE events SET (at, by_, body, salt, digest, mac) = (SELECT at, by_, body, salt, "
        "digest, mac FROM copy.events WHERE incident_id='one' AND seq=7) WHERE incident_id='one' AND seq=7"
    )
    assert any("event 8 was changed or moved" in problem for problem in await written.verify())


async def test_another_key_verifies_nothing(url: str, written: SqlStore) -> None:
    other = SqlStore.open(url, KEY + b"!")
    assert len(await other.verify()) >= 2
    await other.close()


async def test_a_redacted_event_verifies_and_is_empty(url: str, written: SqlStore, raw: Raw) -> None:
    before = await written.incident("one")
    assert before is not None and len(before.notes) == 5
    await written.write(lambda tx: tx.redact("one", [3]))
    assert await written.verify() == []
    entries = await written.entries("one")
    assert entries[2] == e.Entry(3, None) and entries[3].event is not None
    after_ = await written.incident("one")
    assert after_ is not None and [one.seq for one in after_.notes] == [2, 4, 5, 6]
    rows = raw.rows("SELECT body, salt, type, by_ FROM events WHERE incident_id='one' AND seq=3")
    assert rows == [(None, None, "Noted", "U1")]
    # life goes on, in this program and after a restart
    await written.write(append("one", note("more")))
    again = SqlStore.open(url, KEY)
    assert await again.incident("one") == await written.incident("one")
    assert await again.verify() == []
    await again.close()


@pytest.mark.databases("sqlite")
async def test_redacted_words_are_nowhere_in_the_file(url: str) -> None:
    store = SqlStore.open(url, KEY)
    await store.write(declare("one"))
    await store.write(append("one", note("the seed is SECRETWORDS"), note("other")))
    await store.write(lambda tx: tx.redact("one", [2]))
    await store.close()
    path = Path(url.removeprefix("sqlite:///"))
    assert [one.name for one in path.parent.iterdir()] == ["incidents.sqlite"]  # no log is left beside it
    assert b"SECRETWORDS" not in path.read_bytes()


async def test_a_redacted_declaration_leaves_the_number(written: SqlStore) -> None:
    await written.write(lambda tx: tx.redact("one", [1]))
    incident = await written.incident("one")
    assert incident is not None and (incident.name, incident.title, incident.declared_at) == ("INC-1", "", NOW)
    assert (await written.listing(TEAM))[-1].title == ""
    await written.write(append("one", e.TitleChanged(by="U1", at=NOW, title="Withdrawals")))
    assert (await written.listing(TEAM))[-1].title == "Withdrawals"
    assert await written.verify() == []


@pytest.mark.parametrize(
    ("script", "found"),
    [
        pytest.param("UPDATE events SET body='{}', salt='' WHERE seq=3", "put a body back", id="body put back"),
        pytest.param("UPDATE events SET redacted=NULL WHERE seq=3", "was not redacted", id="mark removed"),
        pytest.param("UPDATE events SET redacted=(SELECT redacted FROM events WHERE seq=3), body=NULL, salt=NULL "
                     "WHERE seq=4", "did not make", id="mark used elsewhere"),
        pytest.param("UPDATE events SET digest=mac WHERE seq=3", "changed or moved", id="digest changed"),
    ],
)  # fmt: skip
async def test_redaction_covers_nothing_else(written: SqlStore, raw: Raw, script: str, found: str) -> None:
    await written.write(lambda tx: tx.redact("one", [3]))
    raw(script)
    assert any(found in problem for problem in await written.verify())


async def test_a_timeline_with_a_hole_is_not_written_on(url: str, written: SqlStore, raw: Raw) -> None:
    raw("DELETE FROM events WHERE incident_id='one' AND seq>4")
    fresh = SqlStore.open(url, KEY)
    with pytest.raises(Damaged, match="missing"):
        await fresh.incident("one")
    with pytest.raises(Damaged, match="missing"):
        await fresh.write(append("one", note("more")))
    assert await fresh.incident("two") is not None
    assert set(await fresh.incidents({"one": 1, "two": 1, "none": 1})) == {"two"}
    await fresh.close()
