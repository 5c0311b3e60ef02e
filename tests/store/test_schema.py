"""The database has the shape that the code believes it has."""

from __future__ import annotations

import ast
import asyncio
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from bot.store import SqlStore, StoreRefused, engines, migrate, schema
from bot.store.schema import MigrationTimeouts
from bot.store.tables import metadata
from tests.postgres import Postgres

from .acts import KEY, declare
from .raw import Raw

pytestmark = pytest.mark.databases("sqlite", "postgres18", "postgres16")


def test_migrations_make_what_tables_says(url: str) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return list(compare_metadata(context, metadata))

    assert engines.run_in_transaction(engines.parse_url(url), differences, write=False) == []


def test_the_file_belongs_to_its_owner_alone(tmp_path: Path) -> None:
    migrate(f"sqlite:///{tmp_path}/deep/er/x.sqlite")
    assert stat.S_IMODE((tmp_path / "deep/er/x.sqlite").stat().st_mode) == 0o600


def test_every_table_has_its_team() -> None:
    assert [table.name for table in metadata.sorted_tables if "team_id" not in table.c] == []


def test_migrating_again_changes_nothing(url: str) -> None:
    migrate(url)
    SqlStore.open(url, KEY)


@pytest.mark.parametrize("database", ["sqlite", "postgres18", "postgres16"])
def test_programs_that_migrate_at_once_take_turns(
    request: pytest.FixtureRequest, tmp_path: Path, database: str
) -> None:
    empty = f"sqlite:///{tmp_path}/x.sqlite"
    if database != "sqlite":
        empty = request.getfixturevalue(database).create("template1")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(migrate, [empty] * 4))
    SqlStore.open(empty, KEY)


@pytest.mark.parametrize(
    ("version", "sentence"),
    [
        pytest.param(None, "bot migrate", id="before the first"),
        pytest.param("9999", "newer version", id="of a release to come"),
    ],
)
def test_another_shape_is_refused(url: str, raw: Raw, version: str | None, sentence: str) -> None:
    raw("DELETE FROM alembic_version")
    if version:
        raw(f"INSERT INTO alembic_version VALUES ('{version}')")
    with pytest.raises(StoreRefused, match=sentence):
        SqlStore.open(url, KEY)


