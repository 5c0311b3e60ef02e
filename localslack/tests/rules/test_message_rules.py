"""SR-MSG and SR-SCH: posting, changing, and messages for later."""

from __future__ import annotations

import json

import aiohttp
import pytest

from localslack import LocalSlack
from localslack.tests import shop
from localslack.tests.rules.book import rule
from localslack.tests.rules.conftest import Try
from localslack.tests.shop import Json, section

GENERAL, PAYMENTS = "C01GENERAL1", "C01PAYMENTS"
ANA, BEN, GUS = "U01ANASILVA", "U01BENOKAFO", "U01GUSMARTE"
POST, UPDATE, LATER = "chat.postMessage", "chat.update", "chat.scheduleMessage"
DAY = 86_400


async def post(slack: Try, text: str = "x", channel: str = GENERAL, **more: object) -> str:
    return str((await slack.takes(POST, channel=channel, text=text, **more))["ts"])


@rule("SR-MSG-01")
async def test_a_long_text_is_cut_off(slack: Try) -> None:
    kept = await slack.takes(POST, channel=GENERAL, text="x" * 40_000)
    cut = await slack.takes(POST, channel=GENERAL, text="x" * 40_001)
    slack.holds(len(kept["message"]["text"]) == 40_000)
    slack.fails(len(cut["message"]["text"]) == 40_000)
    await slack.takes("conversations.join", channel=GENERAL)
    await slack.takes("chat.postEphemeral", channel=GENERAL, user="U01ANASILVA", text="x" * 40_000)
    await slack.refuses("msg_too_long", "chat.postEphemeral", channel=GENERAL, user="U01ANASILVA", text="x" * 40_001)
    slack.fails(cut["warning"] == "message_truncated" and "warning" not in kept)


@rule("SR-MSG-02")
async def test_text_of_an_update(slack: Try) -> None:
    ts = await post(slack)
    await slack.takes(UPDATE, channel=GENERAL, ts=ts, text="x" * 4_000)
    await slack.refuses("msg_too_long", UPDATE, channel=GENERAL, ts=ts, text="x" * 4_001)


@rule("SR-MSG-03")
async def test_something_is_said(slack: Try) -> None:
    await slack.takes(POST, channel=GENERAL, attachments=[{"text": "x"}])
    await slack.refuses("no_text", POST, channel=GENERAL, text="", blocks=[])
    await slack.refuses("no_text", POST, channel=GENERAL, text=" ")
    await slack.refuses("no_text", POST, channel=GENERAL, attachments=[{}])


@rule("SR-MSG-04")
async def test_attachments(slack: Try) -> None:
    await slack.takes(POST, channel=GENERAL, attachments=[{"text": "x"}] * 100)
    await slack.refuses("too_many_attachments", POST, channel=GENERAL, attachments=[{"text": "x"}] * 101)


@rule("SR-MSG-05")
async def test_markdown_text(slack: Try) -> None:
    await slack.takes(POST, channel=GENERAL, markdown_text="x" * 12_000)
    await slack.refuses("msg_too_long", POST, channel=GENERAL, markdown_text="x" * 12_001)
    ts = await post(slack)
    await slack.takes("chat.update", channel=GENERAL, ts=ts, markdown_text="x" * 12_000)
    await slack.refuses("msg_too_long", "chat.update", channel=GENERAL, ts=ts, markdown_text="x" * 12_001)


@rule("SR-MSG-06")
async def test_markdown_text_stands_alone(slack: Try) -> None:
    await slack.takes(POST, channel=GENERAL, markdown_text="x")
    await slack.refuses("markdown_text_conflict", POST, channel=GENERAL, markdown_text="x", text="x")
    await slack.refuses("markdown_text_conflict", POST, channel=GENERAL, markdown_text="x", blocks=[section("x")])


@rule("SR-MSG-07")
async def test_metadata_is_flat_or_one_level_deep(slack: Try) -> None:
    deep: Json = {"one": {"two": "x"}, "many": ["x", {"y": 1}]}
    await post(slack, metadata={"event_type": "t", "event_payload": deep})
    deeper = {"event_type": "t", "event_payload": {"one": {"two": {"three": "x"}}}}
    await slack.refuses("invalid_metadata_format", POST, channel=GENERAL, text="x", metadata=deeper)
    await slack.refuses("invalid_metadata_format", POST, channel=GENERAL, text="x", metadata={"event_type": "t"})


@rule("SR-MSG-08")
async def test_size_of_metadata(slack: Try) -> None:
    frame = len(json.dumps({"event_type": "t", "event_payload": {"x": ""}}))
    fits = {"event_type": "t", "event_payload": {"x": "x" * (8_000 - frame)}}
    large = {"event_type": "t", "event_payload": {"x": "x" * (8_001 - frame)}}
    await post(slack, metadata=fits)
    await slack.refuses("metadata_too_large", POST, channel=GENERAL, text="x", metadata=large)


