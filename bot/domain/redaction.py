"""Taking words out of a record for good: what may go, what has to stay, and what follows from it.

The words go and the facts stay: who did what, when, to which step. So an entry keeps everything but its free text
(`FREE_TEXT_FIELDS`), and that without the words in question. An entry of which nothing was kept would lose a status, a
role or an approval, and nobody could tell what happened.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.domain import channel
from bot.domain import events as e
from bot.domain.actor import Actor, ActorKind
from bot.domain.customer_template import text_hash
from bot.domain.errors import Refused
from bot.domain.fold import fold
from bot.domain.incident import DraftState, Incident
from bot.domain.preconditions import require_known

#: stands where the words stood
REDACTION_MARK = "[redacted]"
#: words shorter than this stand by chance in too much
MIN_SECRET_CHARS = 4
#: so much of the beginning of the words, at the end of a text, is what a limit of length has left of them
_MIN_CUT_CHARS = 8
MAX_REASON_CHARS = 300

#: the free text of each event; every other field is a fact, an id or a time, and stays
FREE_TEXT_FIELDS: Mapping[type[e.Event], tuple[str, ...]] = {
    e.Declared: ("title", "summary"),
    e.ChannelOpened: ("name",),
    e.Adopted: ("name",),
    e.AlertFired: ("name", "title", "severity", "runbook", "link", "labels"),
    e.AlertResolved: ("name",),
    e.Escalated: ("reason",),
    e.SeverityChanged: ("reason",),
    e.TitleChanged: ("title",),
    e.ImpactStated: ("impact",),
    e.UpdatePosted: ("text", "impact"),
    e.WaitingBegan: ("what",),
    e.Noted: ("text",),
    e.TaskAdded: ("text", "due"),
    e.ReadingTaken: ("sentence", "target", "evidence"),
    e.RunbookAttached: ("runbook",),
    e.RunbookGuessed: ("titles",),
    e.StepSkipped: ("reason",),
    e.StepNoted: ("text",),
    e.Asked: ("action", "evidence", "count", "amount"),
    e.AskRefused: ("reason",),
    e.AskDone: ("result",),
    e.AskNotDone: ("reason",),
    e.StoppedFirst: ("note",),
    e.DoneAlone: ("reason",),
    e.Reviewed: ("note",),
    e.CommsDrafted: ("text", "slots"),
    e.CommsDiscarded: ("reason",),
    e.CommsLapsed: ("reason",),
    e.CommsUncertain: ("error",),
    e.CommsFailed: ("error",),
    e.SecretRefused: ("where",),
    e.Mitigated: ("note",),
    e.OverrideAsked: ("reason", "checks", "note"),
    e.Resolved: ("note", "checks", "override"),
    e.Reopened: ("reason",),
    e.FalseAlarm: ("reason",),
    e.PostmortemWritten: ("name",),
    e.Closed: ("note",),
    e.Redacted: ("reason", "kept"),
}
#: fields of what events hold (runbooks, checks) by which other entries name them
_NAMES = frozenset({"slug", "id", "revision", "probe", "severity", "met"})


class RedactedWords:
    """Words that have to go, however they were spelt where they were written down."""

    def __init__(self, text: str) -> None:
        """Raises Refused for words too short to look for."""
        words = text.strip()
        if len(words) < MIN_SECRET_CHARS:
            raise Refused(
                "Name at least {min_secret_chars} characters. Shorter words stand by chance in too many places.",
                min_secret_chars=MIN_SECRET_CHARS,
            )
        if words in REDACTION_MARK:
            raise Refused(
                "{redaction_mark} marks words that were removed. Name the words themselves.",
                redaction_mark=REDACTION_MARK,
            )
        # What is typed in Slack arrives with these three escaped; blanks and line ends become one blank in titles.
        escaped = words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        self._spellings = tuple(dict.fromkeys((escaped, words)))
        self._found = re.compile("|".join(r"\s+".join(map(re.escape, one.split())) for one in self._spellings))
        self._slug = channel.slug(words)

    def redact(self, text: str) -> str:
        """The text with the mark in place of the words."""
        text = self._found.sub(REDACTION_MARK, text)
        end = text.rstrip("…")
        for one in self._spellings:
            for length in range(len(one) - 1, _MIN_CUT_CHARS - 1, -1):
                if end.endswith(one[:length]):
                    return end[:-length] + REDACTION_MARK
        return text

    def found_in(self, text: str) -> bool:
        """Whether the words, or as much of them as a limit of length left, stand there."""
        return self.redact(text) != text

    def found_in_channel_name(self, name: str) -> bool:
        """Whether a channel's name tells them."""
        return len(self._slug) >= MIN_SECRET_CHARS and self._slug in name


@dataclasses.dataclass(frozen=True)
class RedactionMatch:
    """An entry that held the words, and what is left of it."""

    seq: int
    event: e.Event
    left: e.Event


