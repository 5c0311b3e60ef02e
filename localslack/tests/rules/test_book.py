"""The book, the code and the tests agree: each rule is enforced, each is tested, and nothing else is cited."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from localslack.faults import KINDS
from localslack.methods import METHODS
from localslack.tests.rules.book import ID, ROOT, cited, rules

HERE = Path(__file__).parent
PACKAGE = ROOT / "localslack"
CODE = sorted(path for path in PACKAGE.rglob("*.py") if PACKAGE / "tests" not in path.parents)
TESTS = sorted(path for path in HERE.glob("test_*.py") if path.name != Path(__file__).name)


def covered() -> dict[str, list[str]]:
    """Rule -> the tests that name it: in @rule(…) of a test, or as the first word of a case(…) row."""
    found: dict[str, list[str]] = {}
    for path in TESTS:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("rule", "case"):
                names = node.args if getattr(node.func, "id", "") == "rule" else node.args[:1]
                for name in names:
                    assert isinstance(name, ast.Constant), f"{path.name}:{node.lineno}: an id is written out"
                    found.setdefault(str(name.value), []).append(f"{path.name}:{node.lineno}")
    return found


def test_every_rule_has_a_test() -> None:
    assert sorted(set(rules()) - set(covered())) == []


def test_every_test_is_of_a_rule_that_exists() -> None:
    assert sorted(set(covered()) - set(rules())) == []


def test_the_code_cites_every_rule_and_no_other() -> None:
    named = {one: path.name for path in CODE for one in cited(path.read_text(encoding="utf-8"))}
    unknown = sorted(f"{named[one]}: {one}" for one in set(named) - set(rules()))
    assert (unknown, sorted(set(rules()) - set(named))) == ([], [])


def test_every_rule_has_a_figure_and_a_source() -> None:
    assert [one for one, (_, figure, source) in rules().items() if not figure.strip() or not source.strip()] == []


def test_the_ids_are_counted_without_gaps() -> None:
    families: dict[str, list[int]] = {}
    for one in rules():
        assert ID.fullmatch(one)
        families.setdefault(one[:6], []).append(int(one[7:]))
    assert {name: numbers for name, numbers in families.items() if numbers != list(range(1, len(numbers) + 1))} == {}


# -- the local Slack's own document ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "names", [pytest.param(list(METHODS), id="methods"), pytest.param(list(KINDS), id="kinds of faults")]
)
def test_the_document_of_the_local_slack_names_everything(names: list[str]) -> None:
    page = (ROOT / "docs" / "local-slack.md").read_text(encoding="utf-8")
    assert [name for name in names if f"`{name}`" not in page] == []