@rule("SR-MSG-09")
async def test_metadata_on_request(slack: Try) -> None:
    metadata = {"event_type": "t", "event_payload": {"x": "1"}}
    await slack.takes("conversations.join", channel=PAYMENTS)
    await post(slack, channel=PAYMENTS, metadata=metadata)
    asked = await slack.takes("conversations.history", channel=PAYMENTS, include_all_metadata=True)
    slack.holds(asked["messages"][0]["metadata"] == metadata)
    slack.fails("metadata" not in (await slack.takes("conversations.history", channel=PAYMENTS))["messages"][0])


@rule("SR-MSG-10")
async def test_ephemerals_go_to_members(slack: Try) -> None:
    await slack.refuses("not_in_channel", "chat.postEphemeral", channel=PAYMENTS, user=ANA, text="x")
    await slack.takes("conversations.join", channel=PAYMENTS)
    await slack.takes("chat.postEphemeral", channel=PAYMENTS, user=ANA, text="x")
    await slack.refuses("user_not_in_channel", "chat.postEphemeral", channel=PAYMENTS, user=GUS, text="x")


@rule("SR-MSG-11")
async def test_ephemerals_are_not_changed(slack: Try) -> None:
    await slack.takes("conversations.join", channel=GENERAL)
    ts = (await slack.takes("chat.postEphemeral", channel=GENERAL, user=ANA, text="x"))["message_ts"]
    await slack.refuses("message_not_found", UPDATE, channel=GENERAL, ts=ts, text="y")
    await slack.refuses("message_not_found", "chat.delete", channel=GENERAL, ts=ts)


@rule("SR-MSG-12")
async def test_a_client_msg_id_makes_nothing_one(slack: Try) -> None:
    given = "11111111-2222-4333-8444-555555555555"
    first, second = await post(slack, client_msg_id=given), await post(slack, client_msg_id=given)
    slack.fails(first != second and len(slack.sandbox.channel("#general").messages) == 2)


@rule("SR-MSG-13")
async def test_an_edit_notifies_nobody(slack: Try) -> None:
    ts = await post(slack, f"<@{ANA}>")
    await slack.takes(UPDATE, channel=GENERAL, ts=ts, text=f"<@{ANA}> <@{BEN}>")
    slack.holds(len(slack.sandbox.person("ana").notifications) == 1)
    slack.fails(slack.sandbox.person("ben").notifications == [])


@rule("SR-MSG-14")
async def test_archived_channels_are_at_rest(slack: Try) -> None:
    ts = await post(slack, channel=PAYMENTS)
    await slack.sandbox.person("ana").archive("#payments")
    await slack.refuses("is_archived", POST, channel=PAYMENTS, text="x")
    await slack.refuses("is_inactive", UPDATE, channel=PAYMENTS, ts=ts, text="y")


@rule("SR-MSG-15")
@pytest.mark.parametrize("public", [pytest.param(True, id="with chat:write.public"), pytest.param(False, id="without")])
async def test_posting_where_the_bot_is_no_member(public: bool) -> None:
    scopes = ["chat:write", "channels:join", *(["chat:write.public"] if public else [])]
    async with LocalSlack(manifest=shop.manifest(scopes=scopes)) as sandbox, aiohttp.ClientSession() as session:
        slack = Try(sandbox, session)
        secret = await sandbox.person("ana").create_channel("secret", is_private=True)
        await slack.refuses("channel_not_found", POST, channel=secret, text="x")
        if public:
            await slack.takes(POST, channel=GENERAL, text="x")
        else:
            await slack.refuses("not_in_channel", POST, channel=GENERAL, text="x")
            await slack.takes("conversations.join", channel=GENERAL)
            await slack.takes(POST, channel=GENERAL, text="x")


@rule("SR-MSG-16")
async def test_own_messages_only(slack: Try) -> None:
    mine = await post(slack)
    theirs = await slack.sandbox.person("ana").post("#general", "hers")
    await slack.takes(UPDATE, channel=GENERAL, ts=mine, text="y")
    await slack.refuses("cant_update_message", UPDATE, channel=GENERAL, ts=theirs, text="y")
    await slack.refuses("cant_delete_message", "chat.delete", channel=GENERAL, ts=theirs)


@rule("SR-MSG-17")
async def test_what_mentions_somebody(slack: Try) -> None:
    await post(slack, f"<@{ANA}> &lt;@{BEN}&gt;")
    slack.holds(len(slack.sandbox.person("ana").notifications) == 1)
    slack.fails(slack.sandbox.person("ben").notifications == [])


@rule("SR-MSG-18")
async def test_a_thread_that_is_not_there(slack: Try) -> None:
    ts = await post(slack)
    reply = await slack.takes(POST, channel=GENERAL, text="x", thread_ts=ts)
    lost = await slack.takes(POST, channel=GENERAL, text="x", thread_ts="1.1")
    slack.holds(reply["message"]["thread_ts"] == ts)
    slack.fails("thread_ts" not in lost["message"])


