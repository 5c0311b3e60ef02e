"""The YAML at the top of a runbook -> its typed values, each finding with its line.

Only plain values: no anchors and aliases (a few lines of them can stand for gigabytes), no tags of Python,
no key twice, no key that nobody reads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

import yaml

from bot.runbooks.problems import LineProblem

#: a button of Slack holds 75 characters, and a guess offers the title on one
MAX_TITLE_CHARS = 70
MAX_SUMMARY_CHARS = 300
MAX_LIST_ITEMS = 50
MAX_WORD_CHARS = 200
MAX_FRONT_MATTER_CHARS = 16_384
#: the time that PyYAML takes grows with the square of how deep they stand in each other
MAX_NESTING = 300


@dataclass(frozen=True)
class FrontMatter:
    """What stands at the top of a runbook. `title` and `summary` are asked of every file."""

    title: str = ""
    summary: str = ""
    alerts: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    severity: str | None = None
    owner: str = ""
    reviewed: date | None = None
    related: tuple[str, ...] = ()


def read(text: str, first_line: int) -> tuple[FrontMatter, list[LineProblem]]:
    """The values in `text`, whose first line is line `first_line` of the file, and everything wrong with it."""
    if len(text) > MAX_FRONT_MATTER_CHARS:
        return FrontMatter(), [
            LineProblem(first_line, f"The front matter is longer than {MAX_FRONT_MATTER_CHARS} characters.")
        ]
    if text.count("[") + text.count("{") > MAX_NESTING:
        return FrontMatter(), [LineProblem(first_line, f"The front matter has more than {MAX_NESTING} brackets.")]
    loader = _NoAliasLoader(text)
    try:
        node = loader.get_single_node()
        if not isinstance(node, yaml.MappingNode):
            return FrontMatter(), [LineProblem(first_line, "The front matter has to be lines of “key: value”.")]
        return _values(loader, node, first_line)
    except yaml.YAMLError as error:
        return FrontMatter(), [_yaml_finding(error, first_line)]
    except (ValueError, RecursionError, OverflowError):
        # PyYAML lets these through for a scalar that looks like a date or a number and is none, and for
        # thousands of brackets inside each other
        return FrontMatter(), [LineProblem(first_line, "The front matter cannot be read as YAML.")]
    finally:
        loader.dispose()


class _NoAliasLoader(yaml.SafeLoader):
    """The safe loader, without aliases."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "aliases (*name) are not read", event.start_mark)
        return super().compose_node(parent, index)


def _values(
    loader: _NoAliasLoader, mapping: yaml.MappingNode, first_line: int
) -> tuple[FrontMatter, list[LineProblem]]:
    values: dict[str, Any] = {}
    lines: dict[str, int] = {}
    findings: list[LineProblem] = []
    for key_node, value_node in mapping.value:
        line = first_line + key_node.start_mark.line
        key = key_node.value if isinstance(key_node, yaml.ScalarNode) else ""
        if key not in CHECKS:
            findings.append(LineProblem(line, f"The key “{key[:40]}” is not known. Known are: {', '.join(CHECKS)}."))
            continue
        if key in lines:
            findings.append(LineProblem(line, f"The key “{key}” stands here a second time."))
            continue
        lines[key] = line
        try:
            values[key] = CHECKS[key](loader.construct_object(value_node, deep=True))
        except _InvalidValue as wrong:
            findings.append(LineProblem(line, f"“{key}” {wrong}."))
        except ValueError:  # a date such as 2026-13-45
            findings.append(LineProblem(line, f"“{key}” is not a date that exists."))
    findings += [LineProblem(first_line, f"“{key}” is missing.") for key in ("title", "summary") if key not in lines]
    return FrontMatter(**values), findings


class _InvalidValue(Exception):
    """The end of a sentence that begins with the key's name."""


def _line_of_text(limit: int) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if not isinstance(value, str):
            raise _InvalidValue("has to be text; put it in quotes")
        words = " ".join(value.split())
        if not words:
            raise _InvalidValue("is empty")
        if len(words) > limit:
            raise _InvalidValue(f"is longer than {limit} characters")
        return words

    return check


def _list_of_text(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise _InvalidValue("has to be a list of texts: [one, two]")
    words = tuple(" ".join(one.split()) for one in value)
    if len(words) > MAX_LIST_ITEMS:
        raise _InvalidValue(f"has more than {MAX_LIST_ITEMS} entries")
    if not all(words) or any(len(one) > MAX_WORD_CHARS for one in words):
        raise _InvalidValue(f"has an entry that is empty or longer than {MAX_WORD_CHARS} characters")
    folded = [one.casefold() for one in words]
    if len(set(folded)) < len(folded):
        raise _InvalidValue("names something twice")
    return words


def _key(value: Any) -> str:
    word = _line_of_text(20)(value)
    if not word.replace("-", "").isalnum():
        raise _InvalidValue("has to be one word, such as sev1")
    return word.lower()


def _day(value: Any) -> date:
    # a datetime is a date in Python, and would compare with none
    if not isinstance(value, date) or isinstance(value, datetime):
        raise _InvalidValue("has to be a date: 2026-11-20")
    return value


#: every key that may stand in the front matter, and what makes its value
CHECKS: dict[str, Callable[[Any], Any]] = {
    "title": _line_of_text(MAX_TITLE_CHARS),
    "summary": _line_of_text(MAX_SUMMARY_CHARS),
    "alerts": _list_of_text,
    "words": _list_of_text,
    "severity": _key,
    "owner": _line_of_text(MAX_WORD_CHARS),
    "reviewed": _day,
    "related": _list_of_text,
}
assert set(CHECKS) == {one.name for one in fields(FrontMatter)}


def _yaml_finding(error: yaml.YAMLError, first_line: int) -> LineProblem:
    """Where YAML stopped, in its own short words (never the text itself: it may hold anything)."""
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or "a character that YAML does not allow"
    return LineProblem(first_line + (mark.line if mark else 0), f"The front matter cannot be read: {what[:120]}.")
