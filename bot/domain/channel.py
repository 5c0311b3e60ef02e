"""The incident's channel: its name, and what Slack said about it, as facts of the timeline."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.domain import events as e
from bot.domain.actor import Actor
from bot.domain.incident import Incident

#: Slack: a channel's name has at most 80 characters of a-z, 0-9, - and _ (conversations.create)
MAX_NAME_CHARS = 80


def name(incident: Incident, attempt: int) -> str:
    """inc-42-withdrawals-are-stuck; private: inc-42. Later attempts get a suffix, -2 and so on."""
    stem = f"inc-{incident.number}"
    suffix = f"-{attempt + 1}" if attempt else ""
    if not incident.private and (words := slug(incident.title)):
        stem = f"{stem}-{words}"
    return stem[: MAX_NAME_CHARS - len(suffix)].rstrip("-_") + suffix


def slug(title: str) -> str:
    """The title in the letters that a channel's name may have; empty where none is left."""
    plain = unicodedata.normalize("NFKD", title.lower())
    words = "".join(c if c.isascii() and c.isalnum() else "-" if not unicodedata.combining(c) else "" for c in plain)
    return "-".join(part for part in words.split("-") if part)[:60].strip("-")


def record_opened(incident: Incident, *, channel: str, name: str, by: Actor, at: datetime) -> list[e.Event]:
    """Slack gave the incident a channel; the first one counts."""
    if incident.channel:
        return []
    return [e.ChannelOpened(by=by.user, at=at, channel=channel, name=name)]


def record_refused(incident: Incident, *, error: str, by: Actor, at: datetime) -> list[e.Event]:
    """Slack refused the channel for good."""
    if incident.channel or incident.channel_error == error:
        return []
    return [e.ChannelRefused(by=by.user, at=at, error=error)]


def record_lost(incident: Incident, *, reason: str, by: Actor, at: datetime) -> list[e.Event]:
    """The channel cannot be used any more."""
    if not incident.channel or incident.channel_lost:
        return []
    return [e.ChannelLost(by=by.user, at=at, reason=reason)]


def record_regained(incident: Incident, *, by: Actor, at: datetime) -> list[e.Event]:
    """The channel can be used again."""
    return [e.ChannelRegained(by=by.user, at=at)] if incident.channel_lost else []


def record_invited(
    incident: Incident, *, users: Sequence[str], refused: Mapping[str, str], by: Actor, at: datetime
) -> list[e.Event]:
    """These people were asked for; some could not be brought in."""
    inside = tuple(user for user in users if user not in refused and user not in incident.invited)
    outside = tuple(e.Refusal(user=user, error=code) for user, code in refused.items())
    if not inside and not outside:
        return []
    return [e.Invited(by=by.user, at=at, users=inside, refused=outside)]


def record_left(incident: Incident, *, user: str, by: Actor, at: datetime) -> list[e.Event]:
    """Somebody left, or was removed: not brought back, not asked, and no longer told of a private incident."""
    return [e.PersonLeft(by=by.user, at=at, user=user)] if user in incident.invited else []


def record_postmortem_shared(
    incident: Incident, *, file: str, written: int, text_hash: str, link: str, by: Actor, at: datetime
) -> list[e.Event]:
    """The draft is in the channel."""
    if incident.postmortem_file or incident.postmortem_seq != written:
        return []
    return [e.PostmortemShared(by=by.user, at=at, file=file, written=written, text_hash=text_hash, link=link)]
