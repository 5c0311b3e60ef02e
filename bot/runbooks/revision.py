"""What names a file's content: the commit that last touched it, or the content's own hash."""

from __future__ import annotations

import hashlib
import subprocess
import time
from pathlib import Path

#: seconds that git may take for the whole folder; a repository on a sleeping disk must not hold up the start
GIT_TIMEOUT_SECONDS = 10.0


class Git:
    """Asks git about the files of one folder. After the first failure it asks no more: every answer is None."""

    def __init__(self, folder: Path, patience: float = GIT_TIMEOUT_SECONDS) -> None:
        self._folder = folder
        self._until = time.monotonic() + patience
        self._tree = self._committed()

    def revision(self, path: Path, data: bytes) -> str | None:
        """The short hash of the last commit touching `path`, if `data` is exactly what is committed there."""
        try:
            name = path.relative_to(self._folder).as_posix()
        except ValueError:
            return None
        if self._tree.get(name) not in _blob_names(data):
            return None
        answer = self._ask("log", "-1", "--format=%h", "--", name)
        return answer.decode("ascii", "replace").strip() or None if answer else None

    def _committed(self) -> dict[str, str]:
        """File name -> blob, of everything directly in the folder at HEAD."""
        tree: dict[str, str] = {}
        for entry in (self._ask("ls-tree", "-z", "HEAD") or b"").split(b"\0"):
            about, tab, name = entry.partition(b"\t")
            if tab:
                tree[name.decode("utf-8", "replace")] = about.rsplit(b" ", 1)[-1].decode("ascii", "replace")
        return tree

    def _ask(self, *words: str) -> bytes | None:
        """git's answer, or None: not installed, not a repository, somebody else's, no commit yet, too slow."""
        patience = self._until - time.monotonic()
        if patience <= 0:
            return None
        try:
            # no shell; the words are ours, and file names stand behind "--"
            done = subprocess.run(  # noqa: S603
                ["git", "--no-optional-locks", "--literal-pathspecs", "-C", str(self._folder), *words],  # noqa: S607
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=patience,
                check=False,
            )
        except (OSError, ValueError, subprocess.SubprocessError):
            self._until = 0.0
            return None
        return done.stdout if done.returncode == 0 else None


def of_content(data: bytes) -> str:
    """The name of content that no commit names."""
    return f"file {hashlib.sha256(data).hexdigest()[:10]}"


def _blob_names(data: bytes) -> tuple[str, str]:
    """How git names this content, in a SHA-1 and in a SHA-256 repository."""
    blob = b"blob %d\0%b" % (len(data), data)
    return hashlib.sha1(blob, usedforsecurity=False).hexdigest(), hashlib.sha256(blob).hexdigest()
