"""What a probe says: one of four states, one sentence, and the evidence behind it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ReadingState(StrEnum):
    """Never ok by default: what could not be read is unknown."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Evidence:
    """One source's part of a reading. `source` is a configured name, never a URL that could hold a key."""

    source: str
    state: ReadingState
    sentence: str
    took: float = 0.0  # seconds


@dataclass(frozen=True)
class Reading:
    """The verdict of a probe at one moment, in one sentence that a tired person understands."""

    probe: str
    state: ReadingState
    sentence: str
    at: datetime
    evidence: tuple[Evidence, ...] = ()
