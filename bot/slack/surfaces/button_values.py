"""What a button, a box or a menu's option carries in its `value`: one small dataclass a kind, as compact JSON.

Each field names the key under which it is stored. Messages in Slack hold these keys for years: they never change.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass, field, fields
from typing import Any, TypeVar, get_type_hints

from bot.domain.incident import Checklist
from bot.domain.runbook import Step
from bot.slack.surfaces import block_kit


class UnreadableValue(ValueError):
    """The value is not what its button carries: of another version, or nobody's."""


def stored(key: str, default: Any = MISSING) -> Any:
    """A field that is stored under `key`; without a default it has to be there."""
    return field(default=default, metadata={"key": key})


@dataclass(frozen=True, kw_only=True)
class IncidentValue:
    """A button about an incident; `incident` is its id, "" where the form around the button knows it."""

    incident: str = stored("i", "")


@dataclass(frozen=True, kw_only=True)
class RoleValue(IncidentValue):
    """A role: lead, comms-lead, scribe."""

    role: str = stored("o")


@dataclass(frozen=True, kw_only=True)
class SeverityValue(IncidentValue):
    """A severity's key."""

    severity: str = stored("sev")


@dataclass(frozen=True, kw_only=True)
class RunbookValue(IncidentValue):
    """A runbook by its `ref`, attached or offered."""

    runbook: str = stored("r")


@dataclass(frozen=True, kw_only=True)
class SectionValue(RunbookValue):
    """A section's number."""

    section: int = stored("n")


@dataclass(frozen=True, kw_only=True)
class PageValue(RunbookValue):
    """A page of the list of steps, from 0."""

    page: int = stored("p", 0)


@dataclass(frozen=True, kw_only=True)
class StepValue(RunbookValue):
    """A step; `version` as it was shown."""

    step: str = stored("s")
    version: int = stored("v", 0)

    @classmethod
    def of(cls, checklist: Checklist, step: Step) -> StepValue:
        """The value of a button beside this step."""
        return cls(runbook=checklist.runbook.ref, step=step.id, version=checklist.state(step.id).version)


@dataclass(frozen=True, kw_only=True)
class ReadingValue(StepValue):
    """A step, and the seq of a ReadingTaken beside it."""

    reading: int = stored("k", 0)


@dataclass(frozen=True, kw_only=True)
class AskValue(IncidentValue):
    """The seq of an Asked."""

    ask: int = stored("a")


@dataclass(frozen=True, kw_only=True)
class DraftValue(IncidentValue):
    """A customer text by its name; `text_hash` of the bytes that stand beside the button."""

    draft: str = stored("d")
    text_hash: str = stored("h", "")


@dataclass(frozen=True, kw_only=True)
class UpdateValue(IncidentValue):
    """The words of an update that is not posted yet."""

    text: str = stored("t", "")


@dataclass(frozen=True, kw_only=True)
class UndoValue(IncidentValue):
    """The seq of an UpdatePosted."""

    update: int = stored("u")


@dataclass(frozen=True, kw_only=True)
class TaskValue(IncidentValue):
    """The seq of a TaskAdded."""

    task: int = stored("t")


@dataclass(frozen=True, kw_only=True)
class ActValue(IncidentValue):
    """An act of [More], by its word."""

    act: str = stored("a")


@dataclass(frozen=True, kw_only=True)
class TypedValue(IncidentValue):
    """Words, as if they had been typed after the command."""

    text: str = stored("c")


@dataclass(frozen=True, kw_only=True)
class DeclareValue(IncidentValue):
    """A declaration; `private`: "1", "0" or "" for not said; `anyway`: "1" although one like it is open."""

    title: str = stored("t", "")
    severity: str = stored("s", "")
    private: str = stored("p", "")
    anyway: str = stored("a", "")


V = TypeVar("V", bound=IncidentValue)


_KEYS: dict[type[IncidentValue], tuple[tuple[str, str, type, bool], ...]] = {}


def _keys(kind: type[IncidentValue]) -> tuple[tuple[str, str, type, bool], ...]:
    """Of each field: its name, its key, its type, and whether it has to be there."""
    if kind not in _KEYS:
        types = get_type_hints(kind)
        _KEYS[kind] = tuple(
            (one.name, one.metadata["key"], types[one.name], one.default is MISSING) for one in fields(kind)
        )
    return _KEYS[kind]


def encode(value: IncidentValue) -> str:
    """The value as it stands in Slack, without what is empty."""
    return block_kit.encode_value(**{key: getattr(value, name) for name, key, _, _ in _keys(type(value))})


def decode(kind: type[V], raw: str) -> V:
    """What `encode` wrote. Raises UnreadableValue where a key lacks, or holds something else."""
    said = block_kit.decode_value(raw)
    found: dict[str, Any] = {}
    for name, key, of, needed in _keys(kind):
        if key not in said:
            if needed:
                raise UnreadableValue(key)
            continue
        if not isinstance(said[key], of) or isinstance(said[key], bool):
            raise UnreadableValue(key)
        found[name] = said[key]
    return kind(**found)
