"""The folder of runbooks -> a shelf. One bad file never takes the others with it."""

from __future__ import annotations

import re
import stat
from dataclasses import replace
from pathlib import Path

from bot.domain.runbook import Runbook
from bot.runbooks import revision
from bot.runbooks.parse import has_front_matter, parse
from bot.runbooks.problems import Problem
from bot.runbooks.shelf import RunbookSource, Shelf

#: bytes; the longest runbook that people have followed to its end is a tenth of this
MAX_FILE_BYTES = 256 * 1024
MAX_FILES = 1000
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


def load(root: Path, *, known_probes: frozenset[str]) -> Shelf:
    """Every *.md file directly in `root`; never raises. Reads the disk and asks git: not for the event loop.

    A file with problems is not served. README.md without front matter is nobody's runbook, and names that
    begin with a dot belong to editors.
    """
    try:
        folder = root.resolve(strict=True)
        paths = sorted(path for path in root.iterdir() if path.suffix == ".md" and path.name[0] != ".")
    except (OSError, RuntimeError):  # RuntimeError: a loop of symbolic links
        return Shelf({}, (Problem(root, 1, "This folder of runbooks cannot be read."),))
    shelf = _ShelfBuilder(folder, known_probes)
    for path in paths[:MAX_FILES]:
        shelf.take(path)
    if len(paths) > MAX_FILES:
        shelf.problems.append(Problem(root, 1, f"Only the first {MAX_FILES} of {len(paths)} files are read."))
    return shelf.done()


class _Unreadable(Exception):
    """Why a file's text could not be had, as a sentence."""

    def __init__(self, sentence: str, line: int = 1) -> None:
        super().__init__(sentence)
        self.line = line


class _ShelfBuilder:
    """A shelf while files are put on it, in the order of their names."""

    def __init__(self, folder: Path, known_probes: frozenset[str]) -> None:
        self.runbooks: dict[str, Runbook] = {}
        self.problems: list[Problem] = []
        self.related: dict[str, tuple[str, ...]] = {}
        self.places: dict[str, RunbookSource] = {}
        self._folder, self._probes, self._git = folder, known_probes, revision.Git(folder)
        self._titles: dict[str, str] = {}
        self._alerts: dict[str, str] = {}

    def take(self, path: Path) -> None:
        """Read one file; put it on the shelf or note why not."""
        try:
            real, data, text = _read(path, self._folder)
        except _Unreadable as why:
            self.problems.append(Problem(path, why.line, str(why)))
            return
        if path.name.casefold() == "readme.md" and not has_front_matter(text):
            return
        parsed = parse(text, self._probes)
        problems = [Problem(path, finding.line, finding.sentence) for finding in parsed.findings]
        slug, matter = path.stem, parsed.matter
        if not _SLUG.fullmatch(slug) or len(slug) > 64:
            problems.insert(0, Problem(path, 1, "A file's name is small letters, digits and dashes: db-failover.md."))
        twin = self._titles.get(matter.title.casefold())
        if matter.title and twin:
            problems.append(Problem(path, 1, f"“{matter.title}” is already the title of {twin}.md."))
        if problems:
            self.problems += problems
            return
        self._titles[matter.title.casefold()] = slug
        self.runbooks[slug] = Runbook(
            slug=slug,
            title=matter.title,
            summary=matter.summary,
            revision=self._git.revision(real, data) or revision.of_content(data),
            sections=parsed.sections,
            alerts=self._own_alerts(path, slug, matter.alerts),
            words=matter.words,
            severity=matter.severity,
            owner=matter.owner,
            reviewed=matter.reviewed,
        )
        self.related[slug] = matter.related
        self.places[slug] = RunbookSource(path, parsed.lines)

    def _own_alerts(self, path: Path, slug: str, names: tuple[str, ...]) -> tuple[str, ...]:
        """Those that no earlier runbook has: an alert attaches one runbook by itself, so it must be clear which."""
        own = []
        for name in names:
            holder = self._alerts.setdefault(name.casefold(), slug)
            if holder == slug:
                own.append(name)
            else:
                self.problems.append(
                    Problem(path, 1, f"The alert “{name}” already belongs to {holder}.md, which keeps it.")
                )
        return tuple(own)

    def done(self) -> Shelf:
        """The shelf, with the related names that lead nowhere noted."""
        for slug, names in self.related.items():
            for name in names:
                if name not in self.runbooks:
                    sentence = f"The related runbook “{name}” is not here."
                    self.problems.append(Problem(self.places[slug].path, 1, sentence))
        known = {slug: tuple(n for n in names if n in self.runbooks) for slug, names in self.related.items()}
        problems = tuple(sorted(self.problems, key=lambda problem: (problem.path, problem.line)))
        return replace(Shelf(self.runbooks, problems), related=known, sources=self.places)


def _read(path: Path, folder: Path) -> tuple[Path, bytes, str]:
    """The file that the path leads to, its bytes and its text."""
    try:
        real = path.resolve(strict=True)
        if real.parent != folder:
            raise _Unreadable("This link leads out of the folder, so it is not followed.")
        # asked before opening: opening a named pipe would wait for ever
        about = real.stat()
        if not stat.S_ISREG(about.st_mode):
            raise _Unreadable("This is not a file.")
        with real.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except (OSError, RuntimeError):
        raise _Unreadable("This file cannot be opened.") from None
    if len(data) > MAX_FILE_BYTES:
        raise _Unreadable(f"This file is larger than {MAX_FILE_BYTES // 1024} KB.")
    try:
        return real, data, data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise _Unreadable("This is not UTF-8 text.", line) from None
