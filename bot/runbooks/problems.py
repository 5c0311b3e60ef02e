"""What is wrong with a runbook, and where."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Problem:
    """One finding. `line` counts from 1; a finding about a whole file stands at line 1."""

    path: Path
    line: int
    sentence: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.sentence}"


@dataclass(frozen=True)
class LineProblem:
    """A problem before the file's name is known: the parsers see text, not files."""

    line: int
    sentence: str
