from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.store.store import Store, migrate

from .acts import KEY


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A migrated database in a folder of its own."""
    url = f"sqlite:///{tmp_path}/incidents.sqlite"
    migrate(url)
    return url


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    store = Store.open(url, KEY)
    yield store
    await store.close()
