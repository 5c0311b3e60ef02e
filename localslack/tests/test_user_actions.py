"""What people do reaches the app, and its answers reach people: by Socket Mode and by signed HTTP alike."""

from __future__ import annotations

from typing import Any

import pytest

from localslack import NotPossible
from localslack.tests.conftest import Shop


async def order(tea: Shop, what: str = "oolong") -> Any:
    """Order by form; the card's message."""
    ana = tea.sandbox.person("ana")
    await ana.command("/tea form")
    await tea.sandbox.idle()
    assert (await ana.submit({"What": what})).ok
    await tea.sandbox.idle()
    return ana.messages("#general")[-1]


async def test_a_command_is_answered_for_one_pair_of_eyes(tea: Shop) -> None:
    ana, ben = tea.sandbox.person("ana"), tea.sandbox.person("ben")
    answer = await ana.command("/tea rooibos")
    assert (answer.ok, answer.text, answer.response_type) == (True, "No rooibos today", "ephemeral")
    assert [m.text for m in ana.messages("#general") if m.ephemeral] == ["No rooibos today"]
    assert ben.messages("#general") == []


async def test_a_command_answered_in_the_channel(tea: Shop) -> None:
    await tea.sandbox.person("ana").command("/tea loud", channel="#payments")
    assert tea.sandbox.person("ben").messages("#payments")[-1].text == "tea for all"


async def test_command_text_is_escaped_as_the_manifest_says(tea: Shop) -> None:
    ana = tea.sandbox.person("ana")
    await ana.command("/tea for @ben in #payments & @comms <now>")
    body = next(body for body in tea.heard if body.get("command") == "/tea")
    assert body["text"] == (
        "for <@U01BENOKAFO|ben> in <#C01PAYMENTS|payments> &amp; <!subteam^S01COMMSTEA|@comms> &lt;now&gt;"
    )
    await ana.command("/raw @ben & #payments")
    body = next(body for body in tea.heard if body.get("command") == "/raw")
    assert body["text"] == "@ben &amp; #payments"


async def test_answers_by_response_url(tea: Shop) -> None:
    ana = tea.sandbox.person("ana")
    await ana.command("/tea later")
    await tea.sandbox.idle()
    assert [(m.text, m.ephemeral) for m in ana.messages("#general")] == [("one", True), ("two", False)]


async def test_an_unknown_command_never_leaves_slack(tea: Shop) -> None:
    answer = await tea.sandbox.person("ana").command("/coffee")
    assert (answer.ok, answer.text) == (False, "/coffee is not a valid command.")
    assert tea.heard == []


async def test_a_form_is_refused_and_corrected(tea: Shop) -> None:
    ana = tea.sandbox.person("ana")
    await ana.command("/tea form")
    await tea.sandbox.idle()
    assert ana.view is not None and ana.view["title"]["text"] == "Order tea"
    refused = await ana.submit({"What": "coffee"})
    assert (refused.ok, refused.errors, refused.response_action) == (False, {"what": "We have no coffee."}, "errors")
    assert ana.view is not None
    assert (await ana.submit({"what": "mint", "Kind": "Black", "For whom": "ben"}, button="Order")).ok
    assert ana.view is None
    state = tea.heard[-1]["view"]["state"]["values"]
    assert state["kind"]["kind"]["selected_option"]["value"] == "black"
    assert state["cup"]["who"] == {"type": "users_select", "selected_user": "U01BENOKAFO"}
    await tea.sandbox.idle()
    assert ana.messages("#general")[-1].text == "mint, black"


@pytest.mark.parametrize(
    ("what", "errors"),
    [
        pytest.param("", {"what": "Please complete this required field."}, id="required and empty"),
        pytest.param("x" * 21, {"what": "Please enter no more than 20 characters."}, id="longer than max_length"),
    ],
)
async def test_slack_refuses_a_form_before_the_app_hears_of_it(tea: Shop, what: str, errors: dict[str, str]) -> None:
    ana = tea.sandbox.person("ana")
    await ana.command("/tea form")
    await tea.sandbox.idle()
    heard = len(tea.heard)
    assert (await ana.submit({"What": what})).errors == errors
    assert len(tea.heard) == heard


@pytest.mark.parametrize(
    ("what", "titles"),
    [
        pytest.param("refill", ["Again"], id="update replaces the view"),
        pytest.param("extra", ["Order tea", "Extra"], id="push puts one on top"),
        pytest.param("home", [], id="clear closes all"),
    ],
)
async def test_response_actions(tea: Shop, what: str, titles: list[str]) -> None:
    ana = tea.sandbox.person("ana")
    await ana.command("/tea form")
    await tea.sandbox.idle()
    assert (await ana.submit({"What": what})).ok
    assert [view["title"]["text"] for view in ana.views] == titles


