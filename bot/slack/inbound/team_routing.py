"""Whose a delivery is: the workspaces for whose installation it may be meant, the likeliest first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def candidate_teams(body: Mapping[str, Any]) -> tuple[str, ...]:
    """Ids of workspaces, that whose installation is meant first.

    In a channel shared with another workspace `team` and `user` name the workspace of the person who acts. The one
    whose installation is meant stands in `authorizations` (events, https://docs.slack.dev/apis/events-api), or in the
    view. For a click it is the workspace of our own message.
    """
    return tuple(dict.fromkeys(one for one in _named(body) if one))


def _named(body: Mapping[str, Any]) -> Iterator[str]:
    view = _part(body, "view")
    yield str(view.get("app_installed_team_id") or "")
    for one in body.get("authorizations") or ():
        yield str(one.get("team_id") or "")
    yield str(body.get("context_team_id") or "")
    if body.get("type") == "block_actions":
        yield str(_part(body, "message").get("team") or "")
    yield str(_part(body, "team").get("id") or "")
    yield str(body.get("team_id") or "")
    if "event" not in body:
        yield str(_part(body, "user").get("team_id") or "")


def _part(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = body.get(name)
    return part if isinstance(part, Mapping) else {}
