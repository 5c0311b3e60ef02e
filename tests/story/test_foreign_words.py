"""A team with its own words: another command, other severities, other times. What is sent knows no default."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.config import ROOT
from bot.domain.policy import Policy, Severity
from bot.slack.inbound.dispatch import BUTTONS, FORMS
from bot.slack.surfaces.acts import ACTS, Act, StepAct
from tests.story.acts import SEED, submit, tick
from tests.story.forged import FILLED, Forger
from tests.story.short import EVIDENCE
from tests.world import World, test_policy, world_at

COMMAND = "/inc"
DELAYED = {"what": "payouts to Nigeria", "since": "13:40 UTC", "next_update": "23:00 UTC"}
#: two sets of severities: names without a number, and numbers from 0
FOREIGN = {
    "low, mid, high": (("high", "High"), ("mid", "Mid"), ("low", "Low")),
    "P0 to P2": (("p0", "Prio zero"), ("p1", "Prio one"), ("p2", "Prio two")),
}
#: what stands in nothing that is sent: the defaults' words, and keys that are nobody's words
BANNED = re.compile(
    r"/incident\b|SEV-|\bsev[1-9]\b|stellar_seed|\balert:generic\b"
    r"|\b(?:5|10|30|five|ten|thirty) (?:silent )?(?:minutes|seconds)\b|\bwithin (?:5|10|30) min\b"
)


def foreign_policy(names: tuple[tuple[str, str], ...]) -> Policy:
    """Every time of policy twice as long, and other severities."""
    policy = test_policy()
    doubled = {
        one.name: getattr(policy, one.name) * 2
        for one in fields(policy)
        if isinstance(getattr(policy, one.name), timedelta)
    }
    severities = tuple(
        replace(old, key=key, name=name, aliases=(), cadence=old.cadence * 2 if old.cadence else None)
        for old, (key, name) in zip(policy.severities, names, strict=True)
    )
    rungs = tuple(rung * 2 for rung in policy.rungs)
    return replace(policy, severities=severities, assumed_severity=names[1][0], rungs=rungs, **doubled)


def sent(world: World) -> list[str]:
    """Everything that the bot sent: its calls, and its answers to what people did. Ids and keys in values apart."""
    found = []
    for call in world.slack.journal:
        told: Any = call.answer if call.method.startswith("delivery:") else call.args
        found.append(f"{call.method}: {json.dumps(_shown(told), ensure_ascii=False)}")
    return found


def _shown(node: Any) -> Any:
    """A payload without what people do not read."""
    if isinstance(node, str):
        try:
            inner = json.loads(node)
        except ValueError:
            return node
        return _shown(inner) if isinstance(inner, dict | list) else node
    if isinstance(node, list):
        return [_shown(one) for one in node]
    if isinstance(node, dict):
        if str(node.get("block_id", "")).startswith("step:"):
            return None  # the runbook's own words
        unread = ("value", "action_id", "block_id", "callback_id", "private_metadata", "metadata", "command")
        return {key: _shown(one) for key, one in node.items() if key not in unread}
    return node


class Talk:
    """People who talk to the bot with this team's words; what they were answered is kept."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.heard: list[str] = []

    async def say(self, who: str, text: str, channel: str = "#general") -> None:
        answer = await self.world.person(who).command(f"{COMMAND} {text}".strip(), channel=channel)
        await self.world.settle()
        self.heard.append(f"{text}: {answer.text} {json.dumps(_shown(answer.blocks), ensure_ascii=False)}")
        await self.close(who)

    async def close(self, who: str) -> None:
        while self.world.person(who).view is not None:
            await self.world.person(who).close_view()

    async def press(self, who: str, words: str, label: str, channel: str) -> None:
        message = self.world.find(who, channel, words)
        await self.world.person(who).click(message, label=label)
        await self.world.settle()

    async def form(self, who: str, text: str, values: dict[str, Any], channel: str) -> None:
        await self.world.person(who).command(f"{COMMAND} {text}", channel=channel)
        await self.world.settle()
        await submit(self.world, who, values)


async def a_long_day(talk: Talk, worst: str, least: str) -> str:
    """An incident from its declaration to its postmortem, with what goes wrong on the way; its channel."""
    world = talk.world
    await talk.say("ana", "Deposits are late")
    await talk.say("ana", "declare Withdrawals are stuck")
    room = world.channel().id
    for text in ("", "status", "help", "list", "who", "timeline", "network", "more", "sev nine", "sev", f"sev {worst}"):
        await talk.say("ana", text, room)
    await talk.say("ana", f"note the key was {SEED}", room)
    await talk.say("ben", "lead me", room)
    await talk.say("ana", "keep", room)
    await talk.say("ben", "lead me", room)
    await world.advance(minutes=25)
    await talk.say("ben", "runbook horizon-outage", room)
    await tick(world, "ben", room, "3.2")
    await talk.say("ben", "step 5.4 done", room)
    await talk.form("ben", "step 5.4 ask", dict(EVIDENCE), room)
    await talk.say("ana", "step 5.4 go", room)
    await world.advance(minutes=45)
    await talk.say("ben", "step 5.4 alone nobody answered", room)
    await talk.say("ben", "step 3.4 done", room)
    await world.advance(minutes=90)
    await talk.say("ben", "update working on it", room)
    await talk.say("ben", "waiting for the bank", room)
    await world.advance(hours=2)
    await talk.say("ben", f"sev {least} fewer", room)
    await talk.say("ben", f"sev {worst} more", room)
    await talk.form("ben", "comms payment-delays", DELAYED, room)
    await talk.say("ana", "approve", room)
    await talk.say("ana", "discard", room)
    await world.advance(hours=5)
    await talk.say("ben", "mitigate moved over", room)
    await talk.say("ben", "hold until 23:30 UTC @ana", room)
    await talk.say("ben", "task @ana write a test by Friday", room)
    await talk.form("ben", "resolve over", {"note": "over", "override": "nobody can count now"}, room)
    await talk.say("ben", "agree", room)
    await talk.say("ana", "agree", room)
    for text in ("stand-down", "postmortem", "catch-up", "reopen it is back", "false-alarm a test", "close", "title x"):
        await talk.say("ana", text, room)
    return room


