"""SR-CHN, SR-MRK, SR-FIL, SR-LST: channels and what is kept in them."""

from __future__ import annotations

import pytest

from localslack import LocalSlack, messages
from localslack.tests.rules.book import rule
from localslack.tests.rules.conftest import Try

GENERAL, PAYMENTS = "C01GENERAL1", "C01PAYMENTS"
ANA, BEN, GUS, BOT = "U01ANASILVA", "U01BENOKAFO", "U01GUSMARTE", "U01BOTUSER1"
CREATE, INVITE, HISTORY = "conversations.create", "conversations.invite", "conversations.history"


async def make(slack: Try, name: str = "inc-1", **more: object) -> str:
    return str((await slack.takes(CREATE, name=name, **more))["channel"]["id"])


@rule("SR-CHN-01")
async def test_length_of_a_name(slack: Try) -> None:
    await slack.takes(CREATE, name="x" * 80)
    await slack.refuses("invalid_name_maxlength", CREATE, name="x" * 81)


@rule("SR-CHN-02")
async def test_signs_of_a_name(slack: Try) -> None:
    await slack.takes(CREATE, name="az09-_")
    for name in ("Inc", "a b", "é", "a.b", "#a"):
        await slack.refuses("invalid_name_specials", CREATE, name=name)


@rule("SR-CHN-03")
async def test_a_name_is_not_only_punctuation(slack: Try) -> None:
    await slack.takes(CREATE, name="-1-")
    await slack.refuses("invalid_name_punctuation", CREATE, name="-_-")


@rule("SR-CHN-04")
async def test_a_name_is_given(slack: Try) -> None:
    await slack.takes(CREATE, name="x")
    await slack.refuses("invalid_name_required", CREATE, name="")
    await slack.refuses("invalid_name_required", CREATE)


@rule("SR-CHN-05")
async def test_a_name_stays_taken(slack: Try) -> None:
    made = await make(slack)
    await slack.refuses("name_taken", CREATE, name="inc-1")
    await slack.takes("conversations.archive", channel=made)
    await slack.refuses("name_taken", CREATE, name="inc-1")


@rule("SR-CHN-06")
@pytest.mark.parametrize("what", ["topic", "purpose"])
async def test_topic_and_purpose(slack: Try, what: str) -> None:
    made = await make(slack)
    method = f"conversations.set{what.title()}"
    await slack.takes(method, channel=made, **{what: "x" * 250})
    await slack.refuses("too_long", method, channel=made, **{what: "x" * 251})
    await slack.takes(method, channel=made, **{what: ""})
    await slack.refuses("invalid_arguments", method, channel=made)


@rule("SR-CHN-07")
async def test_a_hundred_at_once(slack: Try) -> None:
    people = [slack.sandbox.hire(f"p{n}", f"Person {n}").id for n in range(101)]
    await slack.takes(INVITE, channel=await make(slack), users=",".join(people[:100]))
    await slack.refuses("invalid_arguments", INVITE, channel=await make(slack, "inc-2"), users=",".join(people))


@rule("SR-CHN-08")
async def test_all_or_nothing(slack: Try) -> None:
    made = await make(slack)
    await slack.refuses("user_not_found", INVITE, channel=made, users=f"{ANA},U0NOBODY")
    slack.fails(slack.sandbox.channel(made).members == [BOT])
    await slack.takes(INVITE, channel=made, users=f"{ANA},U0NOBODY", force=True)
    slack.holds(slack.sandbox.channel(made).members == [BOT, ANA])


@rule("SR-CHN-09")
async def test_who_cannot_be_invited(slack: Try) -> None:
    made = await make(slack)
    await slack.takes(INVITE, channel=made, users=ANA)
    for error, user in (("cant_invite_self", BOT), ("already_in_channel", ANA), ("user_is_restricted", GUS)):
        await slack.refuses(error, INVITE, channel=made, users=user)


@rule("SR-CHN-10")
async def test_people_unarchive(slack: Try) -> None:
    made = await make(slack)
    await slack.takes(INVITE, channel=made, users=ANA)
    await slack.takes("conversations.archive", channel=made)
    await slack.refuses("not_in_channel", "conversations.unarchive", channel=made)
    await slack.sandbox.person("ana").unarchive(made)
    slack.holds(not slack.sandbox.channel(made).is_archived)


