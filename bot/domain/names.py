"""Lists of names in a sentence."""

from __future__ import annotations

from collections.abc import Iterable


def join_names(parts: Iterable[str], word: str = "and") -> str:
    """ "a", "a and b", "a, b and c"; empty for nothing."""
    some = list(parts)
    if len(some) < 2:
        return "".join(some)
    return f"{', '.join(some[:-1])} {word} {some[-1]}"
