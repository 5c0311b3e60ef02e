"""What a submitted form says: its fields (Slack: view.state.values) and what it remembers (private_metadata)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.slack.requests import deliveries
from bot.slack.requests.arguments import Tense, exact_time
from bot.slack.surfaces import block_kit


@dataclass(frozen=True)
class FormValues:
    """`fields`: block id -> what stands in its element, whatever kind it is. `metadata`: the form's own memory."""

    fields: Mapping[str, Any]
    metadata: Mapping[str, Any]

    @classmethod
    def of_view(cls, view: Mapping[str, Any]) -> FormValues:
        """The values of a view as Slack sends it."""
        found: dict[str, Any] = {}
        for block, elements in ((view.get("state") or {}).get("values") or {}).items():
            for state in elements.values():
                found[block] = _entered(state)
        return cls(found, block_kit.decode_value(view.get("private_metadata") or ""))

    @property
    def names(self) -> Sequence[str]:
        """The fields' names."""
        return tuple(self.fields)

    def text(self, name: str) -> str:
        """What was typed or chosen there, without space around it; empty where nothing was."""
        value = self.fields.get(name)
        return str(value).strip() if value not in (None, []) else ""

    def chosen(self, name: str) -> Sequence[str]:
        """The values of the boxes that are ticked there."""
        return tuple(self.fields.get(name) or ())

    def moment(self, name: str) -> datetime | None:
        """A chosen time (epoch seconds), or None where none was chosen."""
        return _moment(self.fields.get(name))

    def typed_time(self, name: str, now: datetime, tense: Tense) -> datetime | None:
        """A time that was typed with its zone; None where nothing was. Raises Refused."""
        typed = self.text(name)
        return exact_time(typed, now, tense, name) if typed else None

    def memory(self, key: str) -> str:
        """What the form remembers under a key; empty where that is nothing."""
        return str(self.metadata.get(key) or "")

    def remembered_int(self, key: str) -> int:
        """A whole number that the form remembers. Raises Refused where it is something else."""
        return deliveries.int_value(self.metadata, key)

    def remembered_moment(self, key: str) -> datetime | None:
        """A time that the form remembers (epoch seconds), or None."""
        return _moment(self.metadata.get(key))


def _entered(state: Mapping[str, Any]) -> Any:
    if "selected_options" in state:
        return [one.get("value") for one in state.get("selected_options") or ()]
    if state.get("selected_option"):
        return state["selected_option"].get("value")
    for name in (
        "value",
        "selected_user",
        "selected_date_time",
        "selected_date",
        "selected_time",
        "selected_conversation",
    ):
        if state.get(name) is not None:
            return state[name]
    return None


def _moment(value: Any) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(value), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None
