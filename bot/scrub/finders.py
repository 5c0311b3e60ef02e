"""Searches that a single pattern cannot express: check digits across separators, word lists, labels with values."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from itertools import pairwise

from bot.scrub import checksums, safe_numbers
from bot.scrub.bip39 import WORDS
from bot.scrub.detector import Find, Spans
from bot.scrub.text_views import TextView

_DIGIT = re.compile(r"\d")
_HEX_TOKEN = re.compile(
    r"(?<![0-9a-z])(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(?:0x)?[0-9a-f]{32,80})(?![0-9a-z])",
    re.IGNORECASE,
)
_CARD_RUN = re.compile(r"(?<!\d)\d(?:[ .\-_/,|\n\t>]{0,4}+\d){11,}+")
_IBAN_HEAD = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[ .\-]?\d[ .\-]?\d(?=[ .\-\n>]{0,4}[A-Za-z0-9])")
_WORD = re.compile(r"[A-Za-z]++")
_GROUPED_SEED = re.compile(r"(?<![A-Z0-9])S[A-Z2-7]{1,11}(?:[ .\-_/\n>]{1,4}+[A-Z2-7]{2,12}){4,27}+(?![A-Z0-9a-z])")
_STRKEY = {
    letter: re.compile(f"(?=({letter}[A-D][A-Z2-7]{{{length - 2}}}))")
    for letter, (_, length) in checksums.STRKEYS.items()
}
_TOKEN = re.compile(r"[A-Za-z0-9_.\-]{20,}+")
_IPV6 = re.compile(r"(?<![\w:.])[0-9a-f:]{2,39}(?:\.\d{1,3}){0,3}(?![\w:])", re.IGNORECASE)
_OPAQUE = re.compile(r"(?<![A-Za-z0-9])[A-Za-z0-9]{16,}+")
_LONG_NUMBER = re.compile(r"(?<!\d)\d(?:[ .\-/_]{0,2}+\d){6,}+")
_PREFIX = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{1,4}-?$")
_YEAR = re.compile(r"(?:19|20)\d\d")
_VALUE = re.compile(r"[A-Za-z0-9_\-]{2,}+")


def strkeys(letters: str) -> Find:
    """Stellar keys with a right checksum, however they are spaced, wrapped or cased (SEP-23)."""

    def find(view: TextView) -> Spans:
        compact, places = view.compact
        if len(compact) < 56:
            return
        for letter in letters:
            for match in _STRKEY[letter].finditer(compact):
                key = match.group(1)
                # a digit is asked for because prose, squeezed together, meets a 16-bit checksum now and then
                if _DIGIT.search(key) and checksums.strkey(key):
                    yield places[match.start(1)], places[match.end(1) - 1] + 1

    return find


def grouped_seed(view: TextView) -> Spans:
    """A seed in groups whose checksum is wrong: a typing error does not make it harmless."""
    for match in _GROUPED_SEED.finditer(view.text):
        letters = [char for char in match.group() if char.isalnum()]
        if 54 <= len(letters) <= 58 and any(char.isdigit() for char in letters):
            yield match.span()


def seed_phrase(view: TextView) -> Spans:
    """Twelve words in a row of which at least eleven are of BIP-39's list, numbered, quoted, wrapped or plain."""
    run: list[tuple[int, int, bool]] = []
    last = 0
    for match in _WORD.finditer(view.text):
        start, end = match.span()
        if start - last > 8:
            run.clear()
        last = end
        run.append((start, end, match.group().lower() in WORDS))
        if len(run) > 12:
            del run[0]
        if len(run) == 12 and sum(known for _, _, known in run) >= 11:
            yield run[0][0], end


def jwt(view: TextView) -> Spans:
    """Three dotted parts, the first of which is base64 of a JSON object (RFC 7519)."""
    for match in _TOKEN.finditer(view.text):
        parts = match.group().split(".")
        if len(parts) < 3:
            continue
        for first, second in pairwise(parts):
            if "eyJ" in first and len(first) >= 10 and len(second) >= 8:
                yield match.span()
                break


def card(view: TextView) -> Spans:
    """A card number with any separators, line breaks included, that starts and ends at a group's edge."""
    text = view.text
    steps_over: tuple[tuple[int, int], ...] | None = None
    for run in _CARD_RUN.finditer(text):
        if steps_over is None:
            steps_over = (
                *safe_numbers.time_and_group_spans(text),
                *(match.span() for match in _HEX_TOKEN.finditer(text)),
            )
        places = [i for i in range(run.start(), run.end()) if text[i].isdigit()]
        digits = "".join(text[i] for i in places)
        done = 0
        for i, start in enumerate(places):
            if i < done or (i and places[i - 1] == start - 1) or digits[i] not in "234568":
                continue
            if any(low <= start < high for low, high in steps_over):
                continue
            for length in range(min(19, len(digits) - i), 11, -1):
                end = places[i + length - 1] + 1
                if i + length < len(digits) and places[i + length] == end:
                    continue
                if length <= 15 and text[max(0, start - 2) : start].strip().endswith("+"):
                    continue  # +57 301 234 5678: a telephone number has at most fifteen digits
                if checksums.card(digits[i : i + length]):
                    yield start, end
                    done = i + length
                    break


