"""What was seen of every timeline at one moment, for a file that is kept where the database's owner cannot write.

A chain ends where its last event is, and an older end was a true one once. So whoever has the database alone cannot see
that a timeline was put back to an earlier day, or that the latest incident was taken away with its number. The same is
true where a whole database was exchanged for an older copy. Whoever has seen the end of before sees it.
"""

from __future__ import annotations

import hmac
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, and_, select

from bot.store.atomic_file import fsync_path
from bot.store.chain import new_salt
from bot.store.errors import StoreRefused
from bot.store.tables import events, incidents

_i, _e = incidents.c, events.c


@dataclass(frozen=True)
class TimelineEnd:
    """Where a timeline ended: the incident's number, how many events it had, and the mac of the last one."""

    number: int
    seq: int
    mac: str


@dataclass(frozen=True)
class Witness:
    """Incident's id -> where its timeline ended."""

    ends: Mapping[str, TimelineEnd] = field(default_factory=dict)


def take_witness(connection: Connection) -> Witness:
    """Where every timeline ends now."""
    last = select(_i.id, _i.number, _e.seq, _e.mac).join(
        events, and_(_e.incident_id == _i.id, _e.seq == _i.seq)
    )  # fmt: skip
    return Witness({id: TimelineEnd(number, seq, mac) for id, number, seq, mac in connection.execute(last)})


def missing_since(connection: Connection, before: Witness) -> Iterator[str]:
    """What was there `before` and is not any more, a sentence each. A redaction is no problem: the mac stays."""
    now = take_witness(connection).ends
    for id, end in sorted(before.ends.items(), key=lambda one: (one[1].number, one[0])):
        name = f"INC-{end.number} ({id})"
        if id not in now:
            yield f"{name}: it was there at the last look, and is gone."
        elif now[id].seq < end.seq:
            yield f"{name}: {end.seq} events were there at the last look, {now[id].seq} are left."
        elif (now[id].mac if now[id].seq == end.seq else _mac(connection, id, end.seq)) != end.mac:
            yield f"{name}: event {end.seq} is not the one that was there at the last look."


def _mac(connection: Connection, id: str, seq: int) -> str | None:
    return connection.execute(select(_e.mac).where(_e.incident_id == id, _e.seq == seq)).scalar()


def read(path: Path, key: bytes) -> Witness | None:
    """What the file says; None where there is none yet. Raises StoreRefused for one that was not made with `key`."""
    try:
        written = json.loads(path.read_bytes())
        body, seal = str(written["seen"]), str(written["seal"])
        if not hmac.compare_digest(_seal(key, body), seal):
            raise ValueError
        return Witness({id: TimelineEnd(*end) for id, end in json.loads(body).items()})
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreRefused(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, TypeError, KeyError, AttributeError):
        raise StoreRefused(f"{path} is not what `verify --witness` wrote, or was written with another key.") from None


def write(path: Path, key: bytes, witness: Witness) -> None:
    """Put what was seen in the place of what the file said; whole or not at all. Raises StoreRefused."""
    body = json.dumps({id: [end.number, end.seq, end.mac] for id, end in sorted(witness.ends.items())})
    part = path.with_name(f".{path.name}.{new_salt()}.part")
    content = json.dumps({"seen": body, "seal": _seal(key, body)}).encode()
    try:
        with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as out:
            out.write(content)
        fsync_path(part)
        part.replace(path)
        fsync_path(path.parent)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise StoreRefused(f"{path} cannot be written: {error.strerror}.") from error


def _seal(key: bytes, body: str) -> str:
    return hmac.digest(key, b"witness\n" + body.encode("utf-8", "surrogatepass"), "sha256").hex()
