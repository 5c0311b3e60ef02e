"""A text as a reader sees it, with a map back to where each character came from.

People and machines disguise values without meaning to: chat clients insert zero-width spaces, phones type full-width
digits, exports escape with entities, mail wraps with "> ". Detectors therefore never see the raw text; they see *views*
of it, and every span they report is translated back to characters of the original.

    plain    escapes undone, compatibility forms and digits of every script folded, invisible characters dropped
    bare     plain, without Markdown marks and bare HTML tags
    decoded  what the base64 in it says, each character mapped to its whole token
"""

from __future__ import annotations

import base64
import binascii
import html
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from bot.scrub import safe_numbers

_ESCAPE = re.compile(
    r"&(?:#[xX][0-9a-fA-F]{1,6}|#\d{1,7}|[A-Za-z][A-Za-z0-9]{1,30});?"
    r"|(?:%[0-9A-Fa-f]{2}){1,4000}"
    r"|\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}"
)
_ODD_ASCII = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_MARKS = re.compile(
    r"[*~`]{1,1000}|\\(?=[^\w\s])|(?<![A-Za-z0-9])_{1,1000}|_{1,1000}(?![A-Za-z0-9])"
    r"|</?[A-Za-z][A-Za-z0-9]{0,10}\s{0,3}/?>|<!--[^<>]{0,200}-->"
)
#: a run of base64, possibly wrapped over lines
_BASE64 = re.compile(
    r"(?<![A-Za-z0-9+/_=-])[A-Za-z0-9+/_-]{16,}+={0,2}(?:\n[ >]{0,4}[A-Za-z0-9+/_-]{4,}+={0,2}){0,200}"
)
_WRAP = re.compile(r"\n[ >]{0,4}")

#: letters of other alphabets that look like Latin ones (after NFKD, so accents are already gone)
_LOOKALIKES = dict(
    zip(
        "АВЕЅІЈКМНОРСТХУҮԌҒѴԚԜӀаеѕіјорсхуүԁһԛԝѵкмтвнгΑΒΕΖΗΙΚΜΝΟΡΤΥΧΓαικνορτυχϲϹɡɑɩӏʟɪԍ",
        "ABESIJKMHOPCTXYYGFVQWIaesijopcxyydhqwvkmtbhrABEZHIKMNOPTYXTaikvoptuxcCgaiiLiG",
        strict=True,
    )
) | {"ı": "i", "ȷ": "j", "。": ".", "·": ".", "۔": ".", "−": "-", "∗": "*", "⁎": "*", "‚": ",", "∶": ":", "∕": "/"}
#: letters that render as nothing
_INVISIBLE = frozenset("\u115f\u1160\u3164\uffa0\u2800")


@lru_cache(maxsize=8192)
def _fold(char: str) -> str:
    """One character as plain Latin text: usually one character, none if it is invisible."""
    folded: list[str] = []
    for piece in unicodedata.normalize("NFKD", char):
        category = unicodedata.category(piece)
        if piece in _LOOKALIKES:
            folded.append(_LOOKALIKES[piece])
        elif category == "Nd":
            folded.append(str(unicodedata.decimal(piece)))
        elif category == "Pd":
            folded.append("-")
        elif category == "Zs":
            folded.append(" ")
        elif category in ("Zl", "Zp"):
            folded.append("\n")
        elif category == "Cc":
            folded.append(piece if piece in "\n\t" else " " if piece in "\x0b\x0c\x85" else "")
        elif category not in ("Mn", "Me", "Cf", "Cs") and piece not in _INVISIBLE:
            folded.append(piece)
    return "".join(folded)


