"""How a call's arguments and token arrive: query strings, forms, JSON, and what Slack says of odd ones."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from localslack.errors import SlackError
from localslack.records import Json

_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")
_CHARSETS = ("utf-8", "utf8", "iso-8859-1")


async def arguments(http: web.Request) -> tuple[Json, list[str]]:
    """Arguments of a query string, a form or a JSON body, and Slack's warnings about how they came.

    Raises SlackError (SR-TOK-09 to SR-TOK-11).
    """
    args: Json = dict(http.query)
    if http.method != "POST" or not http.can_read_body:
        return args, []
    charset = (http.charset or "").lower()
    if charset and charset not in _CHARSETS:
        raise SlackError("invalid_charset")
    if "Content-Type" not in http.headers:
        raise SlackError("missing_post_type")
    if http.content_type == "application/json":
        return args | await _object(http, charset), [] if charset else ["missing_charset"]
    if http.content_type not in _FORMS:
        raise SlackError("invalid_post_type")
    args |= await _form(http, charset)
    return args, ["superfluous_charset"] if charset and http.content_type == _FORMS[0] else []


async def _object(http: web.Request, charset: str) -> Json:
    raw = await http.read()
    try:
        body: Any = json.loads(raw.decode(charset or "utf-8")) if raw.strip() else {}
    except (ValueError, RecursionError):
        raise SlackError("invalid_json") from None
    if not isinstance(body, dict):
        raise SlackError("json_not_object")
    # Slack takes a token from a JSON call's header only (SR-TOK-12).
    body.pop("token", None)
    return body


async def _form(http: web.Request, charset: str) -> Json:
    try:
        if http.content_type == "multipart/form-data":
            return {key: value for key, value in (await http.post()).items() if isinstance(value, str)}
        return dict(parse_qsl((await http.read()).decode(charset or "utf-8"), keep_blank_values=True))
    except (ValueError, AssertionError, web.HTTPBadRequest):
        raise SlackError("invalid_form_data") from None


def token(http: web.Request, args: Json) -> str:
    """The token, taken out of the arguments so that it reaches neither a handler nor the journal."""
    inside = args.pop("token", "")
    kind, _, given = http.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "basic":
        args["_basic"] = given.strip()
    return given.strip() if kind.lower() == "bearer" and given else str(inside)


def warn(answer: Json, warnings: list[str]) -> None:
    """Add warnings to an answer as Slack does: the names in one string, and as a list among the metadata."""
    if not warnings:
        return
    metadata = answer.setdefault("response_metadata", {})
    metadata["warnings"] = [*metadata.get("warnings", []), *warnings]
    answer["warning"] = ",".join(metadata["warnings"])
