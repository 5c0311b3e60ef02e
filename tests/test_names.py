"""Names: a class is found by its name, so no package has two of one name; words are those of docs/glossary.md."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
GLOSSARY = ROOT / "docs" / "glossary.md"
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
#: names that are stored, or that Slack gave: they keep their spelling
KEPT = {"AskLapsed", "CommsLapsed", "block_kit"}


def trees(package: str) -> Iterator[tuple[Path, ast.Module]]:
    """Every module of a package, its tests apart."""
    for path in sorted((ROOT / package).rglob("*.py")):
        if "tests" not in path.relative_to(ROOT).parts:
            yield path, ast.parse(path.read_text(encoding="utf-8"))


def names(package: str) -> Iterator[tuple[str, str]]:
    """(name, where) of every file, class and function."""
    for path, tree in trees(package):
        where = path.relative_to(ROOT).as_posix()
        yield (path.parent.name if path.stem == "__init__" else path.stem), where
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                yield node.name, where


def words(name: str) -> set[str]:
    """ "FoldedIncident" -> {"folded", "incident"}; plurals as their singular too."""
    found = {one.lower() for one in _WORD.findall(name)}
    return found | {one.removesuffix("s") for one in found}


def table(heading: str) -> list[tuple[str, ...]]:
    """The rows of a table of the glossary."""
    section = GLOSSARY.read_text(encoding="utf-8").split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in section.splitlines() if "|" in line]
    assert len(rows) > 3, heading
    return rows[2:]


def retired() -> set[str]:
    return {word.strip() for row in table("Words that are not ours any more") for word in row[0].split(",")}


@pytest.mark.parametrize("package", ["bot", "localslack"])
def test_no_class_name_stands_twice(package: str) -> None:
    where = defaultdict(list)
    for path, tree in trees(package):
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                where[node.name].append(path.relative_to(ROOT).as_posix())
    assert where and {name: paths for name, paths in where.items() if len(paths) > 1} == {}


@pytest.mark.parametrize("package", ["bot", "localslack"])
def test_no_name_uses_a_word_that_is_not_ours_any_more(package: str) -> None:
    gone = retired()
    assert {"caretaker", "util"} <= gone
    found = {(name, where) for name, where in names(package) if name not in KEPT and words(name) & gone}
    assert found == set()


def test_every_word_of_our_own_is_used() -> None:
    """A word that no name uses any more goes out of the glossary."""
    used = set().union(*(words(name) for name, _ in names("bot")))
    own = [word.strip() for row in table("Words of our own") for word in row[0].split(",")]
    assert [word for word in own if word not in used] == []
    places = [place for row in table("Words of our own") for place in re.findall(r"`([^`]+)`", row[2])]
    assert [place for place in places if not (ROOT / "bot" / place).exists()] == []


# -- constants -------------------------------------------------------------------------------------------

#: what a number's name says: what it bounds (MAX_…, MIN_…), or what it counts
_BOUND = re.compile(r"^_?(MAX|MIN|DEFAULT)_|_ID$|^_?FIRST_")
_UNIT = re.compile(
    r"_(SECONDS|MINUTES|HOURS|DAYS|MS|BYTES|CHARS|COUNT|ATTEMPTS|LIMIT|PORT|VERSION|STATUS|LEDGERS|CONNECTIONS|SHARE)$"
    r"|_PER_[A-Z]+$|PER_SECOND$|_SECONDS_|_REPLICA$|_MODAL$|_EXIT_|^EXIT_"
)


def numbers(package: str) -> Iterator[tuple[str, str]]:
    """(name, where) of every constant of a module that is a number or a product of numbers."""
    for path, tree in trees(package):
        for node in tree.body:
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    pass
                case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                    pass
                case _:
                    continue
            if name.isupper() and _is_number(value):
                yield name, path.relative_to(ROOT).as_posix()


def _is_number(value: ast.expr) -> bool:
    match value:
        case ast.Constant(value=number):
            return isinstance(number, int | float) and not isinstance(number, bool)
        case ast.BinOp(left=left, right=right):
            return _is_number(left) and _is_number(right)
    return False


@pytest.mark.parametrize("package", ["bot", "localslack"])
def test_a_number_says_what_it_bounds_and_in_which_unit(package: str) -> None:
    found = [(name, where) for name, where in numbers(package) if not _BOUND.search(name) and not _UNIT.search(name)]
    assert found == []
