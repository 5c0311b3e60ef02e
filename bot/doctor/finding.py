"""What an examination finds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `do` says what to do where it is not ok, or what follows."""

    ok: bool
    what: str
    do: str = ""
