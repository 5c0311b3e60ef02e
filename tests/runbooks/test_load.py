"""A folder with good and bad files: the good ones serve, the bad ones say what and where."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.runbooks import load
from bot.runbooks.load import MAX_FILE_BYTES
from bot.runbooks.revision import Git

from .writing import GOOD, PROBES, shelf_of, titled


def test_one_bad_file_leaves_the_others(tmp_path: Path) -> None:
    shelf = shelf_of(tmp_path, good=GOOD, bad=titled("Bad", body="## 1. X\n- [ ]\n"))
    assert list(shelf.runbooks) == ["good"]
    (problem,) = shelf.problems
    assert str(problem) == f"{tmp_path / 'bad.md'}:6: This step has no text."


@pytest.mark.parametrize(
    ("name", "content", "line", "sentence"),
    [
        pytest.param("x", b"---\ntitle: A\n\xff", 3, "not UTF-8", id="not UTF-8"),
        pytest.param("x", "é".encode("utf-16"), 1, "not UTF-8", id="UTF-16"),
        pytest.param("x", b"a" * (MAX_FILE_BYTES + 1), 1, "larger than 256 KB", id="too large"),
        pytest.param("x", b"", 1, "no front matter", id="empty"),
        pytest.param("Big_Name", GOOD.encode(), 1, "small letters", id="capitals in the name"),
        pytest.param("a b", GOOD.encode(), 1, "small letters", id="a space in the name"),
        pytest.param("README", GOOD.encode(), 1, "small letters", id="README with front matter"),
    ],
)
def test_a_file_that_is_not_served(tmp_path: Path, name: str, content: bytes, line: int, sentence: str) -> None:
    (tmp_path / f"{name}.md").write_bytes(content)
    shelf = load(tmp_path, known_probes=PROBES)
    assert not shelf.runbooks
    assert [(one.path.stem, one.line) for one in shelf.problems] == [(name, line)]
    assert sentence in shelf.problems[0].sentence


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("README.md", b"# Runbooks\n", id="the index"),
        pytest.param(".#x.md", b"?", id="an editor's lock"),
        pytest.param("x.txt", b"?", id="another kind of file"),
    ],
)
def test_a_file_that_is_none_of_ours(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    shelf = load(tmp_path, known_probes=PROBES)
    assert (dict(shelf.runbooks), shelf.problems) == ({}, ())


def test_a_byte_order_mark_and_windows_lines(tmp_path: Path) -> None:
    text = b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode()
    assert shelf_of(tmp_path, good=text).runbooks["good"].steps[0].text == "Do this."


def test_a_link_stays_inside(tmp_path: Path) -> None:
    folder = tmp_path / "runbooks"
    folder.mkdir()
    (tmp_path / "secret.md").write_text(GOOD)
    (folder / "out.md").symlink_to(tmp_path / "secret.md")
    (folder / "broken.md").symlink_to(folder / "nothing")
    (folder / "loop.md").symlink_to(folder / "loop.md")
    (folder / "there.txt").write_text(GOOD)
    (folder / "in.md").symlink_to(folder / "there.txt")
    shelf = load(folder, known_probes=PROBES)
    assert list(shelf.runbooks) == ["in"]
    assert {one.path.stem: one.sentence for one in shelf.problems} == {
        "out": "This link leads out of the folder, so it is not followed.",
        "broken": "This file cannot be opened.",
        "loop": "This file cannot be opened.",
    }


def test_what_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "folder.md").mkdir()
    os.mkfifo(tmp_path / "pipe.md")  # opening it would wait for a writer for ever
    assert [one.sentence for one in load(tmp_path, known_probes=PROBES).problems] == ["This is not a file."] * 2


def test_no_folder(tmp_path: Path) -> None:
    shelf = load(tmp_path / "none", known_probes=PROBES)
    assert [one.sentence for one in shelf.problems] == ["This folder of runbooks cannot be read."]


def test_two_of_a_title(tmp_path: Path) -> None:
    shelf = shelf_of(tmp_path, a=titled("Same"), b=titled("same"))
    assert list(shelf.runbooks) == ["a"]
    assert [str(one) for one in shelf.problems] == [f"{tmp_path / 'b.md'}:1: “same” is already the title of a.md."]


def test_an_alert_belongs_to_one(tmp_path: Path) -> None:
    shelf = shelf_of(tmp_path, a=titled("A", "alerts: [Down]\n"), b=titled("B", "alerts: [DOWN, Slow]\n"))
    assert shelf.runbooks["b"].alerts == ("Slow",)
    assert [one.path.stem for one in shelf.problems] == ["b"]


def test_related(tmp_path: Path) -> None:
    shelf = shelf_of(tmp_path, a=titled("A", "related: [b, c]\n"), b=titled("B"))
    assert shelf.related == {"a": ("b",), "b": ()}
    assert [one.sentence for one in shelf.problems] == ["The related runbook “c” is not here."]
    assert set(shelf.runbooks) == {"a", "b"}


# -- revisions ------------------------------------------------------------------------------------


def _git(folder: Path, *words: str) -> str:
    settings_ = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    command = ["git", *settings_, "-C", str(folder), *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_the_revision_names_the_content(tmp_path: Path) -> None:
    folder = tmp_path / "ops" / "runbooks"
    folder.mkdir(parents=True)
    before = shelf_of(folder, a=titled("A"), b=titled("B")).runbooks["a"].revision
    assert before.startswith("file ")
    assert len(before) == len("file ") + 10

    _git(tmp_path, "init", "-q")
    assert shelf_of(folder).runbooks["a"].revision == before, "nothing is committed yet"

    _git(tmp_path, "add", "ops/runbooks/a.md")
    assert shelf_of(folder).runbooks["a"].revision == before, "added is not committed"

    _git(tmp_path, "commit", "-q", "-m", "a")
    first = _git(tmp_path, "log", "-1", "--format=%h")
    _git(tmp_path, "add", ".")
    _git(tmp_path, "commit", "-q", "-m", "b")
    second = _git(tmp_path, "log", "-1", "--format=%h")
    shelf = shelf_of(folder)
    assert (shelf.runbooks["a"].revision, shelf.runbooks["b"].revision) == (first, second)

    edited = shelf_of(folder, a=titled("A", "owner: me\n")).runbooks["a"].revision
    assert edited.startswith("file ")
    assert edited != before


def test_git_out_of_time_is_no_error(tmp_path: Path) -> None:
    assert Git(tmp_path, patience=0.0).revision(tmp_path / "a.md", b"") is None


# -- whatever lies there --------------------------------------------------------------------------


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(st.binary(max_size=300) | st.binary(max_size=100).map(lambda tail: GOOD.encode() + tail))
def test_no_bytes_raise(tmp_path: Path, content: bytes) -> None:
    shelf = shelf_of(tmp_path, good=titled("Good"), x=content)
    assert "good" in shelf.runbooks
    assert len(shelf.runbooks) == 2 or shelf.problems
