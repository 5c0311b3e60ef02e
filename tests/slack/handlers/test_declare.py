"""The same thing declared twice at one moment: one incident, and whoever came second is shown it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.postgres import Postgres
from tests.world import World, world_at

WORDS = "/incident declare sev1 Withdrawals are stuck"


async def count(world: World) -> int:
    return len(await world.bot.store.listing(world.slack.team_id, open_only=False))


def heard(world: World, who: str) -> list[str]:
    return [one.plain for one in world.messages(who, "#general") if one.ephemeral]


@pytest.mark.parametrize("kept", ["sqlite", "postgresql"])
@pytest.mark.parametrize(
    "people",
    [
        pytest.param(("ana", "ana"), id="somebody types it twice"),
        pytest.param(("ana", "ben", "carla"), id="three people see the same alert"),
    ],
)
async def test_typed_at_one_moment(
    tmp_path: Path, people: tuple[str, ...], kept: str, request: pytest.FixtureRequest
) -> None:
    more: dict[str, Any] = {}
    if kept == "postgresql":
        server: Postgres = request.getfixturevalue("postgres18")
        more["database_url"] = server.create()
    async with world_at(tmp_path, **more) as world:
        await asyncio.gather(*(world.person(who).command(WORDS) for who in people))
        await world.settle()
        assert await count(world) == 1
        assert len([one for one in world.slack.channels if one.name.startswith("inc-")]) == 1
        told = [text for who in set(people) for text in heard(world, who)]
        assert sum("INC-1 is open and sounds alike" in one for one in told) == len(people) - 1


async def test_the_form_sent_by_two(world: World) -> None:
    for who in ("ana", "ben"):
        await world.say(who, "/incident Payouts stuck")
    await asyncio.gather(*(world.person(who).submit() for who in ("ana", "ben")))
    await world.settle()
    assert await count(world) == 1
    shown = [one for who in ("ana", "ben") for one in heard(world, who) if "sounds alike" in one]
    assert len(shown) == 1 and "Nothing was declared." in shown[0]


async def test_a_form_with_more_in_it_stays_open(world: World) -> None:
    await world.say("ben", "/incident Payouts stuck")
    await world.declare("ana", "sev1 Payouts stuck")
    refused = await world.person("ben").submit({"summary": "since 13:40, NG only"})
    assert refused.errors == {
        "title": "INC-1 has just been declared under this title, so nothing was declared. "
        "If yours is another one, change the title."
    }
    assert (await world.person("ben").submit({"title": "Payouts stuck in NG", "summary": "since 13:40"})).ok


async def test_whoever_wants_another_gets_it(world: World) -> None:
    await asyncio.gather(*(world.person("ana").command(WORDS) for _ in range(2)))
    await world.settle()
    shown = next(one for one in world.messages("ana", "#general") if "Declare anyway" in one.labels)
    await world.person("ana").click(shown, label="Declare anyway")
    await world.settle()
    assert await count(world) == 2


async def test_one_that_has_ended_keeps_nobody_from_declaring(world: World) -> None:
    place = await world.declare()
    await world.say("ana", "/incident false-alarm a test", place.name)
    await world.declare()
    assert await count(world) == 2


async def test_nobody_learns_of_a_private_one(world: World) -> None:
    for who in ("ana", "ben"):
        await world.say(who, "/incident Signing key leaked")
    for who in ("ana", "ben"):
        assert (await world.person(who).submit({"private": "private"})).ok
        await world.settle()
    assert await count(world) == 2
    assert not [one for one in heard(world, "ben") if "sounds alike" in one]
