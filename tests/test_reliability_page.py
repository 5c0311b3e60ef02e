"""docs/reliability.md has every row, and every row names a test that there is, or a reason why nothing is promised."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot import metrics

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
ROWS = {found[1]: found[2].split(" | ") for found in re.finditer(r"^\| ([A-Z]\d+) \| (.+) \|$", PAGE, re.MULTILINE)}
NAMED = sorted(set(re.findall(r"`((?:localslack/)?tests/[\w/.]+?)(?:::(\w+))?`", PAGE)))
#: how many rows of each kind there are
KINDS = {"K": 4, "S": 10, "D": 8, "T": 3, "R": 4, "L": 4, "X": 5, "F": 21}
EXPECTED = [f"{kind}{number}" for kind, many in KINDS.items() for number in range(1, many + 1)]


def test_every_row_is_there_once() -> None:
    assert list(ROWS) == EXPECTED
    assert len(re.findall(r"^\| [A-Z]\d+ \|", PAGE, re.MULTILINE)) == len(EXPECTED)


@pytest.mark.parametrize("id", EXPECTED)
def test_a_row_has_a_test_or_a_reason(id: str) -> None:
    wrong, promised, held = ROWS[id]
    assert wrong and promised
    assert re.search(r"`(?:localslack/)?tests/[\w/.]+::test_\w+`", held) or re.search(
        r"Not promised.*, because ", promised
    )
    # Whatever is not promised has a reason.
    for sentence in re.findall(r"Not promised[^.]*", promised):
        assert "because" in sentence, sentence


@pytest.mark.parametrize(("path", "test"), NAMED, ids=lambda part: part.removeprefix("tests/"))
def test_it_is_there(path: str, test: str) -> None:
    assert (ROOT / path).is_file()
    assert not test or f"def {test}(" in (ROOT / path).read_text(encoding="utf-8")


def test_the_figures_that_it_names_are_told() -> None:
    told = {sample.name for metric in metrics.REGISTRY.collect() for sample in metric.samples}
    named = set(re.findall(r"incident_commander_\w+", PAGE))
    assert named and {one for one in named if not any(each.startswith(one) for each in told)} == set()


def test_the_page_is_found() -> None:
    assert "docs/reliability.md" in (ROOT / "README.md").read_text(encoding="utf-8")
