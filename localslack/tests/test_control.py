"""The control API: what the page sees and does, the stream of changes, and who is kept out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from localslack import LocalSlack, Switch
from localslack.tests import shop
from localslack.tests.conftest import Shop
from localslack.tests.shop import Json, card

GENERAL, PAYMENTS = "C01GENERAL1", "C01PAYMENTS"


class Page:
    """A browser's side of the control API, acting as one person."""

    def __init__(self, sandbox: LocalSlack, session: aiohttp.ClientSession, who: str) -> None:
        self.sandbox = sandbox
        self.session = session
        self.who = who

    async def get(self, path: str, **query: Any) -> Json:
        url = f"{self.sandbox.url}/_sandbox/{path}"
        async with self.session.get(url, params={"as": self.who, **query}) as response:
            answer: Json = await response.json()
            return answer

    async def act(self, do: str, **more: Any) -> Json:
        body = {"as": self.who, "do": do, **more}
        async with self.session.post(f"{self.sandbox.url}/_sandbox/act", json=body) as response:
            answer: Json = await response.json()
            return answer


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_bootstrap_shows_what_that_person_sees(sandbox: LocalSlack, session: aiohttp.ClientSession) -> None:
    ana = await Page(sandbox, session, "ana").get("bootstrap")
    gus = await Page(sandbox, session, "gus").get("bootstrap")
    assert (ana["me"]["handle"], gus["me"]["is_guest"]) == ("ana", True)
    assert [channel["name"] for channel in gus["channels"]] == ["general"]
    assert {channel["name"] for channel in ana["channels"]} == {"general", "incidents", "customer-comms", "payments"}
    assert [each["command"] for each in ana["commands"]] == ["/tea", "/raw"]
    assert ana["switches"] == []
    assert ana["clock"] == {"now": sandbox.clock.now(), "offset": 0.0, "frozen": True}
    assert (ana["delivery"], ana["connected"], ana["tour"], ana["home"]) == ("socket", 0, None, None)


async def test_a_whole_order_from_the_page(tea: Shop, session: aiohttp.ClientSession) -> None:
    ana, ben = Page(tea.sandbox, session, "ana"), Page(tea.sandbox, session, "ben")
    assert await ana.act("command", channel=GENERAL, text="/tea form") == {"ok": True, "failed": False, "error": None}
    await tea.sandbox.idle()
    view = (await ana.get("views"))["views"][-1]
    assert (await ben.get("views"))["views"] == []
    refused = await ana.act("submit", view_id=view["id"], state={"what": {"text": {"value": "coffee"}}})
    assert (refused["ok"], refused["errors"]) == (False, {"what": "We have no coffee."})
    assert (await ben.act("submit", view_id=view["id"], state={}))["ok"] is False  # not theirs
    taken = await ana.act("submit", view_id=view["id"], state={"what": {"text": {"value": "mint"}}})
    assert taken["ok"]
    await tea.sandbox.idle()
    message = (await ben.get(f"channels/{GENERAL}/messages"))["messages"][-1]
    assert message["text"] == "mint, green"
    boxes = message["blocks"][1]["accessory"]
    where = {"channel": GENERAL, "ts": message["ts"]}
    await ben.act("input", **where, block_id="pour", action_id="steps", state={"selected_options": boxes["options"]})
    await tea.sandbox.idle()
    thread = (await ben.get(f"channels/{GENERAL}/thread", ts=message["ts"]))["messages"]
    assert [each["text"] for each in thread] == ["mint, green", "1 ticked"]
    # What one person ticked is that person's state.
    assert thread[0]["state"]["values"]["pour"]["steps"]["selected_options"] == boxes["options"]
    assert "state" not in (await ana.get(f"channels/{GENERAL}/messages"))["messages"][-1]
    await ben.act("click", **where, block_id="act", action_id="serve", value="1")
    await tea.sandbox.idle()
    assert (await ana.get(f"channels/{GENERAL}/messages"))["messages"][-1]["text"] == "Served"


