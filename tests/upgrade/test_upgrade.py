"""The program of today on the databases of earlier ones, which were recorded in the middle of incidents."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import tarfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.config import ROOT
from bot.store import SqlStore, migrate
from localslack import LocalSlack
from tests.durability.replicas import Replica, until
from tests.postgres import Postgres
from tests.proxy import Proxy
from tests.store.timeline import amounts_to
from tests.upgrade import story
from tests.upgrade.kept import (
    ENGINES,
    KEPT,
    RECORDINGS,
    Press,
    incidents,
    kept_world,
    pressed,
    presses,
    recorded,
    restore_postgres,
    slack_as_it_stood,
    standing,
    state_of,
)
from tests.world import KEY, World

#: calls that people see as something new, or as something gone
SEEN = {
    "chat.postMessage", "chat.postEphemeral", "chat.delete", "conversations.create", "conversations.archive",
    "conversations.rename", "files.completeUploadExternal", "files.delete", "bookmarks.add", "bookmarks.remove",
    "pins.remove", "views.open", "views.update", "views.publish", "response_url",
}  # fmt: skip
ENDED = ("closed", "resolved", "false_alarm", "duplicate")


class Templates:
    """The recorded PostgreSQL databases, each restored once into a server."""

    def __init__(self, server: Postgres) -> None:
        self.server = server
        self._restored: dict[str, str] = {}

    async def copy(self, recording: str) -> str:
        """The URL of a copy."""
        if recording not in self._restored:
            self._restored[recording] = await restore_postgres(self.server, recording)
        return await asyncio.to_thread(self.server.create, self._restored[recording])


@pytest.fixture(scope="session")
def templates(postgres16: Postgres) -> Templates:
    return Templates(postgres16)


@pytest.fixture(params=RECORDINGS)
def recording(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=ENGINES)
async def kept(request: pytest.FixtureRequest, recording: str, tmp_path: Path) -> AsyncIterator[tuple[World, Path]]:
    """The recorded world with the bot of today in it, and the folder of its recording."""
    async with started(request, recording, request.param, tmp_path) as world:
        yield world, KEPT / recording / request.param


@contextlib.asynccontextmanager
async def started(request: pytest.FixtureRequest, recording: str, engine: str, folder: Path) -> AsyncIterator[World]:
    """`templates` is asked for only where it is needed: a server starts with it."""
    templates: Templates | None = request.getfixturevalue("templates") if engine == "postgres" else None
    url = await templates.copy(recording) if templates else ""
    try:
        async with kept_world(recording, engine, folder, url) as world:
            yield world
    finally:
        if templates:
            await asyncio.to_thread(templates.server.drop, url)


async def test_each_history_folds_to_the_same_end(kept: tuple[World, Path]) -> None:
    """Whatever rules are made later: also one that they forbid, as a resolution agreed to after a reopening."""
    world, folder = kept
    expected = json.loads((folder / "folds.json").read_text())
    types = await recorded(world)
    for incident in await incidents(world):
        then = expected[incident.name]
        now = types[incident.name][: len(then["types"])]
        assert {"types": now, "amounts_to": amounts_to(incident)} == then, "nothing is added by a start"
    assert types.keys() == expected.keys()
    assert await world.bot.store.verify() == []


async def test_a_start_posts_nothing_and_deletes_nothing(kept: tuple[World, Path]) -> None:
    """And it edits nothing in the channels of incidents that have ended."""
    world, folder = kept
    state = json.loads((folder / "slack.json").read_text())
    before = {(channel["id"], message["ts"]) for channel in state["channels"] for message in channel["by_ts"]
              if not message.get("deleted")}  # fmt: skip
    assert standing(world.slack).keys() == before
    called = {call.method for call in world.slack.journal}
    assert called & SEEN == set()
    over = {one.channel for one in await incidents(world) if one.status.value in ENDED}
    assert [call.args for call in world.slack.journal.of("chat.update") if call.args["channel"] in over] == []


async def test_what_was_said_of_an_ended_incident_stays(kept: tuple[World, Path]) -> None:
    """Also when something is added to it: only what that changes is edited, and all of it once it is open again."""
    world, _ = kept
    over = [one for one in await incidents(world) if one.status.value in ENDED]
    assert {one.status.value for one in over} >= {"closed", "resolved", "duplicate"}
    for one in over:
        assert "Noted" in await world.say("eve", f"/incident note looked at again {one.name}", one.channel)
    assert world.slack.journal.of("chat.update") == [] == world.slack.journal.of("conversations.setTopic")
    said = [call.args["text"] for call in world.slack.journal.of("chat.postMessage")]
    assert [sum(f"looked at again {one.name}" in text for text in said) for one in over] == [1] * len(over)
    again = next(one for one in over if one.status.value == "resolved")
    await world.say("ana", "/incident close all read", again.channel)
    edited = [call.args["text"] for call in world.slack.journal.of("chat.update")]
    assert f"{again.name}, SEV-1: {again.title}; resolved, closed." in edited
    await world.say("ana", "/incident reopen it is back", again.channel)
    edited = [call.args["text"] for call in world.slack.journal.of("chat.update")]
    assert any(re.match(rf"Reopened 14:\d\d UTC: {again.name}, ", text) for text in edited), edited
    assert any("next update" in text and text.startswith(f"{again.name}, ") for text in edited)
    assert await world.bot.store.verify() == []


def _presses() -> list[Any]:
    return [
        pytest.param(recording, engine, press, id=f"{engine}: {press.name}")
        for recording in RECORDINGS
        for engine in ENGINES
        for press in presses(state_of(recording, engine))
    ]


@pytest.mark.parametrize(("recorded_by", "engine", "press"), _presses())
async def test_each_old_button(
    request: pytest.FixtureRequest, tmp_path: Path, recorded_by: str, engine: str, press: Press
) -> None:
    """It does its act, or its person is told why not."""
    then = json.loads((KEPT / recorded_by / engine / "pressed.json").read_text())[press.name]
    async with started(request, recorded_by, engine, tmp_path) as world:
        now = await pressed(world, press, story.FORMS)
    told = bool(now.form or now.answered)
    # A step's reading used to follow its tick; today it comes first.
    acts = [one for one in now.events if not one.endswith(" ReadingTaken")]
    if then["events"]:
        assert acts[:1] == then["events"][:1] or (not now.events and told), now
    else:
        assert told and not now.events, now


# -- the version before, beside it --------------------------------------------------------------------------


class Beside(Replica):
    """A process whose state is not that of `/readyz`: a parked duty is no hindrance here."""

    async def ready(self) -> bool:
        assert self.runs, f"{self.name} has ended"
        with contextlib.suppress(aiohttp.ClientError):
            async with aiohttp.request("GET", f"http://127.0.0.1:{self.port}/healthz") as answer:
                return answer.status == 200
        return False


def program_of(recording: str, folder: Path) -> Path:
    """The recorded program, as far as `bot run` needs it."""
    with tarfile.open(KEPT / recording / "program.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.fixture
def line(templates: Templates) -> Iterator[Proxy]:
    with Proxy(templates.server.upstream) as proxy:
        yield proxy


async def test_the_version_before_runs_beside_it(
    templates: Templates, line: Proxy, recording: str, tmp_path: Path
) -> None:
    """As while a platform replaces one by the other: nothing stands twice, neither undoes what the other shows."""
    url = await templates.copy(recording)
    state = state_of(recording, "postgres")
    async with slack_as_it_stood(state, running=True) as slack:
        before = standing(slack).keys()
        both = [
            Beside("the version before", _settings(slack, line.url(url)), line, program_of(recording, tmp_path)),
            Beside("this version", _settings(slack, line.url(url)), line),
        ]
        store = None
        try:
            for count, one in enumerate(both, 1):
                if count == 2:  # as an upgrade goes: the database first, while the version before serves it
                    await asyncio.to_thread(migrate, url)
                    store = SqlStore.open(url, KEY.encode())
                await one.start()
                await until(lambda count=count: _connected(slack, count), f"{one.name} is connected")
            assert store is not None
            await _rests(slack)
            assert standing(slack).keys() == before
            notes = await _notes(slack, 8)
            await _rests(slack)
            said = [entry.event for entry in await store.entries(await _first(store, slack))]
            written = [one.text for one in said if type(one).__name__ == "Noted" and one.text in notes]
            assert sorted(written) == sorted(notes)
            shown = list(standing(slack).values())
            for note in notes:
                assert sum(note in words for words in shown) == 1, note
            calls = len(slack.journal)
            await asyncio.sleep(2)
            assert [call.method for call in slack.journal[calls:] if call.method == "chat.update"] == []
            assert await store.verify() == []
        finally:
            await asyncio.gather(*(one.end() for one in both))
            if store is not None:
                await store.close()


def _settings(slack: LocalSlack, url: str) -> dict[str, str]:
    return {
        "SLACK_MODE": "socket", "SLACK_BOT_TOKEN": slack.bot_token, "SLACK_APP_TOKEN": slack.app_token,
        "SLACK_API_URL": slack.api_url, "CHAIN_KEY": KEY, "DATABASE_URL": url, "SOCKET_CONNECTIONS": "1",
        "POLICY_FILE": str(ROOT / "bot" / "demo" / "policy.toml"), "LOG_LEVEL": "error",
        "CLOCK_URL": f"{slack.url}/_sandbox/clock/stream",
    }  # fmt: skip


async def _connected(slack: LocalSlack, count: int) -> bool:
    return slack.sockets.connected >= count


async def _first(store: SqlStore, slack: LocalSlack) -> str:
    id = await store.find(slack.team_id, 1)
    assert id is not None
    return id


async def _notes(slack: LocalSlack, count: int) -> list[str]:
    """Eve says so many things in INC-1; Slack gives them to the two in turn."""
    room = next(one.id for one in slack.channels if one.name.startswith("inc-1-"))
    texts = [f"said while both run, {number}" for number in range(count)]
    for text in texts:
        answer = await slack.person("eve").command(f"/incident note {text}", channel=room)
        assert answer.ok, answer
    return texts


async def _rests(slack: LocalSlack) -> None:
    """Return when neither has made a call for a second."""
    calls = -1
    while calls != len(slack.journal):
        calls = len(slack.journal)
        await asyncio.sleep(1)
