"""A browser as in the local Slack's own tests, and a world whose page shows the demo's "Try this"."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.config import ROOT
from localslack.tests.page.conftest import desk
from localslack.tour import Tour
from tests.world import World, world_at

__all__ = ["desk", "world"]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """The local Slack with the bot in it, and the demo's own "Try this" on the page."""
    async with world_at(tmp_path) as one:
        one.slack.tour = Tour.load(ROOT / "bot" / "demo" / "tour.json")
        yield one
