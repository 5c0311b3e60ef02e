"""A message that should stand in Slack: what it says, where it stands, how it is treated, what comes before."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import cached_property
from typing import Any


class TargetKind(StrEnum):
    """What kind of place a message stands in."""

    CHANNEL = "channel"  # the incident's own
    ANNOUNCEMENTS = "announcements"
    CUSTOMERS = "customers"
    PERSON = "person"


@dataclass(frozen=True)
class MessageTarget:
    """Where a message stands. `user` for a person's direct messages; `parent`: the key of the message it answers."""

    kind: TargetKind
    user: str = ""
    parent: str = ""


#: the incident's own channel, top level
CHANNEL = MessageTarget(TargetKind.CHANNEL)


#: the key of the call that brings people in, which a message may wait for
INVITES = "invites"


class Priority(IntEnum):
    """What is sent first where Slack lets only one message a second through."""

    CARD = 0
    PEOPLE_CALLED = 1
    NORMAL = 2


class Surface(StrEnum):
    """What a message is, where people are told that it could not be sent."""

    OTHER = ""
    CARD = "card"
    ANNOUNCEMENT = "announce"
    REMINDER = "reminder"
    RUNBOOK = "runbook"
    SECTION = "section"


@dataclass(frozen=True)
class DesiredMessage:
    """One message that should stand in Slack, named by `key` for the whole life of its incident.

    A key only names: how a message is treated stands in its fields, and nobody reads it out of the key.
    `text` is the sentence for notifications and screen readers, in Slack's mrkdwn, at most 3900 characters
    (chat.update takes 4000: https://docs.slack.dev/reference/methods/chat.update).
    """

    key: str
    target: MessageTarget
    text: str
    blocks: tuple[dict[str, Any], ...]
    #: keys that have to be done first: of other messages, or INVITES (everybody wanted is in, or was refused)
    after: tuple[str, ...] = ()
    pin: bool = False
    #: to be deleted where it was sent, and never sent otherwise
    delete: bool = False
    #: False: where it was never sent, it is not sent any more; where it was, it is kept up to date
    send_if_new: bool = True
    surface: Surface = Surface.OTHER
    priority: Priority = Priority.NORMAL
    #: it stands for the whole incident: sent anew when somebody deletes it
    lasting: bool = False
    #: it never looks different once it was sent, unless it is withdrawn
    final: bool = False
    #: the number of the event for which it is sent, where its key has that number: after a restore another event has it
    numbered: int = 0
    #: it follows its parent: where that was deleted and sent anew, it is sent anew beneath it
    moves_down: bool = False
    #: it tells that the incident's status has changed
    tells_status: bool = False
    #: of a reminder, how late it was given: see `events.Reminded`
    rung: int | None = None

    @cached_property
    def hash(self) -> str:
        """Names what the message shows: SHA-256, in hex, of its text and blocks."""
        shown = json.dumps([self.text, self.blocks], sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(shown.encode()).hexdigest()
