"""What happens to channels: made, joined, left, renamed, archived, given a topic. Tells the page and the app."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile

from localslack import messages
from localslack.records import Bookmark, Channel, Json, Message, User
from localslack.world import World


def page_channel(world: World, channel: Channel, viewer: str) -> Json:
    """A channel for the page's sidebar."""
    read = channel.last_read.get(viewer, "")
    member = viewer in channel.members
    unread = sum(1 for m in _since(channel, read) if _counts(m, viewer)) if member else 0
    mentioned = sum(
        1
        for n in world.notifications.get(viewer, [])
        if n["channel"] == channel.id and n["ts"] > read and n["reason"] != "thread"
    )
    other = next((each for each in channel.members if each != viewer), viewer) if channel.is_im else None
    return {
        "id": channel.id,
        "name": channel.name or (world.users[other].handle if other else channel.id),
        "is_private": channel.is_private,
        "is_im": channel.is_im,
        "with": other,
        "is_member": member,
        "is_archived": channel.is_archived,
        "topic": channel.topic,
        "purpose": channel.purpose,
        "members": len(channel.members),
        "unread": unread,
        "mentioned": mentioned,
    }


def _since(channel: Channel, read: str) -> Iterator[Message]:
    """What was said after `read`, newest first: a look at the end of a long channel, not at all of it."""
    return takewhile(lambda message: message.ts > read, reversed(channel.by_ts.values()))


def _counts(message: Message, viewer: str) -> bool:
    """Whether a message makes a channel unread: Slack's own lines (who joined, who left) and replies never do."""
    return (
        message.user != viewer
        and not message.deleted
        and not message.ephemeral
        and message.subtype in (None, "file_share", "thread_broadcast")
        and message.thread_ts in (None, message.ts)
    )


def tell_channel(world: World, channel: Channel, what: str, extra: tuple[str, ...] = ()) -> None:
    """Show a channel's new state to whom it concerns, each from their own eyes; `extra` are people who just left."""
    if not world.watched():
        return
    for user in world.users.values():
        if user.is_bot or not (world.visible(channel, user) or user.id in extra):
            continue
        change = {"type": "channel", "what": what, "channel": page_channel(world, channel, user.id)}
        world.tell(change, [user.id])


def create(world: World, name: str, by: User, is_private: bool) -> Channel:
    channel = Channel(
        id=world.new_id("C"), name=name, creator=by.id, created=world.seconds(), is_private=is_private, members=[by.id]
    )
    world.keep(channel)
    tell_channel(world, channel, "created")
    if not is_private:
        about = {
            "id": channel.id,
            "is_channel": True,
            "name": name,
            "name_normalized": name,
            "created": channel.created,
            "creator": by.id,
            "is_shared": False,
            "is_org_shared": False,
            "context_team_id": world.team_id,
        }
        world.announce({"type": "channel_created", "channel": about, "event_ts": world.new_ts()}, channel)
    _line(world, channel, by, "join", f"<@{by.id}> has joined the channel")
    return channel


def group(world: World, by: User, others: list[User]) -> Channel:
    """The direct-message channel of several people, opened when there is none yet (SR-CHN-22)."""
    members = [by.id, *(user.id for user in others)]
    for channel in world.channels.values():
        if channel.is_mpim and set(channel.members) == set(members):
            return channel
    handles = "--".join(world.users[each].handle for each in members)
    channel = Channel(
        id=world.new_id("C"), name=f"mpdm-{handles}-1", creator=by.id, created=world.seconds(), is_private=True,
        is_mpim=True, members=members,
    )  # fmt: skip
    world.channels[channel.id] = channel
    tell_channel(world, channel, "created")
    return channel


def _line(world: World, channel: Channel, by: User, what: str, text: str, **extra: object) -> None:
    """Slack's own line in a channel."""
    prefix = "group" if channel.is_private else "channel"
    messages.post(world, channel, by, text, subtype=f"{prefix}_{what}", extra=dict(extra))


def join(world: World, channel: Channel, user: User, inviter: User | None = None) -> None:
    channel.members.append(user.id)
    # What was said before a person came is not unread to them.
    channel.last_read[user.id] = next(reversed(channel.by_ts), "")
    if inviter is not None and inviter.id != user.id:
        _line(world, channel, user, "join", f"<@{user.id}> has joined the channel", inviter=inviter.id)
    else:
        _line(world, channel, user, "join", f"<@{user.id}> has joined the channel")
    tell_channel(world, channel, "joined")
    event: Json = {
        "type": "member_joined_channel",
        "user": user.id,
        "channel": channel.id,
        "channel_type": "G" if channel.is_private else "C",
        "team": world.team_id,
        "event_ts": world.new_ts(),
    }
    if inviter is not None:
        event["inviter"] = inviter.id
    world.announce(event, channel)


