"""What the reconciler attends: an incident, or a workspace as a whole (its digest, the Homes of its people)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class SubjectKind(StrEnum):
    """What kind of thing is attended. An incident's due time and lease stand in its own row."""

    WORKSPACE = "workspace"


class Subject(Protocol):
    """What a call is about, as far as every effector may know it."""

    @property
    def team(self) -> str: ...
    @property
    def id(self) -> str: ...
    @property
    def channel(self) -> str: ...
    @property
    def reachable(self) -> bool: ...
    @property
    def drill(self) -> bool: ...
    @property
    def adopted_at(self) -> datetime | None: ...


@dataclass(frozen=True)
class WorkspaceSubject:
    """A workspace. It has no channel of its own: what is said of it stands where policy says."""

    team: str
    #: when it was attended for the first time: no digest of before is owed
    created_at: datetime
    #: counts what people and incidents have asked of it
    seq: int = 0
    due_at: datetime | None = None
    channel: str = ""
    reachable: bool = False
    drill: bool = False
    adopted_at: datetime | None = None

    @property
    def id(self) -> str:
        """The same in every process, and after a restore."""
        return subject_id(self.team)


def subject_id(team: str) -> str:
    """The id of a workspace as a subject."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{SubjectKind.WORKSPACE}/{team}"))


def home_key(user: str) -> str:
    """The key of the call that publishes this person's Home."""
    return f"home:{user}"
