"""Why a database is not opened, read on, or written."""

from __future__ import annotations

from bot.domain.errors import Conflict


class StoreRefused(Exception):
    """The database cannot be used as it is. The message says why and what to do."""


class Damaged(Exception):
    """A timeline cannot be read as it was written: `verify` says where."""


__all__ = ["Conflict", "Damaged", "StoreRefused"]
