"""What the wheel holds: pyproject.toml lists every package and every file of the page, and no test."""

from __future__ import annotations

import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((HERE / "pyproject.toml").read_text(encoding="utf-8"))
SETUPTOOLS = PROJECT["tool"]["setuptools"]
#: folders that are no part of the wheel
LEFT_OUT = ("build", "tests", "__pycache__")


def shipped(path: Path) -> bool:
    return not any(part in LEFT_OUT or part.endswith(".egg-info") for part in path.relative_to(HERE).parts)


def test_every_package_is_listed() -> None:
    folders = [path.parent for path in HERE.rglob("__init__.py") if shipped(path)]
    names = [".".join(("localslack", *folder.relative_to(HERE).parts)) for folder in folders]
    assert sorted(SETUPTOOLS["packages"]) == sorted(names)


def test_every_other_file_is_package_data() -> None:
    """But for those that describe the distribution itself."""
    about = {"LICENSE", "README.md", "pyproject.toml"}
    data = {path for pattern in SETUPTOOLS["package-data"]["localslack"] for path in HERE.glob(pattern)}
    others = {
        path for path in HERE.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc") and shipped(path)
    }
    assert {path.relative_to(HERE).as_posix() for path in others - data} == about
    assert data <= others


def test_every_python_file_is_in_a_listed_package() -> None:
    folders = {HERE.joinpath(*name.split(".")[1:]) for name in SETUPTOOLS["packages"]}
    assert [path for path in HERE.rglob("*.py") if shipped(path) and path.parent not in folders] == []