def leave(world: World, channel: Channel, user: User, kicked_by: User | None = None) -> None:
    """Leave, or be removed by somebody."""
    event: Json = {
        "type": "member_left_channel",
        "user": user.id,
        "channel": channel.id,
        "channel_type": "G" if channel.is_private else "C",
        "team": world.team_id,
        "event_ts": world.new_ts(),
    }
    if kicked_by is not None:
        _line(world, channel, kicked_by, "leave", f"<@{user.id}> was removed from the channel")
        event["remover_user_id"] = kicked_by.id
    else:
        _line(world, channel, user, "leave", f"<@{user.id}> has left the channel")
    channel.members.remove(user.id)
    tell_channel(world, channel, "left", extra=(user.id,))
    world.announce(event, channel)
    if user.id == world.bot.id:
        # docs: events/channel_left and group_left: sent to the one that left.
        kind = "group_left" if channel.is_private else "channel_left"
        world.announce({"type": kind, "channel": channel.id, "event_ts": world.new_ts()}, None)


def set_topic(world: World, channel: Channel, by: User, topic: str) -> None:
    channel.topic, channel.topic_by, channel.topic_at = topic, by.id, world.seconds()
    _line(world, channel, by, "topic", f"set the channel topic: {topic}", topic=topic)
    tell_channel(world, channel, "updated")


def set_purpose(world: World, channel: Channel, by: User, purpose: str) -> None:
    channel.purpose, channel.purpose_by, channel.purpose_at = purpose, by.id, world.seconds()
    _line(world, channel, by, "purpose", f"set the channel description: {purpose}", purpose=purpose)
    tell_channel(world, channel, "updated")


def rename(world: World, channel: Channel, by: User, name: str) -> None:
    old = channel.name
    channel.previous_names.append(old)
    del world.names[old]
    channel.name = name
    world.keep(channel)
    _line(world, channel, by, "name", f'has renamed the channel from "{old}" to "{name}"', old_name=old, name=name)
    tell_channel(world, channel, "updated")
    about = {"id": channel.id, "name": name, "name_normalized": name, "created": channel.created,
             "is_channel": not channel.is_private, "is_mpim": False}  # fmt: skip
    kind = "group_rename" if channel.is_private else "channel_rename"
    world.announce({"type": kind, "channel": about, "event_ts": world.new_ts()}, channel)


def archive(world: World, channel: Channel, by: User) -> None:
    _line(world, channel, by, "archive", "archived the channel", members=list(channel.members))
    channel.is_archived = True
    tell_channel(world, channel, "archived")
    kind = "group_archive" if channel.is_private else "channel_archive"
    event = {"type": kind, "channel": channel.id, "user": by.id, "is_moved": 0, "event_ts": world.new_ts()}
    world.announce(event, channel)


def unarchive(world: World, channel: Channel, by: User) -> None:
    channel.is_archived = False
    if by.id not in channel.members:
        channel.members.append(by.id)
    _line(world, channel, by, "unarchive", "un-archived the channel")
    tell_channel(world, channel, "updated")
    kind = "group_unarchive" if channel.is_private else "channel_unarchive"
    world.announce({"type": kind, "channel": channel.id, "user": by.id, "event_ts": world.new_ts()}, channel)


def delete(world: World, channel: Channel, by: User) -> None:
    """Delete a channel for good (an administrator's act)."""
    everybody = tuple(channel.members)
    kind = "group_deleted" if channel.is_private else "channel_deleted"
    event = {"type": kind, "channel": channel.id, "actor_id": by.id, "event_ts": world.new_ts()}
    world.announce(event, channel)
    channel.members = []
    channel.is_archived = True
    tell_channel(world, channel, "deleted", extra=everybody)
    del world.channels[channel.id]
    world.names.pop(channel.name, None)


def add_bookmark(world: World, channel: Channel, title: str, link: str, emoji: str) -> Bookmark:
    now = world.seconds()
    bookmark = Bookmark(world.new_id("Bk"), channel.id, title, link, emoji, "link", now, now)
    channel.bookmarks.append(bookmark)
    tell_channel(world, channel, "updated")
    return bookmark
