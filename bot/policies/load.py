"""A policy file -> Policy. Everything wrong with it is said at once, each with its key."""

from __future__ import annotations

import difflib
import tomllib
from collections import Counter
from collections.abc import Callable, Mapping, Set
from dataclasses import fields
from pathlib import Path
from typing import Any

from bot.domain.policy import NOTE_ONLY, SEVERITIES, AlertPolicy, Policy, Severity
from bot.policies import readers
from bot.policies.readers import InvalidValue

#: bytes; a file that lists a hundred handles has a tenth of this
MAX_FILE_BYTES = 256 * 1024

GATES = ("one line", "conditions", "second person")


class BadPolicy(Exception):
    """The policy file cannot be used; `problems` has one line each, beginning with the key."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def load(path: Path | None) -> Policy:
    """The policy in that TOML file; the shipped defaults for None. Raises BadPolicy with every problem."""
    if path is None:
        return Policy()
    found = _table(path)
    problems: list[str] = []
    known = _read(found, FIELDS, problems)
    unread = found.keys() - known.keys()
    problems += _between(Policy(**known), unread)
    if problems:
        raise BadPolicy(tuple(problems))
    return Policy(**known)


def _table(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise BadPolicy((f"{path} cannot be opened: {error.strerror}.",)) from None
    if len(data) > MAX_FILE_BYTES:
        raise BadPolicy((f"{path} is larger than {MAX_FILE_BYTES // 1024} KB.",))
    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise BadPolicy((f"{path} is not UTF-8 text.",)) from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        # RecursionError: thousands of brackets inside each other
        raise BadPolicy((f"{path} is not TOML: {str(error)[:120]}.",)) from None


def _read(table: Mapping[str, Any], known: Mapping[str, Callable[[Any], Any]], problems: list[str]) -> dict[str, Any]:
    """The values of a table by the readers of `known`; a problem, “key: sentence”, for each that does not read."""
    result: dict[str, Any] = {}
    for key, value in table.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            meant = f" Did you mean {near[0]}?" if near else ""
            problems.append(f"{_shown(key)}: there is no such key.{meant}")
            continue
        try:
            result[key] = known[key](value)
        except InvalidValue as wrong:
            problems += [f"{key}{more}: {sentence}" for more, sentence in wrong.found]
    return result


def _shown(key: str) -> str:
    return key[:40] if key.isprintable() and key else repr(key[:40])


# -- severities ---------------------------------------------------------------------------------------


def _severities(value: Any) -> tuple[Severity, ...]:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise InvalidValue("write each severity as a [[severities]] table")
    if not value:
        raise InvalidValue("there has to be one severity at least, the worst first")
    problems: list[tuple[str, str]] = []
    read = [_severity(table, number, problems) for number, table in enumerate(value, 1)]
    problems += _twice(read)
    if problems:
        raise InvalidValue(*problems)
    return tuple(Severity(**one) for one in read)


def _severity(table: Mapping[str, Any], number: int, problems: list[tuple[str, str]]) -> dict[str, Any]:
    found: list[str] = []
    known = _read(table, SEVERITY_FIELDS, found)
    for one in found:
        key, _, sentence = one.partition(": ")
        problems.append((f"[{number}].{key}", sentence))
    problems += [(f"[{number}].{key}", "is missing") for key in SEVERITY_NEEDS if key not in table]
    return {"cadence": None, "postmortem_days": None, **known}


def _twice(read: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """A word has to mean one severity, whether it is a key, a name or an alias."""
    holders: dict[str, int] = {}
    problems: list[tuple[str, str]] = []
    for number, one in enumerate(read, 1):
        aliases: tuple[str, ...] = one.get("aliases", ())
        problems += [
            (f"[{number}].aliases", f"“{word}” is there twice") for word, n in Counter(aliases).items() if n > 1
        ]
        # an alias that repeats its own severity's name takes nothing from anybody
        words = {**dict.fromkeys(aliases, "aliases"), one.get("name", "").lower(): "name", one.get("key", ""): "key"}
        for word, key in words.items():
            holder = holders.setdefault(word, number) if word else number
            if holder != number:
                problems.append((f"[{number}].{key}", f"“{word}” already means severities[{holder}]"))
    return problems


# -- what has to fit together -----------------------------------------------------------------------


def _between(policy: Policy, unread: Set[str]) -> list[str]:
    """Keys that contradict each other, as far as both could be read."""
    problems = []
    keys = [one.key for one in policy.severities]
    if not unread & {"severities", "assumed_severity"} and policy.assumed_severity not in keys:
        problems.append(
            f"assumed_severity: “{policy.assumed_severity}” is not the key of a severity: {', '.join(keys)}"
        )
    if not unread & {"severities", "alerts"}:
        problems += [
            f"alerts.severities.{word}: “{meant}” is neither {NOTE_ONLY} nor the key of a severity: {', '.join(keys)}"
            for word, meant in policy.alerts.severities
            if meant != NOTE_ONLY and meant not in keys
        ]
    if not unread & {"announcements", "customer_comms"} and policy.announcements == policy.customer_comms:
        problems.append("customer_comms: this is the channel of announcements too; customers need one of their own")
    return problems


def _resolve_checks(value: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict):
        raise InvalidValue("write the conditions as a [resolve_checks] table: key = “sentence”")
    if len(value) > readers.MAX_OPTIONS:
        raise InvalidValue(f"has {len(value)} conditions; a form shows {readers.MAX_OPTIONS} at most")
    problems: list[tuple[str, str]] = []
    checks = []
    for key, sentence in value.items():
        try:
            checks.append((readers.key(key), readers.line(readers.MAX_SENTENCE_CHARS)(sentence)))
        except InvalidValue as wrong:
            problems += [(f".{_shown(key)}", said) for _, said in wrong.found]
    if problems:
        raise InvalidValue(*problems)
    return tuple(checks)


def _alerts(value: Any) -> AlertPolicy:
    if not isinstance(value, dict):
        raise InvalidValue("write what alerts do as an [alerts] table")
    found: list[str] = []
    known = _read(value, ALERT_FIELDS, found)
    if found:
        raise InvalidValue(*((f".{key}", sentence) for key, _, sentence in (one.partition(": ") for one in found)))
    return AlertPolicy(**known)


def _alert_severities(value: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict):
        raise InvalidValue("write the senders' words as an [alerts.severities] table: word = “sev1”, or “note”")
    problems: list[tuple[str, str]] = []
    meanings = []
    for word, meant in value.items():
        try:
            meanings.append((readers.word(word), readers.key(meant)))
        except InvalidValue as wrong:
            problems += [(f".{_shown(word)}", said) for _, said in wrong.found]
    if problems:
        raise InvalidValue(*problems)
    return tuple(meanings)


def _rungs(value: Any) -> tuple[Any, ...]:
    rungs = readers.each(readers.offset)(value)
    if not rungs:
        raise InvalidValue("there has to be one rung at least: nobody would be reminded")
    if list(rungs) != sorted(set(rungs)):
        raise InvalidValue("each rung has to come later than the one before it")
    # After mitigation only the second rung remains (cadence.rungs): it is the one at the time itself.
    if len(rungs) < 2 or rungs[1] != readers.NOTHING:
        raise InvalidValue("the second rung is the one at the time itself: 0m")
    return rungs


#: what may stand in a [[severities]] table, and what reads it
SEVERITY_FIELDS: dict[str, Callable[[Any], Any]] = {
    "key": readers.key,
    "name": readers.line(20),
    # the description of an option in a select holds 75 characters
    "meaning": readers.line(75),
    "cadence": readers.duration,
    "postmortem_days": readers.count(1, 90),
    "gate": readers.choice(GATES),
    "aliases": readers.each(readers.word),
    "responders": readers.each_once(readers.who),
}
#: what each of them has to say
SEVERITY_NEEDS = ("key", "name", "meaning", "gate")
assert set(SEVERITY_FIELDS) == {one.name for one in fields(Severity)}

#: what may stand in the [alerts] table, and what reads it
ALERT_FIELDS: dict[str, Callable[[Any], Any]] = {
    "declare": readers.yes_or_no,
    "severities": _alert_severities,
    "private_to": readers.each_once(readers.who),
}
assert set(ALERT_FIELDS) == {one.name for one in fields(AlertPolicy)}

#: what may stand at the top of the file, and what reads it
FIELDS: dict[str, Callable[[Any], Any]] = {
    "severities": _severities,
    "assumed_severity": readers.key,
    "announcements": readers.channel,
    "customer_comms": readers.channel,
    "digest_at": readers.time_of_day,
    "levels": readers.each(readers.some(readers.who)),
    "may_declare": readers.each_once(readers.who),
    "may_change_severity": readers.each_once(readers.who),
    "may_resolve": readers.each_once(readers.who),
    "may_approve": readers.each_once(readers.who),
    "may_do_money_steps": readers.each_once(readers.who),
    "may_confirm": readers.each_once(readers.who),
    "may_run_drills": readers.each_once(readers.who),
    "may_read_private": readers.each_once(readers.who),
    "guests_may_act": readers.yes_or_no,
    "alerts": _alerts,
    "money_words": readers.each_once(readers.phrase),
    "private_words": readers.each_once(readers.phrase),
    "answer_within": readers.duration,
    "ask_again_every": readers.duration,
    "severity_asked_after": readers.duration,
    "lead_silent_after": readers.duration,
    "offer_stands": readers.duration,
    "ask_stands": readers.duration,
    "go_stands": readers.duration,
    "review_within": readers.duration,
    "draft_stands": readers.duration,
    "undo_within": readers.duration,
    "section_folds_after": readers.duration,
    "snooze": readers.duration,
    "snoozes": readers.count(0, 10),
    "rungs": _rungs,
    "resolve_checks": _resolve_checks,
}
assert set(FIELDS) == {one.name for one in fields(Policy)}
assert {one.gate for one in SEVERITIES} <= set(GATES)
