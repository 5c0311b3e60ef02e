"""Who acts: resolved before a rule runs, so that rules never ask Slack."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ActorKind(StrEnum):
    """What Slack says about a person, reduced to what policy asks."""

    MEMBER = "member"
    GUEST = "guest"
    BOT = "bot"
    STRANGER = "stranger"  # somebody of another workspace in a shared channel
    GONE = "gone"  # deactivated
    UNKNOWN = "unknown"  # nobody whom the cache knows, while Slack does not answer
    CLI = "cli"
    ALERT = "alert"  # a sender of alerts: begins incidents and adds lines to them, nothing else
    SELF = "self"  # this bot, paying what it owes


@dataclass(frozen=True)
class Actor:
    """A person (or this bot) of one workspace, at the moment of acting."""

    team: str
    user: str
    name: str
    kind: ActorKind = ActorKind.MEMBER
    groups: frozenset[str] = frozenset()
    tz_offset: int = 0  # seconds east of UTC
    groups_known: bool = True  # False: Slack has never told who is in which group


def bot_actor(team: str) -> Actor:
    """The actor for what time or the world, not a person, brought about."""
    return Actor(team=team, user="bot", name="Incident Commander", kind=ActorKind.SELF)


def alert_actor(team: str, source: str) -> Actor:
    """The actor for what an alert brings about; `source` is a row of SOURCES."""
    return Actor(team=team, user=f"alert:{source}", name=source, kind=ActorKind.ALERT)


def is_program(id: str) -> bool:
    """Whether that id in a timeline is no person's: the bot's own, the command line's, or an alert sender's."""
    return id == "bot" or id.startswith(("cli:", "alert:"))
