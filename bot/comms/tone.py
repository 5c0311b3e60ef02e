"""How a text sounds to somebody who waits for money: words to take out, and words to think about.

Errors are words that promise what nobody knows, deny what nobody has counted, belong to security or legal, or make
light of it. Warnings are jargon, hedges, relative times and long sentences. The list follows what PagerDuty's and
Atlassian's public guides to incident communication ask for, and what GitHub's status updates leave out.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from bot.scrub.text_views import plain_view

Level = Literal["error", "warning"]


@dataclass(frozen=True)
class ToneFinding:
    """Words that a reader should not meet, and why. `words` are quoted from the text as it reads, at most 60."""

    level: Level
    rule: str
    words: str
    why: str


@dataclass(frozen=True)
class _Rule:
    level: Level
    rule: str
    why: str
    pattern: re.Pattern[str]


def _rule(level: Level, rule: str, why: str, pattern: str) -> _Rule:
    return _Rule(level, rule, why, re.compile(pattern, re.IGNORECASE))


_FIXED = r"(?:fixed|resolved|restored|back|working|available|complete[d]?|done|over|normal)"
_WHEN = (
    r"(?:about |around |the next |less than |under )?(?:\d|an? (?:hour|minute|day|few)|a couple|noon|midnight|today|"
    r"tomorrow|tonight|next|(?:mon|tues|wednes|thurs|fri|satur|sun)day|the (?:hour|morning|afternoon|evening|end of))"
)
_NUMBER = r"(?:\d{1,3}|a few|a couple of|one|two|three|five|ten|fifteen|twenty|thirty)"

RULES: tuple[_Rule, ...] = (
    _rule("error", "exclamation", "Calm texts end with a full stop.", r"!"),
    _rule("error", "eta", "Nobody knows when it will be over; promise the next update instead.",
          r"\bE\.?T\.?A\b|\bestimated time\b|\b(?:expect(?:ed|ing)?|estimate[d]?|anticipate[d]?|should|will|going)"
          rf"\b[^.\n]{{0,40}}\b{_FIXED}\b[^.\n]{{0,20}}\b(?:by|within|in|at|before|around) {_WHEN}"),
    _rule("error", "should-be", "Say what is so, not what should be.",
          rf"\bshould (?:now |soon |already )?(?:be|have been) (?:now |soon |all )?{_FIXED}\b"),
    _rule("error", "hopefully", "Readers need facts, not hopes.", r"\bhopefully\b|\bwe hope\b|\bfingers crossed\b"),
    _rule("error", "soon", "Give the time of the next update, in UTC.",
          r"\bsoon(?:est)?\b(?! as)|\bshortly\b|\bmomentarily\b|\bany (?:moment|minute)\b|\bin no time\b|\bASAP\b"
          rf"|\b(?:in|within) (?:the next )?{_NUMBER} (?:minutes?|mins?|hours?|hrs?|days?)\b|\bwithin the hour\b"),
    _rule("error", "root-cause-promise", "Do not promise a cause or a date for one.",
          r"\b(?:root cause|post-?mortem|RCA)\b[^.\n]{0,60}\b(?:will|by|within|tomorrow|next week)\b"
          r"|\b(?:will|shall)\b[^.\n]{0,60}\b(?:root cause|post-?mortem|RCA)\b"),
    _rule("error", "never-again", "Nobody can promise that.",
          r"\bnever (?:happen )?again\b|\b(?:will|can|does) ?(?:not|n't) happen again\b|\bguarantee[ds]?\b"),
    _rule("error", "nobody-affected", "Say what is known and counted.",
          r"\b(?:no|zero|none of our|not a single) (?:customers?|users?|one|people|clients?)\b[^.\n]{0,20}"
          r"\b(?:affected|impacted|harmed)\b|\bno (?:customer )?impact\b|\bnobody (?:was|is) (?:affected|impacted)\b"),
    _rule("error", "funds-safe", "Say which payments are held, and only what is checked.",
          r"\b(?:all |your |customer ){0,3}(?:funds?|money|balances?|deposits?) (?:is|are|remains?|stays?)"
          r" (?:all |completely |fully |100 ?% |entirely |perfectly )?(?:safe|secure|safu)\b"),
    _rule("error", "security-words", "Security and legal decide on these words.",
          r"\bhack(?:ed|ers?|ing)?\b|\bbreach(?:ed|es)?\b|\bstolen\b|\btheft\b|\bcompromised\b|\bfraud(?:ulent)?\b"
          r"|\bleak(?:ed|s)?\b|\battack(?:ed|ers?)?\b"),
    _rule("error", "legal-words", "Legal decides on these words.",
          r"\brefund(?:s|ed|ing)?\b|\bliab(?:le|ility)\b|\bcompensat(?:e|ed|ion)\b|\bnegligen(?:t|ce)\b|\blawsuits?\b"),
    _rule("error", "blame", "Own it; name nobody.",
          r"\bblam(?:e|ed|ing)\b|\b(?:whose|our|their|your) (?:own )?fault\b|\bfault of\b"
          r"|\b(?:human|operator|user) error\b"
          r"|\bcareless(?:ly|ness)?\b|\b(?:caused by|due to|because of) (?:an?|our|the|one of our) "
          r"(?:engineer|employee|developer|colleague|vendor|supplier|contractor|provider|partner)s?\b"
          r"|\b(?:engineer|employee|developer|vendor|supplier|contractor)s? (?:broke|failed|forgot|messed|caused)\b"),
    _rule("error", "making-light", "It is not small for those who wait.",
          r"\bglitch(?:es|y)?\b|\bhic{1,3}(?:up|ough)s?\b|\bblips?\b|\bsnags?\b|\boops\b|\bwhoops\b|\bgremlins?\b"),
    _rule("error", "stock-apology", "Say sorry plainly or not at all.",
          r"\bany inconvenience\b|\bfor the inconvenience\b|\bbear with us\b"
          r"|\bthank you for your (?:patience|understanding)\b"),
    _rule("warning", "relative-time", "Give the time in UTC.",
          r"\b(?:earlier today|yesterday|tomorrow|tonight|this (?:morning|afternoon|evening)|recently|just now"
          rf"|currently|{_NUMBER} (?:minutes?|mins?|hours?|hrs?|days?) ago)\b"),
    _rule("warning", "no-zone", "Add UTC.",
          r"(?<![\d:+])(?<! -)[0-2]?\d:[0-5]\d(?::[0-5]\d)?(?![\d:]|\.\d)(?! ?(?:UTC|GMT|Z\b|[+-]\d))"
          r"|\b1?\d ?(?:am|pm|a\.m\.|p\.m\.)(?! ?(?:UTC|GMT))\b"),
    _rule("warning", "hedge", "Say what is known; leave out the rest.",
          r"\b(?:we (?:believe|think|suspect|assume)|it (?:seems|appears|looks like)|seem(?:s|ingly)?|apparently"
          r"|possibly|probably|perhaps|maybe|might|may be|presumably)\b"),
    _rule("warning", "jargon", "Say it in lay words.",
          r"\bSEV-?\d\b|\bP[0-4]\b(?!\w)|\b(?:latency|throughput|degraded|degradation|downtime|failover|rollback|hotfix"
          r"|rolled back|deploy(?:ed|ment|ing)?|database|DB|CPU|cache|API|endpoints?|nodes?|pods?|cluster|kubernetes"
          r"|queue depth|timeouts?|backlog|upstream|downstream|mitigat(?:e|ed|ion)|remediat(?:e|ed|ion)|horizon|soroban"
          r"|RPC|ledgers?|validators?|sequence numbers?|fee bumps?|stakeholders?|intermittent(?:ly)?|TLS|DNS|SLA|KYC"
          r"|5xx|HTTP)\b"),
    _rule("warning", "shouting", "No words in capitals.", r"(?-i:\b[A-Z]{5,40}\b)"),
)  # fmt: skip
_EMOJI = re.compile(r":[a-z][a-z0-9_+-]{1,40}:")
_SENTENCE = re.compile(r"[.!?](?:\s|$)|\n")
_MAX_SENTENCE_WORDS = 30


def tone(text: str) -> tuple[ToneFinding, ...]:
    """What to change before a text goes out, errors first. Empty for a calm text."""
    view = plain_view(text)
    found = [
        ToneFinding(rule.level, rule.rule, " ".join(match.group().split())[:60], rule.why)
        for rule in RULES
        for match in rule.pattern.finditer(view.text)
    ]
    emoji = _EMOJI.search(view.text) or next((char for char in text if _pictorial(char)), None)
    if emoji is not None:
        words = emoji if isinstance(emoji, str) else emoji.group()
        found.append(ToneFinding("error", "emoji", words, "Words only: pictures read differently everywhere."))
    for sentence in _SENTENCE.split(view.text):
        words = " ".join(sentence.split())
        if words.count(" ") >= _MAX_SENTENCE_WORDS:
            found.append(ToneFinding("warning", "long-sentence", words[:60], "Make two sentences of it."))
    unique = dict.fromkeys(found)
    return tuple(sorted(unique, key=lambda finding: finding.level != "error"))


def _pictorial(char: str) -> bool:
    # So: other symbols, where emoji live; the signs ° © ® ™ and currency-like ones are ordinary
    return unicodedata.category(char) == "So" and ord(char) > 0x2190
