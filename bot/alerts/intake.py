"""From the body of a request to what stands in the database."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import structlog

from bot.alerts.payload import parse_json
from bot.alerts.sources import SOURCES
from bot.domain import alert
from bot.domain.actor import alert_actor
from bot.domain.alert import Alert
from bot.domain.incident import Incident
from bot.domain.policy import Policy
from bot.domain.runbook import Runbook
from bot.service import ActResult, DeclareRule, Service

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class IntakeResult:
    """What came of a delivery: declared, added, repeated or noted; the incident's name, where all may know of it."""

    outcome: str
    incident: str = ""


@dataclass(frozen=True)
class Intake:
    """Takes alerts for one workspace."""

    service: Service
    team: str
    #: the runbook that names the alert, or that the alert names
    runbook: Callable[[Alert], Runbook | None]
    #: people for people and groups
    people: Callable[[Sequence[str]], tuple[str, ...]]
    #: the kind of a secret that stands in a text; empty for none
    secret: Callable[[str], str]

    async def receive(self, source: str, body: bytes) -> IntakeResult:
        """Store what the alerts bring about; `source` is a row of SOURCES, `body` what its sender posted.

        The body names the delivery: the same one again does nothing. Raises Unreadable, and what `service` raises.
        """
        alerts = []
        for one in SOURCES[source].read(source, parse_json(body)):
            alerts.append(self._without_secrets(one))
            await asyncio.sleep(0)  # a body may hold hundreds, and others wait for the loop
        policy = self.service.policy_of(self.team)
        declaration = self._declaration(alerts, policy)

        def begin(last: Incident | None, at: datetime) -> DeclareRule | None:
            return declaration if alert.should_declare(last, alerts, at, policy) else None

        done = await self.service.correlate_alerts(
            alerts[0].group_key,
            begin,
            partial(alert.add, alerts=alerts, policy=policy),
            alert_actor(self.team, source),
            key=f"alert:{source}:{hashlib.sha256(body).hexdigest()}",
        )
        taken = _taken(done)
        if taken.outcome == "declared":  # a storm is counted in /metrics, and fills no log
            log.info("alerts.declared", source=source, alerts=len(alerts))
        return taken

    def _without_secrets(self, one: Alert) -> Alert:
        return alert.without_text(one) if self.secret(one.words) else one

    def _declaration(self, alerts: Sequence[Alert], policy: Policy) -> DeclareRule | None:
        """The rule that begins an incident, if any of these may; whom it brings in is looked up before."""
        head = alert.worst_alert(alerts, policy)
        if head is None:
            return None
        runbook = self.runbook(head)
        meant = alert.severity(head, runbook, policy)
        responders = self.people(
            (policy.severity(meant) if meant else policy.severity_for_title(head.words)).responders
        )
        first = policy.levels[0] if policy.levels else ()
        insiders = self.people(policy.alerts.private_to) or tuple(dict.fromkeys((*responders, *first)))
        return partial(
            alert.declare,
            head=head,
            alerts=alerts,
            runbook=runbook,
            responders=responders,
            insiders=insiders,
            policy=policy,
        )


def _taken(done: ActResult | None) -> IntakeResult:
    if done is None:
        return IntakeResult("noted")
    name = "" if done.incident.private else done.incident.name  # its sender is not in it
    if not done.events:
        return IntakeResult("repeated" if done.repeated or done.incident.open else "noted", name)
    return IntakeResult("declared" if done.before.seq == 0 else "added", name)
