"""What the wheel holds: pyproject.toml lists every package and every file of the page, and no test."""

from __future__ import annotations

import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((HERE / "pyproject.toml").read_text(encoding="utf-8"))
SETUPTOOLS = PROJECT["tool"]["setuptools"]
#: folders that are no part of the wheel
LEFT_OUT = ("build", "tests", "__pycache__")
#: files that describe the distribution
ABOUT = {"LICENSE", "README.md", "pyproject.toml"}


def shipped() -> list[Path]:
    """The files on the disk that belong into the wheel."""
    files = [path.relative_to(HERE) for path in HERE.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    left_out = [path for path in files if any(one in LEFT_OUT or one.endswith(".egg-info") for one in path.parts)]
    return sorted(set(files) - set(left_out) - {Path(name) for name in ABOUT})


def test_every_package_is_listed() -> None:
    folders = {path.parent for path in shipped()}
    assert sorted(SETUPTOOLS["packages"]) == sorted(".".join(("localslack", *folder.parts)) for folder in folders)


def test_every_file_that_is_not_python_is_package_data() -> None:
    listed = {
        path.relative_to(HERE)
        for package, patterns in SETUPTOOLS["package-data"].items()
        for pattern in patterns
        for path in HERE.joinpath(*package.split(".")[1:]).glob(pattern)
    }
    assert sorted(listed) == [path for path in shipped() if path.suffix != ".py"]
