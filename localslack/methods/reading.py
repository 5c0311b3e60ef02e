"""conversations.* and users.conversations that only read."""

from __future__ import annotations

from localslack.errors import SlackError
from localslack.methods.request import Method, Request
from localslack.objects import channel_object, message_object
from localslack.records import Channel, Json, Message

_KINDS = {"public_channel": "channel", "private_channel": "group", "mpim": "mpim", "im": "im"}


def info(request: Request) -> Json:
    channel = request.channel()
    members = request.flag("include_num_members")
    return {"channel": channel_object(request.world, channel, request.caller.id, members=members)}


def _kinds(request: Request) -> set[str]:
    names = request.names("types") or ["public_channel"]
    if any(name not in _KINDS for name in names):
        raise SlackError("invalid_types")
    kinds = {_KINDS[name] for name in names}
    for kind in sorted(kinds):
        request.need_scope(kind)
    return kinds


def _listed(request: Request, channels: list[Channel]) -> Json:
    kinds = _kinds(request)
    without_archived = request.flag("exclude_archived")
    rows = [channel for channel in channels if channel.kind in kinds and not (without_archived and channel.is_archived)]
    page, cursor = request.page(rows, 100, 1000)
    return {
        "channels": [channel_object(request.world, each, request.caller.id, members=True) for each in page],
        "response_metadata": {"next_cursor": cursor},
    }


def list_channels(request: Request) -> Json:
    world = request.world
    return _listed(request, [c for c in world.channels.values() if world.visible(c, request.caller)])


def users_conversations(request: Request) -> Json:
    """The conversations of the caller, or of `user` as far as the caller can see them."""
    world = request.world
    user = world.users.get(request.text("user", request.caller.id))
    if user is None:
        raise SlackError("user_not_found")
    mine = [
        channel
        for channel in world.channels.values()
        if user.id in channel.members and world.visible(channel, request.caller)
    ]
    return _listed(request, mine)


def members(request: Request) -> Json:
    channel = request.channel()
    page, cursor = request.page(list(channel.members), 100, 1000)
    return {"members": page, "response_metadata": {"next_cursor": cursor}}


def _within(request: Request, messages: list[Message]) -> list[Message]:
    """`oldest`, `latest` and `inclusive` (docs: conversations.history)."""
    oldest, latest = request.text("oldest"), request.text("latest")
    inclusive = request.flag("inclusive")
    try:
        low = float(oldest) if oldest else 0.0
    except ValueError:
        raise SlackError("invalid_ts_oldest") from None
    try:
        high = float(latest) if latest else float("inf")
    except ValueError:
        raise SlackError("invalid_ts_latest") from None

    def fits(message: Message) -> bool:
        at = float(message.ts)
        return low <= at <= high if inclusive else low < at < high or (not latest and low < at)

    return [message for message in messages if fits(message)]


def _shown(request: Request, message: Message) -> Json:
    """Metadata only where it is asked for (SR-MSG-09)."""
    if message.deleted:
        return {
            "type": "message",
            "subtype": "tombstone",
            "user": "USLACKBOT",
            "text": "This message was deleted.",
            "hidden": True,
            "ts": message.ts,
            "thread_ts": message.ts,
            "reply_count": len(message.replies),
        }
    return message_object(request.world, message, metadata=request.flag("include_all_metadata"))


def history(request: Request) -> Json:
    """Newest first, without thread replies and ephemeral messages; only for members (SR-CHN-12)."""
    channel = request.channel(member=True)
    rows = [
        message
        for message in reversed(channel.by_ts.values())
        if not message.ephemeral
        and (not message.deleted or message.replies)
        and (message.thread_ts in (None, message.ts) or message.subtype == "thread_broadcast")
    ]
    rows = _within(request, rows)
    page, cursor = request.page(rows, 100, 999)
    answer: Json = {
        "messages": [_shown(request, message) for message in page],
        "has_more": bool(cursor),
        "pin_count": len(channel.pins),
        "channel_actions_ts": None,
        "channel_actions_count": 0,
    }
    if cursor:
        answer["response_metadata"] = {"next_cursor": cursor}
    return answer


def replies(request: Request) -> Json:
    """Oldest first, the parent first of all; a reply's ts gives that reply alone."""
    channel = request.channel(member=True)
    start = channel.by_ts.get(request.text("ts"))
    if start is None or start.ephemeral or (start.deleted and not start.replies):
        raise SlackError("thread_not_found")
    if start.thread_ts and start.thread_ts != start.ts:
        return {"messages": [_shown(request, start)], "has_more": False}
    rest = [channel.by_ts[ts] for ts in start.replies]
    page, cursor = request.page(_within(request, rest), 1000, 1000)
    answer: Json = {"messages": [_shown(request, each) for each in [start, *page]], "has_more": bool(cursor)}
    if cursor:
        answer["response_metadata"] = {"next_cursor": cursor}
    return answer


_READ = ("channels:read", "groups:read", "im:read", "mpim:read")
_HISTORY = ("channels:history", "groups:history", "im:history", "mpim:history")

METHODS = {
    "conversations.info": Method(info, _READ, 3, required=("channel",)),
    "conversations.list": Method(list_channels, _READ, 2),
    "conversations.members": Method(members, _READ, 4, required=("channel",)),
    "conversations.history": Method(history, _HISTORY, 3, required=("channel",)),
    "conversations.replies": Method(replies, _HISTORY, 3, required=("channel", "ts")),
    "users.conversations": Method(users_conversations, _READ, 3),
}
