"""A caller who tries both sides of a rule, and whose test fails where one side was not tried."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from localslack import LocalSlack
from localslack.tests.shop import Json


class Try:
    """Calls the Web API as a program would. `takes` and `refuses` count the two sides of a rule."""

    def __init__(self, sandbox: LocalSlack, session: aiohttp.ClientSession) -> None:
        self.sandbox = sandbox
        self.session = session
        self.token = sandbox.bot_token
        self.taken = 0
        self.refused = 0

    async def ask(self, method: str, /, **args: Any) -> tuple[int, Json, dict[str, str]]:
        """(status, body, headers) of a call with a JSON body."""
        headers = {"Content-Type": "application/json; charset=utf-8"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        url = f"{self.sandbox.api_url}{method}"
        async with self.session.post(url, data=json.dumps(args), headers=headers) as response:
            return response.status, await response.json(), dict(response.headers)

    async def takes(self, method: str, /, **args: Any) -> Json:
        status, body, _ = await self.ask(method, **args)
        assert (status, body.get("ok")) == (200, True), body
        self.taken += 1
        return body

    async def refuses(self, error: str, method: str, /, **args: Any) -> Json:
        _, body, _ = await self.ask(method, **args)
        assert (body.get("ok"), body.get("error")) == (False, error), body
        self.refused += 1
        return body

    def holds(self, fact: bool) -> None:
        """The valid side of a rule that no call answers for."""
        assert fact
        self.taken += 1

    def fails(self, fact: bool) -> None:
        """The other side: `fact` says that what must not happen did not."""
        assert fact
        self.refused += 1


@pytest.fixture
async def slack(sandbox: LocalSlack) -> AsyncIterator[Try]:
    async with aiohttp.ClientSession() as session:
        found = Try(sandbox, session)
        yield found
    assert found.taken, "the test shows nothing that Slack takes"
    assert found.refused, "the test shows nothing that Slack refuses"
