"""What the store hands out besides incidents, entries and effects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.domain.incident import Status


@dataclass(frozen=True)
class IncidentRow:
    """One line of a list of incidents, read without folding."""

    id: str
    team: str
    number: int
    title: str
    severity: str
    status: Status
    private: bool
    channel: str
    declared_at: datetime
    seq: int
    due_at: datetime | None

    @property
    def name(self) -> str:
        """How people call it: INC-42."""
        return f"INC-{self.number}"


@dataclass(frozen=True)
class DeliveryRow:
    """Something that Slack (or an alert's sender) delivered, and the answer it got."""

    team: str
    key: str
    incident_id: str
    answer: str
    at: datetime


@dataclass(frozen=True)
class PersonRow:
    """What was known about a person at `at`: a cache of Slack's directory."""

    team: str
    user: str
    body: Mapping[str, Any]
    at: datetime
