"""Text that others wrote, as Markdown that shows exactly that text and does nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_SPECIAL = re.compile(r"[\\`*_\[\]<>|~&$]|#(?=#*$)")
_AT_START = re.compile(r"#{1,6}|[-+=]|\d{1,9}(?=[.)])")


def markdown(text: str) -> str:
    """One line of Markdown, anywhere but at the beginning of a line, that reads as exactly this text.

    CommonMark 0.31.2, "Backslash escapes"; GitHub's extensions on top: strikethrough, tables, `$` mathematics. GitHub
    finds mentions in rendered text, where a backslash is gone, so an invisible space stands behind each @.
    """
    return _SPECIAL.sub(r"\\\g<0>", " ".join(text.split())).replace("@", "@\u200b")


def paragraph(text: str) -> str:
    """The same at the beginning of a line: neither heading, list nor underline."""
    words = markdown(text)
    found = _AT_START.match(words)
    if found is None:
        return words
    begin = found[0]
    return f"{begin}\\{words[len(begin) :]}" if begin.isdigit() else f"\\{words}"


def fence(text: str) -> str:
    """The exact text as a block of code whose fence is longer than any within."""
    clean = "".join(c for c in text.replace("\r\n", "\n") if c.isprintable() or c in "\n\t\u200d")
    longest = max((len(run) for run in re.findall(r"`+", clean)), default=0)
    ticks = "`" * max(3, longest + 1)
    return f"{ticks}text\n{clean.strip(chr(10))}\n{ticks}"


def link(words: str, address: str) -> str:
    """A link where the address is a plain https one, else the words alone; `words` are Markdown already."""
    if not re.fullmatch(r"https://[A-Za-z0-9.-]+(:\d+)?(/[A-Za-z0-9._~!$&'*+,;=:@%/?#-]*)?", address):
        return words
    return f"[{words}]({address})"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table of cells that are Markdown already; nothing where there are no rows."""
    body = [f"| {' | '.join(cell or '–' for cell in row)} |" for row in rows]
    return [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *body] if body else []
