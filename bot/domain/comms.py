"""Customer comms: the shapes that templates, scrubbing, approval and publishing share."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    """What the scrubber does with a finding."""

    BLOCK = "block"  # a secret or a card number: the text may not even be stored
    MASK = "mask"  # replaced by a neutral noun
    HOLD = "hold"  # left in place, a person has to look


@dataclass(frozen=True)
class Finding:
    """One span that may not leave: its class and rule, never its value. Offsets are characters of the original."""

    kind: str  # "email", "iban", "stellar_seed", …
    rule: str  # the rule's id
    action: Action
    start: int
    end: int
    #: for people: "an account id", "an e-mail address", "a Stellar secret seed"
    noun: str = ""


@dataclass(frozen=True)
class Scrubbed:
    """A text after scrubbing. When `blocked` is not empty, `text` is empty: fail closed."""

    text: str
    findings: tuple[Finding, ...] = ()

    @property
    def blocked(self) -> tuple[Finding, ...]:
        """The findings that forbid the text altogether."""
        return tuple(f for f in self.findings if f.action is Action.BLOCK)


@dataclass(frozen=True)
class Slot:
    """One typed blank of a template. `kind`: count, share, money, time, state, region, url, choice, text, incident."""

    name: str
    label: str
    kind: str
    required: bool = True
    hint: str = ""
    choices: tuple[str, ...] = ()
    max_length: int = 280


@dataclass(frozen=True)
class Template:
    """One text for one audience at one stage. `revision` names the file's content."""

    name: str  # "payment-delays"
    audience: str  # "customers" | "status-page" | "internal"
    stage: str  # "investigating" | "identified" | "monitoring" | "resolved"
    title: str
    slots: tuple[Slot, ...]
    revision: str


def text_hash(text: str) -> str:
    """What an approval is bound to: the SHA-256 of exactly this text, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()
