"""users.*, usergroups.*, team.info."""

from __future__ import annotations

from localslack.errors import SlackError
from localslack.methods.request import Method, Request
from localslack.objects import group_object, user_object
from localslack.records import Json, User


def _shown(request: Request, user: User) -> Json:
    """A person, with an e-mail address only for whom may read those (SR-TOK-15)."""
    shown = user_object(request.world, user)
    if "users:read.email" not in request.granted:
        shown["profile"].pop("email", None)
    return shown


def users_info(request: Request) -> Json:
    user = request.world.users.get(request.text("user"))
    if user is None:
        raise SlackError("user_not_found")
    return {"user": _shown(request, user)}


def users_list(request: Request) -> Json:
    rows = list(request.world.users.values())
    page, cursor = request.page(rows, len(rows), 1000)
    return {
        "members": [_shown(request, user) for user in page],
        "cache_ts": request.world.seconds(),
        "response_metadata": {"next_cursor": cursor},
    }


def lookup_by_email(request: Request) -> Json:
    wanted = request.text("email").lower()
    for user in request.world.users.values():
        if user.email and user.email.lower() == wanted:
            return {"user": _shown(request, user)}
    raise SlackError("users_not_found")


def groups_list(request: Request) -> Json:
    include = request.flag("include_users")
    groups = request.world.groups.values() if request.flag("include_disabled") else request.world.enabled_groups()
    return {"usergroups": [group_object(request.world, group, include) for group in groups]}


def groups_users(request: Request) -> Json:
    group = request.world.groups.get(request.text("usergroup"))
    if group is None:
        raise SlackError("no_such_subteam")
    return {"users": list(group.users)}


def team_info(request: Request) -> Json:
    world = request.world
    team = {
        "id": world.team_id,
        "name": world.team_name,
        "url": f"{world.url}/",
        "domain": world.team_domain,
        "email_domain": "",
        "icon": {"image_default": True},
        "avatar_base_url": f"{world.url}/avatars/",
        "is_verified": False,
    }
    return {"team": team}


METHODS = {
    "users.info": Method(users_info, ("users:read",), 4, required=("user",)),
    "users.list": Method(users_list, ("users:read",), 2),
    "users.lookupByEmail": Method(lookup_by_email, ("users:read.email",), 3, required=("email",)),
    "usergroups.list": Method(groups_list, ("usergroups:read",), 2),
    "usergroups.users.list": Method(groups_users, ("usergroups:read",), 2, required=("usergroup",)),
    "team.info": Method(team_info, ("team:read",), 3),
}
