"""Slack's own libraries, unmodified but for the address: the asynchronous App, the synchronous one, a plain client."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import aiohttp
import pytest
from aiohttp import web
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_bolt.adapter.wsgi import SlackRequestHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_bolt.oauth.oauth_settings import OAuthSettings
from slack_sdk.oauth.installation_store import FileInstallationStore
from slack_sdk.oauth.state_store import FileOAuthStateStore
from slack_sdk.web import WebClient
from slack_sdk.web.async_client import AsyncWebClient

from localslack import LocalSlack
from localslack.tests.shop import EVENTS, SCOPES, Json, card, order_form

GENERAL = "C01GENERAL1"


def wait_for(fact: Callable[[], Any]) -> Any:
    """Return once it is so; for what happens in another thread. TimeoutError after five seconds."""

    async def until() -> None:
        while not fact():  # noqa: ASYNC110  (the fact is set by a thread that knows nothing of this loop)
            await asyncio.sleep(0.005)

    return asyncio.wait_for(until(), 60)


# -- a plain client -----------------------------------------------------------------------------------


async def test_a_plain_client(sandbox: LocalSlack) -> None:
    client = WebClient(token=sandbox.bot_token, base_url=sandbox.api_url)

    def work() -> Json:
        assert client.auth_test()["team_id"] == sandbox.team_id
        made = client.conversations_create(name="inc-1")["channel"]["id"]
        client.conversations_invite(channel=made, users=["U01ANASILVA"])
        posted = client.chat_postMessage(channel=made, text="order", blocks=card("green"))
        client.chat_update(channel=made, ts=posted["ts"], text="again")
        client.pins_add(channel=made, timestamp=posted["ts"])
        client.bookmarks_add(channel_id=made, title="Board", type="link", link="https://x.example")
        client.chat_scheduleMessage(channel=made, text="later", post_at=int(sandbox.clock.now()) + 60)
        client.files_upload_v2(channel=made, filename="a.txt", content="abc", initial_comment="Here it is")
        people = [user["id"] for page in client.users_list(limit=3) for user in page["members"]]
        history = client.conversations_history(channel=made)["messages"]
        client.views_open(trigger_id=sandbox.interactivity.new_trigger("U01ANASILVA"), view=order_form())
        client.blocks_validate(blocks=card("green"))
        return {"channel": made, "people": people, "texts": [each["text"] for each in history]}

    seen = await asyncio.to_thread(work)
    assert len(seen["people"]) == 8
    assert seen["texts"][:2] == ["Here it is", "again"]
    assert sandbox.person("ana").view is not None
    sandbox.clock.advance(60)
    await sandbox.idle()
    assert sandbox.channel(seen["channel"]).messages[-1].text == "later"


# -- the synchronous App ------------------------------------------------------------------------------


def listen(app: App) -> None:
    """The smallest shop: a command, a form, a button, a checkbox, an event, two shortcuts."""

    @app.command("/tea")
    def tea(ack: Any, command: Json, client: WebClient) -> None:
        ack("one moment")
        client.views_open(trigger_id=command["trigger_id"], view=order_form())

    @app.view("order")
    def ordered(ack: Any, view: Json, client: WebClient) -> None:
        ack()
        what = view["state"]["values"]["what"]["text"]["value"]
        client.chat_postMessage(channel=GENERAL, text=what, blocks=card(what))

    @app.action("serve")
    def serve(ack: Any, respond: Any) -> None:
        ack()
        respond(text="Served", replace_original=True)

    @app.action("steps")
    def steps(ack: Any, say: Any, body: Json) -> None:
        ack()
        say(text="ticked", thread_ts=body["message"]["ts"])

    @app.event("app_mention")
    def mentioned(event: Json, say: Any) -> None:
        say(text="Tea?", thread_ts=event["ts"])

    # What nobody listens to is not acknowledged, and Slack sends it again.
    for name in {event.split(".")[0] for event in EVENTS} - {"app_mention"}:
        app.event(name)(lambda event: None)

    @app.shortcut("order_now")
    def order_now(ack: Any, shortcut: Json, client: WebClient) -> None:
        ack()
        client.views_open(trigger_id=shortcut["trigger_id"], view=order_form())

    @app.shortcut("keep")
    def keep(ack: Any, shortcut: Json, client: WebClient) -> None:
        ack()
        where = {"channel": shortcut["channel"]["id"], "timestamp": shortcut["message_ts"]}
        client.reactions_add(name="pushpin", **where)


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextlib.asynccontextmanager
async def served(app: App, port: int = 0) -> AsyncIterator[str]:
    """The App behind a plain WSGI server on this machine; its address."""
    server = make_server("127.0.0.1", port, SlackRequestHandler(app), handler_class=_Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        await asyncio.to_thread(server.shutdown)
        server.server_close()
        thread.join(5)


@pytest.fixture(params=["socket", "http"])
async def kitchen(request: pytest.FixtureRequest, sandbox: LocalSlack) -> AsyncIterator[LocalSlack]:
    """The synchronous App at work, by Socket Mode and by signed HTTP."""
    client = WebClient(token=sandbox.bot_token, base_url=sandbox.api_url)
    app = await asyncio.to_thread(lambda: App(client=client, signing_secret=sandbox.signing_secret))
    listen(app)
    if request.param == "socket":
        handler = SocketModeHandler(app, sandbox.app_token, ping_interval=60)
        await asyncio.to_thread(handler.connect)
        await sandbox.connected()
        yield sandbox
        await asyncio.to_thread(handler.close)
    else:
        async with served(app) as url:
            sandbox.event_url = f"{url}/slack/events"
            yield sandbox


async def test_the_synchronous_app(kitchen: LocalSlack) -> None:
    ana = kitchen.person("ana")
    assert (await ana.command("/tea")).text == "one moment"
    await wait_for(lambda: ana.view)
    assert (await ana.submit({"What": "mint"})).ok
    await wait_for(lambda: len(ana.messages("#general")) == 2)  # the private answer, and the order
    order = ana.messages("#general")[-1]
    await ana.tick(order, label="Done")
    await wait_for(lambda: [m.text for m in ana.messages("#general", order.ts)] == ["mint", "ticked"])
    await ana.click(order, "serve")
    await wait_for(lambda: ana.messages("#general")[-1].text == "Served")
    await ana.shortcut("Order")
    await wait_for(lambda: ana.view)
    await ana.invite("#payments", "bot")
    ts = await ana.post("#payments", "@tea-shop hello")
    await wait_for(lambda: [m.text for m in ana.messages("#payments", ts)][-1] == "Tea?")
    await ana.shortcut("Keep", message=ts, channel="#payments")
    await wait_for(lambda: kitchen.channel("#payments").by_ts[ts].reactions == {"pushpin": ["U01BOTUSER1"]})
    await kitchen.idle()


# -- installing ---------------------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


async def install(url: str, team: str) -> str:
    """Follow an installation as a browser does, and press Allow: what the app's last page says."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as browser:
        async with browser.get(f"{url}/slack/install") as page:
            consent = re.search(r'href="(http[^"]+)"', await page.text())
            cookie = page.headers["Set-Cookie"].partition(";")[0]
        assert consent is not None
        form = {"answer": "allow", "team": team}
        async with browser.post(consent[1].replace("&amp;", "&"), data=form, allow_redirects=False) as answer:
            back = answer.headers["Location"]
        async with browser.get(back, headers={"Cookie": cookie}) as page:
            return await page.text()