async def test_a_script_names_things_by_their_words(tea: Shop, session: aiohttp.ClientSession) -> None:
    """Without an id of a block, an action or a form; each request is one that curl can make."""
    ana, ben = Page(tea.sandbox, session, "ana"), Page(tea.sandbox, session, "ben")
    await ana.act("invite", channel="#general", user="tea-shop")
    await ana.act("command", channel="#general", text="/tea form")
    assert await ana.get("idle") == {"ok": True}
    await ben.act("shortcut", callback_id="Order")
    assert (await ben.act("close_view"))["ok"]
    assert "has no open form" in (await ben.act("close_view"))["error"]
    assert (await ana.act("click", label="More sorts"))["ok"]
    assert (await ana.act("submit", values={"What": "coffee"}))["errors"] == {"what": "We have no coffee."}
    assert "it has: What, Kind" in (await ana.act("fill", values={"Milk": "yes"}))["error"]
    assert (await ana.act("fill", values={"What": "mint", "Kind": "Black", "For whom": "ben"}))["ok"]
    assert (await ana.act("submit"))["ok"]
    await ana.get("idle")
    message = (await ben.get(f"channels/{GENERAL}/messages"))["messages"][-1]
    assert message["text"] == "mint, black"
    where = {"channel": "#general", "ts": message["ts"]}
    assert (await ben.act("tick", **where, label="Done"))["failed"] is False
    assert (await ben.act("tick", **where, label="mint", on=False))["failed"] is False
    assert (await ben.act("select", **where, action_id="size", value="Large"))["failed"] is False
    assert (await ben.act("shortcut", callback_id="Keep", **where))["failed"] is False
    assert "there are: Serve" in (await ben.act("click", **where, label="Drink"))["error"]
    assert (await ben.act("click", **where, label="Serve"))["ok"]
    await ana.get("idle")
    assert (await ana.get(f"channels/{GENERAL}/messages"))["messages"][-1]["text"] == "Served"


async def test_everything_else_that_people_do(sandbox: LocalSlack, session: aiohttp.ClientSession) -> None:
    ana, carla = Page(sandbox, session, "ana"), Page(sandbox, session, "carla")
    made = (await ana.act("create_channel", name="kitchen", is_private=True))["channel"]
    assert (await carla.get(f"channels/{made}/messages"))["ok"] is False
    assert (await ana.act("invite", channel=made, user="U01CARLAROS"))["ok"]
    ts = (await carla.act("post", channel=made, text="hi @ana"))["ts"]
    unread = {c["name"]: (c["unread"], c["mentioned"]) for c in (await ana.get("bootstrap"))["channels"]}
    assert unread["kitchen"] == (1, True)
    assert (await ana.act("mark_read", channel=made))["channel"]["unread"] == 0
    await ana.act("react", channel=made, ts=ts, name="tea")
    await ana.act("pin", channel=made, ts=ts)
    assert (await ana.act("pin", channel=made, ts=ts))["error"] == "that message is pinned already"
    await ana.act("unpin", channel=made, ts=ts)
    assert (await ana.get(f"channels/{made}/details"))["pins"] == []
    await ana.act("pin", channel=made, ts=ts)
    await carla.act("edit", channel=made, ts=ts, text="hello @ana")
    details = await ana.get(f"channels/{made}/details")
    assert [pin["message"]["text"] for pin in details["pins"]] == ["hello <@U01ANASILVA>"]
    await ana.act("unreact", channel=made, ts=ts, name="tea")
    await carla.act("delete", channel=made, ts=ts)
    await ana.act("remove", channel=made, user="U01CARLAROS")
    assert (await carla.act("post", channel=made, text="still here?"))["ok"] is False
    assert (await ana.act("rename", channel=made, name="scullery"))["ok"]
    assert sandbox.channel("#scullery").id == made
    await ana.act("archive", channel=made)
    await ana.act("unarchive", channel=made)
    await carla.act("join", channel="C01INCIDENT")
    await carla.act("leave", channel="C01INCIDENT")
    direct = (await ana.act("open_dm", user="U01BOTUSER1"))["channel"]
    assert (direct["is_im"], direct["with"]) == (True, "U01BOTUSER1")
    assert (await ana.act("open_home"))["ok"]
    assert (await ana.act("fly"))["error"].startswith("nobody can do 'fly'; do is one of command, post, ")
    assert (await ana.act("post"))["error"] == "missing: channel"
    state = await ana.get("state")
    assert {channel["name"] for channel in state["channels"]} >= {"scullery", "general"}


