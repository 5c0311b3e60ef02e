"""What happens to messages: posted, edited, erased, reacted to, pinned. Tells the page, the app and who is notified."""

from __future__ import annotations

from collections.abc import Iterable

from localslack import forms, plain_text
from localslack.errors import NotPossible
from localslack.objects import message_object
from localslack.records import Channel, Json, Message, Pin, User
from localslack.world import World


def audience(world: World, channel: Channel) -> Iterable[str] | None:
    """Whom a change in the channel concerns: members, or everybody where it is public (anyone may look in)."""
    return None if channel.kind == "channel" else list(channel.members)


def page_object(world: World, message: Message) -> Json:
    """A message for the page: Slack's object and what Slack's clients know besides."""
    shown = message_object(world, message)
    channel = world.channels[message.channel]
    shown["channel"] = message.channel
    shown["ephemeral"] = message.ephemeral
    shown["pinned"] = any(pin.ts == message.ts for pin in channel.pins)
    if message.deleted:
        shown |= {"subtype": "tombstone", "text": "This message was deleted.", "blocks": [], "files": []}
    return shown


def number_blocks(world: World, blocks: list[Json]) -> list[Json]:
    """Blocks as Slack stores them: each has a block_id, interactive elements have an action_id."""
    for block in blocks:
        if not block.get("block_id"):
            block["block_id"] = world.short_id()
        number_blocks(world, plain_text.inside(block))
    for _, element in plain_text.elements(blocks):
        if not element.get("action_id"):
            element["action_id"] = world.short_id()
    return blocks


def post(
    world: World, channel: Channel, user: User, text: str, *, blocks: list[Json] | None = None,
    attachments: list[Json] | None = None, thread_ts: str | None = None, subtype: str | None = None,
    metadata: Json | None = None, only_for: str | None = None, files: list[Json] | None = None,
    broadcast: bool = False, extra: Json | None = None,
) -> Message:  # fmt: skip
    """Put a message into a channel (or, with `only_for`, before one person's eyes). The thread must exist."""
    message = Message(
        ts=world.new_ts(), channel=channel.id, user=user.id, text=text, blocks=number_blocks(world, blocks or []),
        attachments=attachments or [], thread_ts=thread_ts, subtype=subtype, metadata=metadata, only_for=only_for,
        files=files or [], bot_id=user.bot_id if subtype in (None, "file_share", "thread_broadcast") else None,
        app_id=user.app_id, extra=extra or {},
    )  # fmt: skip
    if not user.is_bot and subtype in (None, "file_share"):
        message.client_msg_id = f"{world.hex(8)}-{world.hex(4)}-4{world.hex(3)}-8{world.hex(3)}-{world.hex(12)}"
    channel.by_ts[message.ts] = message
    if only_for is not None:
        _show(world, "ephemeral", message)
        return message
    parent = channel.by_ts.get(thread_ts) if thread_ts else None
    if parent is not None:
        parent.replies.append(message.ts)
        if user.id not in parent.reply_users:
            parent.reply_users.append(user.id)
        if broadcast:
            message.subtype = "thread_broadcast"
    channel.last_read[user.id] = message.ts
    _show(world, "message", message)
    if parent is not None:
        _show(world, "message_changed", parent)
    _notify(world, channel, message, parent)
    _announce_new(world, channel, message)
    return message


def _show(world: World, kind: str, message: Message) -> None:
    """Tell the pages that may see the message."""
    if world.watched():
        channel = world.channels[message.channel]
        who = audience(world, channel) if message.only_for is None else [message.only_for]
        world.tell({"type": kind, "channel": channel.id, "message": page_object(world, message)}, who)


def _announce_new(world: World, channel: Channel, message: Message) -> None:
    if not world.hears("message", channel) and not world.hears("app_mention", channel):
        return
    event = message_object(world, message, metadata=True)
    event |= {"channel": channel.id, "event_ts": message.ts, "channel_type": channel.kind}
    world.announce(event, channel)
    if message.subtype not in (None, "file_share", "thread_broadcast") or channel.is_im or message.user == world.bot.id:
        return
    users, _, _ = plain_text.mentions(message.text, message.blocks)
    if world.bot.id in users:
        keys = (
            "user",
            "text",
            "ts",
            "client_msg_id",
            "team",
            "thread_ts",
            "parent_user_id",
            "blocks",
            "bot_id",
            "files",
        )
        mention = {key: event[key] for key in keys if key in event}
        world.announce({"type": "app_mention", **mention, "channel": channel.id, "event_ts": message.ts}, channel)


