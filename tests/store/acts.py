"""Jobs that the tests give to the store."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from bot.domain import events as e
from bot.domain.effect import Effect, EffectKind, EffectState
from bot.domain.incident import Incident
from bot.store import SqlStore, SqlTransaction, engines

KEY = b"a key that lives outside the database"
TEAM = "T0TEAM"
NOW = datetime(2026, 11, 20, 14, 32, tzinfo=UTC)

Job = Callable[[SqlTransaction], Incident]


def after(minutes: float) -> datetime:
    """So many minutes after the beginning."""
    return NOW + timedelta(minutes=minutes)


def declare(id: str, title: str = "Withdrawals stuck", *, team: str = TEAM, due: datetime | None = NOW) -> Job:
    """Declare an incident under the team's next number."""

    def job(tx: SqlTransaction) -> Incident:
        number = tx.next_number(team)
        declared = e.Declared(by="U1", at=NOW, number=number, title=title, severity="sev1")
        return tx.append(Incident(team=team, id=id), [declared], due)

    return job


def append(id: str, *events: e.Event, due: datetime | None = NOW) -> Job:
    """Look at the incident and append these."""

    def job(tx: SqlTransaction) -> Incident:
        incident = tx.incident(id)
        assert incident is not None
        return tx.append(incident, events, due)

    return job


def note(text: str, at: datetime = NOW) -> e.Noted:
    return e.Noted(by="U1", at=at, text=text, happened=at)


def count_up(id: str) -> Job:
    """Read the incident and write what follows from what was read."""

    def job(tx: SqlTransaction) -> Incident:
        incident = tx.incident(id)
        assert incident is not None
        return tx.append(incident, [e.TitleChanged(by="U1", at=NOW, title=str(int(incident.title) + 1))], NOW)

    return job


def effect(key: str = "card", incident_id: str = "one", **fields: Any) -> Effect:
    plain: dict[str, Any] = {
        "id": f"id of {key}", "team": TEAM, "incident_id": incident_id, "key": key, "kind": EffectKind.MESSAGE,
        "state": EffectState.SENDING, "started_at": NOW,
    }  # fmt: skip
    return Effect(**{**plain, **fields})


@asynccontextmanager
async def held_up(store: SqlStore) -> AsyncIterator[None]:
    """What is written inside waits until the end; then SQLite commits it together."""
    if engines.is_shared(store._address):
        connection = await asyncpg.connect(store._address.render_as_string(hide_password=False))
        try:
            async with connection.transaction():
                await connection.execute("LOCK TABLE teams, incidents, deliveries IN EXCLUSIVE MODE")
                yield
                await asyncio.sleep(0)  # tasks that were made inside begin
        finally:
            await connection.close()
        return
    begun, go = threading.Event(), threading.Event()

    def job(tx: SqlTransaction) -> None:
        begun.set()
        go.wait(10)

    first = asyncio.ensure_future(store.write(job))
    await asyncio.to_thread(begun.wait, 10)
    try:
        yield
        await asyncio.sleep(0)  # tasks that were made inside get to the queue
    finally:
        go.set()
        await first