async def test_the_stream_tells_each_what_concerns_them(
    sandbox: LocalSlack, session: aiohttp.ClientSession, client: AsyncWebClient
) -> None:
    seen: dict[str, list[Json]] = {"ana": [], "ben": []}
    ready = asyncio.Event()

    async def follow(who: str) -> None:
        async with session.get(f"{sandbox.url}/_sandbox/stream", params={"as": who}) as response:
            async for line in response.content:
                if line.startswith(b": hello") and sandbox.stream.readers == 2:
                    ready.set()
                if line.startswith(b"data: "):
                    seen[who].append(json.loads(line[6:]))

    tasks = [asyncio.create_task(follow(who)) for who in seen]
    async with asyncio.timeout(60):
        await ready.wait()
    ts = (await client.chat_postMessage(channel=GENERAL, text="<@U01ANASILVA> hi", blocks=[]))["ts"]
    await client.chat_update(channel=GENERAL, ts=ts, text="again")
    await sandbox.person("ben").react("#general", ts, "eyes")
    await client.conversations_join(channel=GENERAL)
    await client.chat_postEphemeral(channel=GENERAL, user="U01ANASILVA", text="psst")
    await client.views_open(trigger_id=sandbox.interactivity.new_trigger("U01ANASILVA"), view=shop.order_form())
    sandbox.clock.advance(60)
    await client.chat_delete(channel=GENERAL, ts=ts)
    await sandbox.idle()
    sandbox.stream.close()  # ends both streams after what was told so far
    await asyncio.wait_for(asyncio.gather(*tasks), 60)
    kinds = {who: {change["type"] for change in changes} for who, changes in seen.items()}
    shared = {"message", "message_changed", "message_deleted", "reaction", "clock", "journal", "channel"}
    assert kinds["ben"] == shared
    assert kinds["ana"] == shared | {"notification", "ephemeral", "view"}
    first = next(change for change in seen["ana"] if change["type"] == "message")
    assert (first["channel"], first["message"]["ts"]) == (GENERAL, ts)
    assert sandbox.bot_token not in json.dumps(seen)


async def test_the_clock_moves_and_is_followed(sandbox: LocalSlack, session: aiohttp.ClientSession) -> None:
    url = f"{sandbox.url}/_sandbox/clock"
    begun = sandbox.clock.now()
    async with session.get(f"{url}/stream") as stream:

        async def next_reading() -> Json:
            async with asyncio.timeout(60):
                async for line in stream.content:
                    if line.startswith(b"data: "):
                        reading: Json = json.loads(line[6:])
                        return reading
            raise AssertionError("the stream ended")

        assert (await next_reading())["now"] == begun
        async with session.post(url, json={"advance": 90}) as response:
            assert (await response.json())["now"] == begun + 90
        assert (await next_reading())["offset"] == 90
    for bad in ({"advance": -1}, {"advance": "soon"}, {}):
        async with session.post(url, json=bad) as response:
            assert response.status == 400


async def test_journal_faults_and_switches(
    session: aiohttp.ClientSession, client: AsyncWebClient, sandbox: LocalSlack
) -> None:
    heard: list[str] = []
    sandbox.switches.append(Switch("rain", "Weather", [("dry", "Dry"), ("wet", "Wet")], heard.append))
    page = Page(sandbox, session, "ana")
    await client.auth_test()
    first = (await page.get("journal"))["calls"][-1]
    assert (first["method"], first["outcome"]) == ("auth.test", "ok")
    assert (await page.get("journal", after=first["number"]))["calls"] == []
    url = f"{sandbox.url}/_sandbox"
    async with session.post(f"{url}/faults", json={"method": "auth.test", "kind": "429:5", "times": 2}) as response:
        planted = await response.json()
        assert planted["faults"] == [{"method": "auth.test", "kind": "429:5", "times": 2, "id": planted["id"]}]
    async with session.post(f"{url}/faults", json={"method": "auth.test", "kind": "boom"}) as response:
        assert response.status == 400
    async with session.delete(f"{url}/faults") as response:
        assert (await response.json())["faults"] == []
    async with session.post(f"{url}/switches", json={"id": "rain", "value": "wet"}) as response:
        assert (await response.json())["switch"]["value"] == "wet"
    async with session.post(f"{url}/switches", json={"id": "rain", "value": "snow"}) as response:
        assert response.status == 400
    assert heard == ["wet"]


