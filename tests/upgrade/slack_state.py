"""The local Slack's state as JSON, and back: what stood in Slack when a database was recorded."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict
from typing import Any

from localslack import LocalSlack
from localslack.records import Bookmark, Channel, File, Message, Pin, User, UserGroup, View


def dump(slack: LocalSlack) -> dict[str, Any]:
    """People, channels with their messages, open forms, files, faults, and the clock."""
    world = slack.world
    return {
        "now": slack.clock.now(),
        "bot": world.bot.id,
        "users": [asdict(one) for one in world.users.values()],
        "groups": [asdict(one) for one in world.groups.values()],
        "channels": [
            {**asdict(one), "by_ts": [_trimmed(asdict(message)) for message in one.by_ts.values()]}
            for one in world.channels.values()
        ],
        "ims": [[*pair, channel] for pair, channel in world.ims.items()],
        "files": [
            {**asdict(one), "content": base64.b64encode(one.content or b"").decode()} for one in world.files.values()
        ],
        "views": [asdict(view) for stack in world.stacks.values() for view in stack],
        "homes": [asdict(view) for view in world.homes.values()],
        "entered": [[channel, ts, people] for (channel, ts), people in world.local_state.items()],
        "faults": [[fault["method"], fault["kind"], fault["times"]] for fault in slack.faults.shown()],
    }


def load(slack: LocalSlack, state: dict[str, Any]) -> None:
    """Put it into a local Slack that was made at the same moment (`now`) and is not in use yet."""
    state = json.loads(json.dumps(state))  # who loads it again finds it as it was
    world = slack.world
    world.users = {one["id"]: User(**one) for one in state["users"]}
    bot = world.users[state["bot"]]
    assert bot.id == world.bot.id, "the recorded workspace is the sample workspace"
    world.bot = bot
    world.groups = {one["id"]: UserGroup(**one) for one in state["groups"]}
    world.channels, world.names = {}, {}
    for one in state["channels"]:
        messages = [Message(**message) for message in one.pop("by_ts")]
        pins, bookmarks = [Pin(**pin) for pin in one.pop("pins")], [Bookmark(**mark) for mark in one.pop("bookmarks")]
        world.keep(Channel(**one, pins=pins, bookmarks=bookmarks, by_ts={message.ts: message for message in messages}))
    world.ims = {(one, other): channel for one, other, channel in state["ims"]}
    world.files = {one["id"]: File(**{**one, "content": base64.b64decode(one["content"])}) for one in state["files"]}
    world.stacks = {}
    for view in state["views"]:
        world.stacks.setdefault(view["user"], []).append(View(**view))
    world.homes = {view["user"]: View(**view) for view in state["homes"]}
    world.local_state = {(channel, ts): people for channel, ts, people in state["entered"]}
    for method, kind, times in state["faults"]:
        slack.faults.add(method, kind, times)


def _trimmed(message: dict[str, Any]) -> dict[str, Any]:
    """Without what is at its default, so that a recording can be read."""
    empty = asdict(Message(ts=message["ts"], channel=message["channel"], user=message["user"]))
    return {key: value for key, value in message.items() if key in ("ts", "channel", "user") or value != empty[key]}