@dataclass(frozen=True)
class TextView:
    """One reading of a text. `starts[i]`, `ends[i]`: the original characters that `text[i]` stands for."""

    name: str
    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The characters of the original behind `text[start:end]` (not empty)."""
        return self.starts[start], self.ends[end - 1]

    @cached_property
    def lower(self) -> str:
        """For cheap "is this word in it at all" questions; lengths may differ, so never for offsets."""
        return self.text.lower()

    @cached_property
    def safe_spans(self) -> tuple[tuple[int, int], ...]:
        """Numbers that are no identifiers: dates, amounts, counts, ledgers, references."""
        return safe_numbers.safe_spans(self.text)

    @cached_property
    def blanked(self) -> str:
        """The text with every safe number replaced by NULs of the same length."""
        return safe_numbers.blank(self.text, self.safe_spans)

    @cached_property
    def compact(self) -> tuple[str, tuple[int, ...]]:
        """Only the ASCII letters and digits, upper-cased, and where each stands in `text`."""
        places = tuple(i for i, char in enumerate(self.text) if char.isascii() and char.isalnum())
        return "".join(self.text[i] for i in places).upper(), places


def plain_view(text: str) -> TextView:
    """The `plain` view of a text."""
    view = TextView("plain", text, range(len(text)), range(1, len(text) + 1))
    for _ in range(3):  # "&amp;#64;" is an at sign twice wrapped
        unescaped = _unescape(view)
        if unescaped is None:
            break
        view = unescaped
    if view.text.isascii() and not _ODD_ASCII.search(view.text):
        return view
    return _rebuild("plain", view, ((_fold(char), i, i + 1) for i, char in enumerate(view.text)))


def views(text: str) -> tuple[TextView, ...]:
    """The views of a text that differ from each other: one to three."""
    plain = plain_view(text)
    bare = _bare(plain)
    decoded = _decoded(plain)
    return tuple(view for view in (plain, bare, decoded) if view is not None)


def fold(text: str) -> str:
    """The `plain` view's text alone."""
    return plain_view(text).text


def _rebuild(name: str, view: TextView, pieces: Iterable[tuple[str, int, int]]) -> TextView:
    """A view made of (text, start, end) where start and end are offsets in `view`."""
    chars: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for piece, start, end in pieces:
        for char in piece:
            chars.append(char)
            starts.append(view.starts[start])
            ends.append(view.ends[end - 1])
    return TextView(name, "".join(chars), starts, ends)


def _unescape(view: TextView) -> TextView | None:
    pieces: list[tuple[str, int, int]] = []
    at = 0
    for match in _ESCAPE.finditer(view.text):
        meaning = _meaning(match.group())
        if meaning is None:
            continue
        pieces.extend((view.text[i], i, i + 1) for i in range(at, match.start()))
        at = match.end()
        if match.group().startswith("%"):  # three characters for every byte
            place = match.start()
            for char in meaning:
                width = 3 * len(char.encode("utf-8")) if _is_utf8(match.group()) else 3
                pieces.append((char, place, place + width))
                place += width
        else:
            pieces.append((meaning, match.start(), match.end()))
    if not at:
        return None
    pieces.extend((view.text[i], i, i + 1) for i in range(at, len(view.text)))
    return _rebuild(view.name, view, pieces)


def _meaning(escape: str) -> str | None:
    if escape.startswith("&"):
        meaning = html.unescape(escape)
        return meaning if meaning != escape else None
    if escape.startswith("%"):
        data = bytes.fromhex(escape.replace("%", ""))
        return data.decode("utf-8" if _is_utf8(escape) else "latin-1")
    return chr(int(escape[2:], 16))


def _is_utf8(escape: str) -> bool:
    try:
        bytes.fromhex(escape.replace("%", "")).decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _bare(view: TextView) -> TextView | None:
    if not _MARKS.search(view.text):
        return None
    keep: list[tuple[str, int, int]] = []
    at = 0
    for match in _MARKS.finditer(view.text):
        keep.extend((view.text[i], i, i + 1) for i in range(at, match.start()))
        at = match.end()
    keep.extend((view.text[i], i, i + 1) for i in range(at, len(view.text)))
    return _rebuild("bare", view, keep)


def _decoded(view: TextView) -> TextView | None:
    pieces: list[tuple[str, int, int]] = []
    for match in _BASE64.finditer(view.text):
        whole = _WRAP.sub("", match.group())
        attempts = [(whole, match.start(), match.end())]
        if len(whole) != len(match.group()):  # the next line may only look like more base64
            first = match.group().split("\n", 1)[0]
            attempts.append((first, match.start(), match.start() + len(first)))
        for token, start, end in attempts:
            message = _from_base64(token)
            if message is not None:
                # " ; " keeps two messages from being read as one
                pieces.append((fold(message) + " ; ", start, end))
                break
    return _rebuild("decoded", view, pieces) if pieces else None


def _from_base64(token: str) -> str | None:
    data = token.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        message = base64.b64decode(data + "=" * (-len(data) % 4)).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return None
    readable = sum(char.isprintable() or char in "\n\t\r" for char in message)
    return message if len(message) >= 8 and readable >= 0.95 * len(message) else None
