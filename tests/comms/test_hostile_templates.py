"""A template from a hand that means ill costs little time and memory, and reads nothing but itself."""

from __future__ import annotations

import os
import time
import tracemalloc
from pathlib import Path

import pytest

from bot.comms.templates import load

HEAD = "---\ntitle: T\nslots:\n  - {name: what, label: What, kind: text}\n---\n"
PLACE = "internal/x/resolved.j2"


def written(root: Path, source: str | bytes, place: str = PLACE) -> Path:
    path = root / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(source if isinstance(source, bytes) else source.encode())
    return root


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(HEAD + "{{ 'a' * 400000000 }}", id="a text of 400 MB"),
        pytest.param(HEAD + "{{ 10 ** 10 ** 10 }}", id="a number without end"),
        pytest.param(HEAD + "{{ '%300000000d' % 1 }}", id="padding"),
        pytest.param(HEAD + "{{ '%300000000d'|format(1) }}", id="padding by a filter"),
        pytest.param(HEAD + "{{ 'x'|center(300000000) }}", id="centred"),
        pytest.param(HEAD + "{{ 'x'.center(300000000) }}", id="centred by a method"),
        pytest.param(HEAD + "{{ '{0:300000000}'.format(1) }}", id="formatted by a method"),
        pytest.param(
            HEAD + "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}", id="loops"
        ),
        pytest.param(HEAD + "{% for a in 'x'*9 recursive %}{{ loop('xx') }}{% endfor %}", id="a loop in itself"),
        pytest.param(HEAD + "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", id="a macro in itself"),
        pytest.param(HEAD + "{{ lipsum(n=100000) }}", id="lorem ipsum"),
        pytest.param(HEAD + "{{ what.__class__.__mro__[1].__subclasses__() }}", id="the classes of Python"),
        pytest.param(HEAD + "{{ what|attr('__class__') }}", id="the same by a filter"),
        pytest.param(HEAD + "{{ what['__class__'] }}", id="the same by an index"),
        pytest.param(HEAD + "{{ self.__init__.__globals__ }}", id="the template itself"),
        pytest.param(HEAD + "{{ cycler.__init__.__globals__.os.popen('id').read() }}", id="a command"),
        pytest.param(HEAD + "{{ 'a' ~ 'b' }}", id="joining"),
        pytest.param(HEAD + "{% extends '/etc/passwd' %}", id="another file"),
        pytest.param(HEAD + "{{ " + "(" * 9000 + "what" + ")" * 9000 + " }}", id="brackets"),
        pytest.param(HEAD + "{{ " + "not " * 4500 + "what }}", id="a chain of nots"),
        pytest.param(HEAD + "{{ " + "[" * 4000 + "]" * 4000 + " }}", id="lists in lists"),
        pytest.param(HEAD + "{% if what %}" * 700 + "x" + "{% endif %}" * 700, id="sentences in sentences"),
        pytest.param(HEAD + "{{ " + "what if what else " * 900 + "what }}", id="choices in choices"),
        pytest.param("---\ntitle: !!python/object/apply:os.system ['id']\n---\nx", id="YAML that runs"),
        pytest.param("---\ntitle: 2026-13-45\n---\nx", id="YAML with a day that is none"),
        pytest.param("---\ntitle: T\nslots: " + "[" * 9000 + "\n---\nx", id="YAML in brackets"),
        pytest.param("---\ntitle: T\n? [a, b]\n: x\n---\nx", id="YAML with a list as key"),
        pytest.param("---\ntitle: T\n? {a: b}\n: x\n---\nx", id="YAML with a mapping as key"),
        pytest.param(
            "---\na: &a [x]\nb: &b [*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b]\ntitle: T\n---\nx", id="a bomb of aliases"
        ),
        pytest.param("---\ntitle: T\nslots: &s [*s]\n---\nx", id="a list in itself"),
        pytest.param("---\ntitle: T\nslots:\n  - &a {name: w, label: W, kind: text}\n  - *a\n---\nx", id="an alias"),
        pytest.param(b"---\ntitle: T\n---\n\xff\xfe", id="no UTF-8"),
    ],
)
def test_refused_within_bounds(tmp_path: Path, source: str | bytes) -> None:
    root = written(tmp_path, source)
    tracemalloc.start()
    begun = time.process_time()
    library = load(root)
    taken, (_, most) = time.process_time() - begun, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert library.templates == ()
    assert len(library.problems) == 1 and library.problems[0].startswith(PLACE + ":")
    # What is let through takes minutes or gigabytes. The tracing makes it five times slower, and a busy machine twice.
    assert taken < 10.0 and most < 64 * 1024 * 1024, (taken, most)


def test_no_file_outside_the_folder_is_read(tmp_path: Path) -> None:
    outside = tmp_path / "secret.j2"
    outside.write_text(HEAD + "secret")
    root = tmp_path / "texts"
    for number, target in enumerate((outside, Path("/etc/passwd"), tmp_path / "nothing")):
        (root / f"internal/link{number}").mkdir(parents=True)
        (root / f"internal/link{number}/resolved.j2").symlink_to(target)
    (root / "internal/pipe").mkdir()
    os.mkfifo(root / "internal/pipe/resolved.j2")  # opening it would wait for a writer for ever
    (root / "internal/folder/resolved.j2").mkdir(parents=True)
    library = load(root)
    assert library.templates == ()
    assert len(library.problems) == 5
    assert "secret" not in "".join(library.problems) and "root:" not in "".join(library.problems)


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    root = written(tmp_path, b"")
    with (root / PLACE).open("r+b") as file:
        file.truncate(10 * 1024**3)  # sparse: it takes no room
    tracemalloc.start()
    problems = load(root).problems
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "larger than" in problems[0] and most < 4 * 1024 * 1024
