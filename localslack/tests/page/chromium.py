"""The machine's own Chromium. None is ever downloaded: without one these tests are skipped, and say so."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
ABSENT = (
    "No Chromium was found, so the page was not driven. Install it (Debian, Ubuntu: sudo apt install chromium), "
    "or name one in CHROMIUM."
)
#: no sandbox of its own (containers forbid it), no talk with the network of its own
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]


def find(environment: Mapping[str, str] = os.environ, which: Callable[[str], str | None] = shutil.which) -> str | None:
    """The program's path: what CHROMIUM names, else the first of the usual names; None where there is none."""
    named = environment.get("CHROMIUM")
    return which(named) if named else next((found for name in NAMES if (found := which(name))), None)


def must_be_there(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether a missing Chromium is a failure: wherever CI=true stands."""
    return environment.get("CI", "").lower() == "true"
