"""The database: one append-only timeline per incident, one index row beside it, and what is owed to the world."""

from __future__ import annotations

from bot.store.errors import Damaged, StoreRefused
from bot.store.rows import Delivery, IncidentRow, Person
from bot.store.schema import migrate
from bot.store.store import Store
from bot.store.transaction import Transaction

__all__ = ["Damaged", "Delivery", "IncidentRow", "Person", "Store", "StoreRefused", "Transaction", "migrate"]
