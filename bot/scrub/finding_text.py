"""What people are told about findings: kinds and places, never values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from bot.scrub.detectors import DETECTORS
from bot.scrub.findings import ScrubAction, ScrubFinding

_PLURALS = {"person": "people"}
#: what to do about a blocked kind, most urgent first
_ADVICE: tuple[tuple[frozenset[str], str], ...] = (
    (frozenset({"stellar_seed", "seed_phrase", "private_key"}), "Rotate that key: runbook key-compromise."),
    (frozenset({"api_key", "jwt", "bearer"}), "Revoke it and issue a new one: runbook key-compromise."),
    (frozenset({"password", "url_password"}), "Change it now: runbook key-compromise."),
    (frozenset({"card"}), "Take it out: card numbers may not be kept here."),
)


#: a kind as it is stored -> how people call it
_NOUNS = {one.kind: one.noun for one in reversed(DETECTORS)}


def kind_noun(kind: str) -> str:
    """ "a Stellar secret seed" for what is stored as stellar_seed; a kind of another version as it is stored."""
    return _NOUNS.get(kind, kind)


def removed_summary(findings: Iterable[ScrubFinding]) -> str:
    """Such as "2 account ids and 1 e-mail address removed"; empty if nothing was masked."""
    counts = Counter(_bare(finding.noun) for finding in findings if finding.action is ScrubAction.MASK)
    if not counts:
        return ""
    return f"{_listed([f'{n} {noun if n == 1 else _plural(noun)}' for noun, n in counts.items()])} removed"


def refusal_text(findings: Iterable[ScrubFinding], label: str) -> str:
    """Why a text was not taken and what to do: "A Stellar secret seed is in Summary. Nothing was stored. …"."""
    blocked = [finding for finding in findings if finding.action is ScrubAction.BLOCK]
    if any(finding.rule == "too-long" for finding in blocked):
        return f"{label} is too long to be checked. Nothing was stored. Shorten it."
    if not blocked or any(finding.kind == "unchecked" for finding in blocked):
        return f"{label} could not be checked. Nothing was stored. Write it again in plain words."
    nouns = list(dict.fromkeys(finding.noun for finding in blocked))
    kinds = {finding.kind for finding in blocked}
    advice = next((sentence for among, sentence in _ADVICE if kinds & among), "Take it out and try again.")
    listed = _listed(nouns)
    verb = "is" if len(nouns) == 1 else "are"
    return f"{listed[0].upper()}{listed[1:]} {verb} in {label}. Nothing was stored. {advice}"


def _bare(noun: str) -> str:
    return noun.split(" ", 1)[1] if noun.startswith(("a ", "an ")) else noun


def _plural(noun: str) -> str:
    if noun in _PLURALS:
        return _PLURALS[noun]
    if noun.startswith("date of "):
        return "dates" + noun[4:]
    return noun + ("es" if noun.endswith(("s", "x", "ch", "sh")) else "s")


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
