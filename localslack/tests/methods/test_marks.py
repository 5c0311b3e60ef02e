"""pins.*, bookmarks.*, reactions.*"""

from __future__ import annotations

from slack_sdk.web.async_client import AsyncWebClient

from localslack import LocalSlack
from localslack.tests.methods.asking import error_of

PAYMENTS = "C01PAYMENTS"


async def test_pins(sandbox: LocalSlack, client: AsyncWebClient) -> None:
    ts = await sandbox.person("ana").post("#payments", "keep")
    assert await error_of(client, "pins.add", channel=PAYMENTS, timestamp=ts) == "not_in_channel"
    await client.conversations_join(channel=PAYMENTS)
    await client.pins_add(channel=PAYMENTS, timestamp=ts)
    assert await error_of(client, "pins.add", channel=PAYMENTS, timestamp=ts) == "already_pinned"
    assert await error_of(client, "pins.add", channel=PAYMENTS, timestamp="1.1") == "message_not_found"
    listed = await client.pins_list(channel=PAYMENTS)
    assert [item["message"]["text"] for item in listed["items"]] == ["keep"]
    await client.pins_remove(channel=PAYMENTS, timestamp=ts)
    assert await error_of(client, "pins.remove", channel=PAYMENTS, timestamp=ts) == "no_pin"


async def test_a_deleted_message_is_not_pinned(sandbox: LocalSlack, client: AsyncWebClient) -> None:
    await client.conversations_join(channel=PAYMENTS)
    ts = (await client.chat_postMessage(channel=PAYMENTS, text="x"))["ts"]
    await client.pins_add(channel=PAYMENTS, timestamp=ts)
    await client.chat_delete(channel=PAYMENTS, ts=ts)
    assert (await client.pins_list(channel=PAYMENTS))["items"] == []


async def test_bookmarks(client: AsyncWebClient) -> None:
    await client.conversations_join(channel=PAYMENTS)
    bad = {"channel_id": PAYMENTS, "type": "link", "title": "Card", "link": "ftp://x"}
    assert await error_of(client, "bookmarks.add", **bad) == "invalid_link"
    added = await client.bookmarks_add(channel_id=PAYMENTS, type="link", title="Card", link="https://x.example/")
    bookmark = added["bookmark"]["id"]
    await client.bookmarks_edit(channel_id=PAYMENTS, bookmark_id=bookmark, title="Board")
    listed = (await client.bookmarks_list(channel_id=PAYMENTS))["bookmarks"]
    assert [(each["title"], each["link"]) for each in listed] == [("Board", "https://x.example/")]
    await client.bookmarks_remove(channel_id=PAYMENTS, bookmark_id=bookmark)
    assert await error_of(client, "bookmarks.remove", channel_id=PAYMENTS, bookmark_id=bookmark) == "not_found"


async def test_reactions(sandbox: LocalSlack, client: AsyncWebClient) -> None:
    await client.conversations_join(channel=PAYMENTS)
    ts = await sandbox.person("ana").post("#payments", "hm")
    await sandbox.person("ben").react("#payments", ts, "pushpin")
    await client.reactions_add(channel=PAYMENTS, timestamp=ts, name="pushpin")
    again = {"channel": PAYMENTS, "timestamp": ts, "name": "pushpin"}
    assert await error_of(client, "reactions.add", **again) == "already_reacted"
    assert await error_of(client, "reactions.add", **(again | {"name": "no such!"})) == "invalid_name"
    message = (await client.reactions_get(channel=PAYMENTS, timestamp=ts))["message"]
    assert message["reactions"] == [{"name": "pushpin", "users": ["U01BENOKAFO", "U01BOTUSER1"], "count": 2}]
    assert len((await client.reactions_list())["items"]) == 1
    await client.reactions_remove(channel=PAYMENTS, timestamp=ts, name="pushpin")
    assert await error_of(client, "reactions.remove", **again) == "no_reaction"
