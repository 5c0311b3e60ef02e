"""Backups under a writing bot, and what puts one back: checked, whole or not at all, and nothing deleted."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Connection

from bot.domain.effect import RESTORED, EffectKind, EffectState
from bot.store import SqlStore, StoreRefused, backup, engines, schema, verify
from bot.store.process_lock import ProcessLock
from tests.postgres import Postgres

from .acts import KEY, NOW, after, append, declare, effect, note
from .raw import Raw
from .test_dump import everything, exported


async def test_a_backup_under_a_writing_bot(url: str, store: SqlStore, tmp_path: Path) -> None:
    """It holds one moment: every timeline in it verifies, and what was written before it began is there."""
    await store.start_serving()
    await store.write(declare("one"))
    going = True

    async def write() -> int:
        count = 0
        while going:
            await store.write(append("one", note(f"{count}")))
            count += 1
        return count

    writing = asyncio.create_task(write())
    await asyncio.sleep(0.05)
    incident = await store.incident("one")
    assert incident is not None
    made = await asyncio.to_thread(backup.back_up, url, KEY, tmp_path / "b", NOW)
    going = False
    written = 1 + await writing
    assert made.problems == () and made.contents.incidents == 1
    assert incident.seq <= made.contents.rows["events"] <= written
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    assert not list(tmp_path.glob(".*"))


async def test_back_and_forth(url: str, store: SqlStore, tmp_path: Path) -> None:
    """What was put back is what was there; what stood there in between is aside, whole."""
    await everything(store)
    made = backup.back_up(url, KEY, tmp_path / "b", NOW)
    before = {id: await store.entries(id) for id in ("golden", "two")}
    await store.write(append("two", note("afterwards")))
    later = exported(url)
    await store.close()
    with pytest.raises(StoreRefused, match="--replace"):
        backup.restore(url, KEY, made.path, NOW)
    assert exported(url) == later
    put = backup.restore(url, KEY, made.path, NOW, replace=True)
    assert put.contents == made.contents and put.contents.incidents == 4
    again = SqlStore.open(url, KEY)
    assert await again.verify() == []
    assert {id: await again.entries(id) for id in before} == before
    await again.close()
    if url.startswith("sqlite"):
        assert exported(f"sqlite:///{put.aside}") == later
        assert stat.S_IMODE(Path(url.removeprefix("sqlite:///")).stat().st_mode) == 0o600
    else:
        assert put.aside == "schema before_20261120t143200z"
        assert Raw(url).rows("SELECT count(*) FROM before_20261120t143200z.events WHERE incident_id = 'two'") == [(5,)]


async def test_what_is_owed_is_looked_for_first(url: str, store: SqlStore, tmp_path: Path) -> None:
    await store.write(declare("one"))
    calls = [
        (EffectState.SENDING, "message", ""), (EffectState.WAITING, "message", ""),
        (EffectState.PARKED, "publish", ""), (EffectState.SENT, "message", "1.2"), (EffectState.SENT, "pin", "1.2"),
        (EffectState.WAITING, "channel", ""), (EffectState.WAITING, "file", "F1"),
    ]  # fmt: skip
    for number, (state, kind, ts) in enumerate(calls):
        one = effect(f"k{number}", "one", state=state, kind=EffectKind(kind), ts=ts, hash="h")
        await store.write(lambda tx, one=one: tx.save_effect(one))
    final = effect("update:3", "one", state=EffectState.SENT, ts="1.3", hash="h", final=True)
    await store.write(lambda tx: tx.save_effect(final))
    await store.write(declare("two", due=None))
    made = backup.back_up(url, KEY, tmp_path / "b", NOW)
    await store.close()
    for taken in ("first", "second"):  # what was restored may be backed up and restored as well
        assert backup.restore(url, KEY, made.path, NOW + timedelta(seconds=len(taken)), replace=True).looked_at == 2
        again = SqlStore.open(url, KEY)
        found = {one.key: one for one in await again.effects("one")}
        assert await again.due_ids(NOW, 9) == ["one", "two"]
        await again.close()
        assert found.keys() == {"k0", "k3", "k4", "k5", "k6", "update:3", RESTORED}
        assert {found[key].state for key in ("k0", "k5", "k6")} == {EffectState.MISSING}
        assert {key: found[key].hash for key in ("k3", "k4", "update:3")} == {"k3": "", "k4": "h", "update:3": "h"}
        assert found[RESTORED].hash == "1" and found[RESTORED].started_at == NOW
        made = backup.back_up(url, KEY, tmp_path / taken, NOW)


@pytest.mark.databases("sqlite")
async def test_not_under_a_running_bot(url: str, store: SqlStore, tmp_path: Path) -> None:
    made = backup.back_up(url, KEY, tmp_path / "b", NOW)
    await store.start_serving()
    with pytest.raises(StoreRefused, match="Another bot works on"):
        await asyncio.to_thread(backup.restore, url, KEY, made.path, NOW, replace=True)
    await store.close()
    backup.restore(url, KEY, made.path, NOW)


@pytest.mark.databases("postgres18")
async def test_not_under_running_replicas(url: str, store: SqlStore, tmp_path: Path) -> None:
    await store.start_serving()
    await store.write(declare("one"))
    made = backup.back_up(url, KEY, tmp_path / "b", NOW)
    with pytest.raises(StoreRefused, match="Stop every bot"):
        await asyncio.to_thread(backup.restore, url, KEY, made.path, NOW, replace=True)


@pytest.mark.databases("sqlite")
async def test_an_older_backup_is_brought_up(url: str, migrated: Path, tmp_path: Path) -> None:
    old = f"sqlite:///{tmp_path}/old.sqlite"

    def first(connection: Connection) -> None:
        config = schema._config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")

    Path(tmp_path / "old.sqlite").touch()
    engines.run_in_transaction(engines.parse_url(old), first, write=True)
    put = backup.restore(url, KEY, tmp_path / "old.sqlite", NOW)
    assert put.contents.incidents == 0
    await SqlStore.open(url, KEY).close()


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        pytest.param("UPDATE events SET body = '{}'", "CHAIN_KEY", id="a changed timeline"),
        pytest.param("DELETE FROM events WHERE seq = 2", "end was cut off", id="a cut tail"),
        pytest.param("UPDATE alembic_version SET version_num = '9999'", "newer version", id="of a later program"),
        pytest.param("", "damaged|malformed|cannot be copied", id="broken pages"),
    ],
)
async def test_a_bad_backup_changes_nothing(
    url: str, store: SqlStore, tmp_path: Path, spoil: str, sentence: str
) -> None:
    await store.write(declare("one"))
    await store.write(append("one", note("more")))
    made = backup.back_up(url, KEY, tmp_path / "b", NOW)
    await store.close()
    before = exported(url)
    if spoil:
        Raw(f"sqlite:///{made.path}")(spoil)
    else:
        data = bytearray(made.path.read_bytes())
        data[4096 : 4096 * 6] = b"\xff" * (4096 * 5)
        made.path.write_bytes(data)
    with pytest.raises(StoreRefused, match=sentence):
        backup.restore(url, KEY, made.path, NOW, replace=True)
    assert exported(url) == before
    assert not list(tmp_path.glob(".*"))


async def test_a_database_of_another_program_is_no_backup(tmp_path: Path) -> None:
    foreign, target = tmp_path / "foreign.sqlite", tmp_path / "new.sqlite"
    with contextlib.closing(sqlite3.connect(foreign)) as connection:
        connection.execute("CREATE TABLE notes (text)")
    with pytest.raises(StoreRefused, match="no backup of this bot"):
        backup.restore(f"sqlite:///{target}", KEY, foreign, NOW)
    assert not target.exists()


@pytest.mark.databases("sqlite")
async def test_in_place_of_a_broken_database(url: str, store: SqlStore, tmp_path: Path) -> None:
    """It cannot be read, so it counts as full; and it is kept."""
    await store.write(declare("one"))
    made = backup.back_up(url, KEY, tmp_path / "b", NOW)
    await store.close()
    file = Path(url.removeprefix("sqlite:///"))
    file.write_bytes(b"not a database at all" * 999)
    with pytest.raises(StoreRefused, match="--replace"):
        backup.restore(url, KEY, made.path, NOW)
    put = backup.restore(url, KEY, made.path, NOW, replace=True)
    assert Path(put.aside).read_bytes().startswith(b"not a database")
    assert put.contents.incidents == 1


async def test_a_damaged_timeline_is_backed_up_and_named(url: str, store: SqlStore, raw: Raw, tmp_path: Path) -> None:
    """It is all there is; the good ones before it stay."""
    await store.write(declare("one"))
    (tmp_path / "b").mkdir()
    good = backup.back_up(url, KEY, tmp_path / "b", NOW, keep=1)
    raw("UPDATE events SET by_ = 'U2'")
    bad = backup.back_up(url, KEY, tmp_path / "b", after(1), keep=1)
    assert bad.problems and bad.deleted == () and good.path.exists() and bad.path.exists()


async def test_the_newest_are_kept(url: str, store: SqlStore, tmp_path: Path) -> None:
    folder = tmp_path / "b"
    folder.mkdir()
    (folder / "somebody else's").touch()
    made = [backup.back_up(url, KEY, folder, after(minutes), keep=3) for minutes in range(5)]
    assert backup.backups(folder) == [one.path for one in made[:1:-1]]
    assert [len(one.deleted) for one in made] == [0, 0, 0, 1, 1]
    assert (folder / "somebody else's").exists()


@pytest.mark.parametrize(
    ("target", "keep", "sentence"),
    [
        pytest.param("there", 0, "is there already", id="a file that is there"),
        pytest.param("no/folder/b", 0, "cannot be written", id="no such folder"),
        pytest.param("b", 2, "--keep is for backups into a folder", id="keep without a folder"),
    ],
)
async def test_a_backup_that_cannot_be_made(
    url: str, store: SqlStore, tmp_path: Path, target: str, keep: int, sentence: str
) -> None:
    (tmp_path / "there").write_bytes(b"mine")
    with pytest.raises(StoreRefused, match=sentence):
        backup.back_up(url, KEY, tmp_path / target, NOW, keep)
    assert (tmp_path / "there").read_bytes() == b"mine"


@pytest.mark.databases("sqlite")
async def test_the_kinds_are_not_mixed_up(url: str, store: SqlStore, postgres18: Postgres, tmp_path: Path) -> None:
    await store.write(declare("one"))
    file, shared = backup.back_up(url, KEY, tmp_path / "b", NOW), postgres18.create()
    await store.close()
    with pytest.raises(StoreRefused, match="export --all"):
        backup.restore(shared, KEY, file.path, NOW)
    with pytest.raises(StoreRefused, match="bot restore"):
        backup.import_dump(shared, KEY, file.path, NOW)
    with pytest.raises(StoreRefused, match="cannot be read"):
        backup.restore(shared, KEY, tmp_path / "nothing", NOW)


@pytest.mark.databases("sqlite")
async def test_where_no_database_is_yet(url: str, store: SqlStore, tmp_path: Path) -> None:
    await store.write(declare("one"))
    made = backup.back_up(url, KEY, tmp_path / "b", NOW)
    await store.close()
    put = backup.restore(f"sqlite:///{tmp_path}/new/folder/x.sqlite", KEY, made.path, NOW)
    assert put.aside == "" and put.contents.incidents == 1
    with contextlib.closing(sqlite3.connect(tmp_path / "new/folder/x.sqlite")) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    only = ProcessLock(tmp_path / "new/folder/x.sqlite")
    only.acquire_nowait()  # given back
    only.release()


# -- what `bot verify` says ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "damage"),
    [
        pytest.param("", "", id="as written"),
        pytest.param("UPDATE events SET body = '{}' WHERE seq = 2", "another body", id="a changed byte"),
        pytest.param("DELETE FROM events WHERE seq = 2", "end was cut off", id="a cut tail"),
        pytest.param("UPDATE incidents SET title = 'Fine'", "index row's title", id="an index row"),
        pytest.param("UPDATE effects SET incident_id = 'gone'", "effects belong to nothing", id="calls of nothing"),
        pytest.param("UPDATE effects SET state = 'fine'", "state that does not exist", id="a call in no state"),
        pytest.param("UPDATE effects SET team_id = 'T9'", "another workspace", id="another workspace's call"),
    ],
)
async def test_damage_is_told_from_what_is_owed(url: str, store: SqlStore, raw: Raw, script: str, damage: str) -> None:
    await store.write(declare("one"))
    await store.write(append("one", note("more")))
    states = [EffectState.PARKED, EffectState.MISSING, EffectState.WAITING, EffectState.SENDING]
    for number, state in enumerate([*states, EffectState.SENT, EffectState.REFUSED]):
        one = effect(f"k{number}", "one", state=state, started_at=after(number))
        await store.write(lambda tx, one=one: tx.save_effect(one))
    if script:
        raw(script.replace("incident_id = 'gone'", "incident_id = 'gone' WHERE key = 'k0'"))
    found = await asyncio.to_thread(
        engines.run_in_transaction, engines.parse_url(url), lambda one: verify.verify_all(one, KEY), write=False
    )
    assert any(damage in one for one in found.damage) == bool(damage), found.damage
    if not script:
        assert [(one.incident, one.key, one.what) for one in found.unfinished] == [
            ("INC-1", "k0", "parked"), ("INC-1", "k1", "outcome unknown"), ("INC-1", "k2", "unsent"),
            ("INC-1", "k3", "under way, or cut off"),
        ]  # fmt: skip


@pytest.mark.databases("sqlite")
async def test_broken_pages_are_damage(url: str, store: SqlStore) -> None:
    for number in range(50):
        await store.write(declare(f"i{number}"))
    await store.close()
    file = Path(url.removeprefix("sqlite:///"))
    data = bytearray(file.read_bytes())
    with contextlib.closing(sqlite3.connect(file)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'ix_incidents_due'").fetchone()
    data[(page - 1) * 4096 + 8 : page * 4096] = bytes(4096 - 8)
    file.write_bytes(data)
    found = engines.run_in_transaction(engines.parse_url(url), lambda one: verify.verify_all(one, KEY), write=False)
    assert any("file is damaged" in one for one in found.damage)
