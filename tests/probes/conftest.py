from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from .loopback import Loopback, serving


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def loopback() -> AsyncIterator[Loopback]:
    async with serving() as server:
        yield server
