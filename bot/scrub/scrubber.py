"""From spans to a text that may leave: unite, allow, replace by neutral nouns, look again until nothing is found.

Everything fails closed: a text that is too long, an error anywhere, or a text that will not settle is blocked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.scrub.detector import Detector
from bot.scrub.detectors import DETECTORS, RANK, SECRET_DETECTORS, DetectorMatch, find_matches
from bot.scrub.findings import ScrubAction, Scrubbed, ScrubFinding
from bot.scrub.text_views import TextView, fold, views

ChooseAction = Callable[[Detector], ScrubAction]

#: characters of input; more is blocked unread
MAX_INPUT_CHARS = 40_000
#: characters of a view: one ligature can unfold to eighteen letters
_MAX_VIEW_CHARS = 2 * MAX_INPUT_CHARS
_MAX_ROUNDS = 6
_WEIGHT = {ScrubAction.HOLD: 0, ScrubAction.MASK: 1, ScrubAction.BLOCK: 2}
_WEB = frozenset({"url", "host", "domain"})
#: kinds that an allowed address may contain in its path
_IN_PATHS = frozenset({"number", "opaque", "url", "domain", "host", "uuid"})
_HOST = re.compile(r"^<?(?:https?://)?([a-z0-9.-]{1,253})(?=$|[/?#|>]|:443(?!\d))", re.IGNORECASE)
_ARTICLE = re.compile(
    r"(?:^|[\s(\"'])(?:the|a|an|this|that|these|those|your|our|my|his|her|their|its|each|every|no|any|"
    r"which|one|new|old)[ \t]{1,3}$",
    re.IGNORECASE,
)
_SENTENCE_START = re.compile(r"(?:^|[.!?]\s{1,3}|\n\s{0,8})$")


class Mode(StrEnum):
    """For whom a text is."""

    STRICT = "strict"  # customers and the public
    INTERNAL = "internal"  # colleagues


@dataclass(frozen=True)
class AllowList:
    """What may pass although a rule matches: whole literals ("support@example.com") and whole host names.

    Compared after normalising and case-folding, never as a pattern; secrets and card numbers are not allowable.
    """

    literals: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()


#: the usual allow list
EMPTY_ALLOW_LIST = AllowList()


def scrub(text: str, mode: Mode, *, allow: AllowList = EMPTY_ALLOW_LIST) -> Scrubbed:
    """The text with what may not leave replaced by neutral nouns; empty if it must not even be stored.

    Never raises. Scrubbing a result again changes nothing. Offsets of findings are characters of `text`.
    """
    try:
        return _scrub(text, mode, allow)
    except Exception:  # an error must not let a text through, and its message may quote the text
        return Scrubbed("", (_failure("scrubber-failed", len(text)),))


def find_secrets(text: str) -> tuple[ScrubFinding, ...]:
    """Only what must never be stored: secrets and card numbers. For notes, titles and updates; never raises."""
    try:
        if len(text) > MAX_INPUT_CHARS:
            return (_failure("too-long", len(text)),)
        return tuple(
            _finding(hit, ScrubAction.BLOCK) for hit in _unite(find_matches(_views(text), SECRET_DETECTORS), _blocks)
        )
    except Exception:
        return (_failure("scrubber-failed", len(text)),)


def _scrub(text: str, mode: Mode, allow: AllowList) -> Scrubbed:
    if len(text) > MAX_INPUT_CHARS:
        return Scrubbed("", (_failure("too-long", len(text)),))

    def action(row: Detector) -> ScrubAction:
        chosen = row.public if mode is Mode.STRICT else row.internal
        assert chosen is not None
        return chosen

    rows = tuple(row for row in DETECTORS if mode is Mode.STRICT or row.internal is not None)
    allowed = _AllowListMatcher(allow)
    draft = _MappedText(text, range(len(text)), range(1, len(text) + 1))
    every: list[DetectorMatch] = []
    for _ in range(_MAX_ROUNDS):
        seen = _views(draft.text)
        found = [
            hit
            for hit in find_matches(seen, rows)
            if action(hit.detector) is ScrubAction.BLOCK or not allowed.allows(hit, seen)
        ]
        united = _unite(found, action)
        every += (draft.in_original(hit) for hit in united)
        if any(action(hit.detector) is ScrubAction.BLOCK for hit in united):
            return Scrubbed("", _findings(every, action))
        masks = [hit for hit in united if action(hit.detector) is ScrubAction.MASK]
        if not masks:
            return Scrubbed(draft.text, _findings(every, action))
        draft = draft.masked(masks)
    return Scrubbed("", (_failure("scrubber-failed", len(text)),))


def _views(text: str) -> tuple[TextView, ...]:
    seen = views(text)
    if any(len(view.text) > _MAX_VIEW_CHARS for view in seen):
        raise ValueError("a view is too long")
    return seen


def _blocks(_: Detector) -> ScrubAction:
    return ScrubAction.BLOCK


@dataclass(frozen=True)
class _MappedText:
    """A text on its way, each character with the original characters that it stands for."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    def in_original(self, hit: DetectorMatch) -> DetectorMatch:
        start, end = min(self.starts[hit.start : hit.end]), max(self.ends[hit.start : hit.end])
        return DetectorMatch(hit.detector, start, end, "")

    def masked(self, masks: Iterable[DetectorMatch]) -> _MappedText:
        text = ""
        starts: list[int] = []
        ends: list[int] = []
        at = 0
        for hit in masks:
            text += self.text[at : hit.start]
            starts += self.starts[at : hit.start]
            ends += self.ends[at : hit.start]
            noun = placeholder(hit.detector.noun, text)
            home = self.in_original(hit)
            text += noun
            starts += [home.start] * len(noun)
            ends += [home.end] * len(noun)
            at = hit.end
        return _MappedText(text + self.text[at:], [*starts, *self.starts[at:]], [*ends, *self.ends[at:]])


