"""Names: a class is found by its name, so no package has two of one name."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("package", ["bot", "localslack"])
def test_no_class_name_stands_twice(package: str) -> None:
    where = defaultdict(list)
    for path in sorted((ROOT / package).rglob("*.py")):
        if "tests" in path.relative_to(ROOT).parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                where[node.name].append(path.relative_to(ROOT).as_posix())
    assert where and {name: paths for name, paths in where.items() if len(paths) > 1} == {}