def find_matches(incident: Incident, entries: Sequence[e.Entry], secret: RedactedWords) -> list[RedactionMatch]:
    """The entries that hold the words, in order."""
    hits: list[RedactionMatch] = []
    named = _named(incident, entries, secret)
    hashes: dict[str, str] = {}
    for entry in entries:
        event = entry.event
        if event is None:
            continue
        left = redact_event(event, secret)
        if isinstance(event, e.ChannelOpened) and named:
            left = dataclasses.replace(event, name=named)
        if isinstance(event, e.CommsDrafted) and left != event:
            hashes[event.draft] = text_hash(left.text)  # type: ignore[attr-defined]
            left = dataclasses.replace(left, text_hash=hashes[event.draft])  # type: ignore[call-arg]
        # A digest of a text of which all else is known lets a short secret be guessed.
        if isinstance(event, e.CommsApproved) and event.draft in hashes:
            left = dataclasses.replace(event, text_hash=hashes[event.draft])
        if isinstance(event, e.PostmortemShared) and hits:
            left = dataclasses.replace(event, text_hash="")
        if left != event:
            hits.append(RedactionMatch(entry.seq, event, left))
    return hits


def _named(incident: Incident, entries: Sequence[e.Entry], secret: RedactedWords) -> str:
    """How the channel is to be called where its name, which the bot made of the title, told the words; else empty."""
    opened = next((one for one in entries if isinstance(one.event, e.ChannelOpened)), None)
    if opened is None or not isinstance(opened.event, e.ChannelOpened):
        return ""
    then = fold(incident.team, incident.id, [one for one in entries if one.seq < opened.seq])
    name = opened.event.name
    hidden = secret.redact(then.title)
    told = secret.found_in_channel_name(name) or (hidden != then.title and channel.slug(then.title) in name)
    if then.private or not told:
        return ""
    fresh = channel.name(dataclasses.replace(then, title=hidden), 0)
    return (
        channel.name(dataclasses.replace(then, title=REDACTION_MARK), 0)
        if secret.found_in_channel_name(fresh)
        else fresh
    )


def redact_event(event: e.Event, secret: RedactedWords) -> e.Event:
    """The event without the words; the same one where it does not hold them."""
    words = FREE_TEXT_FIELDS.get(type(event), ())
    return dataclasses.replace(event, **{name: _blank(getattr(event, name), secret) for name in words})


def _blank(value: Any, secret: RedactedWords) -> Any:
    if type(value) is str:
        return secret.redact(value)
    if isinstance(value, tuple):
        if any(isinstance(one, e.Kept) for one in value):
            # What is left of an entry twice redacted stands in the later Redacted.
            return tuple(one for one in value if not any(map(secret.found_in, iter_texts(json.loads(one.body)))))
        return tuple(_blank(one, secret) for one in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        free = (one.name for one in dataclasses.fields(value) if one.name not in _NAMES)
        return dataclasses.replace(value, **{name: _blank(getattr(value, name), secret) for name in free})
    return value


def iter_texts(value: Any) -> Iterator[str]:
    """Every text in a value of JSON's own kinds."""
    match value:
        case str():
            yield value
        case list():
            for one in value:
                yield from iter_texts(one)
        case dict():
            for one in value.values():
                yield from iter_texts(one)


def redact(
    incident: Incident,
    hits: Sequence[RedactionMatch],
    entries: Sequence[e.Entry],
    secret: RedactedWords,
    *,
    reason: str,
    written: Callable[[e.Event], str],
    uploads: Collection[str] = (),
    public_too: bool = False,
    by: Actor,
    at: datetime,
) -> list[e.Event]:
    """Take the words out of these entries. `written`: an event's body as the store writes it.

    `uploads`: files of the bot that no entry names yet. `public_too`: what customers were told is taken back as well.
    Texts on their way to customers expire, since what people approved is no longer what would be sent.
    """
    require_known(incident)
    if by.kind is not ActorKind.CLI:
        raise Refused("Only whoever runs the bot redacts, on its command line: `python -m bot redact`.")
    if secret.found_in(reason):
        raise Refused("The reason contains the words that you want to remove. Write it without them.")
    if not reason.strip():
        raise Refused("Say why: the record keeps the reason in place of the words.")
    if not hits:
        return []
    told = [hit.event.draft for hit in hits if isinstance(hit.event, e.CommsDrafted)]
    if any(incident.drafts[name].state is DraftState.SENDING for name in told if name in incident.drafts):
        raise Refused("A text that holds these words is being sent right now. Try again in a minute.")
    first = hits[0].seq
    shared = [one.event.file for one in entries if one.seq > first and isinstance(one.event, e.PostmortemShared)]
    opened = next((hit.left.name for hit in hits if isinstance(hit.left, e.ChannelOpened)), "")
    public = tuple(
        name for name in told if name in incident.drafts and incident.drafts[name].state is DraftState.PUBLISHED
    )
    redacted = e.Redacted(
        by=by.user,
        at=at,
        reason=reason.strip()[:MAX_REASON_CHARS],
        kept=tuple(e.Kept(seq=hit.seq, type=type(hit.event).__name__, body=written(hit.left)) for hit in hits),
        channel_name=opened,
        files=tuple(dict.fromkeys((*shared, *uploads))),
        taken_back=public if public_too else (),
    )
    void = [
        name
        for name in told
        if name in incident.drafts and incident.drafts[name].state in (DraftState.DRAFTED, DraftState.APPROVED)
    ]
    return [redacted, *(e.CommsLapsed(by=by.user, at=at, draft=name, reason="its text was redacted") for name in void)]