def test_a_newer_database_is_not_migrated(url: str, raw: Raw) -> None:
    raw("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreRefused, match="newer version"):
        migrate(url)


# -- upgrades -------------------------------------------------------------------------------------------

QUICK = MigrationTimeouts(turn=0.5, table=0.3, statement=5)
#: what a migration may do while the version before it still works: nothing that is there changes or goes
ADDS = {"create_table", "create_index", "add_column", "get_bind"}  # get_bind: to fill the new columns
MIGRATIONS = sorted((Path(schema.__file__).parent / "migrations" / "versions").glob("*_[0-9]*.py"))


@pytest.mark.parametrize("path", MIGRATIONS, ids=[one.stem for one in MIGRATIONS])
def test_a_migration_only_adds(path: Path) -> None:
    """The previous version goes on with the new shape: what it inserts needs no column that it does not know."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    upgrade = next(one for one in tree.body if isinstance(one, ast.FunctionDef) and one.name == "upgrade")
    calls = [one for one in ast.walk(upgrade) if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute)]
    for call in calls:
        assert isinstance(call.func, ast.Attribute)
        if ast.unparse(call.func.value) != "op":
            continue
        assert call.func.attr in ADDS, ast.unparse(call)
        if call.func.attr == "add_column":
            words = ast.unparse(call)
            assert "nullable=False" not in words or "server_default=" in words, words


def test_the_previous_version_finds_its_tables_as_they_were(tmp_path: Path) -> None:
    """A program of before has its tables and columns, of the same kinds, after the migration as before it."""

    def at(version: str) -> dict[str, dict[str, str]]:
        url = engines.parse_url(f"sqlite:///{tmp_path}/{version}.sqlite")
        Path(f"{tmp_path}/{version}.sqlite").touch()

        def job(connection: Connection) -> dict[str, dict[str, str]]:
            config = schema._config()
            config.attributes["connection"] = connection
            command.upgrade(config, version)
            names = [row[0] for row in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type='table'")]
            return {
                name: {row[1]: f"{row[2:]}" for row in connection.exec_driver_sql(f"PRAGMA table_info({name})")}
                for name in names
            }

        return engines.run_in_transaction(url, job, write=True)

    before, after = at("0001"), at("head")
    for table, columns in before.items():
        assert columns.items() <= after[table].items(), table


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Postgres:
    found: Postgres = request.getfixturevalue("postgres18")
    return found


def at_version(url: str, version: str) -> None:
    """A database as that migration left it."""

    def job(connection: Connection) -> None:
        config = schema._config()
        config.attributes["connection"] = connection
        command.upgrade(config, version)

    engines.run_in_transaction(engines.parse_url(url), job, write=True)


def at_first(url: str) -> None:
    """A database as the first release made it."""
    at_version(url, "0001")


async def test_a_table_that_is_held_is_waited_for_shortly(server: Postgres) -> None:
    """A long transaction stops the migration, not the bot behind it; nothing is half done, and later it works."""
    url = server.create("template1")
    await asyncio.to_thread(at_first, url)
    connection = await asyncpg.connect(url)
    async with connection.transaction():
        await connection.execute("LOCK TABLE alembic_version IN ACCESS SHARE MODE; LOCK TABLE alembic_version")
        with pytest.raises(StoreRefused, match="A table was in use for longer than"):
            await asyncio.wait_for(asyncio.to_thread(migrate, url, QUICK), 60)
    await connection.close()
    assert Raw(url).rows("SELECT version_num FROM alembic_version") == [("0001",)]
    await asyncio.to_thread(migrate, url)
    await SqlStore.open(url, KEY).close()


async def test_another_migration_is_waited_for(server: Postgres) -> None:
    """One waits and both succeed; and who waits in vain is told so."""
    url = server.create("template1")
    connection = await asyncpg.connect(url)
    async with connection.transaction():
        await connection.execute(f"SELECT pg_advisory_xact_lock({schema.ADVISORY_LOCK_ID})")
        with pytest.raises(StoreRefused, match="Another program has been migrating"):
            await asyncio.to_thread(migrate, url, QUICK)
        waiting = [asyncio.create_task(asyncio.to_thread(migrate, url)) for _ in range(2)]
        await asyncio.sleep(0.3)
        assert not any(one.done() for one in waiting)
    await asyncio.gather(*waiting)
    await connection.close()
    await SqlStore.open(url, KEY).close()


@pytest.mark.parametrize("database", ["sqlite", "postgres18"])
def test_a_crash_in_the_middle_leaves_it_as_it_was(
    request: pytest.FixtureRequest, tmp_path: Path, database: str
) -> None:
    url = f"sqlite:///{tmp_path}/x.sqlite"
    if database == "sqlite":
        Path(f"{tmp_path}/x.sqlite").touch()
    else:
        url = request.getfixturevalue(database).create("template1")
    at_first(url)

    def half(connection: Connection) -> None:
        schema.upgrade(connection)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        engines.run_in_transaction(engines.parse_url(url), half, write=True)
    raw = Raw(url)
    assert raw.rows("SELECT version_num FROM alembic_version") == [("0001",)]
    with pytest.raises(Exception, match="installations"):
        raw.rows("SELECT count(*) FROM installations")
    migrate(url)
    assert raw.rows("SELECT count(*) FROM installations") == [(0,)]


#: key of a row that a program of before wrote -> surface, lasting, final, numbered, rung
FIELDS = {
    "card": ("card", True, False, 0, None),
    "announce": ("announce", True, False, 0, None),
    "announce-update:12": ("", False, True, 12, None),
    "comms": ("", True, False, 0, None),
    "runbook:disk-2": ("runbook", True, False, 0, None),
    "section:disk-2:3": ("section", True, False, 0, None),
    "reminder:2:9a0b:U1": ("reminder", False, False, 0, 2),
    "reminder:0:9a0b:2": ("reminder", False, False, 0, 0),
    "hail:7": ("", False, False, 7, None),
    "ask:31:U2": ("", False, False, 31, None),
    "review:disk:1.2:44": ("", False, False, 44, None),
    "draft:123456789012": ("", False, False, 0, None),
    "update:5": ("", False, True, 5, None),
    "severity:6": ("", False, True, 6, None),
    "note:8": ("", False, True, 8, None),
    "hail": ("", False, False, 0, None),
}
OF_OTHERS = {"publish:77": "publish", "pin:card": "pin", "topic": "topic"}
READ_FIELDS = "SELECT key, surface, lasting, final, numbered, rung FROM effects"


def told(raw: Raw) -> dict[str, tuple[object, ...]]:
    return {
        key: (surface, bool(lasting), bool(final), *rest)
        for key, surface, lasting, final, *rest in raw.rows(READ_FIELDS)
    }


@pytest.mark.parametrize("database", ["sqlite", "postgres18"])
def test_what_keys_told_stands_in_columns(request: pytest.FixtureRequest, tmp_path: Path, database: str) -> None:
    """Also where the rows come in a file that a program of before wrote."""
    url = f"sqlite:///{tmp_path}/x.sqlite"
    if database == "sqlite":
        Path(f"{tmp_path}/x.sqlite").touch()
    else:
        url = request.getfixturevalue(database).create("template1")
    at_version(url, "0003")
    raw = Raw(url)
    at = "'2026-11-20T14:32:00.000000Z'"
    for key, kind in {**dict.fromkeys(FIELDS, "message"), **OF_OTHERS}.items():
        raw(
            "INSERT INTO effects (id, team_id, incident_id, key, kind, state, channel, ts, thread_ts, hash, attempts, "
            f"started_at, error) VALUES ('id of {key}', 'T1', 'one', '{key}', '{kind}', 'sent', 'C1', '1.1', '', 'h', "
            f"0, {at}, '')"
        )
    migrate(url)
    expected = FIELDS | dict.fromkeys(OF_OTHERS, ("", False, False, 0, None))
    assert told(raw) == expected
    raw("UPDATE effects SET surface = '', lasting = false, final = false, numbered = 0, rung = NULL")
    engines.run_in_transaction(engines.parse_url(url), lambda one: schema.backfill(one, "0004"), write=True)
    assert set(told(raw).values()) == {("", False, False, 0, None)}, "of this shape already"
    engines.run_in_transaction(engines.parse_url(url), lambda one: schema.backfill(one, "0003"), write=True)
    assert told(raw) == expected


async def test_what_was_written_before_an_upgrade_is_there_after_it(server: Postgres) -> None:
    url = server.create()
    store = SqlStore.open(url, KEY)
    await store.write(declare("one"))
    migrate(url)
    await store.write(declare("two"))
    assert await store.verify() == []
    await store.close()
