"""A browser, and people who sit in front of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import async_playwright

from bot.config import ROOT
from bot.sandbox.tour import Tour
from tests.page import chromium
from tests.page.desk import Desk
from tests.world import World, world_at


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    """A browser without a tab. At the end no script of a page may have failed."""
    path = chromium.find()
    if path is None:
        if chromium.must_be_there():
            pytest.fail(chromium.ABSENT)
        pytest.skip(chromium.ABSENT)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=chromium.ARGS)
        desk = Desk(browser)
        yield desk
        await browser.close()
    assert not desk.complaints


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """The local Slack with the bot in it, and the demo's own "Try this" on the page."""
    async with world_at(tmp_path) as one:
        one.slack.tour = Tour.load(ROOT / "bot" / "demo" / "tour.json")
        yield one
