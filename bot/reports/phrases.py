"""Small turns of phrase for what people read a year later."""

from __future__ import annotations


def share(number: int, total: int, one: str, how: str, many: str = "") -> str:
    """ "All 14 updates on time", "12 of 14 updates on time", "The one update on time"."""
    many = many or f"{one}s"
    if number == total:
        return f"All {total} {many} {how}" if total > 1 else f"The one {one} {how}"
    return f"{number} of {total} {many if total > 1 else one} {how}"


def sentence(text: str) -> str:
    """With a full stop, where there is none and no question mark."""
    return text if text.endswith((".", "?")) else f"{text}."


def capital(text: str) -> str:
    """With a capital at its beginning."""
    return text[:1].upper() + text[1:]
