"""The control API of a workspace that is not the first: `team` chooses it, and nothing of it reaches the first."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest

from localslack import LocalSlack
from localslack.tests.shop import Json
from localslack.workspace import Workspace


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def second(sandbox: LocalSlack) -> Workspace:
    return sandbox.add_workspace("Second Bank")


async def get(sandbox: LocalSlack, session: aiohttp.ClientSession, path: str, **query: str) -> Json:
    async with session.get(f"{sandbox.url}/_sandbox/{path}", params=query) as response:
        answer: Json = await response.json()
        return answer


async def act(sandbox: LocalSlack, session: aiohttp.ClientSession, **body: str) -> Json:
    async with session.post(f"{sandbox.url}/_sandbox/act", json=body) as response:
        answer: Json = await response.json()
        return answer


async def test_another_workspace_is_seen_and_driven(
    sandbox: LocalSlack, session: aiohttp.ClientSession, second: Workspace
) -> None:
    there = second.team_id
    boot = await get(sandbox, session, "bootstrap", team=there, **{"as": "ana"})
    assert (boot["team"]["name"], boot["me"]["id"]) == ("Second Bank", second.person("ana").id)
    assert [(one["id"], one["installed"]) for one in boot["teams"]] == [(sandbox.team_id, True), (there, False)]

    general = second.channel("#general")
    said = await act(sandbox, session, team=there, do="post", channel="#general", text="Morning", **{"as": "ana"})
    assert said["ok"]
    read = await get(sandbox, session, f"channels/{general.id}/messages", team=there, **{"as": "ben"})
    assert read["messages"][-1]["text"] == "Morning"
    await act(sandbox, session, team=there, do="react", channel="#general", ts=said["ts"], name="eyes", **{"as": "ben"})
    state = await get(sandbox, session, "state", team=there)
    [message] = [one for each in state["channels"] for one in each["messages"]]
    assert message["reactions"][0]["users"] == [second.person("ben").id]

    first = await get(sandbox, session, "state")
    assert first["team"]["id"] == sandbox.team_id
    assert [one for each in first["channels"] for one in each["messages"]] == []


async def test_a_workspace_that_is_not_there(sandbox: LocalSlack, session: aiohttp.ClientSession) -> None:
    assert (await get(sandbox, session, "bootstrap", team="T9"))["error"] == "there is no workspace T9"
    assert (await act(sandbox, session, team="T9", do="open_home", **{"as": "ana"}))["ok"] is False


async def test_each_page_hears_of_its_own_workspace(
    sandbox: LocalSlack, session: aiohttp.ClientSession, second: Workspace
) -> None:
    """What concerns everybody (a public channel's message) stays with everybody of that workspace."""
    url = f"{sandbox.url}/_sandbox/stream"
    async with (
        session.get(url, params={"as": "ana"}) as one,
        session.get(url, params={"as": "ana", "team": second.team_id}) as other,
    ):
        for stream in (one, other):
            await stream.content.readuntil(b"\n\n")
        await sandbox.person("ben").post("#general", "in the first")
        await second.person("ben").post("#general", "in the second")

        async def heard(stream: aiohttp.ClientResponse) -> str:
            async with asyncio.timeout(60):
                while True:
                    line = await stream.content.readline()
                    if line.startswith(b"data: ") and (change := json.loads(line[6:]))["type"] == "message":
                        return str(change["message"]["text"])

        assert (await heard(one), await heard(other)) == ("in the first", "in the second")
