from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bot.store import SqlStore, migrate
from tests.postgres import Postgres

from .acts import KEY
from .raw import Raw


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database, made once."""
    path = tmp_path_factory.mktemp("store") / "incidents.sqlite"
    migrate(f"sqlite:///{path}")
    return path


#: What a test that asks for a database is run on; `@pytest.mark.databases(…)` on it or its file says otherwise.
DATABASES = ("sqlite", "postgres18")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "url" in metafunc.fixturenames:
        marked = metafunc.definition.get_closest_marker("databases")
        metafunc.parametrize("url", marked.args if marked else DATABASES, indirect=True)


@pytest.fixture
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A migrated and empty database of its own."""
    if request.param == "sqlite":
        folder, migrated = (request.getfixturevalue(name) for name in ("tmp_path", "migrated"))
        yield f"sqlite:///{shutil.copy(migrated, folder / 'incidents.sqlite')}"
    else:
        server: Postgres = request.getfixturevalue(request.param)
        yield (made := server.create())
        server.drop(made)


@pytest.fixture
def raw(url: str) -> Raw:
    """Somebody with the database and a tool, and without the key."""
    return Raw(url)


@pytest.fixture
async def store(url: str) -> AsyncIterator[SqlStore]:
    store = SqlStore.open(url, KEY)
    yield store
    await store.close()
