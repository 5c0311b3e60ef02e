"""Customer comms: the shapes that templates, approval and publishing share."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


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
