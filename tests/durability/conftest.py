"""Databases for worlds that are made by the dozen."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.store import migrate
from tests.durability.runs import Databases, Files
from tests.postgres import Postgres


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of the right shape with nothing in it."""
    path = tmp_path_factory.mktemp("empty") / "empty.sqlite"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def files(empty: Path, tmp_path: Path) -> Files:
    return Files(empty, tmp_path)


@pytest.fixture
def databases(postgres18: Postgres) -> Databases:
    return Databases(postgres18)
