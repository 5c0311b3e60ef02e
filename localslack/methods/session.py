"""Who calls, installing and leaving, Socket Mode's address, blocks.validate; and what no bot may call."""

from __future__ import annotations

import base64
import binascii
import re

from localslack import blocks as kit
from localslack.errors import SlackError, invalid_arguments
from localslack.methods.request import Method, Request
from localslack.records import Json


def api_test(request: Request) -> Json:
    if request.text("error"):
        raise SlackError(request.text("error"), args=request.args)
    return {"args": request.args} if request.args else {}


def auth_test(request: Request) -> Json:
    world = request.world
    return {
        "url": f"{world.url}/",
        "team": world.team_name,
        "user": world.bot.handle,
        "team_id": world.team_id,
        "user_id": world.bot.id,
        "bot_id": world.bot.bot_id,
        "is_enterprise_install": False,
    }


def auth_revoke(request: Request) -> Json:
    """SR-OAU-06; with `test` nothing happens."""
    if request.flag("test"):
        return {"revoked": False}
    request.install.revoke(request.token)
    return {"revoked": True}


def oauth_access(request: Request) -> Json:
    """SR-OAU-03: the client's id and secret come as HTTP basic authentication, or among the arguments."""
    client_id, client_secret = request.text("client_id"), request.text("client_secret")
    basic = request.text("_basic")
    if basic:
        try:
            client_id, _, client_secret = base64.b64decode(basic).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise SlackError("invalid_client_id") from None
    if request.text("grant_type", "authorization_code") != "authorization_code":
        raise SlackError("invalid_grant_type")
    return request.install.exchange(client_id, client_secret, request.text("code"), request.text("redirect_uri"))


def connections_open(request: Request) -> Json:
    if request.interactivity.new_socket_url is None:
        raise SlackError("socket_mode_not_enabled")
    return {"url": request.interactivity.new_socket_url()}


def authorizations_list(request: Request) -> Json:
    """SR-OAU-07: the installations to which an event is visible, by the `event_context` that came with it."""
    team = request.interactivity.event_contexts.get(request.text("event_context"))
    workspace = request.install.team(team) if team else None
    if workspace is None:
        raise SlackError("invalid_event_context")
    world = workspace.world
    rows = [
        {
            "enterprise_id": None,
            "team_id": world.team_id,
            "user_id": world.bot.id,
            "is_bot": True,
            "is_enterprise_install": False,
        }
    ]
    page, cursor = request.page(rows if world.installed else [], 100, 100)
    return {"authorizations": page, "response_metadata": {"next_cursor": cursor}}


_POINTER = re.compile(r"(.*) \[json-pointer:(.*)\]", re.DOTALL)


def blocks_validate(request: Request) -> Json:
    """docs: blocks.validate: exactly one of blocks, message and view (SR-BLK-53)."""
    given = [name for name in ("blocks", "message", "view") if request.args.get(name) not in (None, "")]
    if len(given) != 1:
        raise invalid_arguments("give one: blocks, message, view")
    body = request.json(given[0], f"invalid_{given[0]}")
    if given == ["blocks"]:
        problems = kit.problems(body, "message")
    elif given == ["message"]:
        problems = kit.problems(body.get("blocks") or [] if isinstance(body, dict) else None, "message")
    else:
        problems = kit.view_problems(body, None)
    if problems:
        raise SlackError(
            f"invalid_{given[0]}",
            errors=[_error(each, given[0]) for each in problems],
            response_metadata={"messages": [f"[ERROR] {each}" for each in problems]},
        )
    return {}


def _error(problem: str, given: str) -> Json:
    """One problem as the method lists it; its pointer begins in what was given (skills/block-kit of Slack's plugin)."""
    found = _POINTER.fullmatch(problem)
    message, pointer = found.groups() if found else (problem, "")
    error = {"pointer": pointer.removeprefix(f"/{given}"), "code": "failed_constraint", "message": message}
    missing = message.removeprefix("missing required field: ")
    return error | {"code": "missing_field", "field": missing} if missing != message else error


def _never(request: Request) -> Json:
    raise SlackError("not_allowed_token_type")


METHODS = {
    "api.test": Method(api_test, (), 4, holder="anyone"),
    "auth.test": Method(auth_test, (), 0),
    "auth.revoke": Method(auth_revoke, (), 3),
    "oauth.v2.access": Method(oauth_access, (), 0, holder="anyone"),
    # Tier 1 in older documentation, 3 in newer.
    "apps.connections.open": Method(connections_open, ("connections:write",), 3, holder="app"),
    "apps.event.authorizations.list": Method(
        authorizations_list, ("authorizations:read",), 0, holder="app", required=("event_context",)
    ),
    "blocks.validate": Method(blocks_validate, (), 4, holder="anyone"),
    # SR-TOK-08, SR-CHN-17: methods that exist, and that no bot token opens.
    "admin.conversations.convertToPrivate": Method(_never, (), 2, holder="user"),
    "admin.conversations.convertToPublic": Method(_never, (), 2, holder="user"),
    "reminders.add": Method(_never, (), 2, holder="user"),
    "reminders.list": Method(_never, (), 2, holder="user"),
    "search.messages": Method(_never, (), 2, holder="user"),
    "stars.add": Method(_never, (), 2, holder="user"),
}
