"""The one way to write: who hears of an act, and what is written with it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from bot.clock import SystemClock
from bot.domain import events as e
from bot.domain.actor import Actor, bot_actor
from bot.domain.effect import Effect
from bot.domain.incident import Incident
from bot.service import Service
from bot.store import SqlStore, migrate
from tests.store.acts import KEY, TEAM, declare, effect
from tests.world import test_policy as policy

BOT = bot_actor(TEAM)


def note(incident: Incident, *, by: Actor, at: datetime, text: str = "seen") -> list[e.Event]:
    return [e.Noted(by=by.user, at=at, text=text, happened=at)]


def nothing(incident: Incident, *, by: Actor, at: datetime) -> list[e.Event]:
    return []


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    url = f"sqlite:///{tmp_path / 'incidents.sqlite'}"
    migrate(url)
    store = SqlStore.open(url, KEY)
    await store.write(declare("one"))
    yield Service(store, policy(), SystemClock())
    await store.close()


async def test_who_changes_without_telling_is_not_told(service: Service) -> None:
    """What attends the incident looks again by itself; it is not woken by its own write, and others are by theirs."""
    heard: list[str] = []
    service.on_change = heard.append
    silent = await service.act("one", "time", note, BOT, on_change=False)
    assert len(silent.events) == 1 and silent.incident.seq == 2 and heard == []
    await service.act("one", "time", nothing, BOT)
    assert heard == [], "nothing has changed"
    await service.act("one", "time", note, BOT)
    assert heard == ["one"]


async def test_what_is_written_with_an_act_is_there_with_it_or_not_at_all(service: Service) -> None:
    def calls(incident: Incident) -> list[Effect]:
        assert incident.seq == 1, "what the rule decides on"
        return [effect("card", "one")]

    await service.act("one", "time", note, BOT, effects=calls)
    assert [one.key for one in await service.store.effects("one")] == ["card"]

    with pytest.raises(IntegrityError):
        lost = [effect("digest", "one"), effect("topic", "no such incident")]
        await service.act("one", "time", partial(note, text="lost"), BOT, effects=lambda incident: lost)
    incident = await service.store.incident("one")
    assert incident is not None and incident.seq == 2
    assert [one.key for one in await service.store.effects("one")] == ["card"]
