"""Each delivery arrives four times, at the same moment: it counts once, and every answer is 200."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.postgres import Postgres
from tests.web.test_strangers import Recorder, standing_between
from tests.world import World, world_at

Act = Callable[[World, str], Coroutine[Any, Any, None]]


class FourTimes(Recorder):
    """Stands between Slack and the bot, and sends the bot everything four times at once."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.statuses: list[int] = []

    async def forward(self, request: web.Request) -> web.Response:
        body = await request.read()
        names = ("Content-Type", "X-Slack-Request-Timestamp", "X-Slack-Signature")
        headers = {name: request.headers[name] for name in names}
        answers = await asyncio.gather(*(self.send(body, headers) for _ in range(4)))
        self.statuses += [status for status, _, _ in answers]
        return web.Response(status=answers[0][0], text=answers[0][1], content_type=answers[0][2])


async def command(world: World, room: str) -> None:
    await world.say("ana", "/incident note the bank called", room)


async def declaration(world: World, room: str) -> None:
    await world.say("ben", "/incident declare sev2 Cards are slow")


async def form(world: World, room: str) -> None:
    await world.say("ana", "/incident Payouts are late")
    await world.person("ana").submit({"title": "Payouts are late"})


async def click(world: World, room: str) -> None:
    card = next(one for one in world.messages("ana", room) if "Take comms lead" in one.labels)
    await world.person("ana").click(card, label="Take comms lead")


async def mention(world: World, room: str) -> None:
    await world.person("ana").post(room, "@incident-commander note by mention")


async def pushpin(world: World, room: str) -> None:
    ts = await world.person("ana").post(room, "five payouts found")
    await world.person("ana").react(room, ts, "pushpin")


#: what is done, and the event that comes of it once: in the first incident, or as the beginning of a second
ACTS = [
    pytest.param(command, "Noted", 1, id="a command"),
    pytest.param(declaration, "Declared", 2, id="a declaration"),
    pytest.param(form, "Declared", 2, id="a form"),
    pytest.param(click, "RoleTaken", 1, id="a click"),
    pytest.param(mention, "Noted", 1, id="an event"),
    pytest.param(pushpin, "Noted", 1, id="a reaction"),
]


@pytest.mark.parametrize("kept", ["sqlite", "postgresql"])
@pytest.mark.parametrize(("act", "event", "number"), ACTS)
async def test_it_counts_once(
    tmp_path: Path, act: Act, event: str, number: int, kept: str, request: pytest.FixtureRequest
) -> None:
    more: dict[str, Any] = {}
    if kept == "postgresql":
        server: Postgres = request.getfixturevalue("postgres18")
        more["database_url"] = server.create()
    async with world_at(tmp_path, "http", **more) as world:
        room = (await world.declare()).id
        before = (await world.types()).count(event) if number == 1 else 0
        async with standing_between(world, FourTimes(world)) as between:
            await act(world, room)
            await world.settle()
        assert len(between.statuses) >= 4 and set(between.statuses) == {200}
        assert (await world.types(number)).count(event) == before + 1
        assert len(await world.bot.store.listing(world.slack.team_id)) == number
        opened = [one.name for one in world.slack.channels if one.name.startswith("inc-")]
        assert len(opened) == number
        for place in world.slack.channels:
            ours = [
                one.text
                for one in place.messages
                if one.user == world.slack.bot_user_id and not one.subtype and not one.only_for
            ]
            assert len(ours) == len(set(ours)), ours
