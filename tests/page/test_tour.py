"""The tour's "Try this": what ticks a line off, and that the demo's lines wait for things that can happen."""

from __future__ import annotations

import re
from typing import Any

import pytest

from bot.config import ROOT
from bot.sandbox.journal import Call
from bot.sandbox.tour import Line, Tour

DEMO = Tour.load(ROOT / "bot" / "demo" / "tour.json")


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


@pytest.mark.parametrize("line", DEMO.lines, ids=lambda line: line.text[:40])
def test_each_line_of_the_demo_waits_for_something_of_the_bot(line: Line) -> None:
    """Forms and buttons that it names exist in the bot's source; commands that it shows are commands."""
    name = str(line.when.get("name", "")).rstrip("$")
    if name:
        source = "".join(file.read_text() for file in (ROOT / "bot" / "slack").rglob("*.py"))
        assert f'"{name}"' in source
    for command in re.findall(r"`([^`]+)`", line.text):
        assert command.startswith("/incident ")
