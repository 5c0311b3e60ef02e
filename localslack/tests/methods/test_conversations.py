"""conversations.* and users.conversations"""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from localslack import LocalSlack, NotPossible
from localslack.tests.methods.asking import error_of

GENERAL, PAYMENTS = "C01GENERAL1", "C01PAYMENTS"
ANA, BEN, CARLA, GUS = "U01ANASILVA", "U01BENOKAFO", "U01CARLAROS", "U01GUSMARTE"


@pytest.mark.parametrize(
    ("name", "error"),
    [
        pytest.param("inc-42_withdrawals", None, id="good"),
        pytest.param("x" * 80, None, id="80 characters"),
        pytest.param("x" * 81, "invalid_name_maxlength", id="81 characters"),
        pytest.param("", "invalid_name_required", id="no name"),
        pytest.param("---", "invalid_name_punctuation", id="only punctuation"),
        pytest.param("Inc 42", "invalid_name_specials", id="capitals and a space"),
        pytest.param("général", "invalid_name_specials", id="an accent"),
        pytest.param("general", "name_taken", id="taken"),
    ],
)
async def test_names(client: AsyncWebClient, name: str, error: str | None) -> None:
    assert await error_of(client, "conversations.create", name=name) == error


async def test_an_archived_channel_keeps_its_name(client: AsyncWebClient) -> None:
    made = (await client.conversations_create(name="inc-1"))["channel"]
    assert (made["creator"], made["is_private"], made["is_member"]) == ("U01BOTUSER1", False, True)
    await client.conversations_archive(channel=made["id"])
    assert await error_of(client, "conversations.create", name="inc-1") == "name_taken"
    assert await error_of(client, "conversations.archive", channel=made["id"]) == "already_archived"


async def test_bots_cannot_unarchive_but_people_can(sandbox: LocalSlack, client: AsyncWebClient) -> None:
    made = (await client.conversations_create(name="inc-1"))["channel"]["id"]
    await client.conversations_invite(channel=made, users=ANA)
    assert await error_of(client, "conversations.unarchive", channel=made) == "not_archived"
    await client.conversations_archive(channel=made)
    assert await error_of(client, "conversations.unarchive", channel=made) == "not_in_channel"
    await sandbox.person("ana").unarchive(made)
    assert not sandbox.channel(made).is_archived


@pytest.mark.parametrize(
    ("users", "force", "error", "came"),
    [
        pytest.param([ANA, BEN], False, None, [ANA, BEN], id="two people"),
        pytest.param([ANA, GUS], False, "user_is_restricted", [], id="all or nothing"),
        pytest.param([ANA, GUS, "U0NOBODY"], True, None, [ANA], id="force takes the good ones"),
        pytest.param([GUS], True, "user_is_restricted", [], id="force with none good"),
        pytest.param(["U0NOBODY"], False, "user_not_found", [], id="nobody"),
        pytest.param(["U01BOTUSER1"], False, "cant_invite_self", [], id="itself"),
        pytest.param([], False, "no_user", [], id="no user"),
        pytest.param([f"U{n}" for n in range(101)], False, "invalid_arguments", [], id="more than a hundred"),
    ],
)
async def test_inviting(
    sandbox: LocalSlack, client: AsyncWebClient, users: list[str], force: bool, error: str | None, came: list[str]
) -> None:
    made = (await client.conversations_create(name="inc-1"))["channel"]["id"]
    got = await error_of(client, "conversations.invite", channel=made, users=",".join(users), force=force)
    assert got == error
    assert sandbox.channel(made).members == ["U01BOTUSER1", *came]


async def test_partial_invitations_name_each_failure(client: AsyncWebClient) -> None:
    made = (await client.conversations_create(name="inc-1"))["channel"]["id"]
    answer = await client.conversations_invite(channel=made, users=[ANA, GUS, "U0NOBODY"], force=True)
    assert {(each["user"], each["error"]) for each in answer["errors"]} == {
        (GUS, "user_is_restricted"), ("U0NOBODY", "user_not_found"),
    }  # fmt: skip
    with pytest.raises(SlackApiError, match="already_in_channel"):
        await client.conversations_invite(channel=made, users=ANA)


async def test_only_members_read_history(client: AsyncWebClient) -> None:
    assert await error_of(client, "conversations.history", channel=PAYMENTS) == "not_in_channel"
    joined = await client.conversations_join(channel=PAYMENTS)
    assert joined["channel"]["is_member"]
    assert await error_of(client, "conversations.history", channel=PAYMENTS) is None
    assert (await client.conversations_join(channel=PAYMENTS))["warning"] == "already_in_channel"


async def test_history_newest_first_by_pages(sandbox: LocalSlack, client: AsyncWebClient) -> None:
    await client.conversations_join(channel=PAYMENTS)
    posted = [(await client.chat_postMessage(channel=PAYMENTS, text=str(n)))["ts"] for n in range(5)]
    await client.chat_postMessage(channel=PAYMENTS, text="in a thread", thread_ts=posted[0])
    texts, cursor = [], ""
    while True:
        answer = await client.conversations_history(channel=PAYMENTS, limit=2, cursor=cursor, oldest=posted[1])
        texts.append([m["text"] for m in answer["messages"]])
        if not answer["has_more"]:
            break
        cursor = answer["response_metadata"]["next_cursor"]
    assert texts == [["4", "3"], ["2"]]
    one = await client.conversations_history(channel=PAYMENTS, latest=posted[1], inclusive=True, limit=1)
    assert one["messages"][0]["text"] == "1"
    assert await error_of(client, "conversations.history", channel=PAYMENTS, cursor="made-up") == "invalid_cursor"