def placeholder(noun: str, before: str) -> str:
    """The noun as it reads after `before`: no second article, a capital at a sentence's start."""
    bare = noun.split(" ", 1)[1]
    tail = before[-60:]
    if re.search(rf"\b{re.escape(bare.rsplit(' ', 1)[-1])}:?\s{{1,3}}$", tail, re.IGNORECASE):
        return "(removed)"
    if _ARTICLE.search(tail):
        return bare
    return noun[0].upper() + noun[1:] if len(before) <= 60 and _SENTENCE_START.search(tail) else noun


def _unite(found: Iterable[DetectorMatch], action: ChooseAction) -> list[DetectorMatch]:
    """Overlapping hits as one: its span the union, its rule the gravest, then the earliest in the table."""
    united: list[DetectorMatch] = []
    for hit in sorted(found, key=lambda hit: (hit.start, -hit.end)):
        if not united or hit.start >= united[-1].end:
            united.append(hit)
            continue
        last = united[-1]
        first = min(last, hit, key=lambda one: (-_WEIGHT[action(one.detector)], RANK[one.detector.id]))
        united[-1] = DetectorMatch(first.detector, last.start, max(last.end, hit.end), first.words)
    return united


def _findings(every: Iterable[DetectorMatch], action: ChooseAction) -> tuple[ScrubFinding, ...]:
    return tuple(_finding(hit, action(hit.detector)) for hit in _unite(every, action))


def _finding(hit: DetectorMatch, action: ScrubAction) -> ScrubFinding:
    row = hit.detector
    return ScrubFinding(row.kind, row.id, action, hit.start, hit.end, row.noun)


def _failure(rule: str, length: int) -> ScrubFinding:
    return ScrubFinding("unchecked", rule, ScrubAction.BLOCK, 0, length, "a text that could not be checked")


class _AllowListMatcher:
    """The allow list, normalised once, and the question whether a hit lies wholly within what it names."""

    def __init__(self, allow: AllowList) -> None:
        self.literals = tuple(fold(literal).lower() for literal in sorted(allow.literals) if literal)
        self.domains = frozenset(fold(domain).lower().strip(".") for domain in allow.domains)

    def allows(self, hit: DetectorMatch, seen: Sequence[TextView]) -> bool:
        if not self.literals and not self.domains:
            return False
        if hit.words.lower() in self.literals:
            return True
        if hit.detector.kind in _WEB and self._host_allowed(hit.words):
            return True
        return any(start <= hit.start and hit.end <= end for start, end in self._ranges(hit, seen[0]))

    def _host_allowed(self, words: str) -> bool:
        match = _HOST.match(words)
        return match is not None and match.group(1).lower().strip(".") in self.domains

    def _ranges(self, hit: DetectorMatch, view: TextView) -> Iterable[tuple[int, int]]:
        """Where allowed literals, and paths of allowed addresses, stand in the searched text."""
        for literal in self.literals:
            for match in re.finditer(rf"(?<![\w.@-]){re.escape(literal)}(?![\w@-]|\.\w)", view.text, re.IGNORECASE):
                yield view.span(*match.span())
        if hit.detector.kind in _IN_PATHS:
            for match in re.finditer(r"https?://[^\s<>\"'|)?#]{1,2000}", view.text, re.IGNORECASE):
                if self._host_allowed(match.group()):
                    yield view.span(*match.span())
