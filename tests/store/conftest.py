from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.store import Store, migrate

from .acts import KEY


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database, made once."""
    path = tmp_path_factory.mktemp("store") / "incidents.sqlite"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def url(tmp_path: Path, migrated: Path) -> str:
    """A migrated database in a folder of its own."""
    return f"sqlite:///{shutil.copy(migrated, tmp_path / 'incidents.sqlite')}"


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    store = Store.open(url, KEY)
    yield store
    await store.close()
