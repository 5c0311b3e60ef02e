"""The book of rules: reading docs/slack-rules.md, and saying which rule a test is for."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

ROOT = Path(__file__).resolve().parents[3]
BOOK = ROOT / "docs" / "slack-rules.md"
ID = re.compile(r"SR-[A-Z]{3}-\d\d")
SPAN = re.compile(r"(SR-[A-Z]{3}-)(\d\d) to (SR-[A-Z]{3}-)(\d\d)")
_ROW = re.compile(r"^\| (SR-[A-Z]{3}-\d\d) \| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)

Test = TypeVar("Test", bound=Callable[..., Any])


def rules() -> dict[str, tuple[str, str, str]]:
    """Every rule of the book: id -> (sentence, figure, source)."""
    rows = _ROW.findall(BOOK.read_text(encoding="utf-8"))
    assert len({row[0] for row in rows}) == len(rows), "an id stands in the book twice"
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


def cited(text: str) -> set[str]:
    """The ids that a text names, spans (SR-XXX-01 to SR-XXX-04) spelled out."""
    found = set(ID.findall(text))
    for prefix, first, _, last in SPAN.findall(text):
        found |= {f"{prefix}{number:02}" for number in range(int(first), int(last) + 1)}
    return found


def rule(*ids: str) -> Callable[[Test], Test]:
    """Marks a test as that of one rule, or of several that are tried together."""

    def mark(test: Test) -> Test:
        test.rules = ids  # type: ignore[attr-defined]
        return test

    return mark


def case(rule_id: str, *values: Any) -> Any:
    """A row of a parametrized test, named after its rule."""
    return pytest.param(*values, id=rule_id)
