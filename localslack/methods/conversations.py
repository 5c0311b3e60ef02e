"""conversations.* that change a conversation: made, joined, named, archived, its members and topic."""

from __future__ import annotations

import re

from localslack import conversations
from localslack.errors import SlackError, invalid_arguments
from localslack.methods.request import Method, Request
from localslack.objects import channel_object
from localslack.records import Channel, Json, User

MAX_NAME_CHARS = 80  # SR-CHN-01
MAX_TOPIC_CHARS = 250  # SR-CHN-06
MAX_INVITED_AT_ONCE = 100  # SR-CHN-07
MAX_GROUP_MEMBERS = 8  # SR-CHN-22

_NAME = re.compile(r"[a-z0-9_-]+")


def _checked_name(request: Request) -> str:
    """SR-CHN-01 to SR-CHN-05: lower case letters, digits, hyphens, underscores, 80 at most, and not taken."""
    name = request.text("name")
    if not name:
        raise SlackError("invalid_name_required")
    if len(name) > MAX_NAME_CHARS:
        raise SlackError("invalid_name_maxlength")
    if not any(sign.isalnum() for sign in name):
        raise SlackError("invalid_name_punctuation")
    if not _NAME.fullmatch(name):
        raise SlackError("invalid_name_specials")
    # SR-CHN-05: an archived channel keeps its name.
    if name in request.world.names:
        raise SlackError("name_taken")
    return name


def create(request: Request) -> Json:
    private = request.flag("is_private")
    request.need_scope("group" if private else "channel")
    name = _checked_name(request)
    channel = conversations.create(request.world, name, request.caller, private)
    return {"channel": channel_object(request.world, channel, request.caller.id)}


def invite(request: Request) -> Json:
    """SR-CHN-08: all or nothing, unless `force`; nothing in an archived channel (SR-CHN-19)."""
    channel = request.channel(live=True)
    if channel.is_im or channel.is_mpim:
        raise SlackError("method_not_supported_for_channel_type")
    if request.caller.id not in channel.members:
        raise SlackError("not_in_channel")
    wanted = request.names("users")
    if not wanted:
        raise SlackError("no_user")
    if len(wanted) > MAX_INVITED_AT_ONCE:
        raise invalid_arguments(f"no more than {MAX_INVITED_AT_ONCE} items allowed [json-pointer:/users]")
    good: list[User] = []
    errors: list[Json] = []
    for user_id in dict.fromkeys(wanted):
        user = request.world.users.get(user_id)
        problem = _cannot_invite(request, channel, user)
        if problem:
            errors.append({"user": user_id, "ok": False, "error": problem})
        elif user is not None:
            good.append(user)
    if errors and (not request.flag("force") or not good):
        raise SlackError(errors[0]["error"], errors=errors)
    for user in good:
        conversations.join(request.world, channel, user, request.caller)
    answer: Json = {"channel": channel_object(request.world, channel, request.caller.id)}
    if errors:
        answer["errors"] = errors
    return answer


def _cannot_invite(request: Request, channel: Channel, user: User | None) -> str:
    """SR-CHN-09."""
    if user is None or user.deleted:
        return "user_not_found"
    if user.id == request.caller.id:
        return "cant_invite_self"
    if user.id in channel.members:
        return "already_in_channel"
    if user.is_guest:
        # Guests are added to channels by administrators only.
        return "user_is_restricted"
    return ""


def join(request: Request) -> Json:
    channel = request.channel(live=True)
    if channel.kind != "channel":
        raise SlackError("method_not_supported_for_channel_type")
    if request.caller.id in channel.members:
        return {
            "channel": channel_object(request.world, channel, request.caller.id),
            "warning": "already_in_channel",
            "response_metadata": {"warnings": ["already_in_channel"]},
        }
    conversations.join(request.world, channel, request.caller)
    return {"channel": channel_object(request.world, channel, request.caller.id)}


def leave(request: Request) -> Json:
    """SR-CHN-15, SR-CHN-20."""
    channel = request.channel(live=True)
    if channel.is_im or channel.is_mpim:
        raise SlackError("method_not_supported_for_channel_type")
    if request.caller.id not in channel.members:
        return {"ok": False, "not_in_channel": True}
    if channel.is_general:
        raise SlackError("cant_leave_general")
    if channel.is_private and len(channel.members) == 1:
        raise SlackError("last_member")
    conversations.leave(request.world, channel, request.caller)
    return {}


def kick(request: Request) -> Json:
    """SR-CHN-14."""
    channel = request.channel(live=True, member=True)
    user = request.world.users.get(request.text("user"))
    if user is None:
        raise SlackError("user_not_found")
    if user.id == request.caller.id:
        raise SlackError("cant_kick_self")
    if channel.is_general:
        raise SlackError("cant_kick_from_general")
    if user.id not in channel.members:
        raise SlackError("not_in_channel")
    conversations.leave(request.world, channel, user, request.caller)
    return {}


def _short(request: Request, name: str) -> str:
    """A topic or a purpose: given, if only to take the old one away, and not too long (SR-CHN-06)."""
    if request.args.get(name) is None:
        raise invalid_arguments(f"missing required field: {name}")
    value = request.text(name)
    if len(value) > MAX_TOPIC_CHARS:
        raise SlackError("too_long")
    return value