@rule("SR-CHN-11")
async def test_archiving(slack: Try) -> None:
    made = await make(slack)
    await slack.takes("conversations.archive", channel=made)
    await slack.refuses("already_archived", "conversations.archive", channel=made)
    await slack.refuses("cant_archive_general", "conversations.archive", channel=GENERAL)


@rule("SR-CHN-12")
async def test_history_is_for_members(slack: Try) -> None:
    await slack.refuses("not_in_channel", HISTORY, channel=PAYMENTS)
    await slack.takes("conversations.join", channel=PAYMENTS)
    await slack.takes(HISTORY, channel=PAYMENTS)


@rule("SR-CHN-13")
async def test_who_made_it_renames_it(slack: Try) -> None:
    await slack.takes("conversations.rename", channel=await make(slack), name="inc-1-b")
    await slack.takes("conversations.join", channel=PAYMENTS)
    await slack.refuses("not_authorized", "conversations.rename", channel=PAYMENTS, name="paid")


@rule("SR-CHN-14")
async def test_kicking(slack: Try) -> None:
    made = await make(slack)
    await slack.takes(INVITE, channel=made, users=ANA)
    await slack.takes("conversations.kick", channel=made, user=ANA)
    await slack.refuses("not_in_channel", "conversations.kick", channel=made, user=ANA)
    await slack.refuses("cant_kick_self", "conversations.kick", channel=made, user=BOT)
    await slack.takes("conversations.join", channel=GENERAL)
    await slack.refuses("cant_kick_from_general", "conversations.kick", channel=GENERAL, user=ANA)


@rule("SR-CHN-15")
async def test_leaving(slack: Try) -> None:
    for channel in (PAYMENTS, GENERAL):
        await slack.takes("conversations.join", channel=channel)
    await slack.takes("conversations.leave", channel=PAYMENTS)
    _, body, _ = await slack.ask("conversations.leave", channel=PAYMENTS)
    slack.fails(body == {"ok": False, "not_in_channel": True})
    await slack.refuses("cant_leave_general", "conversations.leave", channel=GENERAL)


@rule("SR-CHN-16")
async def test_private_channels_are_not_there(slack: Try) -> None:
    secret = await slack.sandbox.person("ana").create_channel("secret", is_private=True)
    await slack.refuses("channel_not_found", "conversations.info", channel=secret)
    await slack.sandbox.person("ana").invite(secret, "bot")
    await slack.takes("conversations.info", channel=secret)


@rule("SR-CHN-17")
async def test_a_public_channel_stays_public(slack: Try) -> None:
    await make(slack, "secret", is_private=True)
    made = await make(slack)
    await slack.refuses("not_allowed_token_type", "admin.conversations.convertToPrivate", channel_id=made)


@rule("SR-CHN-18")
async def test_direct_messages(slack: Try) -> None:
    await slack.takes("conversations.open", users=ANA)
    await slack.refuses("users_list_not_supplied", "conversations.open")
    await slack.refuses("user_not_found", "conversations.open", users="U0NOBODY")
    gone = slack.sandbox.hire("gone", "Gone Person", deleted=True).id
    await slack.refuses("user_disabled", "conversations.open", users=gone)


@rule("SR-CHN-21")
async def test_direct_messages_are_no_channels(slack: Try) -> None:
    direct = (await slack.takes("conversations.open", users=ANA))["channel"]["id"]
    await slack.takes("conversations.info", channel=direct)
    for method, more in (("archive", {}), ("rename", {"name": "x"}), ("kick", {"user": ANA}), ("join", {})):
        await slack.refuses("method_not_supported_for_channel_type", f"conversations.{method}", channel=direct, **more)