async def test_a_button_in_a_form_updates_it_and_keeps_what_was_typed(tea: Shop) -> None:
    ana = tea.sandbox.person("ana")
    await ana.command("/tea form")
    await tea.sandbox.idle()
    await ana.fill({"What": "sencha"})
    await ana.click_in_view("More sorts")
    await tea.sandbox.idle()
    assert ana.view is not None and ana.view["title"]["text"] == "Order rare tea"
    assert ana.view["state"]["values"]["what"]["text"]["value"] == "sencha"


async def test_closing_a_form(tea: Shop) -> None:
    ana = tea.sandbox.person("ana")
    await ana.command("/tea form")
    await tea.sandbox.idle()
    await ana.close_view()
    assert ana.view is None
    assert tea.sandbox.journal.of("delivery:view_closed") == []  # only with notify_on_close


async def test_a_button_replaces_its_message(tea: Shop) -> None:
    message = await order(tea)
    assert message.labels == ["Serve", "Broken"]
    assert "*oolong*" in message.plain
    await tea.sandbox.person("ben").click(message, label="Serve")
    await tea.sandbox.idle()
    assert (message.text, message.blocks, message.edited is not None) == ("Served", [], True)


async def test_an_action_nobody_handles_fails(tea: Shop) -> None:
    message = await order(tea)
    tea.sandbox.delivery.ack_seconds = 0.3
    ack = await tea.sandbox.person("ben").click(message, action_id="broken")
    assert ack.error in ("dispatch_failed", "operation_timeout")


async def test_ticking_and_unticking(tea: Shop) -> None:
    message = await order(tea)
    ana = tea.sandbox.person("ana")
    await ana.tick(message, block_id="pour")
    await tea.sandbox.idle()
    await ana.tick(message, label="oolong", on=False)  # by the sentence beside the box
    await tea.sandbox.idle()
    assert [m.text for m in ana.messages("#general", message.ts)[1:]] == ["1 ticked", "0 ticked"]


async def test_choosing_in_a_select(tea: Shop) -> None:
    message = await order(tea)
    await tea.sandbox.person("ana").select(message, "size", "Large")
    body = tea.heard[-1]
    assert body["actions"][0]["selected_option"]["value"] == "l"
    assert body["state"]["values"]["act"]["size"]["selected_option"]["value"] == "l"
    with pytest.raises(NotPossible, match="does not offer 'Huge'"):
        await tea.sandbox.person("ana").select(message, "size", "Huge")


async def test_a_mention_where_the_bot_is(tea: Shop) -> None:
    ana = tea.sandbox.person("ana")
    await ana.invite("#payments", "tea-shop")
    ts = await ana.post("#payments", "@tea-shop hello")
    await tea.sandbox.idle()
    assert [m.text for m in ana.messages("#payments", ts)] == ["<@U01BOTUSER1> hello", "Tea?"]
    assert [n.reason for n in ana.notifications] == ["thread"]


async def test_a_mention_where_the_bot_is_not(tea: Shop) -> None:
    await tea.sandbox.person("ana").post("#payments", "@tea-shop hello")
    await tea.sandbox.idle()
    assert tea.heard == []


async def test_shortcuts(tea: Shop) -> None:
    ana = tea.sandbox.person("ana")
    await ana.invite("#payments", "bot")
    ts = await ana.post("#payments", "remember the milk")
    await ana.shortcut("Keep", message=ts, channel="#payments")
    await ana.shortcut("order_now")
    await tea.sandbox.idle()
    assert ana.messages("#payments")[-1].reactions == {"pushpin": ["U01BOTUSER1"]}
    assert ana.view is not None and ana.view["callback_id"] == "order"
    with pytest.raises(NotPossible, match="no global shortcut Keep"):
        await ana.shortcut("Keep")


async def test_the_home_tab(tea: Shop) -> None:
    ana = tea.sandbox.person("ana")
    assert ana.home is None
    await ana.open_home()
    await tea.sandbox.idle()
    assert ana.home is not None and ana.home["blocks"][0]["text"]["text"] == "Welcome"


