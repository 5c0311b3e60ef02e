"""Slack's own objects: users, channels, messages, views, files, as the Web API and the events carry them."""

from __future__ import annotations

from localslack.records import Channel, File, Json, Message, User, UserGroup, View
from localslack.world import World


def user_object(world: World, user: User) -> Json:
    """docs: objects/user-object."""
    profile: Json = {
        "title": user.title,
        "phone": "",
        "skype": "",
        "real_name": user.real_name,
        "real_name_normalized": user.real_name,
        "display_name": "" if user.is_bot else user.handle,
        "display_name_normalized": "" if user.is_bot else user.handle,
        "fields": {},
        "status_text": "",
        "status_emoji": "",
        "status_emoji_display_info": [],
        "status_expiration": 0,
        "avatar_hash": user.color,
        "first_name": user.first_name,
        "last_name": " ".join(user.real_name.split(" ")[1:]),
        "team": world.team_id,
        "image_24": f"{world.url}/avatars/{user.id}.svg",
        "image_48": f"{world.url}/avatars/{user.id}.svg",
        "image_72": f"{world.url}/avatars/{user.id}.svg",
    }
    if user.is_bot:
        profile |= {"bot_id": user.bot_id, "api_app_id": user.app_id, "always_active": True}
    elif "users:read.email" in world.app.scopes:
        profile["email"] = user.email
    return {
        "id": user.id,
        "team_id": world.team_id,
        "name": user.handle,
        "deleted": user.deleted,
        "color": user.color,
        "real_name": user.real_name,
        "tz": user.tz,
        "tz_label": user.tz_label,
        "tz_offset": user.tz_offset,
        "profile": profile,
        "is_admin": user.is_admin,
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": user.is_guest,
        "is_ultra_restricted": False,
        "is_bot": user.is_bot,
        "is_app_user": False,
        "updated": 1700000000,
        "is_email_confirmed": not user.is_bot,
        "who_can_share_contact_card": "EVERYONE",
    }


def group_object(world: World, group: UserGroup, users: bool = False) -> Json:
    shown: Json = {
        "id": group.id,
        "team_id": world.team_id,
        "is_usergroup": True,
        "is_subteam": True,
        "name": group.name,
        "description": "",
        "handle": group.handle,
        "is_external": False,
        "date_create": 1700000000,
        "date_update": group.updated,
        "date_delete": group.deleted,
        "auto_type": None,
        "auto_provision": False,
        "enterprise_subteam_id": "",
        "created_by": "USLACKBOT",
        "updated_by": "USLACKBOT",
        "deleted_by": None,
        "prefs": {"channels": [], "groups": []},
        "user_count": len(group.users),
    }
    if users:
        shown["users"] = list(group.users)
    return shown


def channel_object(world: World, channel: Channel, viewer: str, members: bool = False) -> Json:
    """docs: objects/conversation-object."""
    if channel.is_im:
        other = next((each for each in channel.members if each != viewer), viewer)
        return {
            "id": channel.id,
            "created": channel.created,
            "is_archived": False,
            "is_im": True,
            "is_org_shared": False,
            "context_team_id": world.team_id,
            "updated": channel.created * 1000,
            "user": other,
            "is_user_deleted": False,
            "is_open": True,
            "priority": 0,
        }
    shown: Json = {
        "id": channel.id,
        "name": channel.name,
        "is_channel": not channel.is_private,
        "is_group": channel.is_private and not channel.is_mpim,
        "is_im": False,
        "is_mpim": channel.is_mpim,
        "is_private": channel.is_private,
        "created": channel.created,
        "is_archived": channel.is_archived,
        "is_general": channel.is_general,
        "unlinked": 0,
        "name_normalized": channel.name,
        "is_shared": False,
        "is_org_shared": False,
        "is_pending_ext_shared": False,
        "pending_shared": [],
        "context_team_id": world.team_id,
        "updated": channel.created * 1000,
        "parent_conversation": None,
        "creator": channel.creator,
        "is_ext_shared": False,
        "shared_team_ids": [world.team_id],
        "pending_connected_team_ids": [],
        "is_member": viewer in channel.members,
        "topic": {"value": channel.topic, "creator": channel.topic_by, "last_set": channel.topic_at},
        "purpose": {"value": channel.purpose, "creator": channel.purpose_by, "last_set": channel.purpose_at},
        "previous_names": list(channel.previous_names),
    }
    if members:
        shown["num_members"] = len(channel.members)
    return shown


