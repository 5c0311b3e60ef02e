"""A call that the bot has to make to Slack or to a publisher, and how it ended. Not a fact of the timeline."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.desired_message import Surface

#: a mark of `bot restore`: the key of a row whose `hash` is the incident's last event in the backup, and the error of
#: a call that is looked for because of it
RESTORED = "restored"


class EffectState(StrEnum):
    """How far a call is."""

    SENDING = "sending"  # written down before the call; found after a crash, it may have been made
    SENT = "sent"
    REFUSED = "refused"  # a definite no: an outcome like any other
    UNKNOWN = "unknown"  # made, and nobody knows how it ended: looked up before it is made again
    MISSING = "missing"  # unknown, looked up once and not found: looked up once more before it is made again
    WAITING = "waiting"  # certainly not made yet: tried again at `next_try_at`
    PARKED = "parked"  # given up until its inputs change or somebody re-arms it


class EffectKind(StrEnum):
    """What a call brings about."""

    CHANNEL = "channel"
    TOPIC = "topic"
    RENAME = "rename"
    INVITES = "invites"
    MESSAGE = "message"
    PIN = "pin"
    BOOKMARK = "bookmark"
    FILE = "file"
    FILE_DELETED = "spoilt"
    PUBLISH = "publish"
    HOME = "home"
    #: marks among the calls: which version has shown the incident, and what `bot restore` has left
    WORDS = "words"
    RESTORED = "restored"


@dataclass(frozen=True, kw_only=True)
class Effect:
    """One call, unique by (incident, key). `hash` names the content that was sent last; of a channel, its name.

    `incident_id` is the workspace's id as a subject where the call is about a whole workspace.
    `attempts` counts the failures since it last succeeded; `ts` is a message's, or the id of a file.
    `surface` and what follows it is what has to be known of a message once it was sent: see `DesiredMessage`.
    """

    id: str  # uuid5 of incident and key; marks the message in Slack
    team: str
    incident_id: str
    key: str
    kind: EffectKind
    state: EffectState
    started_at: datetime
    channel: str = ""
    ts: str = ""
    thread_ts: str = ""
    hash: str = ""
    attempts: int = 0
    next_try_at: datetime | None = None
    error: str = ""
    surface: Surface = Surface.OTHER
    lasting: bool = False
    final: bool = False
    numbered: int = 0
    rung: int | None = None
