"""Texts of every size and of odd characters: taken, or cut with a mark where Slack's limits are; never an error.

On both kinds of database: PostgreSQL takes no NUL in a text, and neither takes half a character.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from bot import export
from bot.domain.notes import MAX_NOTE_CHARS
from tests.postgres import Postgres
from tests.world import World, world_at

#: what people paste, and how it stands in the timeline; None: as it is
TEXTS = [
    pytest.param("x" * 500_000, None, id="half a megabyte"),
    pytest.param("line of a log\n" * 10_000, None, id="10,000 lines"),
    pytest.param("é😀" * 30_000, None, id="characters of several bytes"),
    pytest.param("", "(a message without text)", id="0 bytes"),
    pytest.param(" \n\t ", None, id="nothing but space"),
    pytest.param("a \ud83d b \udc00 c", "a \ufffd b \ufffd c", id="halves of characters"),
    pytest.param("a \x00 b \x07 c \x1b[31m", None, id="NUL, a bell, an escape"),
    pytest.param("\u202eesrever\u202c and \u200bzero\u200b\u200d\ufeff width", None, id="turned round, of no width"),
    pytest.param("السحوبات متوقفة منذ ١٣:٤٠", None, id="written from right to left"),
    pytest.param("e\u0301\u0301\u0301" * 500, None, id="marks upon marks"),
    pytest.param("🔥👩🏽‍💻🇰🇪 :rotating_light:", None, id="emoji"),
]

shared_loop = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["sqlite", "postgresql"])
async def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    more: dict[str, Any] = {}
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("postgres18")
        more["database_url"] = server.create()
    async with world_at(tmp_path_factory.mktemp("odd"), **more) as world:
        await world.declare()
        yield world


async def noted(world: World) -> list[str]:
    entries = await world.bot.store.entries((await world.incident()).id)
    return [one.event.text for one in entries if type(one.event).__name__ == "Noted"]  # type: ignore[union-attr]


def as_kept(text: str, kept: str | None) -> str:
    words = (text if kept is None else kept).strip()
    return words if len(words) <= MAX_NOTE_CHARS else words[: MAX_NOTE_CHARS - 1] + "…"


@shared_loop
@pytest.mark.parametrize(("text", "kept"), TEXTS)
async def test_a_message_that_is_put_into_the_timeline(
    house: World, tmp_path: Path, text: str, kept: str | None
) -> None:
    """By the shortcut, which brings the message along: kept as far as a line holds it, and exported as it is kept."""
    room = house.channel().name
    ts = await house.person("ana").post(room, "to be replaced")
    house.channel().by_ts[ts].text = text
    before = len(await noted(house))
    with capture_logs() as logs:
        await house.person("ana").shortcut("Add to timeline", ts, room)
        await house.settle()
    assert [one for one in logs if one["log_level"] in ("error", "critical")] == []
    found = await noted(house)
    if not text.strip() and text:  # a sentence instead
        assert len(found) == before
        return
    assert len(found) == before + 1 and found[-1] == as_kept(text, kept)
    # What was cut says so, and links to the whole of it.
    assert len(found[-1]) <= MAX_NOTE_CHARS and (found[-1].endswith("…") or len(text) <= MAX_NOTE_CHARS)
    incident = await house.incident()
    assert incident.notes[-1].noted.permalink
    names = {"U": "x"}
    written = await export.write(house.bot.store, house.slack.team_id, 1, tmp_path, names, house.policy)
    lines = json.loads(written[1].read_text(encoding="utf-8"))
    assert [one["text"] for one in lines if one["type"] == "Noted"] == found
    assert await house.bot.store.parked() == [] and await house.bot.store.verify() == []


#: what is typed where a text is asked for
TYPED = [one for one in TEXTS if one.id not in ("half a megabyte", "10,000 lines", "characters of several bytes")]


@shared_loop
@pytest.mark.parametrize(("text", "kept"), TYPED)
@pytest.mark.parametrize("verb", ["note", "impact", "update", "title", "task", "waiting for", "declare", "", "lead"])
async def test_whatever_is_typed_is_answered(house: World, verb: str, text: str, kept: str | None) -> None:
    """And Slack takes what comes of it; the local one refuses what Slack refuses."""
    since = len(house.slack.journal)
    with capture_logs() as logs:
        await house.person("ana").command(f"/incident {verb} {text}", house.channel(1).name)
        await house.settle()
        while house.person("ana").view is not None:
            await house.person("ana").close_view()
    assert [one for one in logs if one["log_level"] in ("error", "critical")] == []
    refused = [one for one in house.slack.journal[since:] if one.error]
    assert refused == [], [(one.method, one.error) for one in refused]
    assert await house.bot.store.parked() == []


@shared_loop
@pytest.mark.parametrize(("text", "kept"), TYPED)
async def test_whoever_is_called_so_is_shown(house: World, text: str, kept: str | None) -> None:
    """A name in somebody's profile."""
    with capture_logs() as logs:
        house.slack.change_person("carla", real_name=text[:80])
        await house.settle()
        await house.say("carla", "/incident scribe me", house.channel(1).name)
        await house.say("ana", "/incident who", house.channel(1).name)
        await house.say("ana", "/incident scribe me", house.channel(1).name)
        await house.say("carla", "/incident scribe me", house.channel(1).name)
    assert [one for one in logs if one["log_level"] in ("error", "critical")] == []
    assert await house.bot.store.parked() == []
