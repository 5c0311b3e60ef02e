"""The demo's "Try this": its lines wait for things that can happen."""

from __future__ import annotations

import re

import pytest

from bot.config import ROOT
from localslack.tour import Line, Tour

DEMO = Tour.load(ROOT / "bot" / "demo" / "tour.json")


@pytest.mark.parametrize("line", DEMO.lines, ids=lambda line: line.text[:40])
def test_each_line_of_the_demo_waits_for_something_of_the_bot(line: Line) -> None:
    """Forms and buttons that it names exist in the bot's source; commands that it shows are commands."""
    name = str(line.when.get("name", "")).rstrip("$")
    if name:
        source = "".join(file.read_text() for file in (ROOT / "bot" / "slack").rglob("*.py"))
        assert f'"{name}"' in source
    for command in re.findall(r"`([^`]+)`", line.text):
        assert command.startswith("/incident ")
