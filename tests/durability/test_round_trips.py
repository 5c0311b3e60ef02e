"""How often a reminder asks PostgreSQL: each time is a way to the server and a fifth of a millisecond of processor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from tests.postgres import Postgres
from tests.world import world_at

#: where they were not read ahead of the moment: the incident's row, its events, its calls
READS = 3
#: locking the row (which sees the lease); then the row, the event and the intent in one transaction with it
BEFORE_THE_CALL = 4
#: the next moment, which sees the lease and gives it back, and how each of two calls ended: the other transaction
AFTER_IT = 3


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


def about_one(statement: str) -> bool:
    """Whether it is about one incident, not the look for whatever is due, which serves many."""
    return "due_at <=" not in statement and "due_at >" not in statement and "next_number" not in statement


async def test_a_reminder_is_two_transactions(tmp_path: Path, postgres18: Postgres) -> None:
    """And no statement more than it needs: at 250 a second each costs a twentieth of a core."""
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
        assert what[1:3] == ["INSERT INTO events", "INSERT INTO effects"], "what happened and the intent together"
        assert len(what) == BEFORE_THE_CALL - 1 + AFTER_IT, what