async def test_events_of_channels_and_people(tea: Shop) -> None:
    ana, carla = tea.sandbox.person("ana"), tea.sandbox.person("carla")
    channel = await ana.create_channel("kitchen")
    await ana.invite("kitchen", "bot")
    await carla.join("#kitchen")
    ts = await carla.post("#kitchen", "hi")
    await ana.react("#kitchen", ts, "pushpin")
    await ana.unreact("#kitchen", ts, "pushpin")
    await ana.pin("#kitchen", ts)
    await carla.delete("#kitchen", ts)
    await carla.leave("#kitchen")
    await ana.rename("#kitchen", "kettle")
    await ana.archive("#kettle")
    await ana.unarchive("#kettle")
    tea.sandbox.hire("hal", "Hal Hart")
    tea.sandbox.change_person("hal", tz="Asia/Tokyo")
    tea.sandbox.set_group("comms", ["ana"])
    tea.sandbox.create_group("kitchen", ["ben"])
    await tea.sandbox.idle()
    events = [body["event"] for body in tea.heard if "event" in body]
    kinds = {(event["type"], event.get("subtype")) for event in events}
    assert {
        ("channel_created", None), ("member_joined_channel", None), ("message", None), ("reaction_added", None),
        ("reaction_removed", None), ("pin_added", None), ("message", "message_deleted"), ("member_left_channel", None),
        ("channel_rename", None), ("channel_archive", None), ("channel_unarchive", None), ("team_join", None),
        ("user_change", None), ("subteam_updated", None), ("subteam_members_changed", None), ("subteam_created", None),
        ("message", "channel_join"),
    } <= kinds  # fmt: skip
    joined = [event for event in events if event["type"] == "member_joined_channel"]
    assert [(event["user"], event.get("inviter")) for event in joined] == [("U01BOTUSER1", ana.id), (carla.id, None)]
    assert all(event["channel"] == channel for event in joined)


async def test_a_bot_that_is_removed_hears_of_it_and_then_nothing(tea: Shop) -> None:
    ana = tea.sandbox.person("ana")
    await ana.invite("#payments", "bot")
    await ana.remove("#payments", "bot")
    await ana.post("#payments", "now alone")
    await tea.sandbox.idle()
    events = [body["event"] for body in tea.heard if "event" in body]
    assert events[-1]["type"] == "member_left_channel"
    assert events[-1]["user"] == tea.sandbox.bot_user_id
    assert not any(event.get("text") == "now alone" for event in events)


async def test_payloads_carry_what_slack_sends(tea: Shop) -> None:
    message = await order(tea)
    await tea.sandbox.person("ben").click(message, label="Serve")
    command = next(body for body in tea.heard if "command" in body)
    assert {"token", "team_id", "team_domain", "channel_id", "channel_name", "user_id", "user_name", "command", "text",
            "api_app_id", "is_enterprise_install", "response_url", "trigger_id"} <= set(command)  # fmt: skip
    submitted = next(body for body in tea.heard if body.get("type") == "view_submission")
    assert submitted["response_urls"] == [] and "response_url" not in submitted
    assert submitted["view"]["root_view_id"] == submitted["view"]["id"]
    clicked = next(body for body in tea.heard if body.get("type") == "block_actions")
    assert clicked["container"] == {
        "type": "message", "message_ts": message.ts, "channel_id": message.channel, "is_ephemeral": False,
    }  # fmt: skip
    assert clicked["user"]["id"] == "U01BENOKAFO" and clicked["enterprise"] is None
    assert {"action_id", "block_id", "action_ts", "value", "text", "type"} <= set(clicked["actions"][0])
    assert clicked["message"]["bot_id"] and clicked["response_url"].startswith(tea.sandbox.url)


async def test_the_app_is_told_what_becomes_of_user_groups(tea: Shop) -> None:
    ana, ben, carla = (tea.sandbox.person(who).id for who in ("ana", "ben", "carla"))
    id = tea.sandbox.create_group("night", ["ana", "ben"])
    tea.sandbox.set_group("night", ["ben", "carla"])
    tea.sandbox.rename_group("night", "nights")
    tea.sandbox.disable_group("nights")
    tea.sandbox.enable_group("nights")
    await tea.sandbox.idle()
    told = [body["event"] for body in tea.heard if str(body.get("event", {}).get("type", "")).startswith("subteam_")]
    assert sorted(event["type"] for event in told) == [
        "subteam_created", "subteam_members_changed", *["subteam_updated"] * 4
    ]  # fmt: skip
    groups = sorted((e for e in told if "subteam" in e), key=lambda event: str(event["event_ts"]))
    assert all(event["subteam"]["id"] == id for event in groups)
    assert [event["subteam"]["handle"] for event in groups] == ["night", "night", "nights", "nights", "nights"]
    assert [event["subteam"]["users"] for event in groups[:2]] == [[ana, ben], [ben, carla]]
    assert [bool(event["subteam"]["date_delete"]) for event in groups] == [False, False, False, True, False]
    (changed,) = [event for event in told if "subteam" not in event]
    assert (changed["subteam_id"], changed["added_users"], changed["removed_users"]) == (id, [carla], [ana])
