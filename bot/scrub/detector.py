"""What a row of the table of detectors is, and the usual way of making one from a pattern."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bot.scrub.findings import ScrubAction
from bot.scrub.text_views import TextView

Spans = Iterable[tuple[int, int]]
Find = Callable[[TextView], Spans]


@dataclass(frozen=True)
class Detector:
    """One rule. `public` and `internal` say what happens in texts for outsiders and for colleagues; None: nothing.

    `hints`: if none of these lower-case strings stands in the view, the search is skipped.
    """

    id: str
    kind: str
    noun: str
    public: ScrubAction
    internal: ScrubAction | None
    find: Find
    hints: tuple[str, ...] = ()

    def spans(self, view: TextView) -> Spans:
        """Offsets in the view's text."""
        if self.hints and not any(hint in view.lower for hint in self.hints):
            return ()
        return self.find(view)


def regex(
    pattern: str,
    check: Callable[[re.Match[str]], bool] | None = None,
    *,
    case: bool = False,
    blanked: bool = False,
) -> Find:
    """Every match of `pattern`; its group "value" alone, where it has one.

    case: upper and lower case differ. blanked: safe numbers (dates, amounts, counts) are not looked at.
    """
    compiled = re.compile(pattern, 0 if case else re.IGNORECASE)
    group = "value" if "value" in compiled.groupindex else 0

    def find(view: TextView) -> Spans:
        for match in compiled.finditer(view.blanked if blanked else view.text):
            if check is None or check(match):
                yield match.span(group)

    return find
