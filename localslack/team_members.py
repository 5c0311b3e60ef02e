"""Changes among the people: somebody joins the team, a profile or a user group changes, the app is uninstalled."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

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


def regroup(world: World, group: UserGroup, users: list[str]) -> None:
    """Set who is in a user group."""
    group.users = users
    event: Json = {"type": "subteam_updated", "subteam": group_object(world, group, users=True)}
    world.announce(event | {"event_ts": world.new_ts()}, None)


def uninstall(world: World) -> None:
    """Uninstall the app: its token is worth nothing from now on."""
    world.installed = False
    tokens = {"oauth": [], "bot": [world.bot.id]}
    world.announce({"type": "tokens_revoked", "tokens": tokens, "event_ts": world.new_ts()}, None)
    world.announce({"type": "app_uninstalled", "event_ts": world.new_ts()}, None)
