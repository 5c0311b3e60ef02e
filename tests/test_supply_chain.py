"""What is installed is what was locked; what is known of it is told, and what is not known is told too."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
LOCK = (ROOT / "requirements.lock").read_text()
PINNED = re.compile(r"^([a-z0-9._-]+)==([^\s;\\]+)", re.M)


def script(name: str) -> ModuleType:
    """A program of .ci, as a module."""
    loader = SourceFileLoader(f"ci_{name}", str(ROOT / ".ci" / name))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
    try:
        module = module_from_spec(spec)
        loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = before
    return module


def test_everything_locked_has_a_version_and_hashes() -> None:
    entries = re.split(r"^(?=[A-Za-z0-9])", LOCK, flags=re.M)[1:]
    assert len(entries) > 50
    assert [one for one in entries if not PINNED.match(one) or "--hash=sha256:" not in one] == []
    assert "http://" not in LOCK and "git+" not in LOCK


@pytest.mark.parametrize("path", ["Makefile", ".ci/run"])
def test_nothing_is_installed_without_its_hash(path: str) -> None:
    """But for the two packages of this repository, and the program that writes the lock."""
    lines = [line for line in (ROOT / path).read_text().splitlines() if re.search(r"pip install", line)]
    assert any("--require-hashes -r requirements.lock" in line for line in lines)
    rest = [line for line in lines if "--require-hashes" not in line]
    assert [line for line in rest if "--no-deps" not in line and "$(UV)" not in line] == []
    assert [line for line in rest if "--no-deps" in line and "--editable . --editable ./localslack" not in line] == []


@pytest.mark.parametrize("path", ["pyproject.toml", "localslack/pyproject.toml"])
def test_what_a_package_needs_is_locked(path: str) -> None:
    project = tomllib.loads((ROOT / path).read_text(encoding="utf-8"))["project"]
    needed = [*project["dependencies"], *project.get("optional-dependencies", {}).get("dev", [])]
    names = {re.split(r"[\[<>=,;]", each)[0] for each in needed}
    assert names and names - {name for name, _ in PINNED.findall(LOCK)} == set()
    assert "localslack" not in dict(PINNED.findall(LOCK))


def test_both_packages_come_under_the_same_licence() -> None:
    assert (ROOT / "localslack" / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_the_bill_of_materials_lists_everything_locked(tmp_path: Path) -> None:
    out = tmp_path / "sbom.json"
    subprocess.run([sys.executable, str(ROOT / ".ci/sbom"), str(out)], check=True, capture_output=True, timeout=60)
    bill = json.loads(out.read_text())
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert bill["metadata"]["component"]["name"] == "incident-commander"
    locked = [one for one in bill["components"] if one["name"] != "localslack"]
    listed = {(one["name"], one["version"]) for one in locked}
    assert listed == set(PINNED.findall(LOCK))
    assert all(one["purl"].startswith("pkg:pypi/") and one["hashes"] for one in locked)
    known = [one for one in bill["components"] if one.get("licenses")]
    assert len(known) > 0.8 * len(listed)

    slack = next(one for one in bill["components"] if one["name"] == "localslack")
    needs = {one["ref"]: one.get("dependsOn", []) for one in bill["dependencies"]}
    assert slack["bom-ref"] in needs[bill["metadata"]["component"].get("bom-ref") or ""]
    assert {ref.partition("==")[0] for ref in needs[slack["bom-ref"]]} == {"aiohttp", "pyyaml", "typer", "yarl"}


FINE: dict[str, Any] = {"name": "a", "version": "1", "vulns": []}
HOLE = {"name": "b", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3"]}]}
SKIPPED = {"name": "c", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("found", "required", "status", "says"),
    [
        pytest.param([FINE, FINE], True, 0, "2 locked dependencies, none known", id="asked, and fine"),
        pytest.param([FINE, HOLE], False, 1, "b 2: PYSEC-1, fixed in 3", id="one is vulnerable"),
        pytest.param([SKIPPED, HOLE], False, 1, "PYSEC-1", id="one is vulnerable, another not known"),
        pytest.param([FINE, SKIPPED], False, 0, "NOT AUDITED: 1 of 2", id="one was not known"),
        pytest.param([FINE, SKIPPED], True, 1, "NOT AUDITED: 1 of 2", id="one was not known, for a release"),
        pytest.param(None, False, 0, "NOT AUDITED", id="nobody answered"),
        pytest.param(None, True, 1, "NOT AUDITED", id="nobody answered, for a release"),
        pytest.param([], False, 0, "NOT AUDITED", id="an empty answer"),
    ],
)
def test_what_the_audit_says(found: Any, required: bool, status: int, says: str) -> None:
    ended, lines = script("audit").judged(found, required)
    assert ended == status
    assert says in "\n".join(lines)
