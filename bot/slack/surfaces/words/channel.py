"""The other sentences of a channel's messages: questions, the thread, alerts, a channel that cannot be used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from bot.domain.desired_message import Surface
from bot.domain.effect import EffectKind
from bot.domain.incident import ChannelLoss

#: why a channel cannot be used -> what to do; said privately, because nothing can be said there
CHANNEL_LOST: Mapping[str, str] = {
    ChannelLoss.ARCHIVED: "The channel is archived, so nothing is shown there. Everything is recorded; a person can "
    "unarchive it.",
    ChannelLoss.DELETED: "The channel was deleted, so nothing is shown there. Everything is recorded and goes into the "
    "postmortem: `bot export`.",
    ChannelLoss.REMOVED: "I was removed from the channel, so nothing is shown there. Everything is recorded; invite me "
    "again and I catch up.",
}

#: what a call is, to go on with after "do this: "
_EFFECT_PHRASES = {
    EffectKind.BOOKMARK: "bookmark the card", EffectKind.CHANNEL: "open the channel",
    EffectKind.FILE: "share the postmortem", EffectKind.FILE_DELETED: "delete a file",
    EffectKind.INVITES: "bring people in", EffectKind.PIN: "pin the card", EffectKind.PUBLISH: "publish a text",
    EffectKind.RENAME: "rename the channel", EffectKind.TOPIC: "set the topic",
}  # fmt: skip
_MESSAGE_PHRASES = {
    Surface.ANNOUNCEMENT: "announce it", Surface.CARD: "show the card", Surface.REMINDER: "remind people",
    Surface.RUNBOOK: "show a runbook", Surface.SECTION: "show a section",
}  # fmt: skip


def effect_phrase(kind: EffectKind, surface: Surface) -> str:
    """What a call of the bot's is, in a few words."""
    return _EFFECT_PHRASES.get(kind) or _MESSAGE_PHRASES.get(surface, "send a message")


def given_up(duties: Sequence[str], code: str, what_to_do: str) -> str:
    """In the channel: what Slack refuses, its word for why, and what somebody has to do."""
    return f"Slack does not let me do this: {', '.join(duties)} (`{code or 'no answer'}`). {what_to_do}"


def still_open(name: str, reason: str) -> str:
    """Directly to those who have to know that the channel of an open incident cannot be used."""
    return f"{name} is still open. {CHANNEL_LOST[reason]}"


def alerts_line(firing: int, resolved: int, last: str) -> str:
    """On the card. `last`: when the last one ended."""
    if not firing:
        over = f"all {resolved} have ended, the last" if resolved > 1 else "the one has ended"
        return f"Alerts: {over} {last}. Resolving the incident is for a person."
    return f"Alerts: {firing} firing" + (f", {resolved} ended" if resolved else "")


def guess(lead: str, titles: str) -> str:
    return f"{lead}The title fits {titles}. Attach a runbook?"


def severity_ask(lead: str, severity: str) -> str:
    return f"{lead}: nobody has chosen the severity; {severity} is assumed. Is it right?"


def secret_refused(kind: str, where: str, who: str) -> str:
    return (
        f"{kind} stood in a text by {who} ({where}). Nothing of it was stored or sent. "
        "Treat it as known to others: have it replaced."
    )


def alerts_shown(shown: int, of: int) -> str:
    return f"The latest {shown} of {of}; all are in the timeline."


def alert(name: str, said: str, facts: Sequence[str]) -> str:
    """One of the list."""
    return " · ".join((f"*{name}*" + (f": {said}" if said else ""), *facts))


def firing_since(when: str) -> str:
    return f"firing since {when}"


def alert_ended(when: str) -> str:
    return f"ended {when}"


def note(when: str, who: str, text: str) -> str:
    return f"{when}, {who}: {text}"


def day(on: date) -> str:
    """A day without an hour: Slack's date markup would show the day before to whoever is west of UTC."""
    return f"{on:%a} {on:%Y-%m-%d}"


def task(text: str, who: str, due: str, done: bool) -> str:
    parts = [f"{'Done' if done else 'To do'}: {text}", *([who] if who else []), *([f"by {due}"] if due else [])]
    return " · ".join(parts)
