"""Whose a delivery is, in channels that two workspaces share above all."""

from __future__ import annotations

from typing import Any

import pytest

from bot.slack.inbound.team_routing import candidate_teams

OURS, THEIRS = "T1", "T2"


@pytest.mark.parametrize(
    ("body", "found"),
    [
        pytest.param({"command": "/incident", "team_id": OURS}, (OURS,), id="a command"),
        pytest.param(
            {"type": "event_callback", "team_id": THEIRS, "context_team_id": OURS, "event": {"user": "U2"},
             "authorizations": [{"team_id": OURS}]},
            (OURS, THEIRS), id="an event of a shared channel: the installation, then where it happened",
        ),
        pytest.param(
            {"type": "block_actions", "team": {"id": THEIRS}, "user": {"id": "U2", "team_id": THEIRS},
             "message": {"team": OURS}},
            (OURS, THEIRS), id="their click on our message",
        ),
        pytest.param(
            {"type": "message_action", "team": {"id": OURS}, "user": {"team_id": OURS}, "message": {"team": THEIRS}},
            (OURS,), id="our shortcut on their message is not theirs",
        ),
        pytest.param(
            {"type": "view_submission", "team": {"id": THEIRS}, "user": {"team_id": THEIRS},
             "view": {"team_id": THEIRS, "app_installed_team_id": OURS}},
            (OURS, THEIRS), id="a form opened from a shared channel",
        ),
        pytest.param({"type": "block_actions", "team": None, "user": {"team_id": OURS}}, (OURS,), id="no team at all"),
        pytest.param({}, (), id="nobody's"),
    ],
)  # fmt: skip
def test_the_installation_comes_first(body: dict[str, Any], found: tuple[str, ...]) -> None:
    assert candidate_teams(body) == found