@pytest.mark.parametrize("names", FOREIGN.values(), ids=FOREIGN)
async def test_nothing_that_is_sent_knows_the_defaults(tmp_path: Path, names: tuple[tuple[str, str], ...]) -> None:
    policy = foreign_policy(names)
    async with world_at(tmp_path, policy=policy, slack_command=COMMAND) as world:
        talk = Talk(world)
        room = await a_long_day(talk, names[0][0], names[2][0])
        # every refusal that words can bring about: every verb with nothing, with junk, with a title, here and elsewhere
        await talk.say("ana", "declare Balances are wrong")
        other = world.channel().id
        for act in ACTS:
            for rest in ("", "so it is wrong here", "INC-1", "9.9", "@nobody"):
                if act is not Act.DECLARE or not rest:
                    await talk.say("eve", f"{act} {rest}", room)
                    await talk.say("eve", f"{act} {rest}", other)
                    await talk.say("eve", f"{act} {rest}", "#general")
        for step in StepAct:
            await talk.say("ana", f"step 5.4 {step}", other)
        await talk.say("ana", "runbook horizon-outage", other)
        for step in StepAct:
            for id in ("3.1", "3.4", "5.4"):
                await talk.say("ana", f"step {id} {step}", other)
        # every button and form, with what it does not carry
        forger = Forger(world, "carla")
        incident = (await world.incident(2)).id
        filled = {**FILLED, "severity": {"type": "static_select", "selected_option": {"value": "unheard"}}}
        for action in BUTTONS:
            junk = {"a": 9, "d": "x", "r": "x", "s": "9.9", "o": "lead", "n": 9}
            for value in ({"i": incident}, {"i": incident, **junk}):
                talk.heard.append(await forger.click(action, json.dumps(value), other))
                await talk.close("carla")
        for form in FORMS:
            talk.heard.append(await forger.submit(form, json.dumps({"i": incident}), filled))
        await world.advance(days=1)
        said = [*sent(world), *talk.heard]
        wrong = [(found[0], one[max(0, found.start() - 80) : found.end() + 40]) for one in said
                 if (found := BANNED.search(one))]  # fmt: skip
        assert not wrong, "\n".join(f"{what}: …{where}…" for what, where in wrong[:20])
        assert any(COMMAND in one for one in said) and any(names[0][1] in one for one in said)


# -- the source ------------------------------------------------------------------------------------------

#: where a default may stand: the settings' and policy's own
DEFAULTS = {"bot/domain/policy.py", "bot/slack/workspace/services.py", "bot/slack/surfaces/render_context.py"}
LITERAL = re.compile(r"/incident\b|SEV-\d|\bsev\d\b|\b(?:\d+|five|ten|thirty) (?:silent )?(?:minutes|seconds)\b")


def test_no_sentence_in_the_source_holds_a_default() -> None:
    """Every string outside of docstrings, in whatever somebody may read; also what no conversation reached."""
    found = []
    for folder in ("domain", "reports", "slack", "comms", "alerts", "reconciler"):
        for path in sorted((ROOT / "bot" / folder).rglob("*.py")):
            name = str(path.relative_to(ROOT))
            if name not in DEFAULTS:
                found += [f"{name}:{line}: {text[:80]}" for line, text in _strings(path) if LITERAL.search(text)]
    assert not found, "\n".join(found)


def test_rules_know_no_markup_of_slack() -> None:
    """How Slack writes a person, a channel, a date or a link is known to the surfaces alone."""
    found = [
        f"{path.relative_to(ROOT)}:{line}: {text[:80]}"
        for folder in ("domain", "reconciler")
        for path in sorted((ROOT / "bot" / folder).rglob("*.py"))
        for line, text in _strings(path)
        if re.search("<[@#!]", text)
    ]
    assert not found, "\n".join(found)


def _strings(path: Path) -> list[tuple[int, str]]:
    tree = ast.parse(path.read_text())
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    return [
        (node.lineno, node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs
    ]


def test_the_policy_is_foreign() -> None:
    """The test above is worth something only where the times differ."""
    policy = foreign_policy(FOREIGN["low, mid, high"])
    assert policy.go_stands == Policy().go_stands * 2 and isinstance(policy.severities[0], Severity)
    assert {one.key for one in policy.severities} == {"high", "mid", "low"}
