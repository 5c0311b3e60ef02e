"""Why a database is not opened, or not read on."""

from __future__ import annotations


class StoreRefused(Exception):
    """The database cannot be used as it is. The message says why and what to do."""


class Damaged(Exception):
    """A timeline cannot be read as it was written: `verify` says where."""
