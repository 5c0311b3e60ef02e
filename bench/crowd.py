"""A database with so many open incidents, each as the bot itself would leave it: paid for, waiting for its next moment.

Nothing is sent for it: what the bot would do is computed by its own rules and written down as done.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bench.sink import PERSON, TEAM, Sink
from bot.app import Bot, create_bot
from bot.config import ROOT, Settings
from bot.domain import duties
from bot.domain import events as e
from bot.domain.effect import Effect, EffectState
from bot.domain.incident import Incident
from bot.domain.policy import Policy
from bot.policies import load
from bot.reconciler import delivery_state
from bot.reconciler.plan import PlanInput, plan_effects
from bot.store import SqlTransaction, engines

POLICY = ROOT / "bot" / "demo" / "policy.toml"
#: how long before its due moment an incident was declared: the rhythm of a SEV-1 in that policy
BEFORE = timedelta(minutes=30)
TOGETHER = 5


def settings(sink: Sink, database: str, key: str, port: int = 0) -> dict[str, str]:
    """The environment of a bot that talks to the sink."""
    return {
        "SLACK_MODE": "http", "SLACK_BOT_TOKEN": "xoxb-bench", "SLACK_SIGNING_SECRET": "bench bench bench bench",
        "SLACK_API_URL": f"{sink.url}/api/", "DATABASE_URL": database, "CHAIN_KEY": key, "PORT": str(port),
        "POLICY_FILE": str(POLICY), "LOG_LEVEL": os.environ.get("BENCH_LOG", "error"),
        "CLOCK_URL": f"{sink.url}/clock" if sink.offset else "",
    }  # fmt: skip


def policy() -> Policy:
    """The team's decisions, for all benches."""
    return load(POLICY)


@dataclass(frozen=True)
class One:
    """An incident of the crowd: which number, when its update is due, how bad."""

    number: int
    due: datetime
    severity: str = "sev1"

    @property
    def id(self) -> str:
        return str(uuid.UUID(int=self.number))

    @property
    def channel(self) -> str:
        return f"C{self.number:08d}"


async def fill(sink: Sink, database: str, key: str, ones: list[One]) -> None:
    """Write them into an empty, migrated database."""
    given: dict[str, Any] = {name.lower(): value for name, value in settings(sink, database, key).items()}
    plain = Settings(**given)
    async with create_bot(plain, policy()).running() as running:
        for start in range(0, len(ones), TOGETHER):
            await running.store.write(_job(running, ones[start : start + TOGETHER]))


def _job(running: Bot, ones: list[One]) -> Callable[[SqlTransaction], None]:
    def job(tx: SqlTransaction) -> None:
        for one in ones:
            assert tx.next_number(TEAM) == one.number
            incident = tx.append(Incident(team=TEAM, id=one.id), list(_events(one, running)), one.due)
            now = incident.last_at or one.due
            for effect in paid(running, incident, now):
                tx.save_effect(effect)
            due = duties.next_at(incident, running.service.policy_of(TEAM), now)
            tx.set_due(one.id, incident.seq, due)
            if engines.is_shared(engines.parse_url(running.settings.database_url)):
                tx.release(one.id)  # who declares holds it

    return job


def _events(one: One, running: Bot) -> Iterator[e.Event]:
    every = running.policy.severity(one.severity).cadence or BEFORE
    began = one.due - every

    def at(seconds: float) -> datetime:
        return began + timedelta(seconds=seconds)

    yield e.Declared(by=PERSON, at=began, number=one.number, title=f"case {one.number}", severity=one.severity)
    yield e.ChannelOpened(by="bot", at=at(1), channel=one.channel, name=f"inc-{one.number}")
    yield e.Acknowledged(by=PERSON, at=at(2))
    yield e.Invited(by="bot", at=at(3), users=(PERSON,))
    item = e.DueItem(kind="update", due=one.due)
    yield e.Reminded(by="bot", at=one.due - timedelta(minutes=5), items=(item,), rung=0, to=())


def paid(running: Bot, incident: Incident, now: datetime) -> list[Effect]:
    """Every call that is due for an incident as it stands, as if each call had been made and answered ok."""
    ground = running.token_workspace.context
    shown, effects = ground.render_messages(incident, now), dict[str, Effect]()
    for _ in range(10):
        policy, topic = running.service.policy_of(incident.team), ground.render_topic(incident)
        books = PlanInput(incident, effects, shown, policy, ground.channel_for, now, topic)
        calls = [one for one in plan_effects(books) if one.call != "direct"]
        if not calls:
            break
        for one in calls:
            done = delivery_state.sent(one.effect, one.hash)
            if one.call == "post":
                done = delivery_state.sent(
                    one.effect, one.hash, ts=f"{1_700_000_000 + incident.number}.{len(effects):06d}"
                )
            effects[one.effect.key] = done
    assert all(one.state is EffectState.SENT for one in effects.values())
    return list(effects.values())
