"""The body of a request from Slack: taken apart, looked over, and whose it is. Only what was verified gets here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from yarl import URL

#: characters of a form that yarl takes apart; it keeps the last 128 in a cache, so that larger ones are not for it
MAX_YARL_FORM_CHARS = 16 * 1024
#: how deep a delivery is nested at most; a view with its blocks and state is 9 deep
MAX_NESTING_DEPTH = 60

#: parts of a delivery that are objects wherever Slack sends them (commands have user_id and the like instead)
OBJECT_FIELDS = ("event", "user", "team", "enterprise", "view", "message", "channel", "container", "function_data")
LIST_FIELDS = ("actions", "authorizations")
#: those that are never null: Bolt does not look
NON_NULL_FIELDS = ("event", "user", "view")
#: parts that are words; Bolt takes some of them for keys and for the subject of a pattern
STRING_FIELDS = ("type", "command", "callback_id", "action_id", "subtype", "trigger_id", "response_url")


def parse_delivery(text: str, kind: str) -> Any:
    """The delivery in a request's body: JSON, a form with JSON in its field `payload`, or a command's form.

    Raises ValueError or RecursionError for what is none of these. urllib's way of undoing a form takes longer than
    everything else that is done here with a click; yarl, which aiohttp brings along, does it in C.
    """
    if kind == "application/json" or text.startswith("{"):
        return json.loads(text)
    quick = len(text) <= MAX_YARL_FORM_CHARS
    form = URL.build(query_string=text, encoded=True).query if quick else dict(parse_qsl(text, keep_blank_values=True))
    return json.loads(form["payload"]) if "payload" in form else dict(form)


def has_expected_shape(body: Any) -> bool:
    """Whether a delivery has the shape that Bolt and our handlers rely on without looking."""
    if not isinstance(body, Mapping) or not _strings_are_strings(body) or _nested_too_deep(body):
        return False
    # In a command's form everything is text.
    objects = [body[name] for name in OBJECT_FIELDS if name in body and "command" not in body]
    lists = [body[name] for name in LIST_FIELDS if body.get(name) is not None]
    return (
        all(name not in body or body[name] is not None for name in NON_NULL_FIELDS)
        and all(one is None or (isinstance(one, Mapping) and _strings_are_strings(one)) for one in objects)
        and all(isinstance(one, list) for one in lists)
        and all(isinstance(one, Mapping) and _strings_are_strings(one) for many in lists for one in many)
    )


def _strings_are_strings(part: Mapping[str, Any]) -> bool:
    return all(part.get(name) is None or isinstance(part[name], str) for name in STRING_FIELDS)


def _nested_too_deep(body: Any) -> bool:
    """Whether something is nested deeper than anything that Slack sends."""
    level = [body]
    for _ in range(MAX_NESTING_DEPTH):
        level = [
            inner
            for one in level
            for inner in (one.values() if type(one) is dict else one)
            if type(inner) is dict or type(inner) is list  # as parsed; asking hundreds for Mapping takes longest
        ]
        if not level:
            return False
    return True


def app_id_of(body: Mapping[str, Any]) -> str:
    """The id of the app that a delivery is for; "" where it names none."""
    return str(body.get("api_app_id") or "")


def teams_of(body: Mapping[str, Any]) -> frozenset[str]:
    """The workspaces (and Enterprise organisations) that a delivery names.

    In a channel shared with another workspace several are named: the one of who acts, and the one where the app is
    installed (https://docs.slack.dev/apis/slack-connect, "authorizations", `context_team_id`).
    """
    view, message = body.get("view") or {}, body.get("message") or {}
    people = [body, body.get("user") or {}, view, message, *(body.get("authorizations") or ())]
    named = [one.get(key) for one in people for key in ("team_id", "enterprise_id")]
    named += [body.get("context_team_id"), view.get("app_installed_team_id"), message.get("team")]
    named += [one.get("id") for name in ("team", "enterprise") if isinstance(one := body.get(name), Mapping)]
    return frozenset(str(one) for one in named if one)
