"""What an examination finds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CheckResult:
    """One thing that was looked at; `advice` says what to do where it is not ok, or what follows."""

    ok: bool
    summary: str
    advice: str = ""