@rule("SR-CHN-22")
async def test_direct_messages_with_several(sandbox: LocalSlack, slack: Try) -> None:
    sandbox.install.grants[sandbox.bot_token].scopes |= {"mpim:write", "mpim:read"}
    opened = await slack.takes("conversations.open", users=[ANA, BEN], return_im=True)
    assert opened["channel"]["is_mpim"]
    again = await slack.takes("conversations.open", users=f"{BEN},{ANA}")
    assert again == {"ok": True, "channel": {"id": opened["channel"]["id"]}, "no_op": True, "already_open": True}
    await slack.takes("chat.postMessage", channel=opened["channel"]["id"], text="x")
    listed = await slack.takes("conversations.list", types="mpim")
    assert [each["id"] for each in listed["channels"]] == [opened["channel"]["id"]]
    await slack.refuses("user_not_found", "conversations.open", users=[ANA, "U0NOBODY"])
    crew = [sandbox.hire(f"p{n}", f"Person {n}").id for n in range(9)]
    await slack.takes("conversations.open", users=crew[:8])
    await slack.refuses("too_many_users", "conversations.open", users=crew)
    gone = sandbox.hire("gone", "Gone Person", deleted=True).id
    await slack.refuses("user_disabled", "conversations.open", users=[ANA, gone])


@rule("SR-CHN-19")
async def test_archived_channels_are_closed(slack: Try) -> None:
    made = await make(slack)
    await slack.takes("conversations.archive", channel=made)
    for method, more in (
        ("conversations.join", {}),
        (INVITE, {"users": ANA}),
        ("conversations.setTopic", {"topic": "x"}),
        ("pins.add", {"timestamp": "1.1"}),
    ):
        await slack.refuses("is_archived", method, channel=made, **more)


@rule("SR-CHN-20")
async def test_somebody_stays(slack: Try) -> None:
    made = await make(slack, is_private=True)
    await slack.refuses("last_member", "conversations.leave", channel=made)
    await slack.takes(INVITE, channel=made, users=ANA)
    await slack.takes("conversations.leave", channel=made)


# -- pins, bookmarks, reactions -----------------------------------------------------------------------


async def message(slack: Try) -> str:
    await slack.ask("conversations.join", channel=PAYMENTS)
    return str((await slack.takes("chat.postMessage", channel=PAYMENTS, text="x"))["ts"])


@rule("SR-MRK-01")
async def test_a_hundred_pins(slack: Try) -> None:
    for _ in range(100):
        await slack.takes("pins.add", channel=PAYMENTS, timestamp=await message(slack))
    await slack.refuses("too_many_pins", "pins.add", channel=PAYMENTS, timestamp=await message(slack))


@rule("SR-MRK-02")
async def test_pinned_once(slack: Try) -> None:
    where = {"channel": PAYMENTS, "timestamp": await message(slack)}
    await slack.takes("pins.add", **where)
    await slack.refuses("already_pinned", "pins.add", **where)
    await slack.takes("pins.remove", **where)
    await slack.refuses("no_pin", "pins.remove", **where)


@rule("SR-MRK-03")
async def test_links_of_bookmarks(slack: Try) -> None:
    await message(slack)
    bookmark = {"channel_id": PAYMENTS, "title": "x", "type": "link"}
    await slack.takes("bookmarks.add", **bookmark, link="http://x.example")
    await slack.refuses("invalid_link", "bookmarks.add", **bookmark, link="slack://x")


@rule("SR-MRK-04")
async def test_a_hundred_bookmarks(slack: Try) -> None:
    await message(slack)
    bookmark = {"channel_id": PAYMENTS, "title": "x", "type": "link", "link": "https://x.example"}
    for _ in range(100):
        await slack.takes("bookmarks.add", **bookmark)
    await slack.refuses("too_many_bookmarks", "bookmarks.add", **bookmark)


@rule("SR-MRK-05")
async def test_names_of_reactions(slack: Try) -> None:
    where = {"channel": PAYMENTS, "timestamp": await message(slack)}
    await slack.takes("reactions.add", **where, name="+1::skin-tone-2")
    await slack.refuses("invalid_name", "reactions.add", **where, name="no such")


@rule("SR-MRK-06")
async def test_reacted_once(slack: Try) -> None:
    what = {"channel": PAYMENTS, "timestamp": await message(slack), "name": "eyes"}
    await slack.takes("reactions.add", **what)
    await slack.refuses("already_reacted", "reactions.add", **what)
    await slack.takes("reactions.remove", **what)
    await slack.refuses("no_reaction", "reactions.remove", **what)


