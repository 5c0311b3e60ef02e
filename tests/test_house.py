"""Rules about the code that no other tool looks after."""

from __future__ import annotations

import ast
import graphlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
#: where everything is that is kept in git
FOLDERS = (".ci", "bench", "bot", "comms_templates", "docs", "localslack", "runbooks", "tests")
LONGEST = 450

#: Files that may be longer, because their being one file is the point.
LONG = {
    "bot/domain/events.py": "every fact there is, one sentence each, in one place",
}


#: the packages that are distributed, and the folders of their tests
PACKAGES, TESTS = ("bot", "localslack"), ("tests", "localslack/tests")


def sources(*folders: str) -> list[Path]:
    """Their Python files; of a package without its tests, which travel in its folder."""
    found = {path for folder in folders for path in (ROOT / folder).rglob("*.py")}
    inside = [ROOT / one for one in TESTS if one not in folders]
    return sorted(path for path in found if not any(each in path.parents for each in inside))


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def kept() -> Iterator[Path]:
    """The files of the project that are text."""
    folders = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*")]
    for path in [*ROOT.iterdir(), *folders]:
        if path.is_file() and "__pycache__" not in path.parts and path.suffix not in (".png", ".pyc", ".sqlite"):
            yield path


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def test_no_file_is_too_long_to_read_in_one_go() -> None:
    lines = {name(path): text(path).count("\n") for path in sources(*PACKAGES)}
    assert {where: count for where, count in lines.items() if count > LONGEST and where not in LONG} == {}
    assert [where for where in LONG if lines.get(where, 0) <= LONGEST] == [], "these need no exception any more"


@pytest.mark.parametrize("folder", [*PACKAGES, *TESTS])
def test_every_file_says_what_it_holds(folder: str) -> None:
    blunt = r"(utils?|helpers?|base|managers?|core|common|misc)\.py"
    assert [name(path) for path in sources(folder) if re.fullmatch(blunt, path.name)] == []


def test_every_module_says_what_it_is() -> None:
    silent = [
        name(path) for path in sources(*PACKAGES) if text(path).strip() and not ast.get_docstring(ast.parse(text(path)))
    ]
    assert silent == []


def test_tests_drive_real_things() -> None:
    # taken apart, so that this file does not name what it looks for
    forbidden = re.compile(
        "|".join((r"mock\.pat" + "ch", "Magic" + "Mock", "Async" + "Mock", r"monkeypatch\.set" + "attr"))
    )
    assert [name(path) for path in sources(*TESTS) if forbidden.search(text(path))] == []


def test_the_project_speaks_of_itself_alone() -> None:
    outside = re.compile(r"\.\./" + "shared")
    found = [name(path) for path in kept() if outside.search(text(path))]
    # CI takes more recorded payloads from beside the checkout, where a machine has them
    assert [where for where in found if where != ".ci/run"] == []


def test_the_domain_imports_the_standard_library_only() -> None:
    foreign = []
    for path in sources("bot/domain"):
        for node in ast.walk(ast.parse(text(path))):
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            modules += [one.name for one in node.names] if isinstance(node, ast.Import) else []
            foreign += [
                f"{name(path)}: {module}"
                for module in modules
                if module.partition(".")[0] not in sys.stdlib_module_names
                and not f"{module}.".startswith("bot.domain.")
            ]
    assert foreign == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Not through others, not inside a function, and not for types alone."""
    modules = {
        name(path).removesuffix(".py").removesuffix("/__init__").replace("/", "."): path for path in sources(*PACKAGES)
    }
    graph: dict[str, set[str]] = {}
    for module, path in modules.items():
        graph[module] = set()
        for node in ast.walk(ast.parse(text(path))):
            if isinstance(node, ast.ImportFrom):
                found = [f"{node.module}.{one.name}" for one in node.names]
                graph[module] |= {each if each in modules else str(node.module) for each in found}
            elif isinstance(node, ast.Import):
                graph[module] |= {one.name for one in node.names}
        graph[module] &= modules.keys() - {module}
    graphlib.TopologicalSorter(graph).prepare()  # CycleError names a circle


def test_only_the_settings_read_the_environment() -> None:
    # The demo hands its own environment on to the processes that it starts.
    allowed = {"bot/config.py", "bot/demo/demo.py"}
    reading = {name(path) for path in sources(*PACKAGES) if re.search(r"\bos\.environ\b|\bgetenv\(", text(path))}
    assert reading <= allowed


#: what takes a text apart
TAKES_APART = frozenset({
    "startswith", "endswith", "removeprefix", "removesuffix", "partition", "rpartition", "split", "rsplit", "find",
    "index", "like",
})  # fmt: skip
#: what takes the text apart that it is handed
PATTERNS = frozenset({"match", "fullmatch", "search", "findall", "finditer", "sub"})


def is_key(node: ast.AST) -> bool:
    """`message.key`, `effects.c.key` or just `key`."""
    return (isinstance(node, ast.Attribute) and node.attr == "key") or (isinstance(node, ast.Name) and node.id == "key")


def read_keys(source: str) -> list[str]:
    """Where this program reads more out of a key than whether it is a certain one."""
    found: list[ast.expr] = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Attribute(value=value, attr=attr) if attr in TAKES_APART and is_key(value):
                found.append(node)
            case ast.Subscript(value=value) if is_key(value):
                found.append(node)
            case ast.Call(func=ast.Attribute(attr=attr), args=args) if attr in PATTERNS and any(map(is_key, args)):
                found.append(node)
            case ast.Compare(left=left, comparators=others) if is_key(left) or any(map(is_key, others)):
                words = [one for each in (left, *others) for one in getattr(each, "elts", [each])]
                if any(isinstance(one, ast.Constant) and isinstance(one.value, str) and one.value for one in words):
                    found.append(node)
    return [ast.unparse(node) for node in found]


def test_nobody_reads_a_messages_key() -> None:
    """How a message is treated stands in its fields. Rows of before had only keys, so migrations read them."""
    found = {
        name(path): said
        for path in sources("bot/reconciler", "bot/slack", "bot/store")
        if "migrations" not in path.parts and (said := read_keys(text(path)))
    }
    assert found == {}


@pytest.mark.parametrize(
    "source",
    [
        'message.key.startswith("section:")',
        "or_(*map(_f.key.startswith, PREFIXES))",
        'key.partition(":")[0]',
        "effect.key[8:]",
        'message.key == "card"',
        'key in ("card", "comms")',
        "any(NUMBER.findall(key))",
        're.match("reminder:", one.key)',
    ],
)
def test_what_reads_a_key_is_found(source: str) -> None:
    assert len(read_keys(source)) == 1


def test_the_tests_of_the_local_slack_do_without_the_bot() -> None:
    imports = re.compile(r"^\s*(?:from|import) (?:bot|tests)\b", re.MULTILINE)
    assert [name(path) for path in sources("localslack/tests") if imports.search(text(path))] == []
