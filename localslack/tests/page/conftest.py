"""A browser, and people who sit in front of it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import async_playwright

from localslack import LocalSlack
from localslack.tests import shop
from localslack.tests.page import chromium
from localslack.tests.page.desk import Desk


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
async def slack() -> AsyncIterator[LocalSlack]:
    """A workspace in which the tea shop's app is installed and does not run."""
    async with LocalSlack(manifest=shop.manifest()) as made:
        yield made
