"""docs/security.md names tests that there are: no defence is only told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`((?:localslack/)?tests/[\w/.]+?)(?:::(\w+))?`", PAGE)))
ALONE = sorted(set(re.findall(r"`(test_\w+)`", PAGE)))


@pytest.mark.parametrize(("path", "test"), NAMED, ids=lambda part: part.removeprefix("tests/"))
def test_it_is_there(path: str, test: str) -> None:
    assert (ROOT / path).exists()
    assert not test or f"def {test}(" in (ROOT / path).read_text(encoding="utf-8")


def test_those_named_alone_are_there() -> None:
    everything = "".join(
        path.read_text(encoding="utf-8")
        for path in [*(ROOT / "tests").rglob("*.py"), *(ROOT / "localslack/tests").rglob("*.py")]
    )
    assert ALONE and [one for one in ALONE if f"def {one}(" not in everything] == []


def test_the_page_is_found() -> None:
    assert "docs/security.md" in (ROOT / "SECURITY.md").read_text(encoding="utf-8")