async def test_replies(sandbox: LocalSlack, client: AsyncWebClient) -> None:
    await client.conversations_join(channel=PAYMENTS)
    parent = (await client.chat_postMessage(channel=PAYMENTS, text="p"))["ts"]
    reply = (await client.chat_postMessage(channel=PAYMENTS, text="r", thread_ts=parent))["ts"]
    answer = await client.conversations_replies(channel=PAYMENTS, ts=parent)
    assert [m["text"] for m in answer["messages"]] == ["p", "r"]
    assert (answer["messages"][0]["reply_count"], answer["messages"][1]["parent_user_id"]) == (1, "U01BOTUSER1")
    alone = await client.conversations_replies(channel=PAYMENTS, ts=reply)
    assert [m["text"] for m in alone["messages"]] == ["r"]
    assert await error_of(client, "conversations.replies", channel=PAYMENTS, ts="1.1") == "thread_not_found"
    await client.chat_delete(channel=PAYMENTS, ts=parent)
    stone = (await client.conversations_replies(channel=PAYMENTS, ts=parent))["messages"][0]
    assert (stone["subtype"], stone["text"]) == ("tombstone", "This message was deleted.")


async def test_lists_show_what_the_bot_may_see(sandbox: LocalSlack, client: AsyncWebClient) -> None:
    ana = sandbox.person("ana")
    await ana.create_channel("secret", is_private=True)
    ours = (await client.conversations_create(name="ours", is_private=True))["channel"]["id"]
    old = (await client.conversations_create(name="old"))["channel"]["id"]
    await client.conversations_archive(channel=old)

    async def names(method: str, **args: Any) -> set[str]:
        answer = await client.api_call(method, params=args)
        return {channel["name"] for channel in answer["channels"]}

    public = {"general", "incidents", "customer-comms", "payments", "old"}
    both = "public_channel,private_channel"
    assert await names("conversations.list") == public
    assert await names("conversations.list", types=both) == public | {"ours"}
    assert await names("conversations.list", exclude_archived="true") == public - {"old"}
    assert await names("users.conversations", types=both) == {"ours", "old"}
    assert await names("users.conversations", user=GUS) == {"general"}
    assert await error_of(client, "conversations.list", types="secret") == "invalid_types"
    members = await client.conversations_members(channel=ours)
    assert members["members"] == ["U01BOTUSER1"]


async def test_topic_purpose_name_and_members(sandbox: LocalSlack, client: AsyncWebClient) -> None:
    made = (await client.conversations_create(name="inc-1"))["channel"]["id"]
    await client.conversations_setTopic(channel=made, topic="SEV-1")
    await client.conversations_setTopic(channel=made, topic="SEV-1")  # unchanged: no line
    await client.conversations_setPurpose(channel=made, purpose="Talk")
    assert await error_of(client, "conversations.setTopic", channel=made, topic="x" * 251) == "too_long"
    await client.conversations_rename(channel=made, name="inc-1-withdrawals")
    await client.conversations_invite(channel=made, users=[ANA, BEN])
    await client.conversations_kick(channel=made, user=BEN)
    assert await error_of(client, "conversations.kick", channel=made, user=BEN) == "not_in_channel"
    assert await error_of(client, "conversations.kick", channel=made, user="U01BOTUSER1") == "cant_kick_self"
    about = (await client.conversations_info(channel=made, include_num_members=True))["channel"]
    assert (about["name"], about["topic"]["value"], about["num_members"]) == ("inc-1-withdrawals", "SEV-1", 2)
    assert about["previous_names"] == ["inc-1"]
    lines = [message.subtype for message in sandbox.channel(made).messages]
    assert lines == [
        "channel_join", "channel_topic", "channel_purpose", "channel_name", "channel_join", "channel_join",
        "channel_leave",
    ]  # fmt: skip
    await client.conversations_leave(channel=made)
    assert await error_of(client, "conversations.setTopic", channel=made, topic="x") == "not_in_channel"


@pytest.mark.parametrize(
    ("args", "error"),
    [
        pytest.param({"users": ANA}, None, id="a person"),
        pytest.param({"users": "U01DEPLOYSB"}, "cannot_dm_bot", id="a bot"),
        pytest.param({"users": "U0NOBODY"}, "user_not_found", id="nobody"),
        pytest.param({}, "users_list_not_supplied", id="no user"),
    ],
)
async def test_opening_direct_messages(client: AsyncWebClient, args: dict[str, str], error: str | None) -> None:
    assert await error_of(client, "conversations.open", **args) == error


async def test_what_people_cannot_do(sandbox: LocalSlack) -> None:
    gus, carla = sandbox.person("gus"), sandbox.person("carla")
    with pytest.raises(NotPossible, match="cannot see"):
        await gus.post("#payments", "hello?")
    with pytest.raises(NotPossible, match="cannot join"):
        await gus.join("#payments")
    with pytest.raises(NotPossible, match="only administrators"):
        await carla.delete_channel("#payments")
    ts = await sandbox.person("ben").post("#payments", "mine")
    with pytest.raises(NotPossible, match="only one's own"):
        await carla.delete("#payments", ts)