def bot_profile(world: World, message: Message) -> Json:
    user = world.users[message.user]
    return {
        "id": message.bot_id,
        "app_id": message.app_id,
        "user_id": message.user,
        "name": user.real_name,
        "icons": {},
        "deleted": False,
        "updated": 1700000000,
        "team_id": world.team_id,
    }


def message_object(world: World, message: Message, metadata: bool = False) -> Json:
    """docs: events/message and conversations.history. Metadata only where it was asked for."""
    shown: Json = {"type": "message"}
    if message.subtype is not None:
        shown["subtype"] = message.subtype
    shown |= {"user": message.user, "text": message.text, "ts": message.ts}
    if message.client_msg_id is not None:
        shown["client_msg_id"] = message.client_msg_id
    if message.bot_id is not None:
        shown["bot_id"] = message.bot_id
        shown["app_id"] = message.app_id
        shown["bot_profile"] = bot_profile(world, message)
    shown["team"] = world.team_id
    if message.blocks:
        shown["blocks"] = message.blocks
    if message.attachments:
        shown["attachments"] = message.attachments
    if message.files:
        shown["files"] = message.files
        shown["upload"] = False
    if message.edited is not None:
        shown["edited"] = message.edited
    if message.thread_ts is not None:
        shown["thread_ts"] = message.thread_ts
        if message.thread_ts != message.ts:
            parent = world.channels[message.channel].by_ts.get(message.thread_ts)
            if parent is not None:
                shown["parent_user_id"] = parent.user
    if message.replies:
        shown |= {
            "thread_ts": message.ts,
            "reply_count": len(message.replies),
            "reply_users_count": len(message.reply_users),
            "latest_reply": message.replies[-1],
            "reply_users": list(message.reply_users),
            "is_locked": False,
            "subscribed": message.user == world.bot.id or world.bot.id in message.reply_users,
        }
    if message.reactions:
        shown["reactions"] = [
            {"name": name, "users": list(users), "count": len(users)} for name, users in message.reactions.items()
        ]
    pinned = [pin for pin in world.channels[message.channel].pins if pin.ts == message.ts]
    if pinned:
        shown["pinned_to"] = [message.channel]
        shown["pinned_info"] = {"channel": message.channel, "pinned_by": pinned[0].by, "pinned_ts": pinned[0].created}
    if message.extra:
        shown |= message.extra
    if metadata and message.metadata is not None:
        shown["metadata"] = message.metadata
    return shown


def file_object(world: World, file: File) -> Json:
    """docs: objects/file-object."""
    kind = file.name.rsplit(".", 1)[-1].lower() if "." in file.name else "text"
    return {
        "id": file.id,
        "created": file.created,
        "timestamp": file.created,
        "name": file.name,
        "title": file.title,
        "mimetype": file.mimetype,
        "filetype": kind,
        "pretty_type": kind.upper(),
        "user": file.user,
        "user_team": world.team_id,
        "editable": False,
        "size": file.size,
        "mode": "hosted",
        "is_external": False,
        "external_type": "",
        "is_public": bool(file.channels),
        "public_url_shared": False,
        "display_as_bot": False,
        "username": "",
        "url_private": f"{world.url}/files/{world.team_id}-{file.id}/{file.name}",
        "url_private_download": f"{world.url}/files/{world.team_id}-{file.id}/download/{file.name}",
        "permalink": f"{world.url}/files/{file.user}/{file.id}/{file.name}",
        "has_rich_preview": False,
        "file_access": "visible",
    }


def view_object(world: World, view: View) -> Json:
    """docs: objects/view-object: the view as sent, with ids, state and hash."""
    body = view.body
    shown: Json = {
        "id": view.id,
        "team_id": world.team_id,
        "type": body["type"],
        "blocks": body["blocks"],
        "private_metadata": body.get("private_metadata") or "",
        "callback_id": body.get("callback_id") or "",
        "state": {"values": view.state},
        "hash": view.hash,
        "clear_on_close": bool(body.get("clear_on_close")),
        "notify_on_close": bool(body.get("notify_on_close")),
        "previous_view_id": view.previous,
        "root_view_id": view.root,
        "app_id": world.app_id,
        "external_id": view.external_id,
        "app_installed_team_id": world.team_id,
        "bot_id": world.bot.bot_id,
        "title": body.get("title") or {"type": "plain_text", "text": "View Title", "emoji": True},
        "close": body.get("close"),
        "submit": body.get("submit"),
    }
    if body["type"] == "modal":
        shown["submit_disabled"] = bool(body.get("submit_disabled"))
    return shown
