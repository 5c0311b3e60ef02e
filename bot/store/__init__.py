"""The database: one append-only timeline per incident, one index row beside it, and the calls that follow from it."""

from __future__ import annotations

from bot.store.errors import Damaged, StoreRefused
from bot.store.rows import DeliveryRow, IncidentRow, PersonRow
from bot.store.schema import migrate
from bot.store.store import SqlStore
from bot.store.transaction import SqlTransaction

__all__ = [
    "Damaged",
    "DeliveryRow",
    "IncidentRow",
    "PersonRow",
    "SqlStore",
    "StoreRefused",
    "SqlTransaction",
    "migrate",
]
