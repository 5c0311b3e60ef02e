"""Runbooks for tests: the smallest good one, and folders of them."""

from __future__ import annotations

from pathlib import Path

from bot.runbooks import Shelf, load

PROBES = frozenset({"horizon", "tx"})
MATTER = "---\ntitle: A\nsummary: B\n---\n"
GOOD = f"{MATTER}## 1. Overview\n- [ ] Do this.\n"


def titled(title: str, more: str = "", body: str = "## 1. Overview\n- [ ] Do this.\n") -> str:
    """A good runbook of that title, with more lines of front matter."""
    return f"---\ntitle: {title}\nsummary: About {title}.\n{more}---\n{body}"


def shelf_of(folder: Path, **files: str | bytes) -> Shelf:
    """Write the files (db_failover="…" becomes db-failover.md) and load the folder."""
    for name, content in files.items():
        path = folder / f"{name.replace('_', '-')}.md"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return load(folder, known_probes=PROBES)
