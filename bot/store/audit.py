"""Does every timeline still say what was written? Anything changed, moved, inserted or cut since is named.

What this cannot see alone: a whole database put back to an earlier day.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Integer, RowMapping, func, select, type_coerce

from bot.domain.events import Redacted
from bot.domain.fold import fold
from bot.store import chain, read_sql
from bot.store.errors import Damaged
from bot.store.index_rows import index_row
from bot.store.tables import events, incidents, teams

_i, _e = incidents.c, events.c


def verify(connection: Connection, key: bytes, team: str | None = None) -> list[str]:
    """What is wrong, a sentence each; empty when all is as written. `team` None: all teams.

    A redacted body is not a problem: the mark that goes with it cannot be made without the key.
    """
    wanted = select(_i.id).order_by(_i.team_id, _i.number, _i.id)
    if team is not None:
        wanted = wanted.where(_i.team_id == team)
    problems: list[str] = []
    for id in connection.execute(wanted).scalars().all():
        problems += _incident(connection, key, str(id))
    problems += _strays(connection, team)
    problems += _numbers(connection, team)
    return problems


def _incident(connection: Connection, key: bytes, id: str) -> list[str]:
    try:
        row = (
            connection.execute(
                select(incidents, type_coerce(_i.private, Integer).label("private_as_is")).where(_i.id == id)
            )
            .mappings()
            .one()
        )
    except (ValueError, TypeError):
        return [f"Incident {id}: its index row cannot be read."]
    name = f"INC-{row['number']} ({id})"
    if type(row["seq"]) is not int or type(row["number"]) is not int:
        return [f"{name}: its index row holds words where a number belongs."]
    timeline = connection.execute(select(events).where(_e.incident_id == id).order_by(_e.seq)).mappings().all()
    if any(type(one["seq"]) is not int for one in timeline):
        return [f"{name}: an event's place in its timeline is no number."]
    return [f"{name}: {problem}" for problem in [*_chain(key, row, timeline), *_index(row, timeline)]]


def _chain(key: bytes, row: RowMapping, timeline: Any) -> Iterator[str]:
    team, id = row["team_id"], row["id"]
    expected, mac = 1, ""
    for one in timeline:
        seq = one["seq"]
        if seq != expected:
            yield (
                f"event {expected} is missing."
                if seq == expected + 1
                else f"events {expected} to {seq - 1} are missing."
            )
        yield from (f"event {seq} {what}" for what in _event(key, team, id, one, mac if seq == expected else None))
        expected, mac = seq + 1, one["mac"]
    last = expected - 1
    if last < row["seq"]:
        yield f"its end was cut off: {row['seq']} events were written, {last} are left."
    elif last > row["seq"]:
        yield f"event {row['seq'] + 1} and what follows were added by somebody else."
    elif _of(chain.head, key, team, id, last, mac) != row["head"]:
        yield "its last event is not the one that was written last."


def _event(key: bytes, team: str, id: str, one: RowMapping, previous: str | None) -> Iterator[str]:
    """What is wrong with one row; `previous` None: the mac before it is lost, so its own cannot be told."""
    seq = one["seq"]
    if previous is not None:
        linked = _of(
            chain.link, key, previous, one["team_id"], id, seq, one["type"], one["v"], one["at"], one["by_"],
            one["digest"],
        )  # fmt: skip
        if one["team_id"] != team or linked != one["mac"]:
            yield "was changed or moved after it was written."
    if one["redacted"] is not None:
        if _of(chain.redaction, key, team, id, seq, one["digest"]) != one["redacted"]:
            yield "bears a mark of redaction that this program did not make."
        if one["body"] is not None or one["salt"] is not None:
            yield "was redacted, and somebody put a body back."
    elif one["body"] is None or one["salt"] is None:
        yield "has lost its body, and was not redacted."
    elif _of(chain.digest, key, one["salt"], one["body"]) != one["digest"]:
        yield "has another body than the one that was written."


def _of(function: Any, *parts: Any) -> str | None:
    """A mac; None where a column holds what the program never writes there."""
    if any(not isinstance(part, str | int) or isinstance(part, bool) for part in parts[1:]):
        return None
    try:
        return str(function(*parts))
    except UnicodeEncodeError:
        return None


def _index(row: RowMapping, timeline: Any) -> Iterator[str]:
    """Whether the index row says what the timeline amounts to."""
    try:
        entries = read_sql.entries(timeline)
        incident = read_sql.with_redacted_fields(fold(row["team_id"], row["id"], entries), row)
    except Exception as error:  # a rule of the fold met what no rule wrote
        what = str(error) if isinstance(error, Damaged) else "its events contradict each other"
        yield f"its timeline cannot be read ({what})."
        return
    said_to_be = {kept.seq for one in entries if isinstance(one.event, Redacted) for kept in one.event.kept}
    for one in timeline:
        if one["seq"] in said_to_be and one["redacted"] is None:
            yield f"event {one['seq']} was redacted, and its mark was taken away."
    said = {**row, "private": row["private_as_is"]}
    for name, value in index_row(incident).items():
        if name != "seq" and (said[name] != value or type(said[name]) is bytes):
            yield f"its index row's {name} is not what the timeline says."
    if (redacted := sum(one["redacted"] is not None for one in timeline)) != row["redactions"]:
        yield f"its index row counts {row['redactions']} redactions, the timeline {redacted}."


def _strays(connection: Connection, team: str | None) -> Iterator[str]:
    stray = select(_e.incident_id, func.count()).where(_e.incident_id.not_in(select(_i.id))).group_by(_e.incident_id)
    if team is not None:
        stray = stray.where(_e.team_id == team)
    for id, count in connection.execute(stray).all():
        yield f"Incident {id}: {count} events are left of it, its index row is gone."


def _numbers(connection: Connection, team: str | None) -> Iterator[str]:
    """Numbers have no gaps: one that is missing was an incident."""
    counted = {row.team_id: row.next_number for row in connection.execute(select(teams)).all()}
    there: dict[str, set[int]] = {}
    for whose, number in connection.execute(select(_i.team_id, _i.number)).all():
        there.setdefault(whose, set()).add(number)
    for whose in sorted({*counted, *there}):
        if team is not None and whose != team:
            continue
        numbers, after = there.get(whose, set()), counted.get(whose, 1)
        if type(after) is not int or not all(type(one) is int for one in numbers):
            yield f"The numbers of team {whose} are none."
            continue
        for number in range(1, after):
            if number not in numbers:
                yield f"INC-{number} of team {whose} is missing."
        if any(number >= after or number < 1 for number in numbers):
            yield f"Team {whose} has incidents that its counter never gave out."
