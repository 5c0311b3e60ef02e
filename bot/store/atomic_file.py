"""A file that is there whole or not at all, and that its owner alone can read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.store.errors import StoreRefused


@contextmanager
def create_atomically(path: Path) -> Iterator[Path]:
    """An empty file beside `path`, for what becomes `path` when the block ends well; else it goes.

    Raises StoreRefused where `path` is there already, or cannot be written.
    """
    if path.exists():
        raise StoreRefused(f"{path} is there already, and nothing is written over. Name another file, or a folder.")
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        raise StoreRefused(f"{path} cannot be written: {error.strerror}.") from error
    try:
        yield part
        fsync_path(part)
        os.link(part, path)  # unlike a rename it replaces nothing that came meanwhile
        fsync_path(path.parent)
    except OSError as error:
        raise StoreRefused(f"{path} cannot be written: {error.strerror or error}.") from error
    finally:
        part.unlink(missing_ok=True)


def fsync_path(path: Path) -> None:
    """Return when the file, or the names in the folder, would survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
