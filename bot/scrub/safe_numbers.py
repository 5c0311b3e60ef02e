"""Numbers that people need in an update and that identify nobody: looked for before the rule "seven digits or more".

Only rules about bare numbers (phones, accounts, sort codes, "an id number") respect this list; secrets, cards and
everything with a checksum do not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

CURRENCIES = (
    "USD EUR GBP NGN KES GHS UGX TZS ZAR XOF XAF EGP MAD INR PKR BDT PHP IDR VND THB MYR SGD HKD CNY JPY KRW AUD NZD "
    "CAD MXN BRL ARS CLP COP PEN CHF SEK NOK DKK PLN CZK HUF RON TRY AED SAR ILS UAH XLM USDC USDT EURC BTC ETH"
)
_CODE = CURRENCIES.replace(" ", "|")
_NUMBER = r"(?:\d{1,3}(?:[, ]\d{3}){1,3}|\d{1,12})(?:\.\d{1,7})?"
#: 1.240.000,50: only beside a currency, because dotted groups are a favourite disguise of identifiers
_SUM = r"(?:\d{1,3}(?:[, ]\d{3}){1,3}(?:\.\d{1,7})?|\d{1,3}(?:\.\d{3}){1,3}(?:,\d{1,2})?|\d{1,12}(?:\.\d{1,7})?)"
_THINGS = (
    "payments?|payouts?|transfers?|withdrawals?|deposits?|refunds?|transactions?|operations?|customers?|users?|people|"
    "accounts?|ledgers?|requests?|errors?|messages?|events?|rows?|ms|milliseconds?|seconds?|minutes?|hours?|days?|"
    "stroops?|lumens?|bytes|kb|mb|gb"
)
#: moments and grouped numbers: safe even inside a longer run of digits
TIMES_AND_GROUPS: tuple[str, ...] = (
    # 2026-11-20, 2026-11-20T14:32:10.123Z, 2026-11-20 14:32 +01:00
    r"(?<!\d)(?:19|20)\d\d[-/.][01]\d[-/.][0-3]\d(?:[T ]{1,2}[0-2]\d:[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?"
    r"(?: ?Z\b| ?[+-]\d\d:?\d\d)?)?(?![\d])",
    r"(?<!\d)[0-3]?\d[/.][01]?\d[/.](?:19|20)\d\d(?!\d)",  # 20/11/2026, 20.11.2026
    r"(?<![\d:])[0-2]?\d:[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?(?![\d:])",  # 14:32, 14:32:10
    r"(?<![\d.,])\d{1,3}(?:,\d{3}){1,3}(?:\.\d{1,7})?(?![\d]|,\d)",  # 1,240,000.50
)
_OTHERS: tuple[str, ...] = (
    rf"(?:[$€£¥₦₹₵]|\b(?:{_CODE})\b) ?{_SUM}(?!\d|[ .-]\d)",  # USD 1240000, £12.50
    rf"(?<![\d.-]){_SUM} ?(?:%|\b(?:{_CODE}|million|billion|thousand|bn|mn)\b)",  # 1240000 XLM, 12.5 %
    rf"(?<![\d.-])(?:\d{{1,9}} ?- ?)?{_NUMBER} (?:\w{{1,15}} )?(?:{_THINGS})\b",  # 10-20 failed payouts
    r"\bledgers? (?:number |no\. ?|#)?\d{1,10}(?: ?(?:to|and|-) ?\d{1,10})?(?!\d)",  # ledger 58123456
    r"\b(?:INC|CVE|SEV|CAP|SEP|RFC|ISO|PR)[- ]?\d{1,6}(?:-\d{1,7})?(?!\d)",  # INC-42, CVE-2026-12345
    r"\b(?:pacs|pain|camt)\.\d{3}(?:\.\d{3}\.\d{2})?\b",  # pacs.008.001.08
    r"\bv(?:ersion)? ?\d{1,4}(?:\.\d{1,5}){0,3}\b",  # v28.0.0
    r"(?<!\d)(?:19|20)\d\d ?- ?(?:19|20)\d\d(?!\d)",  # 2025-2026
)
_TIMES_AND_GROUPS = re.compile("|".join(TIMES_AND_GROUPS))
_ALL = re.compile("|".join((*TIMES_AND_GROUPS, *_OTHERS)), re.IGNORECASE)
_DIGIT = re.compile(r"\d")


def safe_spans(text: str) -> tuple[tuple[int, int], ...]:
    """Where the safe numbers are, left to right, not overlapping."""
    if not _DIGIT.search(text):
        return ()
    return tuple(match.span() for match in _ALL.finditer(text))


def time_and_group_spans(text: str) -> tuple[tuple[int, int], ...]:
    """Only dates, times and comma-grouped numbers: what even the rule for cards steps over."""
    return tuple(match.span() for match in _TIMES_AND_GROUPS.finditer(text))


def blank(text: str, ranges: Iterable[tuple[int, int]]) -> str:
    """The text with the given ranges replaced by NULs, so that offsets stay."""
    out: list[str] = []
    at = 0
    for start, end in ranges:
        out += (text[at:start], "\0" * (end - start))
        at = end
    out.append(text[at:])
    return "".join(out)
