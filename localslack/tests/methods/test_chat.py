"""chat.*"""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from localslack import LocalSlack
from localslack.tests.methods.asking import error_of
from localslack.tests.shop import card, section

GENERAL, PAYMENTS = "C01GENERAL1", "C01PAYMENTS"


async def test_posting_gives_the_message_as_slack_stores_it(sandbox: LocalSlack, client: AsyncWebClient) -> None:
    answer = await client.chat_postMessage(channel="#general", text="order", blocks=card("green"))
    message = answer["message"]
    assert (answer["channel"], answer["ts"], message["ts"]) == (GENERAL, message["ts"], "1795183200.000000")
    assert (message["user"], message["bot_id"], message["app_id"]) == (
        sandbox.bot_user_id,
        "B01SANDBOX1",
        "A01SANDBOX1",
    )
    assert all(block["block_id"] for block in message["blocks"])


async def test_ts_rise_and_are_unique_while_the_clock_stands(client: AsyncWebClient) -> None:
    seen = [(await client.chat_postMessage(channel=GENERAL, text="x"))["ts"] for _ in range(3)]
    assert seen == sorted(set(seen))


@pytest.mark.parametrize(
    ("args", "error"),
    [
        pytest.param({"channel": GENERAL}, "no_text", id="nothing to say"),
        pytest.param({"channel": "#nowhere", "text": "x"}, "channel_not_found", id="no such channel"),
        pytest.param({"channel": GENERAL, "text": "x", "blocks": [{"type": "x"}]}, "invalid_blocks", id="bad blocks"),
        pytest.param(
            {"channel": GENERAL, "text": "x", "blocks": "{"}, "invalid_blocks_format", id="blocks are not JSON"
        ),
        pytest.param(
            {"channel": GENERAL, "blocks": [section("x" * 3000)] * 5}, "msg_blocks_too_long", id="too long in all"
        ),
        pytest.param(
            {"channel": GENERAL, "text": "x", "attachments": [{}] * 101}, "too_many_attachments", id="attachments"
        ),
        pytest.param({"channel": GENERAL, "text": "x", "markdown_text": "y"}, "markdown_text_conflict", id="two texts"),
        pytest.param(
            {"channel": GENERAL, "text": "x", "metadata": {"event_type": "x"}}, "invalid_metadata_format", id="metadata"
        ),
        pytest.param({"channel": "U01DEPLOYSB", "text": "x"}, "cannot_dm_bot", id="a bot's direct message"),
    ],
)
async def test_what_cannot_be_posted(client: AsyncWebClient, args: dict[str, Any], error: str) -> None:
    assert await error_of(client, "chat.postMessage", **args) == error


async def test_invalid_blocks_are_pointed_at(client: AsyncWebClient) -> None:
    with pytest.raises(SlackApiError) as refused:
        await client.chat_postMessage(channel=GENERAL, text="x", blocks=[section("")])
    messages = refused.value.response["response_metadata"]["messages"]
    assert messages == ["[ERROR] must be more than 0 characters [json-pointer:/blocks/0/text/text]"]


async def test_private_and_archived_channels(sandbox: LocalSlack, client: AsyncWebClient) -> None:
    ana = sandbox.person("ana")
    secret = await ana.create_channel("secret", is_private=True)
    assert await error_of(client, "chat.postMessage", channel=secret, text="x") == "channel_not_found"
    await ana.invite(secret, "bot")
    assert await error_of(client, "chat.postMessage", channel=secret, text="x") is None
    await ana.archive(secret)
    assert await error_of(client, "chat.postMessage", channel=secret, text="x") == "is_archived"


async def test_posting_to_a_person_opens_a_direct_message(sandbox: LocalSlack, client: AsyncWebClient) -> None:
    answer = await client.chat_postMessage(channel="U01BENOKAFO", text="psst")
    assert answer["channel"].startswith("D")
    ben = sandbox.person("ben")
    assert [m.text for m in ben.dm_messages()] == ["psst"]
    assert [n.reason for n in ben.notifications] == ["dm"]


