"""An extension serves its routes with the local Slack, behind the same checks, and shows its switches."""

from __future__ import annotations

import aiohttp
from aiohttp import web

from localslack import LocalSlack, Switch
from localslack.tests import shop


class Weather:
    """A service that the tea shop's app asks."""

    def __init__(self) -> None:
        self.rain = Switch("rain", "Weather", [("dry", "Dry"), ("wet", "Wet")])

    @property
    def switches(self) -> list[Switch]:
        return [self.rain]

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/weather/now", self.now)]

    async def now(self, _: web.Request) -> web.Response:
        return web.json_response({"weather": self.rain.value})


async def test_its_routes_are_served_and_its_switches_are_set() -> None:
    own = Switch("door", "Door", ["open", "closed"])
    async with (
        LocalSlack(shop.manifest(), extensions=[Weather()], switches=[own]) as slack,
        aiohttp.ClientSession(slack.url) as session,
    ):
        async with session.get("/_sandbox/switches") as response:
            assert [each["id"] for each in (await response.json())["switches"]] == ["rain", "door"]
        async with session.get("/weather/now") as response:
            assert await response.json() == {"weather": "dry"}
        async with session.post("/_sandbox/switches", json={"id": "rain", "value": "wet"}) as response:
            assert response.status == 200
        async with session.get("/weather/now") as response:
            assert await response.json() == {"weather": "wet"}
        async with session.get("/weather/now", headers={"Host": "evil.example"}) as response:
            assert response.status == 403
        async with session.post("/weather/now", headers={"Origin": "https://evil.example"}) as response:
            assert response.status == 403
