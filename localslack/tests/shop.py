"""A tea shop's app: a small Bolt app that knows nothing of any other, to try the workspace on."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from localslack import LocalSlack

Json = dict[str, Any]

SCOPES = [
    "commands",
    "chat:write",
    "chat:write.public",
    "channels:manage",
    "channels:join",
    "channels:read",
    "channels:history",
    "groups:write",
    "groups:read",
    "groups:history",
    "im:write",
    "im:read",
    "im:history",
    "users:read",
    "usergroups:read",
    "pins:write",
    "pins:read",
    "bookmarks:write",
    "bookmarks:read",
    "reactions:write",
    "reactions:read",
    "files:write",
    "files:read",
    "app_mentions:read",
    "team:read",
]

EVENTS = [
    "app_home_opened",
    "app_mention",
    "app_uninstalled",
    "channel_archive",
    "channel_created",
    "channel_deleted",
    "channel_rename",
    "channel_unarchive",
    "group_archive",
    "member_joined_channel",
    "member_left_channel",
    "message.channels",
    "message.groups",
    "message.im",
    "pin_added",
    "reaction_added",
    "reaction_removed",
    "subteam_created",
    "subteam_members_changed",
    "subteam_updated",
    "team_join",
    "user_change",
]


def manifest(scopes: list[str] | None = None, events: list[str] | None = None) -> Json:
    return {
        "display_information": {"name": "Tea Shop"},
        "features": {
            "app_home": {"home_tab_enabled": True, "messages_tab_enabled": True},
            "bot_user": {"display_name": "tea-shop"},
            "slash_commands": [
                {"command": "/tea", "description": "Order tea", "usage_hint": "[form|kind]", "should_escape": True},
                {"command": "/raw", "description": "Echo", "should_escape": False},
            ],
            "shortcuts": [
                {"name": "Order", "type": "global", "callback_id": "order_now", "description": "Open the form"},
                {"name": "Keep", "type": "message", "callback_id": "keep", "description": "Mark a message"},
            ],
        },
        "oauth_config": {"scopes": {"bot": SCOPES if scopes is None else scopes}},
        "settings": {"event_subscriptions": {"bot_events": EVENTS if events is None else events}},
    }


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


def button(label: str, action_id: str, value: str = "1") -> Json:
    return {"type": "button", "action_id": action_id, "text": plain(label), "value": value}


def option(label: str, value: str) -> Json:
    return {"text": plain(label), "value": value}


def section(text: str, block_id: str = "", accessory: Json | None = None) -> Json:
    block: Json = {"type": "section", "text": mrkdwn(text)}
    if block_id:
        block["block_id"] = block_id
    if accessory:
        block["accessory"] = accessory
    return block


def order_form(**more: Any) -> Json:
    kinds = [option("Green", "green"), option("Black", "black")]
    cup = {"type": "input", "block_id": "cup", "optional": True, "label": plain("For whom")}
    return {
        "type": "modal",
        "callback_id": "order",
        "title": plain("Order tea"),
        "submit": plain("Order"),
        "close": plain("Cancel"),
        "blocks": [
            {
                "type": "input",
                "block_id": "what",
                "label": plain("What"),
                "element": {"type": "plain_text_input", "action_id": "text", "max_length": 20},
            },
            {
                "type": "input",
                "block_id": "kind",
                "label": plain("Kind"),
                "element": {"type": "static_select", "action_id": "kind", "options": kinds, "initial_option": kinds[0]},
            },
            cup | {"element": {"type": "users_select", "action_id": "who"}},
            {"type": "actions", "block_id": "more", "elements": [button("More sorts", "more_sorts")]},
        ],
        **more,
    }


def card(order: str) -> list[Json]:
    boxes = {"type": "checkboxes", "action_id": "steps", "options": [option("Done", "done")]}
    sizes = {"type": "static_select", "action_id": "size", "options": [option("Small", "s"), option("Large", "l")]}
    return [
        {"type": "header", "text": plain("New order")},
        section(f"*{order}*", "pour", boxes),
        {
            "type": "actions",
            "block_id": "act",
            "elements": [button("Serve", "serve"), button("Broken", "broken"), sizes],
        },
    ]


def build(sandbox: LocalSlack) -> tuple[AsyncApp, list[Json]]:
    """The app, and the list in which it keeps every body that it was sent."""
    client = AsyncWebClient(token=sandbox.bot_token, base_url=sandbox.api_url, retry_handlers=[])
    app = AsyncApp(client=client, signing_secret=sandbox.signing_secret)
    heard: list[Json] = []

    @app.use
    async def keep(body: Json, next_: Any) -> None:
        heard.append(body)
        await next_()

    @app.command("/tea")
    async def tea(ack: Any, command: Json, client: AsyncWebClient, respond: Any) -> None:
        match command.get("text", "").split(" ")[0]:
            case "form":
                await ack()
                await client.views_open(trigger_id=command["trigger_id"], view=order_form())
            case "loud":
                await ack(text="tea for all", response_type="in_channel")
            case "later":
                await ack()
                await respond(text="one")
                await respond(text="two", response_type="in_channel")
            case "mute":
                pass
            case _:
                await ack(f"No {command['text']} today")

    @app.command("/raw")
    async def raw(ack: Any, command: Json) -> None:
        await ack(command["text"])

    @app.view("order")
    async def ordered(ack: Any, view: Json, body: Json, client: AsyncWebClient) -> None:
        values = view["state"]["values"]
        what, kind = values["what"]["text"]["value"], values["kind"]["kind"]["selected_option"]["value"]
        if what == "coffee":
            await ack(response_action="errors", errors={"what": "We have no coffee."})
        elif what == "refill":
            await ack(response_action="update", view=order_form(title=plain("Again")))
        elif what == "extra":
            await ack(response_action="push", view=order_form(title=plain("Extra")))
        elif what == "home":
            await ack(response_action="clear")
        else:
            await ack()
            await client.chat_postMessage(channel="C01GENERAL1", text=f"{what}, {kind}", blocks=card(what))

    @app.view_closed("order")
    async def closed(ack: Any) -> None:
        await ack()

    @app.action("more_sorts")
    async def more(ack: Any, body: Json, client: AsyncWebClient) -> None:
        await ack()
        view = order_form(title=plain("Order rare tea"))
        await client.views_update(view_id=body["view"]["id"], hash=body["view"]["hash"], view=view)

    @app.action("serve")
    async def serve(ack: Any, body: Json, respond: Any) -> None:
        await ack()
        await respond(text="Served", replace_original=True)

    @app.action("steps")
    async def steps(ack: Any, body: Json, client: AsyncWebClient) -> None:
        await ack()
        count = len(body["actions"][0]["selected_options"])
        await client.chat_postMessage(
            channel=body["channel"]["id"], thread_ts=body["message"]["ts"], text=f"{count} ticked"
        )

    @app.action("size")
    async def size(ack: Any) -> None:
        await ack()

    @app.event("app_mention")
    async def mentioned(event: Json, say: Any) -> None:
        await say(text="Tea?", thread_ts=event.get("thread_ts") or event["ts"])

    @app.event("app_home_opened")
    async def home(event: Json, client: AsyncWebClient) -> None:
        await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": [section("Welcome")]})

    @app.shortcut("order_now")
    async def order_now(ack: Any, shortcut: Json, client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=shortcut["trigger_id"], view=order_form())

    @app.shortcut("keep")
    async def kept(ack: Any, shortcut: Json, client: AsyncWebClient) -> None:
        await ack()
        await client.reactions_add(channel=shortcut["channel"]["id"], timestamp=shortcut["message_ts"], name="pushpin")

    for name in {event.split(".")[0] for event in EVENTS} - {"app_mention", "app_home_opened"}:

        @app.event(name)
        async def heed(event: Json) -> None:
            pass

    return app, heard