@rule("SR-MRK-07")
async def test_different_reactions(slack: Try) -> None:
    where = {"channel": PAYMENTS, "timestamp": await message(slack)}
    for number in range(23):
        await slack.takes("reactions.add", **where, name=f"e{number}")
    await slack.refuses("too_many_emoji", "reactions.add", **where, name="e23")


@rule("SR-MRK-08")
async def test_a_deleted_message_is_not_pinned(slack: Try) -> None:
    ts = await message(slack)
    await slack.takes("pins.add", channel=PAYMENTS, timestamp=ts)
    slack.holds(len((await slack.takes("pins.list", channel=PAYMENTS))["items"]) == 1)
    await slack.takes("chat.delete", channel=PAYMENTS, ts=ts)
    slack.fails((await slack.takes("pins.list", channel=PAYMENTS))["items"] == [])


@rule("SR-MRK-09")
async def test_something_is_named(slack: Try) -> None:
    where = {"channel": PAYMENTS, "timestamp": await message(slack)}
    await slack.takes("pins.add", **where)
    await slack.takes("reactions.add", **where, name="eyes")
    await slack.refuses("no_item_specified", "pins.add", channel=PAYMENTS)
    await slack.refuses("no_item_specified", "reactions.add", channel=PAYMENTS, name="eyes")
    await slack.refuses("no_item_specified", "reactions.get", channel=PAYMENTS)
    await slack.refuses("bad_timestamp", "pins.add", channel=PAYMENTS, timestamp="yesterday")


# -- files --------------------------------------------------------------------------------------------


async def send(slack: Try, url: str, content: bytes) -> int:
    async with slack.session.post(url, data=content) as response:
        return response.status


async def begin(slack: Try, length: int = 3) -> tuple[str, str]:
    made = await slack.takes("files.getUploadURLExternal", filename="x.txt", length=length)
    return made["upload_url"], made["file_id"]


@rule("SR-FIL-01")
async def test_uploaded_and_completed_once(slack: Try) -> None:
    url, file = await begin(slack)
    done = {"files": [{"id": file}]}
    await slack.refuses("file_not_found", "files.completeUploadExternal", **done)
    slack.holds(await send(slack, url, b"abc") == 200)
    slack.fails(await send(slack, url, b"abc") == 404)
    await slack.takes("files.completeUploadExternal", **done)
    await slack.refuses("file_not_found", "files.completeUploadExternal", **done)


@rule("SR-FIL-02")
async def test_as_long_as_announced(slack: Try) -> None:
    exact, _ = await begin(slack, 3)
    longer, _ = await begin(slack, 3)
    slack.holds(await send(slack, exact, b"abc") == 200)
    slack.fails(await send(slack, longer, b"abcd") == 400)


@rule("SR-FIL-03")
async def test_shared_by_members(slack: Try) -> None:
    url, file = await begin(slack)
    await send(slack, url, b"abc")
    share = {"files": [{"id": file}], "channel_id": PAYMENTS}
    await slack.refuses("not_in_channel", "files.completeUploadExternal", **share)
    await slack.takes("conversations.join", channel=PAYMENTS)
    await slack.takes("files.completeUploadExternal", **share)


async def share_file(slack: Try, comment: str = "") -> str:
    url, file = await begin(slack)
    await send(slack, url, b"abc")
    done = {"files": [{"id": file}], "channel_id": GENERAL, "initial_comment": comment}
    await slack.takes("files.completeUploadExternal", **done)
    return file


@rule("SR-FIL-04")
async def test_deleted_once_by_its_owner(slack: Try) -> None:
    await slack.takes("conversations.join", channel=GENERAL)
    file, other = await share_file(slack), await share_file(slack)
    slack.sandbox.world.files[other].user = ANA
    await slack.takes("files.delete", file=file)
    await slack.refuses("file_deleted", "files.delete", file=file)
    await slack.refuses("file_deleted", "files.info", file=file)
    await slack.refuses("cant_delete_file", "files.delete", file=other)