def _notify(world: World, channel: Channel, message: Message, parent: Message | None) -> None:
    """SR-MSG-13: Slack notifies of new messages, never of edits: of mentions, direct messages, followed threads."""
    if message.subtype not in (None, "file_share", "thread_broadcast"):
        return
    users, groups, everybody = plain_text.mentions(message.text, message.blocks)
    for group in groups:
        if group in world.groups and not world.groups[group].deleted:
            users.update(world.groups[group].users)
    followers = _followers(parent, world) if parent is not None else set()
    for member in channel.members:
        if member == message.user or world.users[member].is_bot:
            continue
        if channel.is_im or channel.is_mpim:
            reason = "dm"
        elif member in users or everybody:
            reason = "mention"
        elif member in followers:
            reason = "thread"
        else:
            continue
        entry = {
            "channel": channel.id, "ts": message.ts, "thread_ts": message.thread_ts, "text": message.text,
            "plain": message.plain, "reason": reason,
        }  # fmt: skip
        world.notifications.setdefault(member, []).append(entry)
        world.tell({"type": "notification", **entry}, [member])


def _followers(parent: Message, world: World) -> set[str]:
    """Who follows a thread: its author, who replied, and who was mentioned in it."""
    channel = world.channels[parent.channel]
    followers = {parent.user, *parent.reply_users}
    for ts in (parent.ts, *parent.replies):
        message = channel.by_ts.get(ts)
        if message is not None and not message.deleted:
            followers |= plain_text.mentions(message.text, message.blocks)[0]
    return followers


def edit(
    world: World, message: Message, by: User, *, text: str | None = None, blocks: list[Json] | None = None,
    attachments: list[Json] | None = None, metadata: Json | None = None, files: list[Json] | None = None,
) -> None:  # fmt: skip
    """Change a message in place. None leaves a part as it is."""
    channel = world.channels[message.channel]
    previous = message_object(world, message)
    if text is not None:
        message.text = text
    if blocks is not None:
        message.blocks = number_blocks(world, blocks)
        entered = world.local_state.get((channel.id, message.ts), {})
        for person, state in entered.items():
            entered[person] = forms.kept(state, message.blocks)
    if attachments is not None:
        message.attachments = attachments
    if metadata is not None:
        message.metadata = metadata or None
    if files is not None:
        message.files = files
    message.edited = {"user": by.id, "ts": world.new_ts()}
    _show(world, "message_changed", message)
    if message.only_for is not None or not world.hears("message", channel):
        return
    event_ts = world.new_ts()
    world.announce(
        {
            "type": "message",
            "subtype": "message_changed",
            "message": message_object(world, message, metadata=True),
            "previous_message": previous,
            "channel": channel.id,
            "hidden": True,
            "ts": event_ts,
            "event_ts": event_ts,
            "channel_type": channel.kind,
        },
        channel,
    )


def erase(world: World, message: Message) -> None:
    """Delete a message, its pin too (SR-MRK-08). A parent with replies leaves a tombstone, as in Slack."""
    channel = world.channels[message.channel]
    previous = message_object(world, message)
    message.deleted = True
    channel.pins = [pin for pin in channel.pins if pin.ts != message.ts]
    gone = {"type": "message_deleted", "channel": channel.id, "ts": message.ts}
    if message.only_for is not None:
        world.tell(gone, [message.only_for])
        return
    who = audience(world, channel)
    if message.thread_ts and message.thread_ts != message.ts:
        parent = channel.by_ts.get(message.thread_ts)
        if parent is not None and message.ts in parent.replies:
            parent.replies.remove(message.ts)
            left = [channel.by_ts[ts].user for ts in parent.replies]
            parent.reply_users = list(dict.fromkeys(left))
            _show(world, "message_changed", parent)
    if message.replies:
        _show(world, "message_changed", message)
    else:
        world.tell(gone, who)
    event_ts = world.new_ts()
    world.announce(
        {
            "type": "message",
            "subtype": "message_deleted",
            "deleted_ts": message.ts,
            "previous_message": previous,
            "channel": channel.id,
            "hidden": True,
            "ts": event_ts,
            "event_ts": event_ts,
            "channel_type": channel.kind,
        },
        channel,
    )


def react(world: World, message: Message, user: User, name: str) -> bool:
    """Add a reaction; False when that person has already given it."""
    users = message.reactions.setdefault(name, [])
    if user.id in users:
        return False
    users.append(user.id)
    _reaction(world, "reaction_added", message, user, name)
    return True


