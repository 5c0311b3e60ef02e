"""The page's "Try this": what ticks a line off."""

from __future__ import annotations

from typing import Any

import pytest

from localslack.journal import Call
from localslack.tour import Line, Tour


def call(method: str, args: dict[str, Any], body: object = None, outcome: str = "ok") -> Call:
    return Call(1, method, args, 0.0, outcome=outcome, answer={"body": body})


FORM = {"view": {"callback_id": "inc:go", "title": {"type": "plain_text", "text": "Go"}}}
CLICK = {"actions": [{"action_id": "inc:go", "type": "button", "text": {"type": "plain_text", "text": "Go"}}]}


@pytest.mark.parametrize(
    ("heard", "done"),
    [
        pytest.param(call("delivery:view_submission", FORM), True, id="the form, submitted"),
        pytest.param(call("delivery:block_actions", CLICK), True, id="the other way that the line names"),
        pytest.param(
            call("delivery:view_submission", FORM, {"response_action": "errors", "errors": {}}),
            False,
            id="form sent back",
        ),
        pytest.param(call("delivery:view_submission", FORM, outcome="failed"), False, id="nobody acknowledged it"),
        pytest.param(call("delivery:slash_commands", {"text": "inc:go"}), False, id="another kind"),
    ],
)
def test_what_ticks_a_line_off(heard: Call, done: bool) -> None:
    tour = Tour("Try this", [Line("agree", {"kind": "submit|action", "name": "inc:go$"})])
    assert tour.hear(heard) is done
    assert tour.lines[0].done is done