def iban(view: TextView) -> Spans:
    """An IBAN of its country's length: right check digits, or written like one (capitals, to a word's end)."""
    text = view.text
    for head in _IBAN_HEAD.finditer(text):
        length = checksums.IBAN_LENGTH.get(text[head.start() : head.start() + 2].upper())
        if length is None:
            continue
        places: list[int] = []
        for i in range(head.start(), min(len(text), head.start() + 6 * length)):
            char = text[i]
            if char.isascii() and char.isalnum():
                places.append(i)
                if len(places) == length:
                    break
            elif char not in " .-\n>_" or i - places[-1] > 4:
                break
        if len(places) < length:
            continue
        end = places[-1] + 1
        written = "".join(text[i] for i in places)
        at_edge = end == len(text) or not text[end].isalnum()
        digits = sum(char.isdigit() for char in written)
        if checksums.iban(written.upper()) or (at_edge and written.isupper() and digits >= 8):
            yield head.start(), end


def labelled(labels: str, *, least: int = 4) -> Find:
    """Such as "account no. 12345678" or "customers 44112, 44113 and 44114": label and first value, then each further.

    A value has at least `least` digits (three after "id", "#" or "ending in") and is no date, amount or year.
    """
    value = r"(?=[A-Za-z0-9_\-]{0,30}\d)[A-Za-z0-9][A-Za-z0-9_\-]{1,33}"
    pattern = re.compile(
        rf"(?<![A-Za-z])(?:{labels})s?"
        r"(?P<exact>[ _\-]?(?:ids?|no|nr|num|numbers?|references?|ref|code|key|(?:ending|ends)(?: in| with)?)\b)?\.?"
        r"\s{0,2}(?:[:=]|\bis\b)?\s{0,2}(?P<hash>#)?[\"'(]?"
        rf"(?P<value>{value}(?:(?:\s?(?:,|and|&|/)\s?|\s){value}){{0,200}})(?![A-Za-z0-9])",
        re.IGNORECASE,
    )

    def find(view: TextView) -> Spans:
        for match in pattern.finditer(view.text):
            needed = 3 if match.group("exact") or match.group("hash") else least
            label: int | None = match.start()
            for part in _VALUE.finditer(view.text, *match.span("value")):
                start, end = part.span()
                shown = view.blanked[start:end]
                if "\0" in shown or _YEAR.fullmatch(part.group()):
                    label = None
                    continue
                if sum(char.isdigit() for char in shown) >= needed:
                    yield (start if label is None else label), end
                    label = None

    return find


def long_number(view: TextView) -> Spans:
    """Seven digits or more that are neither a date, an amount, a count nor a ledger."""
    for match in _LONG_NUMBER.finditer(view.blanked):
        start, end = match.span()
        prefix = _PREFIX.search(view.text, max(0, start - 5), start)
        yield (prefix.start() if prefix else start), end


def opaque(view: TextView) -> Spans:
    """Sixteen or more letters and digits, mixed: an identifier whatever it belongs to."""
    for match in _OPAQUE.finditer(view.text):
        token = match.group()
        digits = sum(char.isdigit() for char in token)
        if digits >= 2 and len(token) - digits >= 2 and len(set(token)) >= 6:
            yield match.span()


def ipv6(view: TextView) -> Spans:
    """An address as ipaddress reads it, with at least four hexadecimal digits ("::" alone is a pair of colons)."""
    for match in _IPV6.finditer(view.text):
        text = match.group().rstrip(".")
        if text.count(":") < 2 or sum(char not in ":." for char in text) < 4:
            continue
        try:
            ipaddress.IPv6Address(text)
        except ValueError:
            continue
        yield match.start(), match.start() + len(text)


def _octets(match: re.Match[str]) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", match.group())]


def ipv4(match: re.Match[str]) -> bool:
    """Four octets, and not the digits of a version ("v1.2.3.4")."""
    before = match.string[max(0, match.start() - 9) : match.start()].lower().rstrip()
    return all(octet < 256 for octet in _octets(match)) and not before.endswith(("version", " v", "/v"))


def private_ipv4(match: re.Match[str]) -> bool:
    """An address that is of use inside a network only (RFC 1918, loopback, link-local)."""
    return ipv4(match) and ipaddress.IPv4Address(".".join(map(str, _octets(match)))).is_private


def public_ipv4(match: re.Match[str]) -> bool:
    """An address that belongs to somebody."""
    return ipv4(match) and not private_ipv4(match)


def digits(match: re.Match[str]) -> Iterator[str]:
    """The digits of a match, one by one."""
    return (char for char in match.group() if char.isdigit())