def unreact(world: World, message: Message, user: User, name: str) -> bool:
    """Take a reaction back; False when there is none."""
    users = message.reactions.get(name, [])
    if user.id not in users:
        return False
    users.remove(user.id)
    if not users:
        del message.reactions[name]
    _reaction(world, "reaction_removed", message, user, name)
    return True


def _reaction(world: World, kind: str, message: Message, user: User, name: str) -> None:
    channel = world.channels[message.channel]
    if world.watched():
        shown = page_object(world, message)
        change = {"type": "reaction", "channel": channel.id, "ts": message.ts, "reactions": shown.get("reactions", [])}
        world.tell(change | {"message": shown}, audience(world, channel))
    world.announce(
        {
            "type": kind,
            "user": user.id,
            "reaction": name,
            "item": {"type": "message", "channel": channel.id, "ts": message.ts},
            "item_user": message.user,
            "event_ts": world.new_ts(),
        },
        channel,
    )


def pin(world: World, message: Message, user: User) -> None:
    channel = world.channels[message.channel]
    channel.pins.insert(0, Pin(message.ts, user.id, world.seconds()))
    _pinned(world, "pin_added", message, user)


def unpin(world: World, message: Message, user: User) -> None:
    channel = world.channels[message.channel]
    channel.pins = [each for each in channel.pins if each.ts != message.ts]
    _pinned(world, "pin_removed", message, user)


def _pinned(world: World, kind: str, message: Message, user: User) -> None:
    channel = world.channels[message.channel]
    _show(world, "message_changed", message)
    item = {
        "type": "message", "channel": channel.id, "created_by": user.id, "created": world.seconds(),
        "message": message_object(world, message),
    }  # fmt: skip
    event: Json = {
        "type": kind,
        "user": user.id,
        "channel_id": channel.id,
        "item": item,
        "pin_count": len(channel.pins),
        "pinned_info": {"channel": channel.id, "pinned_by": user.id, "pinned_ts": world.seconds()},
        "event_ts": world.new_ts(),
    }
    if kind == "pin_removed":
        event["has_pins"] = bool(channel.pins)
    world.announce(event, channel)


def typed(world: World, text: str) -> str:
    """What a person typed, as Slack stores it: &, < and > escaped, @names, @groups and #channels made into entities.

    Entities that are already in Slack's form (`<@U…>`, `<#C…>`, `<!here>`) are left as they are.
    """
    pieces = plain_text.split_entities(text)
    return "".join(piece if whole else _typed_plain(world, piece, labels=False) for piece, whole in pieces)


def typed_command(world: World, text: str, should_escape: bool) -> str:
    """The text of a slash command as Slack sends it (docs: slash commands, `should_escape`)."""
    pieces = plain_text.split_entities(text)
    if not should_escape:
        return "".join(piece if whole else plain_text.escape(piece) for piece, whole in pieces)
    return "".join(piece if whole else _typed_plain(world, piece, labels=True) for piece, whole in pieces)


def _typed_plain(world: World, text: str, labels: bool) -> str:
    def at(name: str) -> str | None:
        lowered = name.lower()
        if lowered in ("here", "channel", "everyone"):
            return f"<!{lowered}>"
        for user in world.users.values():
            if user.handle == lowered or (user is world.bot and lowered in bot_names(world)):
                return f"<@{user.id}|{user.handle}>" if labels else f"<@{user.id}>"
        for group in world.enabled_groups():
            if group.handle == lowered:
                return f"<!subteam^{group.id}|@{group.handle}>" if labels else f"<!subteam^{group.id}>"
        return None

    def channel(name: str) -> str | None:
        found = world.names.get(name.lower())
        return f"<#{found}|{name}>" if found else None

    return plain_text.link_names(plain_text.escape(text), at, channel)


def bot_names(world: World) -> set[str]:
    """What people may type after an @ for the app's bot: its handle, or the first word of it."""
    return {world.bot.handle, world.bot.handle.split("-")[0], world.bot.real_name.lower().replace(" ", "-")}


def say_privately(world: World, channel: Channel, user: User, speaker: User, answer: Json) -> Message:
    """Show an answer to one person in a channel."""
    return post(
        world, channel, speaker, str(answer.get("text") or ""), blocks=answer.get("blocks"),
        attachments=answer.get("attachments"), thread_ts=answer.get("thread_ts"), only_for=user.id,
    )  # fmt: skip


def need_message(world: World, channel: Channel, ts: str) -> Message:
    message = world.message(channel, ts)
    if message is None:
        raise NotPossible(f"there is no message {ts} in {channel.name or channel.id}")
    return message
