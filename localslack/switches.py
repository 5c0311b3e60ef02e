"""Switches that whoever starts the local Slack offers on the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Switch:
    """A choice among `options` ((value, label) pairs, or bare values); `on_change` hears the new value."""

    id: str
    label: str
    options: Sequence[str | tuple[str, str]]
    on_change: Callable[[str], None] | None = None
    value: str = field(default="")

    def __post_init__(self) -> None:
        if not self.value:
            self.value = self.pairs()[0][0]

    def pairs(self) -> list[tuple[str, str]]:
        return [(each, each) if isinstance(each, str) else each for each in self.options]

    def set(self, value: str) -> None:
        """Take one of the options; ValueError for anything else."""
        if value not in (each for each, _ in self.pairs()):
            raise ValueError(f"{self.id} has no value {value}")
        self.value = value
        if self.on_change is not None:
            self.on_change(value)

    def shown(self) -> dict[str, Any]:
        options = [{"value": value, "label": label} for value, label in self.pairs()]
        return {"id": self.id, "label": self.label, "value": self.value, "options": options}
