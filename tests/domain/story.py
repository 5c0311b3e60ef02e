"""An incident that happens: rules applied one after the other to a growing timeline, at times that the test moves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.domain import checklist, lifecycle
from bot.domain import events as e
from bot.domain.actor import Actor, ActorKind, bot_actor
from bot.domain.customer_template import Template
from bot.domain.fold import evolve, fold
from bot.domain.incident import Incident
from bot.domain.policy import Policy
from bot.domain.runbook import Runbook, Section, Step, TwoPeople

TEAM = "T1"
POLICY = Policy()
BEGIN = datetime(2026, 11, 20, 14, 2, tzinfo=UTC)

ANA, BEN, CARLA = (Actor(TEAM, user, name) for user, name in (("UANA", "Ana"), ("UBEN", "Ben"), ("UCARLA", "Carla")))
SHELL = Actor(TEAM, "cli:ana", "ana", ActorKind.CLI)
WORKFLOW = Actor(TEAM, "UFLOW", "Workflow", ActorKind.BOT)
BOT = bot_actor(TEAM)
NAMES = {"UANA": "Ana", "UBEN": "Ben", "UCARLA": "Carla"}
PEOPLE = ("UANA", "UBEN", "UCARLA")

PAYOUTS = Runbook(
    slug="payouts-stuck",
    title="Payouts are stuck",
    summary="",
    revision="a1b2c3d",
    sections=(
        Section(1, "Look", steps=(Step("1.1", "Read the queue", probe="horizon"), Step("1.2", "Note the oldest"))),
        Section(
            2,
            "Act",
            steps=(
                Step("2.1", "Pause payouts", two_people=TwoPeople.AFTER),
                Step("2.2", "Replay the batch", two_people=TwoPeople.BEFORE),
                Step("2.3", "Tell support"),
            ),
        ),
    ),
)
DATABASE = Runbook(
    slug="db-failover",
    title="Database fails over",
    summary="",
    revision="e4f5a6b",
    sections=(
        Section(1, "Look", steps=(Step("1.1", "Read the lag"),)),
        Section(2, "Act", steps=(Step("2.3", "Fail over"),)),
        Section(3, "After", steps=(Step("3.1", "Check the lag"),)),
    ),
)
TEMPLATE = Template("payment-delays", "customers", "investigating", "Payments are delayed", (), "f00dcafe")


class Story:
    """One incident and everything that has happened to it."""

    def __init__(self, *, title: str = "Withdrawals are stuck", severity: str = "sev1", private: bool = False) -> None:
        self.entries: list[e.Entry] = []
        self.incident = Incident(team=TEAM, id="i1")
        self.now = BEGIN
        self.tell(lifecycle.declare, number=42, title=title, severity=severity, private=private, by=ANA, policy=POLICY)

    def tell(self, rule: Callable[..., list[e.Event]], **arguments: Any) -> list[e.Event]:
        """Apply a rule now and keep its events."""
        return self.keep(*rule(self.incident, at=self.now, **arguments))

    def keep(self, *events: e.Event) -> list[e.Event]:
        """Keep these events as they are."""
        for event in events:
            entry = e.Entry(len(self.entries) + 1, event)
            self.entries.append(entry)
            self.incident = evolve(self.incident, entry)
        return list(events)

    def later(self, minutes: float) -> Story:
        """Let time pass."""
        self.now += timedelta(minutes=minutes)
        return self

    def refold(self) -> Incident:
        """The state made anew from the timeline."""
        return fold(TEAM, "i1", self.entries)


def with_runbook() -> Story:
    """INC-42, two minutes old, with the runbook of stuck payouts."""
    story = Story().later(2)
    story.tell(checklist.attach, runbook=PAYOUTS, by=ANA)
    return story


def the(step: str) -> dict[str, str]:
    """The arguments that name a step of the runbook of stuck payouts."""
    return {"runbook": "payouts-stuck", "step": step}
