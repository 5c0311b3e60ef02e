"""api.test, auth.test, apps.connections.open, blocks.validate."""

from __future__ import annotations

from bot.sandbox import blocks as kit
from bot.sandbox.errors import SlackError
from bot.sandbox.methods.request import Method, Request
from bot.sandbox.records import Json


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


def connections_open(request: Request) -> Json:
    if request.desk.new_socket_url is None:
        raise SlackError("socket_mode_not_enabled")
    return {"url": request.desk.new_socket_url()}


def blocks_validate(request: Request) -> Json:
    blocks = request.json("blocks", "invalid_blocks_format")
    if not isinstance(blocks, list):
        raise SlackError("invalid_blocks_format")
    problems = kit.problems(blocks, request.text("surface", "message"))
    if problems:
        raise SlackError("invalid_blocks", response_metadata={"messages": [f"[ERROR] {each}" for each in problems]})
    return {}


METHODS = {
    "api.test": Method(api_test, (), 4, holder="anyone"),
    "auth.test": Method(auth_test, (), 0),
    "apps.connections.open": Method(connections_open, ("connections:write",), 1, holder="app"),
    "blocks.validate": Method(blocks_validate, (), 4),
}