def set_topic(request: Request) -> Json:
    channel = request.channel(live=True, member=True)
    topic = _short(request, "topic")
    if topic != channel.topic:
        conversations.set_topic(request.world, channel, request.caller, topic)
    return {"channel": channel_object(request.world, channel, request.caller.id)}


def set_purpose(request: Request) -> Json:
    channel = request.channel(live=True, member=True)
    purpose = _short(request, "purpose")
    if purpose != channel.purpose:
        conversations.set_purpose(request.world, channel, request.caller, purpose)
    return {"purpose": purpose, "channel": channel_object(request.world, channel, request.caller.id)}


def rename(request: Request) -> Json:
    channel = request.channel(live=True, member=True)
    if channel.creator != request.caller.id:
        # SR-CHN-13: only the creator, or an administrator, may rename a channel.
        raise SlackError("not_authorized")
    name = _checked_name(request)
    conversations.rename(request.world, channel, request.caller, name)
    return {"channel": channel_object(request.world, channel, request.caller.id)}


def archive(request: Request) -> Json:
    """SR-CHN-11."""
    channel = request.channel()
    if channel.is_archived:
        raise SlackError("already_archived")
    if channel.is_general:
        raise SlackError("cant_archive_general")
    if request.caller.id not in channel.members:
        raise SlackError("not_in_channel")
    conversations.archive(request.world, channel, request.caller)
    return {}


def unarchive(request: Request) -> Json:
    """SR-CHN-10: bot tokens cannot."""
    channel = request.channel()
    if not channel.is_archived:
        raise SlackError("not_archived")
    raise SlackError("not_in_channel")


def open_dm(request: Request) -> Json:
    """SR-CHN-18, SR-CHN-22: with one person, or with several."""
    world = request.world
    users = list(dict.fromkeys(request.names("users")))
    if not users and not request.text("channel"):
        raise SlackError("users_list_not_supplied")
    if not users:
        channel = request.channel()
        if not channel.is_im and not channel.is_mpim:
            raise SlackError("method_not_supported_for_channel_type")
        return {"channel": {"id": channel.id}, "no_op": True, "already_open": True}
    if len(users) > 1:
        return _open_group(request, users)
    request.need_scope("im")
    user = world.users.get(users[0])
    if user is None:
        raise SlackError("user_not_found")
    if user.is_bot:
        raise SlackError("cannot_dm_bot")  # SR-MSG-20
    if user.deleted:
        raise SlackError("user_disabled")
    known = len(world.ims)
    channel = world.direct(world.bot.id, user.id)
    answer: Json = {"channel": {"id": channel.id}}
    if request.flag("return_im"):
        answer["channel"] = channel_object(world, channel, request.caller.id)
    if len(world.ims) == known:
        answer |= {"no_op": True, "already_open": True}
    else:
        conversations.tell_channel(world, channel, "created")
    return answer


def _open_group(request: Request, users: list[str]) -> Json:
    """SR-CHN-22."""
    world = request.world
    request.need_scope("mpim")
    if len(users) > MAX_GROUP_MEMBERS:
        raise SlackError("too_many_users")
    people = [world.users[each] for each in users if each in world.users and each != request.caller.id]
    if len(people) < len(users):
        raise SlackError("user_not_found")
    if any(each.deleted for each in people):
        raise SlackError("user_disabled")
    known = len(world.channels)
    channel = conversations.group(world, request.caller, people)
    full = request.flag("return_im")
    shown = channel_object(world, channel, request.caller.id) if full else {"id": channel.id}
    again: Json = {"no_op": True, "already_open": True} if len(world.channels) == known else {}
    return {"channel": shown, **again}


_MANAGE = ("channels:manage", "groups:write")
_INVITES = ("channels:manage", "groups:write", "channels:write.invites", "groups:write.invites")
_TOPIC = ("channels:manage", "groups:write", "channels:write.topic", "groups:write.topic")

_TOPIC_OF_DIRECT = ("im:write", "mpim:write", "im:write.topic", "mpim:write.topic")

METHODS = {
    "conversations.create": Method(create, _MANAGE, 2),
    "conversations.invite": Method(invite, (*_INVITES, "mpim:write"), 3, required=("channel",)),
    "conversations.join": Method(join, ("channels:join",), 3, required=("channel",)),
    "conversations.leave": Method(leave, (*_MANAGE, "im:write", "mpim:write"), 3, required=("channel",)),
    "conversations.kick": Method(kick, _MANAGE, 3, required=("channel", "user")),
    "conversations.setTopic": Method(set_topic, (*_TOPIC, *_TOPIC_OF_DIRECT), 2, required=("channel",)),
    "conversations.setPurpose": Method(set_purpose, (*_TOPIC, *_TOPIC_OF_DIRECT), 2, required=("channel",)),
    "conversations.rename": Method(rename, _MANAGE, 2, required=("channel",)),
    "conversations.archive": Method(archive, _MANAGE, 2, required=("channel",)),
    "conversations.unarchive": Method(unarchive, _MANAGE, 2, required=("channel",)),
    "conversations.open": Method(open_dm, ("im:write", "mpim:write"), 3),
}