@pytest.mark.parametrize(
    ("query", "status", "left"),
    [
        pytest.param("?id=2", 200, [1, 3], id="one, the others stay"),
        pytest.param("?id=9", 400, [1, 2, 3], id="one that was never there"),
        pytest.param("?id=", 400, [1, 2, 3], id="an empty id is not all of them"),
        pytest.param("", 200, [], id="all"),
    ],
)
async def test_faults_are_removed_by_their_ids(
    sandbox: LocalSlack, session: aiohttp.ClientSession, query: str, status: int, left: list[int]
) -> None:
    for method in ("auth.test", "auth.test", "users.list"):
        sandbox.faults.add(method, "hang", times=0)
    async with session.delete(f"{sandbox.url}/_sandbox/faults{query}") as response:
        assert response.status == status
        assert [one.id for one in sandbox.faults.planted] == left
        if status == 200:
            assert [one["id"] for one in (await response.json())["faults"]] == left


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        pytest.param("GET", "/_sandbox/clock", {"Host": "evil.example"}, 403, id="a foreign Host (DNS rebinding)"),
        pytest.param("GET", "/_sandbox/clock", {"Host": "localhost:1"}, 200, id="localhost"),
        pytest.param("GET", "/", {"Host": "evil.example"}, 403, id="the page under a foreign Host"),
        pytest.param(
            "POST", "/_sandbox/clock", {"Origin": "https://evil.example"}, 403, id="a write from another site"
        ),
        pytest.param("POST", "/_sandbox/clock", {"Sec-Fetch-Site": "cross-site"}, 403, id="the same, without Origin"),
        pytest.param("POST", "/_sandbox/clock", {"Sec-Fetch-Site": "same-site"}, 403, id="from another port"),
        pytest.param("POST", "/_sandbox/clock", {"Origin": "null"}, 403, id="from a frame without an origin"),
        pytest.param("POST", "/api/api.test", {"Origin": "https://evil.example"}, 403, id="the Web API, the same"),
        pytest.param("GET", "/api/api.test", {"Host": "evil.example"}, 403, id="the Web API under a foreign Host"),
        pytest.param("GET", "/files/T1-F1/x", {"Host": "evil.example"}, 403, id="a file under a foreign Host"),
        pytest.param("GET", "/oauth/v2/authorize", {"Host": "evil.example"}, 403, id="consent under a foreign Host"),
        pytest.param("POST", "/oauth/v2/authorize", {"Origin": "https://evil.example"}, 403, id="consent, elsewhere"),
        pytest.param("GET", "/_sandbox/stream", {"Origin": "https://evil.example"}, 403, id="a stream to another site"),
        pytest.param("GET", "/_sandbox/state", {"Sec-Fetch-Site": "cross-site"}, 403, id="what there is, elsewhere"),
        pytest.param("GET", "/", {"Sec-Fetch-Site": "cross-site"}, 200, id="a link to the page"),
        pytest.param(
            "GET",
            "/link/",
            {"Origin": "https://evil.example", "Upgrade": "websocket", "Connection": "Upgrade"},
            403,
            id="a WebSocket of another site",
        ),
        pytest.param("POST", "/_sandbox/clock", {"Content-Type": "text/plain"}, 400, id="a form without preflight"),
        pytest.param("POST", "/_sandbox/clock", {}, 200, id="a script"),
    ],
)
async def test_who_is_kept_out(
    sandbox: LocalSlack, session: aiohttp.ClientSession, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    sent = {"Content-Type": "application/json"} | headers
    data = json.dumps({"advance": 0}) if method == "POST" else None
    async with session.request(method, f"{sandbox.url}{path}", data=data, headers=sent) as response:
        assert response.status == status


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/control.py", id="not a page's file"),
        pytest.param("/../server.py", id="up a folder"),
        pytest.param("/%2e%2e%2fserver.py", id="up a folder, encoded"),
        pytest.param("/.hidden", id="hidden"),
        pytest.param("/nothing.js", id="not there"),
    ],
)
async def test_only_the_pages_files_are_served(sandbox: LocalSlack, session: aiohttp.ClientSession, path: str) -> None:
    from yarl import URL

    async with session.get(URL(f"{sandbox.url}{path}", encoded=True)) as response:
        assert response.status == 404


async def test_the_page_is_served(sandbox: LocalSlack, session: aiohttp.ClientSession) -> None:
    async with session.get(f"{sandbox.url}/?as=ana") as response:
        assert (response.status, response.content_type) == (200, "text/html")


async def test_the_tour_ticks_itself_off(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    lines = [
        {"text": "Order", "when": {"kind": "command", "name": "/tea", "text": "^mint"}},
        {"text": "Wait", "when": {"kind": "clock"}},
        {"text": "Post", "when": {"kind": "call", "name": r"chat\.postMessage", "text": "green"}},
    ]
    file = tmp_path / "tour.json"
    file.write_text(json.dumps({"title": "Try this", "lines": lines}))
    async with LocalSlack(manifest=shop.manifest(), tour=file) as sandbox:
        client = AsyncWebClient(token=sandbox.bot_token, base_url=sandbox.api_url)
        page = Page(sandbox, session, "ana")

        async def done() -> list[bool]:
            return [line["done"] for line in (await page.get("bootstrap"))["tour"]["lines"]]

        await sandbox.person("ana").command("/tea mint")  # nobody is connected: not done
        assert await done() == [False, False, False]
        await client.chat_postMessage(channel=GENERAL, text="x", blocks=card("green"))
        async with session.post(f"{sandbox.url}/_sandbox/clock", json={"advance": 60}):
            pass
        assert await done() == [False, True, True]
