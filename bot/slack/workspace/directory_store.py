"""What the directory keeps in the database, so that a start while Slack is away knows everybody it knew before.

One row each: a person (U… or W…), a user group (S…), and, under `BOT_ROW_ID`, who we are in which workspace.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain.actor import ActorKind

#: the id of our own row in a workspace
BOT_ROW_ID = "me"
#: user group: its handle and its members
UserGroups = dict[str, tuple[str, frozenset[str]]]
RowBody = Mapping[str, Any]


@dataclass(frozen=True)
class DirectoryStore:
    """Where the rows of a workspace are: `load(team)` gives id -> body, `save(team, rows)` keeps those."""

    load: Callable[[str], Awaitable[Mapping[str, RowBody]]]
    save: Callable[[str, Mapping[str, RowBody]], Awaitable[None]]


@dataclass(frozen=True)
class SlackUser:
    """What the bot keeps of a Slack user."""

    id: str
    handle: str
    name: str
    kind: ActorKind
    tz_offset: int = 0
    team: str = ""


def user_from_payload(user: Mapping[str, Any], team: str) -> SlackUser:
    """A person from Slack's user object (https://docs.slack.dev/reference/objects/user-object)."""
    profile = user.get("profile") or {}
    if user.get("deleted"):
        kind = ActorKind.GONE
    elif user.get("is_bot") or user.get("id") == "USLACKBOT" or user.get("is_workflow_bot"):
        kind = ActorKind.BOT
    elif user.get("is_stranger") or not _of(team, user):
        kind = ActorKind.STRANGER
    elif user.get("is_restricted") or user.get("is_ultra_restricted"):
        kind = ActorKind.GUEST
    else:
        kind = ActorKind.MEMBER
    # The full name: what an auditor reads a year later, and what Slack shows by default.
    name = profile.get("real_name") or user.get("real_name") or profile.get("display_name") or user.get("name") or ""
    return SlackUser(
        id=str(user.get("id", "")),
        handle=str(user.get("name", "")),
        name=str(name),
        kind=kind,
        tz_offset=int(user.get("tz_offset") or 0),
        team=str(user.get("team_id") or team),
    )


def groups_from_payload(groups: Iterable[Mapping[str, Any]]) -> UserGroups:
    """The groups that are in use, from Slack's user group objects
    (https://docs.slack.dev/reference/objects/usergroup-object)."""
    return {
        str(one["id"]): (str(one["handle"]), frozenset(map(str, one.get("users") or ())))
        for one in groups
        if not one.get("date_delete")
    }


def apply_group_event(groups: UserGroups, event: Mapping[str, Any]) -> UserGroups | None:
    """The groups after a subteam_… event; None where it does not tell enough.

    https://docs.slack.dev/reference/events/subteam_updated has the group as it is now,
    https://docs.slack.dev/reference/events/subteam_members_changed who came and who went.
    """
    group = event.get("subteam")
    if isinstance(group, Mapping):
        id = str(group.get("id", ""))
        if group.get("date_delete"):
            return {one: known for one, known in groups.items() if one != id}
        if not id or not group.get("handle") or ("users" not in group and group.get("user_count") != 0):
            return None
        return groups | groups_from_payload([group])
    known = groups.get(str(event.get("subteam_id", "")))
    if known is None:
        return None
    members = known[1].union(event.get("added_users") or ()).difference(event.get("removed_users") or ())
    return groups | {str(event["subteam_id"]): (known[0], members)}


def group_update_of(event: Mapping[str, Any]) -> tuple[str, int]:
    """Which group a subteam_… event is about, and when that was changed, by Slack's clock."""
    group = event.get("subteam")
    if isinstance(group, Mapping):
        return str(group.get("id", "")), int(group.get("date_update") or 0)
    return str(event.get("subteam_id", "")), int(event.get("date_update") or 0)


def _of(team: str, user: Mapping[str, Any]) -> bool:
    """Whether somebody belongs to the workspace: by home, or (Enterprise Grid) as one of several of theirs."""
    if user.get("team_id", team) == team:
        return True
    grid = user.get("enterprise_user") or {}
    return team in (grid.get("teams") or ())


def token_row_id(token: str) -> str:
    """Under which id, in the workspace "", stands which workspace a token belongs to; nothing of the token is kept."""
    return f"{BOT_ROW_ID}:{hashlib.sha256(token.encode()).hexdigest()[:16]}"


def user_row(person: SlackUser) -> RowBody:
    """A person as a row."""
    return {
        "handle": person.handle, "name": person.name, "kind": person.kind.value, "tz_offset": person.tz_offset,
        "team": person.team,
    }  # fmt: skip


def group_row(handle: str, members: frozenset[str]) -> RowBody:
    """A user group as a row."""
    return {"handle": handle, "members": sorted(members)}


def users_in(rows: Mapping[str, RowBody]) -> dict[str, SlackUser]:
    """The people among the rows; a row that a newer program wrote differently is left out, and asked about anew."""
    found = {}
    for id, body in rows.items():
        if id[:1] not in ("U", "W") or body.get("kind") not in set(ActorKind):
            continue
        found[id] = SlackUser(
            id, str(body.get("handle", "")), str(body.get("name", "")), ActorKind(body["kind"]),
            int(body.get("tz_offset") or 0), str(body.get("team", "")),
        )  # fmt: skip
    return found


def groups_in(rows: Mapping[str, RowBody]) -> UserGroups:
    """The user groups among the rows; those that are no more have no handle."""
    return {
        id: (str(body["handle"]), frozenset(map(str, body.get("members") or ())))
        for id, body in rows.items()
        if id.startswith("S") and body.get("handle")
    }
