"""What every test may ask for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.world import World, world_at


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """The local Slack with the bot in it, by Socket Mode."""
    async with world_at(tmp_path) as one:
        yield one
