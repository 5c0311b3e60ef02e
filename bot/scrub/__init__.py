"""What must never leave: secrets are refused, what points at a person or an account becomes a neutral noun.

scrub(text, Mode.STRICT)           for customers and the public
scrub(text, Mode.INTERNAL)         for colleagues
find_secrets(text)                 fast; for every note, title and update
removed_summary(findings)          "2 account ids and 1 e-mail address removed"
refusal_text(findings, "Summary")  "A Stellar secret seed is in Summary. Nothing was stored. …"
"""

from __future__ import annotations

from bot.scrub.finding_text import kind_noun, refusal_text, removed_summary
from bot.scrub.scrubber import EMPTY_ALLOW_LIST, MAX_INPUT_CHARS, AllowList, Mode, find_secrets, scrub

__all__ = [
    "MAX_INPUT_CHARS",
    "EMPTY_ALLOW_LIST",
    "AllowList",
    "Mode",
    "kind_noun",
    "refusal_text",
    "removed_summary",
    "scrub",
    "find_secrets",
]
