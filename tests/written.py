"""Everything that is written while the tests run, looked through for secrets; the test that wrote one fails.

Collected are all log entries, ours and the libraries', as the bot would write them. So is what pytest captured of
stdout and stderr, also of other processes, and what a test read of either itself. In every process of pytest-xdist on
its own.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

import structlog

from bot import logs

#: What looks like a secret. Written apart from bot/logs.py, so that a hole there is seen here.
SECRETS = re.compile(
    r"xox[a-z]-[0-9A-Za-z]|xox[a-z]\.xox|xapp-[0-9A-Za-z]|hooks\.slack\.com/[a-z]|[Bb]earer [0-9A-Za-z]{6}"
    r"|\bS[A-Z2-7]{55}\b|://[^\s:/@]+:[^\s/@\[]+@|\bv0=[0-9a-f]{64}"
)
#: secrets of the tests that look like nothing: signing secrets, keys
KNOWN: set[str] = set()


class Paper:
    """Passes on what is written to whatever stderr is, and keeps it."""

    def __init__(self) -> None:
        self.text: list[str] = []

    def write(self, text: str, /) -> None:
        """Keep it and pass it on."""
        self.text.append(text)
        sys.stderr.write(text)

    def flush(self) -> None:
        """Let nothing wait."""
        sys.stderr.flush()

    def taken(self) -> str:
        """What was written since the last time somebody asked."""
        text = "".join(self.text)
        self.text.clear()
        return text


PAPER = Paper()
#: what a test read itself: of a command that it ran, from a pipe, from `capfd`
READ: list[str] = []


def listen() -> None:
    """Let logs be written as the bot writes them, every level of them, and be kept.

    No secrets are handed over: what is blanked here is what can be known by its looks.
    """
    factory = structlog.get_config()["logger_factory"]
    if getattr(factory, "_file", None) is not PAPER:
        logs.configure("debug", to=PAPER)


def secrets_in(text: str) -> Iterator[str]:
    """Each secret in the text, with a few words before it, and itself shortened."""
    found = [(one.start(), one.end()) for one in SECRETS.finditer(text)]
    for known in KNOWN:
        at = text.find(known)
        if at >= 0:
            found.append((at, at + len(known)))
    for begin, end in found:
        yield f"…{text[max(0, begin - 60) : begin]}{text[begin : begin + 6]}… ({end - begin} characters)"
