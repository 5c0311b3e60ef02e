"""What the scrubber finds, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ScrubAction(StrEnum):
    """What the scrubber does with a finding."""

    BLOCK = "block"  # a secret or a card number: the text may not even be stored
    MASK = "mask"  # replaced by a neutral noun
    HOLD = "hold"  # left in place, a person has to look


@dataclass(frozen=True)
class ScrubFinding:
    """One span that may not leave: its class and rule, never its value. Offsets are characters of the original."""

    kind: str  # "email", "iban", "stellar_seed", …
    rule: str  # the rule's id
    action: ScrubAction
    start: int
    end: int
    #: for people: "an account id", "an e-mail address", "a Stellar secret seed"
    noun: str = ""


@dataclass(frozen=True)
class Scrubbed:
    """A text after scrubbing. When `blocked` is not empty, `text` is empty: fail closed."""

    text: str
    findings: tuple[ScrubFinding, ...] = ()

    @property
    def blocked(self) -> tuple[ScrubFinding, ...]:
        """The findings that forbid the text altogether."""
        return tuple(f for f in self.findings if f.action is ScrubAction.BLOCK)
