"""Deliveries, each of which changes something: clicks on boxes as Slack sends them, about 4 kB of block_actions;
commands; and alerts as Alertmanager sends them."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from bench.stage import Stage
from bot.config import ROOT
from bot.domain.runbook import Runbook
from bot.runbooks import load
from bot.slack.surfaces import block_kit

RUNBOOK = "horizon-outage"
PAYLOAD = 4000
#: action_ts names a click: never the same twice, in no round
_CLICKS = itertools.count(1)
#: when the first alert fired
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Box:
    """One step of one incident, and how it stands."""

    incident: str
    channel: str
    step: str
    ticked: bool = False
    version: int = 0


@dataclass
class Board:
    """Every box that can be ticked, and a click as Slack delivered it, to copy."""

    sample: dict[str, Any]
    boxes: list[Box] = field(default_factory=list)
    #: alerts that fire, and since when
    firing: dict[str, str] = field(default_factory=dict)

    def clicks(self, connections: int, each: int) -> list[list[str]]:
        """For each connection its bodies, in order. Boxes are not shared, so that every click is a change."""
        hands = [self.boxes[number::connections] for number in range(connections)]
        return [[self._click(box) for box in itertools.islice(itertools.cycle(hand), each)] for hand in hands]

    def commands(self, connections: int, each: int) -> list[list[str]]:
        """For each connection its bodies: `/incident note …`, each of which is an entry of a timeline."""
        hands = [self.boxes[number::connections] for number in range(connections)]
        return [[self._command(box) for box in itertools.islice(itertools.cycle(hand), each)] for hand in hands]

    def alerts(self, connections: int, each: int) -> list[list[str]]:
        """For each connection its bodies: an alert of one of as many groups as there are incidents, that fires anew or
        has ended. The first of a group declares one."""
        groups = len({box.incident for box in self.boxes})
        return [
            [self._alert(number % groups, f"{number:04x}{connections:04x}") for _ in range(each)]
            for number in range(connections)
        ]

    def _alert(self, group: int, fingerprint: str) -> str:
        number = next(_CLICKS)
        fires = self.firing.get(fingerprint) is None
        since = self.firing.pop(fingerprint, None) or f"{BEGIN + timedelta(milliseconds=number):%Y-%m-%dT%H:%M:%S.%fZ}"
        if fires:
            self.firing[fingerprint] = since
        status = "firing" if fires else "resolved"
        labels = {"alertname": "QueueGrows", "service": f"service-{group}", "severity": "minor"}
        said = {"summary": "The queue of payouts grows", "runbook_url": "https://runbooks.example/queue-grows"}
        alert = {
            "status": status, "labels": {**labels, "instance": fingerprint}, "annotations": said, "startsAt": since,
            "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "http://prometheus.example:9090/graph?g0.expr=queue",
            "fingerprint": fingerprint,
        }  # fmt: skip
        return json.dumps({
            "receiver": "incident-commander", "status": status, "alerts": [alert], "groupLabels": labels,
            "commonLabels": labels, "commonAnnotations": said, "externalURL": "http://alertmanager.example:9093",
            "version": "4", "groupKey": f"{{}}:{{service=\"service-{group}\"}}", "truncatedAlerts": 0,
        })  # fmt: skip

    def _command(self, box: Box) -> str:
        number = next(_CLICKS)
        team, user = self.sample["team"], self.sample["user"]
        return urlencode({
            "token": "none", "team_id": team["id"], "team_domain": team.get("domain", ""), "channel_id": box.channel,
            "channel_name": "incident", "user_id": user["id"], "user_name": user.get("name", ""),
            "command": "/incident", "text": f"note seen {number}", "api_app_id": self.sample.get("api_app_id", ""),
            "is_enterprise_install": "false", "response_url": self.sample["response_url"],
            "trigger_id": f"{number}.1.{number:032x}",
        })  # fmt: skip

    def _click(self, box: Box) -> str:
        box.ticked = not box.ticked
        number = next(_CLICKS)
        value = block_kit.encode_value(i=box.incident, r=RUNBOOK, s=box.step, v=box.version)
        chosen = {"text": {"type": "plain_text", "text": "Done", "emoji": False}, "value": value}
        action = {
            **self.sample["actions"][0],
            "block_id": f"step:{RUNBOOK}:{box.step}:{box.version}",
            # an empty box says what it is by its block alone, and its channel says which incident
            "selected_options": [chosen] if box.ticked else [],
            "action_ts": f"{1_700_000_000 + number // 1000}.{number % 1000:06d}",
        }
        box.version += 1
        container = {**self.sample["container"], "channel_id": box.channel}
        body = {
            **self.sample,
            "container": container,
            "channel": {**self.sample["channel"], "id": box.channel},
            "actions": [action],
            "trigger_id": f"{number}.1.{number:032x}",
        }
        return urlencode({"payload": json.dumps(body)})


async def board(on: Stage, incidents: int) -> Board:
    """Declare so many incidents, attach the runbook to each, and click one box for a sample."""
    slack, ana = on.slack, on.slack.person("ana")
    boxes: list[Box] = []
    steps = plain_steps()
    for number in range(incidents):
        known = set(slack.world.channels)
        await ana.command(f"/incident declare sev1 case{number} of{number} load{number}")
        await on.quiet(0.3)
        (channel,) = set(slack.world.channels) - known
        await ana.command(f"/incident runbook {RUNBOOK}", channel=channel)
        await on.quiet(0.3)
        made = _shown(on, channel, steps)
        boxes += [Box(made["i"], channel, step) for step in steps]
    before = slack.journal[-1].number
    parent = next(one for one in ana.messages(channel) if "Horizon outage" in one.plain and one.replies)
    section = next(one for one in ana.messages(channel, parent.ts) if "inc:tick" in str(one.blocks))
    await ana.tick(section, block_id=f"step:{RUNBOOK}:{made['s']}:0")
    await on.quiet(0.3)
    sample = next(one for one in slack.journal.after(before) if one.method == "delivery:block_actions").args
    ticked = next(box for box in boxes if box.channel == channel and box.step == made["s"])
    ticked.ticked, ticked.version = True, 1
    return Board(_cut(sample), boxes)


def _shown(on: Stage, channel: str, steps: list[str]) -> dict[str, Any]:
    """What the first of these steps' boxes that stands in the channel carries."""
    for call in reversed(on.slack.journal.of("chat.postMessage")):
        if call.args.get("channel") == channel:
            for block in call.args.get("blocks") or ():
                element = block.get("accessory") or {}
                if element.get("action_id") == "inc:tick":
                    carried = block_kit.decode_value(element["options"][0]["value"])
                    if carried["s"] in steps:
                        return carried
    raise RuntimeError("no box can be ticked")


def _cut(sample: dict[str, Any]) -> dict[str, Any]:
    """The delivery with as many of the message's blocks as make about 4 kB on the wire."""
    blocks = list(sample["message"]["blocks"])
    while len(blocks) > 1 and len(urlencode({"payload": json.dumps(sample)})) > PAYLOAD:
        blocks.pop()
        sample = {**sample, "message": {**sample["message"], "blocks": blocks}}
    return sample


def plain_steps() -> list[str]:
    """Steps that one person ticks and that read nothing from the chain."""
    runbook: Runbook = load(ROOT / "runbooks", known_probes=frozenset({"horizon"})).runbooks[RUNBOOK]
    return [step.id for step in runbook.steps if step.two_people is None and not step.probe]