@rule("SR-MSG-19")
async def test_blocks_of_an_update(slack: Try) -> None:
    ts = await post(slack, blocks=[section("old")])
    kept = await slack.takes(UPDATE, channel=GENERAL, ts=ts, text="y", blocks=[section("new")])
    slack.holds(kept["message"]["blocks"][0]["text"]["text"] == "new")
    slack.fails("blocks" not in (await slack.takes(UPDATE, channel=GENERAL, ts=ts, text="z"))["message"])


@rule("SR-MSG-20")
async def test_bots_do_not_talk_to_bots(slack: Try) -> None:
    await post(slack, channel=ANA)
    await slack.refuses("cannot_dm_bot", POST, channel="U01DEPLOYSB", text="x")


# -- for later ----------------------------------------------------------------------------------------


def now(slack: Try) -> int:
    return int(slack.sandbox.clock.now())


@rule("SR-SCH-01")
async def test_only_the_future(slack: Try) -> None:
    await slack.takes(LATER, channel=GENERAL, text="later", post_at=now(slack) + 1)
    await slack.refuses("time_in_past", LATER, channel=GENERAL, text="x", post_at=now(slack))
    slack.fails(slack.sandbox.channel("#general").messages == [])
    slack.sandbox.clock.advance(1)
    await slack.sandbox.idle()
    slack.holds([m.text for m in slack.sandbox.channel("#general").messages] == ["later"])


@rule("SR-SCH-02")
async def test_not_too_far(slack: Try) -> None:
    await slack.takes(LATER, channel=GENERAL, text="x", post_at=now(slack) + 120 * DAY)
    await slack.refuses("time_too_far", LATER, channel=GENERAL, text="x", post_at=now(slack) + 120 * DAY + 1)


@rule("SR-SCH-03")
async def test_thirty_in_five_minutes(slack: Try) -> None:
    at = now(slack) // 300 * 300 + 300
    for _ in range(30):
        await slack.takes(LATER, channel=GENERAL, text="x", post_at=at)
    await slack.refuses("restricted_too_many", LATER, channel=GENERAL, text="x", post_at=at + 299)
    await slack.takes(LATER, channel=GENERAL, text="x", post_at=at + 300)
    await slack.takes(LATER, channel=PAYMENTS, text="x", post_at=at)


@rule("SR-SCH-04")
async def test_deleting_in_time(slack: Try) -> None:
    async def schedule(after: int) -> str:
        made = await slack.takes(LATER, channel=GENERAL, text="x", post_at=now(slack) + after)
        return str(made["scheduled_message_id"])

    delete = "chat.deleteScheduledMessage"
    early, late = await schedule(61), await schedule(60)
    await slack.takes(delete, channel=GENERAL, scheduled_message_id=early)
    for gone in (early, late, "Q0NONE"):
        await slack.refuses("invalid_scheduled_message_id", delete, channel=GENERAL, scheduled_message_id=gone)
    slack.sandbox.clock.advance(61)
    await slack.sandbox.idle()
    slack.holds(len(slack.sandbox.channel("#general").messages) == 1)


@rule("SR-SCH-05")
async def test_metadata_keeps_it_from_being_posted(slack: Try) -> None:
    metadata = {"event_type": "t", "event_payload": {}}
    await slack.takes(LATER, channel=GENERAL, text="with", post_at=now(slack) + 10, metadata=metadata)
    await slack.takes(LATER, channel=GENERAL, text="without", post_at=now(slack) + 10)
    slack.sandbox.clock.advance(20)
    await slack.sandbox.idle()
    slack.fails([m.text for m in slack.sandbox.channel("#general").messages] == ["without"])


@rule("SR-SCH-06")
async def test_the_list_of_what_is_pending(slack: Try) -> None:
    for channel, after in ((PAYMENTS, 600), (GENERAL, 1200), (GENERAL, 300)):
        await slack.takes(LATER, channel=channel, text=f"{after}", post_at=now(slack) + after)

    async def texts(**args: object) -> list[str]:
        listed = await slack.takes("chat.scheduledMessages.list", **args)
        return [each["text"] for each in listed["scheduled_messages"]]

    assert await texts() == ["300", "600", "1200"]
    assert await texts(channel=GENERAL) == ["300", "1200"]
    assert await texts(oldest=now(slack) + 301, latest=now(slack) + 600) == ["600"]
    first = await slack.takes("chat.scheduledMessages.list", limit=2)
    cursor = first["response_metadata"]["next_cursor"]
    assert await texts(limit=2, cursor=cursor) == ["1200"]
    slack.sandbox.clock.advance(301)
    await slack.sandbox.idle()
    slack.fails(await texts() == ["600", "1200"])
    await slack.refuses("invalid_channel", "chat.scheduledMessages.list", channel="C0NONE")