@rule("SR-FIL-05")
async def test_what_a_deleted_file_leaves(slack: Try) -> None:
    await slack.takes("conversations.join", channel=GENERAL)
    alone, beside = await share_file(slack), await share_file(slack, "for the record")
    for file in (alone, beside):
        await slack.takes("files.delete", file=file)
    seen = (await slack.takes(HISTORY, channel=GENERAL))["messages"]
    shown = [(one["text"], one["files"]) for one in seen if one.get("files")]
    slack.holds(shown == [("for the record", [{"id": beside, "mode": "tombstone"}])])
    slack.fails(all(one["id"] != alone for _, files in shown for one in files))


@rule("SR-FIL-06")
async def test_what_an_upload_is_announced_with(slack: Try) -> None:
    start = {"filename": "a.png", "length": 1}
    await slack.takes("files.getUploadURLExternal", **start, alt_txt="x" * 1000)
    await slack.refuses("alt_txt_too_large", "files.getUploadURLExternal", **start, alt_txt="x" * 1001)
    await slack.refuses("missing_argument", "files.getUploadURLExternal", filename="a.png", length=0)


@rule("SR-FIL-07")
async def test_shared_in_several_places(slack: Try) -> None:
    await slack.takes("conversations.join", channel=GENERAL)
    url, file = await begin(slack)
    await send(slack, url, b"abc")
    done = {"files": [{"id": file}], "blocks": [{"type": "divider"}]}
    await slack.refuses("channels_limit_exceeded", "files.completeUploadExternal", **done, channels=[GENERAL] * 101)
    await slack.refuses("invalid_blocks", "files.completeUploadExternal", **done | {"blocks": [{"type": "divide"}]})
    await slack.takes("files.completeUploadExternal", **done, channels=",".join([ANA, *[GENERAL] * 99]))
    assert {each["ts"] for rows in slack.sandbox.world.files[file].shares.values() for each in rows}
    [direct] = [channel for channel in slack.sandbox.channels if channel.is_im and ANA in channel.members]
    for where in (slack.sandbox.channel(GENERAL), direct):
        slack.holds([block["type"] for block in where.messages[-1].blocks] == ["divider"])


# -- lists --------------------------------------------------------------------------------------------


@rule("SR-LST-01")
async def test_the_longest_page(slack: Try) -> None:
    await slack.takes("conversations.join", channel=PAYMENTS)
    world = slack.sandbox.world
    for _ in range(1001):
        messages.post(world, world.channel("#payments"), world.bot, "x")
    page = await slack.takes(HISTORY, channel=PAYMENTS, limit=999)
    slack.holds(len(page["messages"]) == 999 and page["has_more"])
    more = await slack.takes(HISTORY, channel=PAYMENTS, limit=1002)
    slack.fails(len(more["messages"]) == 999 and more["has_more"])


@rule("SR-LST-02")
async def test_cursors_are_slacks(slack: Try) -> None:
    cursor = (await slack.takes("users.list", limit=2))["response_metadata"]["next_cursor"]
    await slack.takes("users.list", limit=2, cursor=cursor)
    await slack.refuses("invalid_cursor", "users.list", limit=2, cursor="page-2")


@rule("SR-LST-03")
async def test_cursors_belong_to_their_method(slack: Try) -> None:
    cursor = (await slack.takes("users.list", limit=2))["response_metadata"]["next_cursor"]
    await slack.takes("users.list", limit=2, cursor=cursor)
    await slack.refuses("invalid_cursor", "conversations.list", limit=2, cursor=cursor)


@rule("SR-LST-04")
async def test_limits_are_whole_numbers(slack: Try) -> None:
    documented = {"conversations.list": {}, "conversations.members": {"channel": GENERAL}, "users.conversations": {}}
    for method, more in documented.items():
        await slack.takes(method, limit="1", **more)
        for limit in (-1, "many", 1.5):
            await slack.refuses("invalid_limit", method, limit=limit, **more)
    await slack.takes("users.list", limit=0)
    await slack.refuses("invalid_arguments", "users.list", limit=-1)
