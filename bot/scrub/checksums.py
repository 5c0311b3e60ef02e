"""Is this really one? Check digits and shapes, on plain strings; every function is total and returns a bool."""

from __future__ import annotations

import base64
import binascii

#: the prefixes that networks issue, with the lengths they use (ISO/IEC 7812)
CARDS: tuple[tuple[tuple[tuple[int, int], ...], frozenset[int]], ...] = (
    (((4, 4),), frozenset({13, 16, 19})),  # Visa
    (((51, 55), (2221, 2720)), frozenset({16})),  # Mastercard
    (((34, 34), (37, 37)), frozenset({15})),  # American Express
    (((300, 305), (309, 309), (36, 36), (38, 39)), frozenset({14, 16, 19})),  # Diners
    (((6011, 6011), (644, 649), (65, 65)), frozenset({16, 19})),  # Discover
    (((3528, 3589),), frozenset({16, 19})),  # JCB
    (((62, 62), (81, 81)), frozenset({16, 17, 18, 19})),  # UnionPay
    (((60, 60), (508, 508), (82, 82), (353, 353), (356, 356)), frozenset({16})),  # RuPay
    (((2200, 2204),), frozenset({16, 19})),  # Mir
    (((5060, 5061), (6500, 6500)), frozenset({16, 18, 19})),  # Verve
    (
        ((5018, 5018), (5020, 5020), (5038, 5038), (5893, 5893), (6304, 6304), (6759, 6759), (6761, 6763)),
        frozenset(range(12, 20)),
    ),  # Maestro
)
#: characters of an IBAN by country (SWIFT's registry)
IBAN_LENGTH: dict[str, int] = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BI": 27, "BR": 29,
    "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27, "DK": 18, "DO": 28, "EE": 20, "EG": 29,
    "ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28,
    "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28,
    "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MN": 20,
    "MR": 27, "MT": 31, "MU": 30, "NI": 28, "NL": 18, "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29, "PT": 25,
    "QA": 29, "RO": 24, "RS": 22, "RU": 33, "SA": 24, "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24, "SM": 27,
    "SO": 23, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20, "YE": 30,
}  # fmt: skip
#: first letter -> (version byte, characters), SEP-23
STRKEYS: dict[str, tuple[int, int]] = {
    "G": (6 << 3, 56),
    "M": (12 << 3, 69),
    "S": (18 << 3, 56),
    "C": (2 << 3, 56),
    "L": (11 << 3, 56),
    "B": (1 << 3, 58),
    "T": (19 << 3, 56),
    "X": (23 << 3, 56),
}


def luhn(digits: str) -> bool:
    """The check digit of ISO/IEC 7812-1 annex B."""
    total = 0
    for place, char in enumerate(reversed(digits)):
        value = ord(char) - 48
        if place % 2:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return total % 10 == 0


def card(digits: str) -> bool:
    """A number that a card network could have issued: prefix, length and check digit fit."""
    if len(set(digits)) < 2:
        return False
    for ranges, lengths in CARDS:
        if len(digits) in lengths and any(low <= int(digits[: len(str(low))]) <= high for low, high in ranges):
            return luhn(digits)
    return False


def iban(text: str) -> bool:
    """ISO 13616: the country's length and mod 97 = 1. Upper case, no blanks."""
    if len(text) != IBAN_LENGTH.get(text[:2]):
        return False
    return int("".join(str(int(char, 36)) for char in text[4:] + text[:4])) % 97 == 1


def strkey(text: str) -> bool:
    """SEP-23: version byte, length and CRC-16 fit. Upper case."""
    version, length = STRKEYS.get(text[:1], (0, 0))
    if len(text) != length:
        return False
    try:
        data = base64.b32decode(text + "=" * (-len(text) % 8))
    except binascii.Error:
        return False
    # CRC-16/XMODEM, stored little-endian, is what binascii calls crc_hqx
    return data[0] == version and binascii.crc_hqx(data[:-2], 0) == int.from_bytes(data[-2:], "little")
