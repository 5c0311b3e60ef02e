"""Payload shapes of what the workspace delivers (docs: interactivity; slash commands)."""

from __future__ import annotations

from localslack import forms
from localslack.interactivity import Interactivity
from localslack.objects import message_object, view_object
from localslack.records import Channel, Json, Message, User, View
from localslack.world import World

TOKEN = "verification-token"  # noqa: S105  (the deprecated verification token, which nobody checks)


def _start(world: World, kind: str, user: User) -> Json:
    return {
        "type": kind,
        "team": {"id": world.team_id, "domain": world.team_domain},
        "user": {"id": user.id, "username": user.handle, "name": user.handle, "team_id": world.team_id},
        "api_app_id": world.app_id,
        "token": TOKEN,
        "enterprise": None,
        "is_enterprise_install": False,
    }


def channel_name(channel: Channel) -> str:
    """What payloads call the conversation."""
    return "directmessage" if channel.is_im else "privategroup" if channel.is_private else channel.name


def command(interactivity: Interactivity, user: User, channel: Channel, name: str, text: str) -> Json:
    """A slash command's form fields; all values are strings, as in a form."""
    world = interactivity.world
    return {
        "token": TOKEN,
        "team_id": world.team_id,
        "team_domain": world.team_domain,
        "channel_id": channel.id,
        "channel_name": channel_name(channel),
        "user_id": user.id,
        "user_name": user.handle,
        "command": name,
        "text": text,
        "api_app_id": world.app_id,
        "is_enterprise_install": "false",
        "response_url": interactivity.new_response_url(user.id, channel.id, kind="commands"),
        "trigger_id": interactivity.new_trigger(user.id),
    }


def message_action(
    interactivity: Interactivity, user: User, channel: Channel, message: Message, actions: list[Json], state: Json
) -> Json:
    """block_actions from a message."""
    world = interactivity.world
    container: Json = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": channel.id,
        "is_ephemeral": message.ephemeral,
    }
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    payload = _start(world, "block_actions", user) | {
        "container": container,
        "trigger_id": interactivity.new_trigger(user.id),
        "channel": {"id": channel.id, "name": channel_name(channel)},
        "state": {"values": forms.state_of(message.blocks, state)},
        "response_url": interactivity.new_response_url(user.id, channel.id, message.ts, message.thread_ts),
        "actions": actions,
    }
    # An ephemeral message's content is not sent along.
    if not message.ephemeral:
        payload["message"] = message_object(world, message)
    return payload


def view_action(interactivity: Interactivity, user: User, view: View, actions: list[Json]) -> Json:
    """block_actions from a modal or the Home tab: no channel, no response_url."""
    world = interactivity.world
    shown = view_object(world, view)
    shown["state"] = {"values": forms.state_of(view.body["blocks"], view.state)}
    return _start(world, "block_actions", user) | {
        "container": {"type": "view", "view_id": view.id},
        "trigger_id": interactivity.new_trigger(user.id, view.id),
        "view": shown,
        "actions": actions,
    }


def view_submission(interactivity: Interactivity, user: User, view: View) -> Json:
    """view_submission; `response_urls` only for inputs that ask for it with response_url_enabled."""
    world = interactivity.world
    state = forms.state_of(view.body["blocks"], view.state)
    shown = view_object(world, view)
    shown["state"] = {"values": state}
    return _start(world, "view_submission", user) | {
        "trigger_id": interactivity.new_trigger(user.id, view.id),
        "view": shown,
        "response_urls": _response_urls(interactivity, user, view, state),
    }


def _response_urls(interactivity: Interactivity, user: User, view: View, state: Json) -> list[Json]:
    urls = []
    for block in view.body["blocks"]:
        element = block.get("element") or {}
        if not element.get("response_url_enabled"):
            continue
        chosen = state[block["block_id"]][element["action_id"]]
        channel = chosen.get("selected_conversation") or chosen.get("selected_channel")
        if channel:
            urls.append(
                {
                    "block_id": block["block_id"],
                    "action_id": element["action_id"],
                    "channel_id": channel,
                    "response_url": interactivity.new_response_url(user.id, channel, kind="app"),
                }
            )
    return urls


def view_closed(interactivity: Interactivity, user: User, view: View, cleared: bool) -> Json:
    return _start(interactivity.world, "view_closed", user) | {
        "view": view_object(interactivity.world, view),
        "is_cleared": cleared,
    }


def global_shortcut(interactivity: Interactivity, user: User, callback_id: str) -> Json:
    world = interactivity.world
    return _start(world, "shortcut", user) | {
        "callback_id": callback_id,
        "trigger_id": interactivity.new_trigger(user.id),
        "action_ts": world.new_ts(),
    }


def message_shortcut(
    interactivity: Interactivity, user: User, channel: Channel, message: Message, callback_id: str
) -> Json:
    world = interactivity.world
    return _start(world, "message_action", user) | {
        "callback_id": callback_id,
        "trigger_id": interactivity.new_trigger(user.id),
        "action_ts": world.new_ts(),
        "response_url": interactivity.new_response_url(user.id, channel.id, None, message.thread_ts, kind="app"),
        "message_ts": message.ts,
        "channel": {"id": channel.id, "name": channel_name(channel)},
        "message": message_object(world, message),
    }


def suggestion(
    interactivity: Interactivity, user: User, block_id: str, action_id: str, value: str, where: Json
) -> Json:
    """block_suggestion: asks for the options of an external select. `where` holds container and view or message."""
    return _start(interactivity.world, "block_suggestion", user) | {
        "action_id": action_id,
        "block_id": block_id,
        "value": value,
        **where,
    }
