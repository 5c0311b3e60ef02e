"""How often an act and a reminder ask PostgreSQL: each time is a way to the server and a fifth of a millisecond of
processor."""

from __future__ import annotations

from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from bot.domain import events as e
from bot.domain import notes
from bot.domain.actor import Actor, alert_actor
from bot.domain.errors import Refused
from bot.domain.incident import Incident
from bot.service import ActResult
from tests.postgres import Postgres
from tests.world import world_at

#: where they were not read ahead of the moment: the incident's row, its events, its calls
READS = 3
#: the event and its row, where the lease is still held, and the intent
BEFORE_THE_CALL = 1
#: how each call ended, the next moment, and the giving back of the lease
AFTER_IT = 1


@contextmanager
def said() -> Iterator[list[str]]:
    """Every statement that any engine of this process runs."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        statements.append(" ".join(statement.split()))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", note)


#: what statements say that serve many incidents: the look for whatever is due, a workspace, numbers
OF_MANY = ("due_at <=", "due_at >", "next_number", "subject")


def about_one(statement: str) -> bool:
    """Whether it is about one incident."""
    return not any(one in statement for one in OF_MANY)


async def test_a_reminder_is_two_statements(tmp_path: Path, postgres18: Postgres) -> None:
    """Each a transaction by itself: at 250 a second each costs a twentieth of a processor."""
    async with world_at(tmp_path, database_url=postgres18.create()) as world:
        await world.declare("ana", "sev1 Withdrawals are stuck")
        seen: list[list[str]] = []
        while len(seen) < 2:  # the first goes to a person, whose channel is looked up between; then one in the channel
            due = await world.bot.store.next_due(world.clock.now())
            assert due is not None
            await world.jump(seconds=(due - world.clock.now() - timedelta(seconds=1)).total_seconds())
            made = (await world.types()).count("Reminded")
            with said() as statements:
                await world.jump(seconds=1)
            if (await world.types()).count("Reminded") > made:
                seen.append([one for one in statements if about_one(one)])
        assert [len(one) <= READS + BEFORE_THE_CALL + AFTER_IT for one in seen] == [True, True], seen
        what = [" ".join(one.split()[:3]) for one in seen[1] if not one.startswith("SELECT")]
        assert what == ["WITH indexed AS", "WITH held AS"], "what happened and the intent; how that ended"


async def test_an_act_is_one_statement(tmp_path: Path, postgres18: Postgres) -> None:
    """A transaction by itself: event, index row, key of the delivery. What repeats it, or is refused, is looked at."""
    async with world_at(tmp_path, database_url=postgres18.create()) as world:
        await world.declare("ana", "sev1 Withdrawals are stuck")
        incident, service = await world.incident(), world.bot.service
        ana = Actor(incident.team, world.slack.person("ana").id, "Ana")
        note = partial(notes.note, text="restarted the payout worker")
        with said() as statements:
            first = await service.act(incident.id, "note", note, ana, key="one", on_change=False)
        assert [" ".join(one.split()[:3]) for one in statements] == ["WITH indexed AS"]
        again = await service.act(incident.id, "note", note, ana, key="one", on_change=False)
        assert (again.repeated, again.incident.seq) == (True, first.incident.seq)
        with pytest.raises(Refused, match="Write what happened"):
            await service.act(incident.id, "note", partial(notes.note, text=" "), ana, key="two", on_change=False)
        assert (await world.types()).count("Noted") == 1


async def test_one_more_alert_is_one_statement(tmp_path: Path, postgres18: Postgres) -> None:
    """Of a group whose incident is open. Delivered again it is looked at, and does nothing."""
    async with world_at(tmp_path, database_url=postgres18.create()) as world:
        service, team = world.bot.service, world.slack.team_id
        sender = alert_actor(team, "generic")

        def declared(incident: Incident, *, number: int, by: Actor, at: datetime) -> list[e.Event]:
            return [e.Declared(by=by.user, at=at, number=number, title="The queue grows", severity="sev3"), fired(at)]

        def fired(at: datetime) -> e.Event:
            return e.AlertFired(by=sender.user, at=at, alert=f"{at:%f}", group="queue", name="QueueGrows")

        def more(incident: Incident, *, by: Actor, at: datetime) -> list[e.Event]:
            return [fired(at)]

        def gather(key: str) -> Awaitable[ActResult | None]:
            return service.correlate_alerts("queue", lambda _last, _at: declared, more, sender, key=key)

        await gather("one")
        await world.settle()
        with said() as statements:
            done = await gather("two")
        assert done and len(done.events) == 1
        assert [" ".join(one.split()[:3]) for one in statements] == ["WITH indexed AS"]
        again = await gather("two")
        assert again and again.repeated and again.incident.number == done.incident.number
        assert (await world.types()).count("AlertFired") == 2


async def test_what_is_overdue_is_read_together(tmp_path: Path, postgres18: Postgres) -> None:
    """After an outage many wait at once, and are read many at a time, not each when its turn comes."""
    stuck = ("Payouts", "Deposits", "Quotes", "Refunds", "Webhooks", "Trustlines", "Anchors", "Statements")
    async with world_at(tmp_path, database_url=postgres18.create()) as world:
        for what in stuck:
            await world.declare("ana", f"sev1 {what} are stuck")
        with said() as statements:
            await world.jump(minutes=50)
        kinds = ("FROM events WHERE events.incident_id", "FROM effects WHERE effects.incident_id")
        read = [one for one in statements if one.startswith("SELECT") and any(kind in one for kind in kinds)]
        assert sum("INSERT INTO events" in one for one in statements) >= len(stuck)
        assert len(read) < len(stuck), read
