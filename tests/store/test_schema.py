"""The database has the shape that the code believes it has."""

from __future__ import annotations

import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from bot.store import Store, StoreRefused, engines, migrate
from bot.store.tables import metadata

from .acts import KEY


def test_migrations_make_what_tables_says(url: str) -> None:
    with engines.looking(engines.address(url)).begin() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_the_file_belongs_to_its_owner_alone(tmp_path: Path) -> None:
    migrate(f"sqlite:///{tmp_path}/deep/er/x.sqlite")
    assert stat.S_IMODE((tmp_path / "deep/er/x.sqlite").stat().st_mode) == 0o600


def test_every_table_has_its_team() -> None:
    assert [table.name for table in metadata.sorted_tables if "team_id" not in table.c] == []


def test_migrating_again_changes_nothing(url: str) -> None:
    migrate(url)
    Store.open(url, KEY)


def test_programs_that_migrate_at_once_take_turns(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/x.sqlite"
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(migrate, [url] * 4))
    Store.open(url, KEY)


@pytest.mark.parametrize(
    ("version", "sentence"),
    [
        pytest.param(None, "bot migrate", id="before the first"),
        pytest.param("9999", "newer version", id="of a release to come"),
    ],
)
def test_another_shape_is_refused(url: str, version: str | None, sentence: str) -> None:
    with sqlite3.connect(url.removeprefix("sqlite:///")) as raw:
        raw.execute("DELETE FROM alembic_version")
        if version:
            raw.execute("INSERT INTO alembic_version VALUES (?)", (version,))
    with pytest.raises(StoreRefused, match=sentence):
        Store.open(url, KEY)


def test_a_newer_database_is_not_migrated(url: str) -> None:
    with sqlite3.connect(url.removeprefix("sqlite:///")) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreRefused, match="newer version"):
        migrate(url)


def test_the_tables_can_be_made_on_postgresql() -> None:
    """Not opened in this release; nothing in the shape stands against it."""
    text = [str(CreateTable(table).compile(dialect=postgresql.dialect())) for table in metadata.sorted_tables]
    assert sum("TIMESTAMP WITH TIME ZONE" in one for one in text) == 4
