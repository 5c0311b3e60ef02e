"""An incident that happens, by the rules themselves, at times that the test moves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from bot.domain import events as e
from bot.domain.actor import Actor, bot_actor
from bot.domain.desired_message import DesiredMessage
from bot.domain.fold import evolve
from bot.domain.incident import Incident
from bot.domain.policy import Policy
from bot.domain.runbook import Runbook, Section, Step, TwoPeople
from bot.slack.surfaces.messages import RenderEnvironment, messages

TEAM = "T1"
BEGIN = datetime(2026, 11, 20, 14, 2, tzinfo=UTC)
ANA, BEN, CARLA, DIPO = (Actor(TEAM, f"U{name.upper()}", name) for name in ("Ana", "Ben", "Carla", "Dipo"))
BOT = bot_actor(TEAM)
NAMES = {"UANA": "Ana", "UBEN": "Ben", "UCARLA": "Carla", "UDIPO": "Dipo", "SONCALL": "@payments-oncall"}
POLICY = Policy(levels=(("UBEN",), ("UCARLA", "SONCALL")))
SETUP = RenderEnvironment(POLICY, names=NAMES)

HORIZON = Runbook(
    slug="horizon-outage",
    title="Horizon outage",
    summary="",
    revision="a1b2c3d",
    sections=(
        Section(1, "Look", "Nothing here changes anything.", (
            Step("1.1", "Read both Horizons", ("curl -s https://horizon-a/ | jq .history_latest_ledger",)),
            Step("1.2", "Note the oldest payout that waits"),
        )),
        Section(2, "Contain", steps=(
            Step("2.1", "Pause payouts", two_people=TwoPeople.AFTER),
            Step("2.2", "Resend the stuck batch", two_people=TwoPeople.BEFORE),
        )),
    ),
    owner="payments",
)  # fmt: skip


class Story:
    """`at(minutes)` moves the clock; `do` applies a rule; `happens` adds events as they are."""

    def __init__(self) -> None:
        self.incident = Incident(TEAM, "6e0c6d3e-8d2a-4a53-9d3b-1f2f8f0d8a11")
        self.now = BEGIN

    def at(self, minutes: float) -> Story:
        self.now = BEGIN + timedelta(minutes=minutes)
        return self

    def do(self, rule: Any, by: Actor = ANA, **arguments: Any) -> Story:
        return self.happens(*rule(self.incident, by=by, at=self.now, **arguments))

    def happens(self, *events: e.Event) -> Story:
        for event in events:
            self.incident = evolve(self.incident, e.Entry(self.incident.seq + 1, event))
        return self

    def messages(self, after: timedelta = timedelta()) -> list[DesiredMessage]:
        return messages(self.incident, self.now + after, SETUP)

    def message(self, key: str, after: timedelta = timedelta()) -> DesiredMessage:
        return next(one for one in self.messages(after) if one.key == key)

    def sent(self) -> list[str]:
        """Those that would be sent now if nothing had been."""
        return [one.key for one in self.messages() if one.send_if_new and not one.delete]