async def test_threads(sandbox: LocalSlack, client: AsyncWebClient) -> None:
    parent = (await client.chat_postMessage(channel=GENERAL, text="parent"))["ts"]
    reply = await client.chat_postMessage(channel=GENERAL, text="reply", thread_ts=parent)
    assert reply["message"]["thread_ts"] == parent
    # A reply to a reply lands in the thread of its parent.
    deeper = await client.chat_postMessage(channel=GENERAL, text="deeper", thread_ts=reply["ts"])
    assert deeper["message"]["thread_ts"] == parent
    shown = await client.chat_postMessage(channel=GENERAL, text="also", thread_ts=parent, reply_broadcast=True)
    assert shown["message"]["subtype"] == "thread_broadcast"
    ana = sandbox.person("ana")
    assert [m.text for m in ana.messages("#general")] == ["parent", "also"]
    assert [m.text for m in ana.messages("#general", parent)] == ["parent", "reply", "deeper", "also"]


async def test_a_reply_to_what_is_gone_is_posted_at_top_level(sandbox: LocalSlack, client: AsyncWebClient) -> None:
    """slack-go#1571: no error; the answer's message has no thread_ts."""
    parent = (await client.chat_postMessage(channel=GENERAL, text="parent"))["ts"]
    await client.chat_delete(channel=GENERAL, ts=parent)
    answer = await client.chat_postMessage(channel=GENERAL, text="orphan", thread_ts=parent)
    assert "thread_ts" not in answer["message"]
    assert [m.text for m in sandbox.person("ana").messages("#general")] == ["orphan"]


async def test_an_edit_notifies_nobody(sandbox: LocalSlack, client: AsyncWebClient) -> None:
    ts = (await client.chat_postMessage(channel=GENERAL, text="quiet"))["ts"]
    await client.chat_update(channel=GENERAL, ts=ts, text="<@U01ANASILVA> look")
    ana = sandbox.person("ana")
    assert ana.messages("#general")[-1].text == "<@U01ANASILVA> look"
    assert ana.notifications == []


@pytest.mark.parametrize(
    ("post", "who"),
    [
        pytest.param({"text": "<@U01ANASILVA> hi"}, ["ana"], id="a person in the text"),
        pytest.param({"text": "<!subteam^S01COMMSTEA> hi"}, ["dipo", "eve"], id="a user group"),
        pytest.param({"text": "<!here>"}, ["ana", "ben", "carla", "dipo", "eve", "gus"], id="everybody"),
        pytest.param({"text": "x", "blocks": [section("<@U01BENOKAFO>")]}, ["ben"], id="a person in a block"),
        pytest.param({"text": "<@U01BENOKAFO>", "blocks": [section("x")]}, [], id="only in the fallback text"),
        pytest.param({"text": "&lt;@U01ANASILVA&gt;"}, [], id="escaped"),
    ],
)
async def test_who_is_notified(
    sandbox: LocalSlack, client: AsyncWebClient, post: dict[str, Any], who: list[str]
) -> None:
    await client.chat_postMessage(channel=GENERAL, **post)
    people = ["ana", "ben", "carla", "dipo", "eve", "gus"]
    assert [name for name in people if sandbox.person(name).notifications] == who


async def test_who_is_not_in_the_channel_is_not_notified(sandbox: LocalSlack, client: AsyncWebClient) -> None:
    await client.chat_postMessage(channel=PAYMENTS, text="<@U01GUSMARTE>")
    assert sandbox.person("gus").notifications == []


async def test_followers_of_a_thread_are_notified(sandbox: LocalSlack, client: AsyncWebClient) -> None:
    ana, ben = sandbox.person("ana"), sandbox.person("ben")
    ts = await ana.post("#general", "anyone?")
    await ben.post("#general", "me", thread_ts=ts)
    await client.chat_postMessage(channel=GENERAL, text="and me", thread_ts=ts)
    assert [n.reason for n in ana.notifications] == ["thread", "thread"]
    assert [n.reason for n in ben.notifications] == ["thread"]


