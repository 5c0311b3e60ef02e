"""pins.*, bookmarks.*, reactions.*."""

from __future__ import annotations

import re

from localslack import conversations, messages
from localslack.errors import SlackError
from localslack.methods.request import Method, Request
from localslack.objects import message_object
from localslack.records import Bookmark, Channel, Json

MAX_PINS = 100  # SR-MRK-01
MAX_BOOKMARKS = 100  # SR-MRK-04
MAX_REACTIONS = 23  # SR-MRK-07

_EMOJI = re.compile(r"[a-z0-9_+'-]+(::skin-tone-[2-6])?")


_TS = re.compile(r"\d+\.\d+")


def _need_item(request: Request) -> None:
    """SR-MRK-09: what is pinned or reacted to is named, by a channel and a timestamp that is one."""
    if not request.text("channel") or not request.text("timestamp"):
        raise SlackError("no_item_specified")
    if not _TS.fullmatch(request.text("timestamp")):
        raise SlackError("bad_timestamp")


def pins_add(request: Request) -> Json:
    """SR-MRK-02."""
    channel = request.channel(live=True, member=True)
    _need_item(request)
    message = request.message(channel, "timestamp")
    if any(pin.ts == message.ts for pin in channel.pins):
        raise SlackError("already_pinned")
    if len(channel.pins) >= MAX_PINS:
        raise SlackError("too_many_pins")
    messages.pin(request.world, message, request.caller)
    return {}


def pins_remove(request: Request) -> Json:
    channel = request.channel(live=True, member=True)
    _need_item(request)
    message = request.message(channel, "timestamp")
    if all(pin.ts != message.ts for pin in channel.pins):
        raise SlackError("no_pin")
    messages.unpin(request.world, message, request.caller)
    return {}


def pins_list(request: Request) -> Json:
    channel = request.channel(member=True)
    items = [
        {
            "type": "message",
            "created": pin.created,
            "created_by": pin.by,
            "channel": channel.id,
            "message": message_object(request.world, channel.by_ts[pin.ts]),
        }
        for pin in channel.pins
    ]
    return {"items": items}


def _link(request: Request) -> str:
    """SR-MRK-03."""
    link = request.text("link")
    if not link.startswith(("http://", "https://")):
        raise SlackError("invalid_link")
    return link


def bookmarks_add(request: Request) -> Json:
    channel = request.channel("channel_id", live=True, member=True)
    if request.text("type") != "link":
        raise SlackError("invalid_bookmark_type")
    link = _link(request)
    if len(channel.bookmarks) >= MAX_BOOKMARKS:
        raise SlackError("too_many_bookmarks")
    bookmark = conversations.add_bookmark(request.world, channel, request.text("title"), link, request.text("emoji"))
    return {"bookmark": bookmark.shown()}


def _bookmark(request: Request, channel: Channel) -> Bookmark:
    for bookmark in channel.bookmarks:
        if bookmark.id == request.text("bookmark_id"):
            return bookmark
    raise SlackError("not_found")


def bookmarks_edit(request: Request) -> Json:
    channel = request.channel("channel_id", live=True, member=True)
    bookmark = _bookmark(request, channel)
    if request.args.get("link"):
        bookmark.link = _link(request)
    bookmark.title = request.text("title", bookmark.title)
    bookmark.emoji = request.text("emoji", bookmark.emoji)
    bookmark.updated = request.world.seconds()
    conversations.tell_channel(request.world, channel, "updated")
    return {"bookmark": bookmark.shown()}


def bookmarks_remove(request: Request) -> Json:
    channel = request.channel("channel_id", live=True, member=True)
    channel.bookmarks.remove(_bookmark(request, channel))
    conversations.tell_channel(request.world, channel, "updated")
    return {}


def bookmarks_list(request: Request) -> Json:
    channel = request.channel("channel_id", member=True)
    return {"bookmarks": [bookmark.shown() for bookmark in channel.bookmarks]}


def _emoji(request: Request) -> str:
    """SR-MRK-05."""
    name = request.text("name").strip(":")
    if not _EMOJI.fullmatch(name):
        raise SlackError("invalid_name")
    return name


def reactions_add(request: Request) -> Json:
    """SR-MRK-06, SR-MRK-07."""
    _need_item(request)
    channel = request.channel(member=True)
    name = _emoji(request)
    message = request.message(channel, "timestamp")
    if channel.is_archived:
        raise SlackError("is_archived")
    if name not in message.reactions and len(message.reactions) >= MAX_REACTIONS:
        raise SlackError("too_many_emoji")
    if not messages.react(request.world, message, request.caller, name):
        raise SlackError("already_reacted")
    return {}


def reactions_remove(request: Request) -> Json:
    _need_item(request)
    channel = request.channel(member=True)
    message = request.message(channel, "timestamp")
    if not messages.unreact(request.world, message, request.caller, _emoji(request)):
        raise SlackError("no_reaction")
    return {}


def reactions_get(request: Request) -> Json:
    _need_item(request)
    channel = request.channel(member=True)
    message = request.message(channel, "timestamp")
    return {"type": "message", "channel": channel.id, "message": message_object(request.world, message)}


def reactions_list(request: Request) -> Json:
    user = request.text("user", request.caller.id)
    if user not in request.world.users:
        raise SlackError("user_not_found")
    items = [
        {"type": "message", "channel": channel.id, "message": message_object(request.world, message)}
        for channel in request.world.channels.values()
        if request.caller.id in channel.members
        for message in channel.by_ts.values()
        if not message.deleted and any(user in users for users in message.reactions.values())
    ]
    page, cursor = request.page(items, 100, 1000)
    return {"items": page, "response_metadata": {"next_cursor": cursor}}


METHODS = {
    "pins.add": Method(pins_add, ("pins:write",), 2, required=("channel",)),
    "pins.remove": Method(pins_remove, ("pins:write",), 2, required=("channel",)),
    "pins.list": Method(pins_list, ("pins:read",), 2, required=("channel",)),
    "bookmarks.add": Method(bookmarks_add, ("bookmarks:write",), 2, required=("channel_id", "title", "type")),
    "bookmarks.edit": Method(bookmarks_edit, ("bookmarks:write",), 2, required=("channel_id",)),
    "bookmarks.remove": Method(bookmarks_remove, ("bookmarks:write",), 2, required=("channel_id",)),
    "bookmarks.list": Method(bookmarks_list, ("bookmarks:read",), 3, required=("channel_id",)),
    "reactions.add": Method(reactions_add, ("reactions:write",), 3, required=("name",)),
    "reactions.remove": Method(reactions_remove, ("reactions:write",), 2, required=("name",)),
    "reactions.get": Method(reactions_get, ("reactions:read",), 3),
    "reactions.list": Method(reactions_list, ("reactions:read",), 2),
}
