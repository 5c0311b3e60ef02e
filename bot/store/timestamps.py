"""Moments in the database: aware UTC, fixed width, so that text sorts as time does."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, String
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine


def to_text(at: datetime) -> str:
    """`2026-11-20T14:32:00.000000Z`. Raises ValueError for a datetime without a time zone."""
    return _aware(at).astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def from_text(text: str) -> datetime:
    """The moment that `to_text` wrote. Raises ValueError for any other spelling, even of the same moment."""
    at = datetime.fromisoformat(text)
    if at.utcoffset() is None or to_text(at) != text:
        raise ValueError("not a moment as this program writes it")
    return at


def _aware(at: datetime) -> datetime:
    if at.utcoffset() is None:
        raise ValueError("a moment without a time zone cannot be stored")
    return at


class UtcTimestamp(TypeDecorator[datetime]):
    """Text on SQLite (which has no type for it), timestamptz on PostgreSQL."""

    impl = String(27)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(DateTime(timezone=True))
        return dialect.type_descriptor(String(27))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        # asyncpg would take what has no time zone for local time
        return _aware(value) if dialect.name == "postgresql" else to_text(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.astimezone(UTC) if isinstance(value, datetime) else from_text(value)