@pytest.mark.parametrize(
    ("args", "text", "blocks"),
    [
        pytest.param({"text": "new"}, "new", 0, id="text alone takes the blocks away"),
        pytest.param({"blocks": [section("b")]}, "order", 1, id="blocks alone keep the text"),
        pytest.param({"text": "new", "blocks": []}, "new", 0, id="an empty list takes them away"),
        pytest.param({"text": "new", "blocks": [section("b")]}, "new", 1, id="both"),
    ],
)
async def test_updating(
    client: AsyncWebClient, sandbox: LocalSlack, args: dict[str, Any], text: str, blocks: int
) -> None:
    ts = (await client.chat_postMessage(channel=GENERAL, text="order", blocks=card("green")))["ts"]
    await client.chat_update(channel=GENERAL, ts=ts, **args)
    message = sandbox.channel("#general").messages[-1]
    assert (message.text, len(message.blocks)) == (text, blocks)


async def test_what_cannot_be_updated_or_deleted(sandbox: LocalSlack, client: AsyncWebClient) -> None:
    ana = sandbox.person("ana")
    theirs = await ana.post("#payments", "mine")
    ours = (await client.chat_postMessage(channel=PAYMENTS, text="x"))["ts"]

    async def update(**args: Any) -> str | None:
        return await error_of(client, "chat.update", **args)

    assert await update(channel=PAYMENTS, ts=theirs, text="y") == "cant_update_message"
    assert await update(channel=PAYMENTS, ts="1.1", text="y") == "message_not_found"
    assert await update(channel=PAYMENTS, ts=ours) == "no_text"
    assert await update(channel=PAYMENTS, ts=ours, text="y" * 4001) == "msg_too_long"
    assert await update(channel=PAYMENTS, ts=ours, text="y" * 4000) is None
    assert await error_of(client, "chat.delete", channel=PAYMENTS, ts=theirs) == "cant_delete_message"
    await ana.archive("#payments")
    assert await update(channel=PAYMENTS, ts=ours, text="y") == "is_inactive"


async def test_ephemerals_only_to_members_and_only_for_them(sandbox: LocalSlack, client: AsyncWebClient) -> None:
    async def whisper(**args: Any) -> str | None:
        return await error_of(client, "chat.postEphemeral", **({"channel": PAYMENTS, "text": "psst"} | args))

    assert await whisper(user="U01ANASILVA") == "not_in_channel"
    await client.conversations_join(channel=PAYMENTS)
    assert await whisper(user="U01GUSMARTE") == "user_not_in_channel"
    assert await whisper(user="U01ANASILVA") is None
    assert sandbox.person("ana").messages("#payments")[-1].ephemeral
    assert not any(m.text == "psst" for m in sandbox.person("ben").messages("#payments"))
    history = await client.conversations_history(channel=PAYMENTS)
    assert not any(m["text"] == "psst" for m in history["messages"])
    ts = sandbox.person("ana").messages("#payments")[-1].ts
    assert await error_of(client, "chat.update", channel=PAYMENTS, ts=ts, text="no") == "message_not_found"


async def test_permalinks(sandbox: LocalSlack, client: AsyncWebClient) -> None:
    ts = (await client.chat_postMessage(channel=GENERAL, text="x"))["ts"]
    answer = await client.chat_getPermalink(channel=GENERAL, message_ts=ts)
    assert answer["permalink"] == f"{sandbox.url}/archives/{GENERAL}/p{ts.replace('.', '')}"


async def test_metadata_is_shown_only_where_asked_for(client: AsyncWebClient) -> None:
    metadata = {"event_type": "order", "event_payload": {"id": "7"}}
    await client.conversations_join(channel=PAYMENTS)
    await client.chat_postMessage(channel=PAYMENTS, text="x", metadata=metadata)
    without = await client.conversations_history(channel=PAYMENTS, limit=1)
    asked = await client.conversations_history(channel=PAYMENTS, limit=1, include_all_metadata=True)
    assert "metadata" not in without["messages"][0]
    assert asked["messages"][0]["metadata"] == metadata
