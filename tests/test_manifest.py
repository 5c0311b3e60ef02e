"""manifest.yaml asks for exactly what the code uses, and is within Slack's limits for a manifest."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from slack_sdk.web.async_client import AsyncWebClient

from bot.config import Settings
from bot.slack.inbound import events
from bot.slack.inbound.bolt import SUBSCRIBED_EVENTS

ROOT = Path(__file__).resolve().parent.parent
MANIFEST: dict[str, Any] = yaml.safe_load((ROOT / "manifest.yaml").read_text(encoding="utf-8"))
FEATURES = MANIFEST["features"]
BOT_SCOPES = MANIFEST["oauth_config"]["scopes"]["bot"]
BOT_EVENTS = MANIFEST["settings"]["event_subscriptions"]["bot_events"]

#: The bot scopes that a method needs here (https://docs.slack.dev/reference/methods): where Slack offers several,
#: those for public and private channels and direct messages, as far as the bot calls the method there.
SCOPES: dict[str, frozenset[str]] = {
    method: frozenset(scopes.split())
    for method, scopes in {
        "apps.connections.open": "",  # with the app-level token, whose scope no manifest names
        "auth.test": "",
        "blocks.validate": "",
        "bookmarks.add": "bookmarks:write",
        "bookmarks.edit": "bookmarks:write",
        "bookmarks.list": "bookmarks:read",
        "chat.delete": "chat:write",
        "chat.getPermalink": "",
        "chat.postEphemeral": "chat:write",
        "chat.postMessage": "chat:write",
        "chat.update": "chat:write",
        "conversations.archive": "channels:manage groups:write",
        "conversations.create": "channels:manage groups:write",
        # the outcome of a direct message can be unknown too, and is then looked up
        "conversations.history": "channels:history groups:history im:history",
        "conversations.info": "channels:read groups:read",
        "conversations.invite": "channels:manage groups:write",
        "conversations.join": "channels:join",
        "conversations.list": "channels:read groups:read",
        "conversations.members": "channels:read groups:read",
        "conversations.open": "im:write",
        "conversations.rename": "channels:manage groups:write",
        "conversations.replies": "channels:history groups:history im:history",
        "conversations.setTopic": "channels:manage groups:write",
        "files.completeUploadExternal": "files:write",
        "files.delete": "files:write",
        "files.getUploadURLExternal": "files:write",
        "files.info": "files:read",
        "pins.add": "pins:write",
        "pins.list": "pins:read",
        "reactions.add": "reactions:write",
        "reactions.get": "reactions:read",
        "usergroups.list": "usergroups:read",
        "usergroups.users.list": "usergroups:read",
        "users.conversations": "channels:read groups:read",
        "users.info": "users:read",
        "users.list": "users:read",
        "views.open": "",
        "views.publish": "",
        "views.push": "",
        "views.update": "",
    }.items()
}

#: The scopes that make Slack send an event (https://docs.slack.dev/reference/events).
EVENT_SCOPES: dict[str, frozenset[str]] = {
    event: frozenset(scopes.split())
    for event, scopes in {
        "app_home_opened": "",
        "app_mention": "app_mentions:read",
        "app_uninstalled": "",
        "channel_archive": "channels:read",
        "channel_created": "channels:read",
        "channel_deleted": "channels:read",
        "channel_left": "channels:read",
        "channel_rename": "channels:read",
        "channel_unarchive": "channels:read",
        "group_archive": "groups:read",
        "group_deleted": "groups:read",
        "group_left": "groups:read",
        "group_rename": "groups:read",
        "group_unarchive": "groups:read",
        "member_joined_channel": "channels:read groups:read",
        "member_left_channel": "channels:read groups:read",
        "reaction_added": "reactions:read",
        "reaction_removed": "reactions:read",
        "subteam_created": "usergroups:read",
        "subteam_members_changed": "usergroups:read",
        "subteam_updated": "usergroups:read",
        "team_join": "users:read",
        "tokens_revoked": "",
        "user_change": "users:read",
    }.items()
}

_FAMILIES = "apps|auth|blocks|bookmarks|chat|conversations|dnd|files|pins|reactions|team|usergroups|users|views"
_SDK_NAMES = {name for name in dir(AsyncWebClient) if re.match(rf"(?:{_FAMILIES})_", name)}
_METHOD = re.compile(rf"(?:{_FAMILIES})(?:\.[a-z][A-Za-z]+)+")


def test_the_manifest_asks_for_the_scopes_of_what_is_called_and_no_others() -> None:
    called = set(methods_called())
    assert called <= SCOPES.keys(), "add these to SCOPES, with their scopes"
    needed = {"commands"}.union(*(SCOPES[method] for method in called), *(EVENT_SCOPES[event] for event in BOT_EVENTS))
    assert sorted(BOT_SCOPES) == sorted(needed)


def test_the_manifest_subscribes_to_what_is_listened_to() -> None:
    assert sorted(BOT_EVENTS) == sorted(SUBSCRIBED_EVENTS) == sorted(events.EVENT_HANDLERS)


def test_the_command_is_the_one_of_the_settings_and_people_come_as_ids() -> None:
    (command,) = FEATURES["slash_commands"]
    assert command["command"] == Settings.model_fields["slack_command"].default
    assert command["should_escape"] is True


def test_the_shortcuts_are_those_that_are_answered() -> None:
    ours = {one["callback_id"]: one["type"] for one in FEATURES["shortcuts"]}
    assert ours == {"inc:declare": "global", "inc:add-to-timeline": "message"}
    texts = {text for path in _sources() for text in _texts(ast.parse(path.read_text(encoding="utf-8")))}
    assert "inc:declare" in texts


def test_socket_mode_needs_no_address_of_ours() -> None:
    assert MANIFEST["settings"]["socket_mode_enabled"] is True
    assert "url" not in FEATURES["slash_commands"][0]
    assert MANIFEST["settings"]["interactivity"] == {"is_enabled": True}


def test_direct_messages_can_arrive() -> None:
    assert FEATURES["app_home"]["messages_tab_enabled"] is True
    assert FEATURES["app_home"]["home_tab_enabled"] is True
    assert FEATURES["bot_user"]["display_name"] == "incident-commander"


@pytest.mark.parametrize(
    ("text", "most"),
    [
        # the numbers of slackapi/manifest-schema, schemas/manifest.schema.2.0.0.json
        pytest.param(MANIFEST["display_information"]["name"], 35, id="name of the app"),
        pytest.param(MANIFEST["display_information"]["description"], 140, id="description of the app"),
        pytest.param(FEATURES["bot_user"]["display_name"], 80, id="name of the bot"),
        *(pytest.param(one["command"], 32, id=f"{one['command']} itself") for one in FEATURES["slash_commands"]),
        *(pytest.param(one["description"], 2000, id=one["command"]) for one in FEATURES["slash_commands"]),
        *(pytest.param(one["usage_hint"], 1000, id=f"{one['command']} hint") for one in FEATURES["slash_commands"]),
        *(pytest.param(one["name"], 24, id=f"shortcut {one['name']}") for one in FEATURES["shortcuts"]),
        *(pytest.param(one["description"], 150, id=f"about {one['name']}") for one in FEATURES["shortcuts"]),
        *(pytest.param(one["callback_id"], 255, id=one["callback_id"]) for one in FEATURES["shortcuts"]),
    ],
)
def test_texts_are_as_long_as_slack_takes(text: str, most: int) -> None:
    assert 0 < len(text) <= most


def test_nothing_is_asked_for_twice() -> None:
    for many in (BOT_SCOPES, BOT_EVENTS):
        assert many == sorted(set(many))


# -- what the code calls ------------------------------------------------------------------------------


def _sources() -> Iterator[Path]:
    """Every file of the bot: each could call Slack."""
    return (path for path in sorted((ROOT / "bot").rglob("*.py")))


def _texts(tree: ast.AST) -> Iterator[str]:
    return (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))


def methods_called() -> Iterator[str]:
    """The Web API methods that the code names as texts ("pins.add") or calls by slack_sdk's names (pins_add)."""
    for path in _sources():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        yield from (text for text in _texts(tree) if _METHOD.fullmatch(text))
        names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        yield from (name.replace("_", ".") for name in names if name in _SDK_NAMES)


def test_calls_are_found_however_they_are_written() -> None:
    called = set(methods_called())
    assert {"chat.postMessage", "users.list", "conversations.replies", "views.open"} <= called
