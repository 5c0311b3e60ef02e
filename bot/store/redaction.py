"""Words taken out of everything that is kept of an incident, in one transaction, and then out of the files' free space.

What the chain covers is not rewritten: a body goes as a whole, its digest stays, and what is left of the entry stands
in the `Redacted` that says so.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import URL, Connection, select, text, update
from sqlalchemy.exc import DBAPIError

from bot.domain import redaction
from bot.domain.actor import Actor
from bot.domain.customer_template import text_hash
from bot.domain.effect import EffectKind
from bot.domain.errors import Refused
from bot.domain.events import CommsDrafted, Redacted
from bot.domain.incident import Incident
from bot.domain.policy import NO_SUCH_INCIDENT
from bot.domain.redaction import RedactedWords, RedactionMatch
from bot.store import codec, engines, postgres
from bot.store.errors import StoreRefused
from bot.store.tables import deliveries, effects, people
from bot.store.transaction import SqlTransaction

#: what a short write waits for while somebody reads, in milliseconds
_BUSY_TIMEOUT_MS = 10_000
#: tables that may have held the words
_TOUCHED = ("incidents", "events", "effects", "deliveries", "people")


@dataclass(frozen=True)
class RedactionResult:
    """What was done: the incident after it, the entries that held the words, how many other rows did."""

    incident: Incident
    hits: tuple[RedactionMatch, ...]
    rows: Mapping[str, int]
    redacted: Redacted | None


def redact(
    tx: SqlTransaction, id: str, secret: RedactedWords, *, reason: str, public_too: bool, by: Actor, now: datetime
) -> RedactionResult:
    """Take the words out of one incident, and out of what is kept beside its timeline; it is due at once.

    The job of a `SqlStore.write`. Raises Refused, and Conflict where somebody else wrote meanwhile.
    """
    incident = tx.incident(id)
    if incident is None:
        raise Refused(NO_SUCH_INCIDENT)
    entries = tx.entries(id)
    at = max(now, incident.last_at or now)
    hits = redaction.find_matches(incident, entries, secret)
    uploads = [one.ts for one in tx.effects(id) if one.kind is EffectKind.FILE and one.ts]
    new = redaction.redact(
        incident, hits, entries, secret, reason=reason, written=lambda event: codec.encode(event)[0].body,
        uploads=uploads, public_too=public_too, by=by, at=at,
    )  # fmt: skip
    after = incident
    if new:
        after = tx.append(incident, new, incident.last_at or at)  # due at once, whatever this machine's clock says
        after = tx.redact(id, [hit.seq for hit in hits])
    rows = _rows(tx.connection, after, hits, secret)
    return RedactionResult(after, tuple(hits), rows, next((one for one in new if isinstance(one, Redacted)), None))


def _rows(
    connection: Connection, incident: Incident, hits: list[RedactionMatch], secret: RedactedWords
) -> dict[str, int]:
    """Take the words out of the rows beside the timeline; how many of each table held them."""
    stale = {
        text_hash(hit.event.text): text_hash(hit.left.text)
        for hit in hits
        if isinstance(hit.event, CommsDrafted) and isinstance(hit.left, CommsDrafted)
    }
    counted: dict[str, int] = {}

    def put(table: Any, where: Any, values: dict[str, Any]) -> None:
        connection.execute(update(table).where(where).values(values))
        counted[table.name] = counted.get(table.name, 0) + 1

    for row in connection.execute(select(effects).where(effects.c.incident_id == incident.id)).all():
        hash = stale.get(
            row.hash, incident.channel_name if row.kind == EffectKind.CHANNEL and incident.renamed else row.hash
        )
        if (left := (hash, secret.redact(row.error))) != (row.hash, row.error):
            put(effects, effects.c.id == row.id, {"hash": left[0], "error": left[1]})
    d = deliveries.c
    answered = select(d.key, d.answer).where(d.team_id == incident.team, d.answer != "")
    for row in connection.execute(answered).all():
        if secret.found_in(row.answer):
            put(deliveries, (d.team_id == incident.team) & (d.key == row.key), {"answer": secret.redact(row.answer)})
    p = people.c
    for row in connection.execute(select(p.user_id, p.body).where(p.team_id == incident.team)).all():
        body = codec.read_plain(row.body)
        if (hidden := _hidden(body, secret)) != body:
            whom = (p.team_id == incident.team) & (p.user_id == row.user_id)
            put(people, whom, {"body": codec.plain_text(hidden)})
    return counted


def _hidden(value: Any, secret: RedactedWords) -> Any:
    match value:
        case str():
            return secret.redact(value)
        case list():
            return [_hidden(one, secret) for one in value]
        case dict():
            return {name: _hidden(one, secret) for name, one in value.items()}
    return value


# -- free space -----------------------------------------------------------------------------------------


def purge_free_space(url: str) -> str:
    """Take what was overwritten out of the database's log and free space; a sentence says what is left.

    Raises StoreRefused where somebody reads for too long: then the words may still stand in the log.
    """
    address = engines.parse_url(url)
    if engines.is_shared(address):
        asyncio.run(_vacuum(address))
        return (
            "PostgreSQL was vacuumed: no query finds the words any more. Their bytes may stand in its free space and "
            "in its write-ahead log until both are written over, and in archived logs until you delete those."
        )
    try:
        with contextlib.closing(sqlite3.connect(str(address.database))) as connection:
            connection.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MS}")
            busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.Error as error:
        raise StoreRefused(f"The database's log could not be emptied: {error}. Run the command again.") from error
    if busy:
        raise StoreRefused("Somebody reads the database all the time, so its log still holds the words. Run it again.")
    return "The database's log was emptied, and its free space is written over."


async def _vacuum(address: URL) -> None:
    engine = postgres.single_connection_engine(address, "AUTOCOMMIT")  # VACUUM runs in no transaction
    try:
        async with engine.connect() as connection:
            for table in _TOUCHED:
                await connection.execute(text(f"VACUUM {table}"))
    except (DBAPIError, OSError) as error:
        raise StoreRefused(f"PostgreSQL could not be vacuumed ({type(error).__name__}). Run VACUUM there.") from error
    finally:
        await engine.dispose()
