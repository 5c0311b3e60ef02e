"""A runbook from a hand that means ill is refused with its file and line, and nothing outside the folder is read."""

from __future__ import annotations

import time
import tracemalloc
from pathlib import Path

import pytest

from bot.runbooks import load

from .writing import GOOD, PROBES, titled

BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        pytest.param(titled("A", "owner: !!python/object/apply:os.system ['id']\n"), 4, id="YAML that runs"),
        pytest.param(titled("A", "owner: !!python/name:os.system\n"), 4, id="YAML that names what runs"),
        pytest.param(titled("A", BOMB), 5, id="a bomb of anchors"),
        pytest.param(titled("A", "related: &a [*a]\n"), 4, id="a list in itself"),
        pytest.param(titled("A", "related: " + "[" * 9000 + "\n"), 2, id="brackets without end"),
        pytest.param(titled("A", "reviewed: 2026-13-45\n"), 4, id="a day that is none"),
        pytest.param(titled("A", "related: [../../etc/passwd]\n"), 1, id="a related file outside"),
    ],
)
def test_refused_with_its_line_within_bounds(tmp_path: Path, content: str, line: int) -> None:
    (tmp_path / "bad.md").write_text(content)
    (tmp_path / "good.md").write_text(titled("Good"))
    tracemalloc.start()
    begun = time.process_time()
    shelf = load(tmp_path, known_probes=PROBES)
    taken, (_, most) = time.process_time() - begun, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "good" in shelf.runbooks
    assert [(one.path.name, one.line) for one in shelf.problems][:1] == [("bad.md", line)], shelf.problems
    assert taken < 2.0 and most < 64 * 1024 * 1024
    assert not shelf.related.get("bad")


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "huge.md").open("wb") as file:
        file.truncate(10 * 1024**3)  # sparse: it takes no room
    tracemalloc.start()
    shelf = load(tmp_path, known_probes=PROBES)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "larger than" in shelf.problems[0].sentence and most < 8 * 1024 * 1024


@pytest.mark.parametrize("word", ["../secret", "/etc/passwd", "..", "secret.md", "%2e%2e/secret", "secret\x00"])
def test_a_name_is_no_path(tmp_path: Path, word: str) -> None:
    """What people type is looked up among what was loaded; it never becomes a path."""
    folder = tmp_path / "runbooks"
    folder.mkdir()
    (tmp_path / "secret.md").write_text(GOOD)
    shelf = load(folder, known_probes=PROBES)
    assert shelf.find(word) is None and shelf.close_matches(word) == []