def settings(kind: type, sandbox: LocalSlack, folder: Path, url: str) -> Any:
    return kind(
        client_id=sandbox.client_id,
        client_secret=sandbox.client_secret,
        scopes=SCOPES,
        redirect_uri=f"{url}/slack/oauth_redirect",
        authorization_url=sandbox.authorize_url,
        installation_store=FileInstallationStore(base_dir=str(folder), client_id=sandbox.client_id),
        state_store=FileOAuthStateStore(expiration_seconds=60, base_dir=str(folder), client_id=sandbox.client_id),
    )


async def talks(sandbox: LocalSlack, url: str) -> None:
    """Install into two workspaces; each is answered with its own bot."""
    second = sandbox.add_workspace("Second Bank")
    sandbox.event_url = f"{url}/slack/events"
    for workspace in sandbox.workspaces:
        assert "Thank you" in await install(url, workspace.team_id)
        ana = workspace.person("ana")
        await ana.invite("#payments", "bot")
        ts = await ana.post("#payments", "@tea-shop hello")
        seen = workspace.person("ana")
        await wait_for(lambda s=seen, t=ts: len(s.messages("#payments", t)) == 2)
        answer = ana.messages("#payments", ts)[-1]
        assert (answer.text, answer.user) == ("Tea?", workspace.bot_user_id)
    assert second.bot_user_id != sandbox.bot_user_id
    await sandbox.idle()


async def test_installing_the_synchronous_app(sandbox: LocalSlack, tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    app = App(
        client=WebClient(base_url=sandbox.api_url),
        signing_secret=sandbox.signing_secret,
        oauth_settings=settings(OAuthSettings, sandbox, tmp_path, url),
    )
    listen(app)
    async with served(app, port):
        await talks(sandbox, url)


async def test_installing_the_asynchronous_app(sandbox: LocalSlack, tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    app = AsyncApp(
        client=AsyncWebClient(base_url=sandbox.api_url),
        signing_secret=sandbox.signing_secret,
        oauth_settings=settings(AsyncOAuthSettings, sandbox, tmp_path, url),
    )

    @app.event("app_mention")
    async def mentioned(event: Json, say: Any) -> None:
        await say(text="Tea?", thread_ts=event["ts"])

    @app.event(re.compile("message|member_joined_channel"))
    async def heed(event: Json) -> None:
        pass

    runner = web.AppRunner(app.server(port=port, host="127.0.0.1").web_app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await talks(sandbox, url)
    await runner.cleanup()
