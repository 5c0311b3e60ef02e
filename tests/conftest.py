"""What every test of the bot may ask for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.postgres import Postgres
from tests.world import World, world_at


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """The local Slack with the bot in it, by Socket Mode."""
    async with world_at(tmp_path) as one:
        yield one


@contextmanager
def _serving(version: int) -> Iterator[Postgres]:
    server = Postgres(version)
    server.start()
    try:
        yield server
    finally:
        server.stop()


# Started when the first test asks, in a third of a second; each of xdist's processes has its own, so that a test may
# kill it, or make it read only, if it puts that right again.


@pytest.fixture(scope="session")
def postgres18() -> Iterator[Postgres]:
    """A PostgreSQL 18 that serves. `create()` is a fresh and migrated database."""
    with _serving(18) as server:
        yield server


@pytest.fixture(scope="session")
def postgres16() -> Iterator[Postgres]:
    """The oldest PostgreSQL that the store's contract is tested on."""
    with _serving(16) as server:
        yield server
