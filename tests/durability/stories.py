"""Stories of which every moment may be the last one of a process: what people do, and what time does."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from bot.alerts.intake import Intake
from bot.domain import cadence, checklist, customer_messages, dual_control, escalation, lifecycle
from bot.domain import events as e
from bot.domain.actor import Actor, ActorKind
from bot.domain.customer_template import Template, text_hash
from bot.domain.effect import EffectState
from bot.domain.policy import Policy
from bot.service import incident_id
from localslack import Channel
from tests.domain.story import PAYOUTS, the
from tests.durability.mortal import Mortal
from tests.world import BEGIN

ANA, BEN, CARLA = "U01ANASILVA", "U01BENOKAFO", "U01CARLAROS"
POLICY = replace(Policy(), announcements="incidents", customer_comms="customer-comms", levels=((BEN,), (CARLA,)))
TEMPLATE = Template("payment-delays", "customers", "investigating", "Payments are delayed", (), "f00dcafe")
TEXT = "Payments to Nigeria are delayed. Your money is safe."


def person(bot: Mortal, user: str) -> Actor:
    return Actor(bot.team, user, user)


# -- stories: what people do; each act has a key, so that it counts once however often it is delivered ---------------


async def declare(bot: Mortal, severity: str = "sev1", runbook: bool = True) -> None:
    rule = partial(
        lifecycle.declare, title="Withdrawals are stuck", severity=severity, responders=(BEN, CARLA),
        runbook=PAYOUTS if runbook else None, policy=POLICY,
    )  # fmt: skip
    await bot.declare(rule, person(bot, ANA))
    await bot.settle()


async def minor(bot: Mortal) -> None:
    await declare(bot, severity="sev3", runbook=False)


async def tick(bot: Mortal) -> None:
    await bot.act("tick", partial(checklist.finish, policy=POLICY, **the("1.1")), person(bot, BEN))
    await bot.settle()


async def tick_section(bot: Mortal) -> None:
    """The last step of a section: the next one is shown, this one folds after 30 seconds."""
    await bot.act("tick 2", partial(checklist.finish, policy=POLICY, **the("1.2")), person(bot, ANA))
    await bot.settle(timedelta(seconds=50))


async def update(bot: Mortal) -> None:
    rule = partial(cadence.post_update, text="Payouts to NG resumed, KE follows.", next_by=None, policy=POLICY)
    await bot.act("update", rule, person(bot, ANA))
    await bot.settle(timedelta(seconds=50))


async def ask(bot: Mortal) -> None:
    rule = partial(
        dual_control.ask_second_person, **the("2.2"), evidence="queue empty", count="412", amount="", confirmers=(BEN,
        CARLA), policy=POLICY,
    )  # fmt: skip
    await bot.act("ask", rule, person(bot, ANA))
    await bot.settle()


async def go(bot: Mortal) -> None:
    (asked,) = (await bot.incident()).asks
    await bot.act("go", partial(dual_control.give_go, ask=asked, policy=POLICY), person(bot, BEN))
    await bot.settle()


async def done(bot: Mortal) -> None:
    (asked,) = (await bot.incident()).asks
    await bot.act("done", partial(dual_control.record_done, ask=asked, result="batch 7f3a"), person(bot, ANA))
    await bot.settle()


async def raise_severity(bot: Mortal) -> None:
    rule = partial(
        lifecycle.change_severity, severity="sev1", reason="payouts at a stand", responders=(CARLA, "U01DIPOADEY"),
        policy=POLICY,
    )  # fmt: skip
    await bot.act("raise", rule, person(bot, ANA))
    await bot.settle()


async def draft(bot: Mortal) -> None:
    rule = partial(
        customer_messages.draft, draft="d1", template=TEMPLATE, text=TEXT, approvers=(BEN,),
        promised=BEGIN + timedelta(minutes=40), policy=POLICY,
    )  # fmt: skip
    await bot.act("draft", rule, person(bot, ANA))
    await bot.settle()


async def approve(bot: Mortal) -> None:
    await bot.act(
        "approve",
        partial(customer_messages.approve, draft="d1", text_hash=text_hash(TEXT), policy=POLICY),
        person(bot, BEN),
    )
    await bot.settle()


async def mitigate(bot: Mortal) -> None:
    await bot.act("mitigate", partial(lifecycle.mitigate, note="routed around"), person(bot, ANA))
    await bot.settle()


async def resolve(bot: Mortal) -> None:
    await bot.act("resolve", partial(lifecycle.resolve, note="cache cleared", policy=POLICY), person(bot, ANA))
    await bot.settle()


async def write_postmortem(bot: Mortal) -> None:
    def rule(incident: Any, *, by: Actor, at: Any) -> list[e.Event]:
        return [e.PostmortemWritten(by=by.user, at=at, name="inc-1.md", through=incident.seq)]

    await bot.act("postmortem", rule, person(bot, ANA))
    await bot.settle()


async def reminder(bot: Mortal) -> None:
    """The update that is due after 30 minutes: first the lead directly, then the channel."""
    await bot.settle(BEGIN + timedelta(minutes=31) - bot.clock.now())


async def by_a_program(bot: Mortal) -> None:
    """Nobody leads what a program declares."""
    rule = partial(lifecycle.declare, title="Settlement did not run", severity="sev1", policy=POLICY)
    actor = Actor(bot.team, "cli:night-job", "night-job", ActorKind.CLI)
    await bot.declare(rule, actor)
    await bot.settle()


async def nobody_answers(bot: Mortal) -> None:
    """After 5 minutes the first level is called, after 10 the next."""
    await bot.settle(BEGIN + timedelta(minutes=11) - bot.clock.now())


async def escalate(bot: Mortal) -> None:
    rule = partial(escalation.escalate, reason="nobody knows the ledger", policy=POLICY)
    await bot.act("escalate", rule, person(bot, ANA))
    await bot.settle()


FIRING = {"name": "PayoutsStuck", "title": "No payout for ten minutes", "severity": "critical", "id": "ng"}


async def delivered(bot: Mortal, payload: dict[str, str]) -> None:
    """What POST /alerts/generic stores before it answers; its sender sends it again until it has an answer."""
    intake = Intake(bot.service, bot.team, lambda one: PAYOUTS, lambda named: (BEN, CARLA), lambda text: "")
    body = json.dumps(payload).encode()
    await bot.until_answered(lambda: intake.receive("generic", body))
    await bot.settle()


async def fires(bot: Mortal) -> None:
    bot.id = incident_id(bot.team, f"alert:generic:{hashlib.sha256(json.dumps(FIRING).encode()).hexdigest()}")
    await delivered(bot, FIRING)


async def is_over(bot: Mortal) -> None:
    await delivered(bot, {**FIRING, "status": "resolved"})


Act = Callable[[Mortal], Awaitable[None]]
Story = tuple[Act, ...]
STORIES: list[Any] = [
    pytest.param((), (declare,), id="declare, with a runbook"),
    pytest.param((declare,), (tick, tick_section), id="steps are ticked, a section is complete"),
    pytest.param((declare,), (update,), id="an update, under the announcement too"),
    pytest.param((declare,), (ask, go, done), id="two people"),
    pytest.param((minor,), (raise_severity,), id="a severity raised, people called"),
    pytest.param((minor,), (mitigate, resolve, write_postmortem), id="resolved, with a file"),
    pytest.param((declare,), (reminder,), id="reminders"),
    pytest.param((minor,), (escalate,), id="escalated by a person"),
    pytest.param((), (by_a_program, nobody_answers), id="nobody answers"),
    pytest.param((), (fires, is_over), id="an alert, and its end"),
]


# -- the world after it ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Seen:
    """What is there in the end, without the ids that differ from run to run."""

    channels: list[Any]
    messages: list[Any]
    timeline: list[str]


async def seen(bot: Mortal) -> Seen:
    slack = bot.slack
    names = {one.id: one.name or "direct:" + "+".join(sorted(one.members)) for one in slack.channels}

    def plain(words: str) -> str:
        for id, name in names.items():
            words = words.replace(id, name)
        # The seconds of a moment that a death has put off; the minutes beside them stay.
        return re.sub(r"date\^\d+", "date^", words)

    def channel(one: Channel) -> Any:
        pinned = [plain(one.by_ts[pin.ts].text) for pin in one.pins]
        marks = [(mark.title, next(plain(m.text) for m in one.by_ts.values() if m.ts.replace(".", "") in mark.link))
                 for mark in one.bookmarks]  # fmt: skip
        return names[one.id], one.topic, sorted(one.members), pinned, marks

    messages = [
        (names[one.channel], plain(place.by_ts[one.thread_ts].text) if one.thread_ts else "", plain(one.plain),
         one.labels, [file["name"] for file in one.files])
        for place in slack.channels
        for one in place.by_ts.values()
        if not (one.deleted or one.ephemeral) and one.user == slack.bot_user_id and one.subtype != "channel_join"
    ]  # fmt: skip
    timeline = [type(entry.event).__name__ for entry in await bot.store.entries(bot.id)]
    return Seen(sorted(map(channel, slack.channels)), sorted(messages), timeline)


async def nothing_is_left_over(bot: Mortal) -> None:
    """No mark twice, no channel without an incident, nothing due, every timeline as it was written."""
    slack, incident = bot.slack, await bot.incident()
    assert [one.id for one in slack.channels if one.name.startswith("inc-")] == [incident.channel]
    marks = Counter(
        one.metadata["event_payload"]["id"]
        for place in slack.channels
        for one in place.by_ts.values()
        if one.metadata and not one.deleted
    )
    assert set(marks.values()) == {1}
    assert {one.state for one in await bot.store.effects(bot.id)} <= {EffectState.SENT, EffectState.REFUSED}
    assert await bot.store.verify() == []
