"""Everything in the database as text that either kind of database reads: one JSON object a line, in one fixed order.

First comes a header with the shape and the counts, then the rows, last a line with a digest of all before it. A file
that was cut, or of which a byte changed, is refused by that digest. Two databases that hold the same make the same
file. Rows stream: memory does not grow with their number.

Left out are leases (they belong to processes) and whoever is at Slack at this moment to install the bot.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, BinaryIO

from sqlalchemy import Boolean, Column, Connection, Integer, Table, collate, func, insert, select
from sqlalchemy.exc import DBAPIError

from bot.store import schema, timestamps
from bot.store.errors import StoreRefused
from bot.store.tables import events, metadata
from bot.store.timestamps import UtcTimestamp

FORMAT, VERSION = "incident-commander", 1
#: rows that are read and written together
ROWS_PER_BATCH = 500
#: bytes of a line at most: far above what any row can have, and below what would hurt
MAX_LINE_BYTES = 64 * 1024 * 1024

_LEFT_OUT_TABLES = frozenset({"oauth_states"})
_LEFT_OUT = frozenset({"lease_by", "lease_until"})

_line = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


@dataclass(frozen=True)
class Contents:
    """What a database holds: rows by table, and the moment of the last thing that happened."""

    rows: Mapping[str, int]
    until: datetime | None

    @property
    def incidents(self) -> int:
        """How many incidents."""
        return self.rows["incidents"]


def tables() -> list[Table]:
    """What is written, each after those that it refers to."""
    return [table for table in metadata.sorted_tables if table.name not in _LEFT_OUT_TABLES]


def columns(table: Table) -> list[Column[Any]]:
    """What is written of a row."""
    return [column for column in table.columns if column.name not in _LEFT_OUT]


def contents(connection: Connection) -> Contents:
    """What the database holds."""
    rows = {one.name: connection.execute(select(func.count()).select_from(one)).scalar_one() for one in tables()}
    until = connection.execute(select(func.max(events.c.at))).scalar()
    return Contents(rows, timestamps.from_text(until) if until else None)


def empty(connection: Connection) -> bool:
    """Whether nothing is kept there yet."""
    return not any(connection.execute(select(table).limit(1)).first() for table in tables())


# -- out ------------------------------------------------------------------------------------------------


def write(connection: Connection, out: BinaryIO) -> Contents:
    """Write everything. `connection` sees one moment. Raises StoreRefused for what no program of ours wrote."""
    held = contents(connection)
    hash = hashlib.sha256()

    def put(fields: Mapping[str, Any]) -> None:
        data = _line(fields).encode() + b"\n"
        hash.update(data)
        out.write(data)

    put({"format": FORMAT, "version": VERSION, "schema": schema.revision(connection), "tables": held.rows})
    for table in tables():
        try:
            for row in _rows(connection, table):
                put({"table": table.name, **row})
        except (ValueError, TypeError) as error:
            raise StoreRefused(
                f"A row of {table.name} holds what this program never writes. `python -m bot verify` says where."
            ) from error
    out.write(_line({"end": sum(held.rows.values()), "sha256": hash.hexdigest()}).encode() + b"\n")
    return held


def _rows(connection: Connection, table: Table) -> Iterator[dict[str, Any]]:
    # By bytes everywhere: what a database takes for the order of letters depends on where it was set up.
    how = "C" if connection.dialect.name == "postgresql" else "BINARY"
    order = [one if isinstance(one.type, Integer) else collate(one, how) for one in table.primary_key.columns]
    wanted = columns(table)
    found = connection.execute(select(*wanted).order_by(*order), execution_options={"yield_per": ROWS_PER_BATCH})
    for row in found:
        yield {column.name: _plain(value) for column, value in zip(wanted, row, strict=True)}


def _plain(value: object) -> object:
    return timestamps.to_text(value) if isinstance(value, datetime) else value


# -- in -------------------------------------------------------------------------------------------------


def read(connection: Connection, source: BinaryIO) -> Contents:
    """Write all of a file into empty tables of this program's shape, in the caller's transaction.

    Raises StoreRefused, with the line, for a file that was cut or changed, is no export, or is of a newer program.
    """
    lines = _Lines(source)
    header, shape = _header(lines)
    counted: dict[str, int] = {}
    by_name = {table.name: table for table in tables()}
    while batch := list(islice(_batch(lines), ROWS_PER_BATCH)):
        name = batch[0][0]
        table = by_name.get(name)
        if table is None:
            raise lines.refused(f"there is no table {name[:40]!r}")
        rows = [_values(lines, table, fields) for _, fields in batch]
        try:
            connection.execute(insert(table), rows)
        except (DBAPIError, ValueError, TypeError) as error:
            # what the driver says holds what people wrote
            kind = type(getattr(error, "orig", None) or error).__name__
            raise lines.refused(f"rows of {name} up to here are not taken by this database ({kind})") from error
        counted[name] = counted.get(name, 0) + len(rows)
    if {name: count for name, count in header.items() if count} != counted or not lines.ended:
        raise lines.refused("other numbers of rows stand there than the header counts")
    schema.backfill(connection, shape)
    return contents(connection)


def check_file(source: BinaryIO) -> None:
    """Raise StoreRefused unless the file is whole. Nothing is written."""
    lines = _Lines(source)
    _header(lines)
    while next(_batch(lines), None) is not None:
        pass
    if not lines.ended:
        raise lines.refused("it was cut off")


class _Lines:
    """The objects of a file, one after the other. `kept` is put back in front."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._hash = hashlib.sha256()
        self._rows = -1  # the header is none
        self.number = 0
        self.ended = False
        self.kept: dict[str, Any] | None = None

    def refused(self, why: str) -> StoreRefused:
        return StoreRefused(f"The file is not a whole export of this program: line {self.number}: {why}.")

    def next(self) -> dict[str, Any] | None:
        """The next row; None at the end, where the digest was right."""
        if self.ended:
            return None
        if self.kept is not None:
            kept, self.kept = self.kept, None
            return kept
        self.number += 1
        data = self._source.readline(MAX_LINE_BYTES)
        if not data.endswith(b"\n"):
            raise self.refused("it was cut off" if len(data) < MAX_LINE_BYTES else "it is too long")
        try:
            fields = json.loads(data)
        except (ValueError, RecursionError):
            raise self.refused("this is not JSON") from None
        if not isinstance(fields, dict):
            raise self.refused("this is not an object")
        if "end" in fields:
            self._end(fields)
            return None
        self._hash.update(data)
        self._rows += 1
        return fields

    def _end(self, fields: dict[str, Any]) -> None:
        if fields.get("end") != self._rows or fields.get("sha256") != self._hash.hexdigest():
            raise self.refused("the digest does not fit: something was changed or is missing")
        if self._source.read(1):
            raise self.refused("something follows after the end")
        self.ended = True


