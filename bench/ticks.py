"""Clicks on boxes, as Slack sends them: about 4 kB of block_actions, each of which changes a step."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bench.stage import Stage
from bot.config import ROOT
from bot.domain.runbook import Runbook
from bot.runbooks import load
from bot.slack import kit

RUNBOOK = "horizon-outage"
PAYLOAD = 4000
#: action_ts names a click: never the same twice, in no round
_CLICKS = itertools.count(1)


@dataclass
class Box:
    """One step of one incident, and how it stands."""

    incident: str
    step: str
    ticked: bool = False
    version: int = 0


@dataclass
class Board:
    """Every box that can be ticked, and the delivery of a click to copy."""

    sample: dict[str, Any]
    boxes: list[Box] = field(default_factory=list)

    def clicks(self, connections: int, each: int) -> list[list[str]]:
        """For each connection its bodies, in order. Boxes are not shared, so that every click is a change."""
        hands = [self.boxes[number::connections] for number in range(connections)]
        if not all(hands):
            raise ValueError("more connections than boxes")
        return [[self._click(box) for box in itertools.islice(_rounds(hand), each)] for hand in hands]

    def _click(self, box: Box) -> str:
        value = kit.value(i=box.incident, r=RUNBOOK, s=box.step, v=box.version)
        option = {"text": {"type": "plain_text", "text": "Done", "emoji": False}, "value": value}
        click = next(_CLICKS)
        stamp = f"{1_700_000_000 + click // 1000}.{click % 1000:06d}"
        action = {
            "action_id": "inc:tick",
            "block_id": f"step:{RUNBOOK}:{box.step}:{box.version}",
            "selected_options": [] if box.ticked else [option],
            "type": "checkboxes",
            "action_ts": stamp,
        }
        if box.ticked:  # an empty box says what it is by its block alone; the channel says which incident
            action["value"] = value
        box.ticked = not box.ticked
        box.version += 1
        body = {**self.sample, "actions": [action], "trigger_id": f"{click}.1.{click:032x}"}
        return urlencode({"payload": json.dumps(body)})


def _rounds(hand: list[Box]) -> Iterator[Box]:
    while True:
        yield from hand


async def board(on: Stage, incidents: int) -> Board:
    """Declare so many incidents, attach the runbook to each, and click once for a sample."""
    slack, ana = on.slack, on.slack.person("ana")
    boxes: list[Box] = []
    for number in range(incidents):
        known = set(slack.world.channels)
        await ana.command(f"/incident declare sev1 Case{number} of{number} load{number}")
        await on.quiet()
        (channel,) = set(slack.world.channels) - known
        await ana.command(f"/incident runbook {RUNBOOK}", channel=channel)
        await on.quiet()
        incident = _incident_in(ana.messages(channel))
        boxes += [Box(incident, step) for step in _plain_steps()]
    sample = _sample(on, channel, ana)
    return Board(sample, boxes)


def _plain_steps() -> list[str]:
    """Steps that one person ticks and that read nothing from the chain."""
    runbook: Runbook = load(Path(ROOT / "runbooks"), known_probes=frozenset({"horizon"})).runbooks[RUNBOOK]
    return [step.id for step in runbook.steps if step.two_people is None and not step.probe]
