"""Changes among the people: somebody joins the team, a profile or a user group changes, the app is uninstalled."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from localslack.errors import NotPossible
from localslack.objects import group_object, user_object
from localslack.records import Json, User, UserGroup
from localslack.world import World


def hire(world: World, user: User) -> None:
    """Somebody joins the team (and #general)."""
    world.users[user.id] = user
    for channel in world.channels.values():
        if channel.is_general:
            channel.members.append(user.id)
    world.announce({"type": "team_join", "user": user_object(world, user), "event_ts": world.new_ts()}, None)


def change(world: World, user: User, **changes: Any) -> User:
    """Change fields of a person's record (`deleted=True` deactivates the account)."""
    world.users[user.id] = changed = replace(user, **changes)
    event: Json = {"type": "user_change", "user": user_object(world, changed), "cache_ts": world.seconds()}
    world.announce(event | {"event_ts": world.new_ts()}, None)
    return changed


def create_group(world: World, handle: str, name: str, users: list[str]) -> UserGroup:
    """Make a user group. Raises NotPossible where another one bears the handle, a disabled one too."""
    _require_free_handle(world, handle)
    group = UserGroup(world.new_id("S"), handle, name, users, world.seconds())
    world.groups[group.id] = group
    _announce_group(world, "subteam_created", group)
    return group


def rename_group(world: World, group: UserGroup, handle: str) -> None:
    """Give a user group another handle. Raises NotPossible where another one bears it."""
    _require_free_handle(world, handle)
    group.handle, group.updated = handle, world.seconds()
    _announce_group(world, "subteam_updated", group)


def regroup(world: World, group: UserGroup, users: list[str]) -> None:
    """Set who is in a user group: the app is told of the group, then of those who came and went."""
    before, earlier = group.users, group.updated
    group.users, group.updated = users, world.seconds()
    _announce_group(world, "subteam_updated", group)
    added, removed = [one for one in users if one not in before], [one for one in before if one not in users]
    if not added and not removed:
        return
    event: Json = {
        "type": "subteam_members_changed",
        "subteam_id": group.id,
        "team_id": world.team_id,
        "date_previous_update": earlier,
        "date_update": group.updated,
        "added_users": added,
        "added_users_count": str(len(added)),
        "removed_users": removed,
        "removed_users_count": str(len(removed)),
        "event_ts": world.new_ts(),
    }
    world.announce(event, None)


def enable_group(world: World, group: UserGroup, enabled: bool = True) -> None:
    """Take a user group out of use, or into use again; it keeps its handle and its people."""
    group.deleted = 0 if enabled else world.seconds()
    group.updated = world.seconds()
    _announce_group(world, "subteam_updated", group)


def _require_free_handle(world: World, handle: str) -> None:
    if any(handle == group.handle for group in world.groups.values()):
        raise NotPossible(f"there is a group {handle} already")


def _announce_group(world: World, kind: str, group: UserGroup) -> None:
    event: Json = {"type": kind, "subteam": group_object(world, group, users=True), "event_ts": world.new_ts()}
    world.announce(event, None)


def uninstall(world: World) -> None:
    """Uninstall the app: its token is worth nothing from now on."""
    world.installed = False
    tokens = {"oauth": [], "bot": [world.bot.id]}
    world.announce({"type": "tokens_revoked", "tokens": tokens, "event_ts": world.new_ts()}, None)
    world.announce({"type": "app_uninstalled", "event_ts": world.new_ts()}, None)