def _header(lines: _Lines) -> tuple[dict[str, int], str]:
    """How many rows of each table, and the shape in which they were written."""
    fields = lines.next()
    if fields is None or fields.get("format") != FORMAT:
        raise lines.refused("this is not a header")
    if fields.get("version") != VERSION or fields.get("schema") not in schema.known_revisions():
        raise StoreRefused("The file was made by a newer version of this program. Install that version.")
    counts = fields.get("tables")
    if not isinstance(counts, dict) or not all(isinstance(one, int) for one in counts.values()):
        raise lines.refused("this is not a header")
    return counts, str(fields["schema"])


def _batch(lines: _Lines) -> Iterator[tuple[str, dict[str, Any]]]:
    """The rows that follow, as long as they are of one table and have the same columns."""
    first: tuple[str, frozenset[str]] | None = None
    while (fields := lines.next()) is not None:
        shape = str(fields.get("table")), frozenset(fields)
        if first is not None and shape != first:
            lines.kept = fields
            return
        first = shape
        yield shape[0], fields


def _values(lines: _Lines, table: Table, fields: dict[str, Any]) -> dict[str, Any]:
    """A row as the database takes it; a column that came later than the file has its default."""
    wanted = {column.name: column for column in columns(table)}
    if unknown := set(fields) - set(wanted) - {"table"}:
        raise lines.refused(f"{table.name} has no column {min(unknown)[:40]!r}")
    needed = {name for name, column in wanted.items() if not column.nullable and column.server_default is None}
    if missing := needed - set(fields):
        raise lines.refused(f"a row of {table.name} lacks {min(missing)!r}")
    try:
        return {name: _value(wanted[name], value) for name, value in fields.items() if name != "table"}
    except ValueError:
        raise lines.refused(f"a value of {table.name} is of another kind than its column") from None


def _value(column: Column[Any], value: object) -> object:
    if value is None:
        return None
    if isinstance(column.type, UtcTimestamp):
        if not isinstance(value, str):
            raise ValueError
        return timestamps.from_text(value)
    kind = bool if isinstance(column.type, Boolean) else int if isinstance(column.type, Integer) else str
    if type(value) is not kind:
        raise ValueError
    return value
