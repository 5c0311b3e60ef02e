"""What is allowed in a runbook and still unwise: acts that move money without a second person, gaps, old reviews."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

from bot.domain.runbook import Runbook, Step, TwoPeople
from bot.runbooks.problems import Problem
from bot.runbooks.shelf import RunbookSource, Shelf

#: the sections that everybody can count on, in this order
TEMPLATE = (
    "Overview",
    "Indicators",
    "Immediate mitigation",
    "Root cause investigation",
    "Resolution",
    "Escalation path",
    "Post-incident actions",
)
#: a quarter and a few days
REVIEW_EVERY = timedelta(days=95)

_B, _A = TwoPeople.BEFORE, TwoPeople.AFTER

#: a line of a command -> which mark it needs. stellar-cli: everything that signs, sends, or may send
COMMANDS: tuple[tuple[re.Pattern[str], TwoPeople], ...] = (
    (re.compile(r"\bstellar\b.*\btx (?:send|sign)\b"), _B),
    (re.compile(r"\bstellar\b.*\btx new\b(?!.*--build-only)"), _B),
    (re.compile(r"\bstellar\b.*\bcontract invoke\b(?!.*--send[= ]no)"), _B),
    (re.compile(r"\bstellar\b.*\bcontract (?:deploy|upload|extend|restore)\b"), _B),
    (re.compile(r"--sign-with-(?:key|lab|ledger)"), _B),
    (re.compile(r"/transactions(?:_async)?[\"']?(?:\s|$).*--data|--data.*/transactions(?:_async)?\b"), _B),
    (re.compile(r"\bsendTransaction\b"), _B),
    (re.compile(r"\bpg_promote\b|\bpg_ctl\b.*\bpromote\b"), _B),
    (re.compile(r"\b(?:DROP|TRUNCATE) (?:TABLE|DATABASE)\b|\bDELETE FROM\b", re.IGNORECASE), _B),
    (re.compile(r"\b(?:FLUSHALL|FLUSHDB)\b", re.IGNORECASE), _B),
)
#: the word that a step begins with -> which mark it needs
VERBS: dict[str, TwoPeople] = {
    **dict.fromkeys(
        ("resume", "replay", "refund", "resend", "re-send", "rebuild", "promote", "rotate", "release", "reverse",
         "reprocess", "retry", "unfreeze", "unpause", "pay", "cancel", "sign", "submit"),
        _B,
    ),
    **dict.fromkeys(("pause", "freeze", "fence", "revoke", "close"), _A),
}  # fmt: skip
_RESUMING = re.compile(r"\b(?:resume|replay|refund|resend|reprocess|unpause)\b", re.IGNORECASE)


def lint(shelf: Shelf, *, today: date | None = None, severities: frozenset[str] | None = None) -> tuple[Problem, ...]:
    """The shelf's own problems and everything found here, by file and line.

    `today` turns on the check of review dates; `severities` (keys of the policy) that of the severity.
    """
    found = list(shelf.problems)
    for slug, runbook in shelf.runbooks.items():
        place = shelf.sources.get(slug, RunbookSource(_nowhere(slug)))
        for step in runbook.steps:
            line = place.lines.get(step.id, 1)
            found += [Problem(place.path, line, sentence) for sentence in _of_step(step)]
        found += [Problem(place.path, 1, sentence) for sentence in _of_runbook(runbook, today, severities)]
        if slug in shelf.related.get(slug, ()):
            found.append(Problem(place.path, 1, "It calls itself related."))
    return tuple(sorted(found, key=lambda problem: (problem.path, problem.line)))


def _of_step(step: Step) -> Iterable[str]:
    needed = _needs(step)
    if needed is _B and step.two_people is not _B:
        yield f"Step {step.id} can move money or cannot be taken back: mark it {{two-people: before}}."
    elif needed is _A and step.two_people is None:
        yield f"Step {step.id} stops something: mark it {{two-people: after}}."


def _needs(step: Step) -> TwoPeople | None:
    lines = [line for command in step.commands for line in command.replace("\\\n", " ").split("\n")]
    acting = [line for line in lines if not line.lstrip().startswith("#")]
    marks = {mark for pattern, mark in COMMANDS for line in acting if pattern.search(line)}
    if any(_RESUMING.search(line) for line in acting):
        marks.add(_B)
    first = step.text.split(maxsplit=1)[0].lower().strip(".,:;") if step.text else ""
    if first in VERBS:
        marks.add(VERBS[first])
    return _B if _B in marks else _A if marks else None


def _of_runbook(runbook: Runbook, today: date | None, severities: frozenset[str] | None) -> Iterable[str]:
    titles = tuple(section.title for section in runbook.sections)
    numbers = tuple(section.number for section in runbook.sections)
    if titles != TEMPLATE or numbers != tuple(range(1, len(TEMPLATE) + 1)):
        missing = [title for title in TEMPLATE if title not in titles]
        what = f"missing: {', '.join(missing)}" if missing else "their order or number is another"
        yield f"The sections are not those of the template ({what})."
    for section in runbook.sections:
        if not section.text and not section.steps:
            yield f"Section {section.number} is empty."
    if not runbook.alerts and not runbook.words:
        yield "Neither alerts nor words lead here, so nobody finds it at night."
    if not runbook.owner:
        yield "Nobody owns it: set “owner”."
    if runbook.severity and severities is not None and runbook.severity not in severities:
        yield f"The severity “{runbook.severity}” is not one of the policy."
    if runbook.reviewed is None:
        yield "It has never been reviewed: set “reviewed”."
    elif today and runbook.reviewed > today:
        yield f"It says it was reviewed on {runbook.reviewed}, which has not come yet."
    elif today and today - runbook.reviewed > REVIEW_EVERY:
        yield f"Its last review was on {runbook.reviewed}; one is due every quarter."


def _nowhere(slug: str) -> Path:
    return Path(f"{slug}.md")
