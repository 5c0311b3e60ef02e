"""The calls that one incident is missing: a pure function of its state, its calls so far and its messages.

There is one call per key at a time. A call whose outcome is unknown is looked for before anything else is done under
its key. What stands is compared by the hash of what it shows. What was given up waits for its time, or until that hash
changes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from bot.domain import channel, duties
from bot.domain.desired_message import INVITES, DesiredMessage, TargetKind
from bot.domain.effect import Effect, EffectKind, EffectState
from bot.domain.incident import ChannelLoss, DraftState, Incident
from bot.domain.policy import Policy
from bot.domain.subject import Subject
from bot.reconciler import after_restore, delivery_state


class Call(StrEnum):
    """What can be done about an effect. Each has its `Effector` in the executor's table."""

    OPEN = "open"
    TOPIC = "topic"
    RENAME = "rename"
    INVITE = "invite"
    DIRECT = "direct"
    POST = "post"
    EDIT = "edit"
    DELETE = "delete"
    DROP = "drop"
    MOVE = "move"
    PIN = "pin"
    BOOKMARK = "bookmark"
    UPLOAD = "upload"
    SHARE = "share"
    DISCARD = "discard"
    PUBLISH = "publish"
    HOME = "home"
    LOOK = "look"
    TWIN = "twin"


#: calls that Slack would do twice: written down before they are made
NON_IDEMPOTENT_CALLS = frozenset({Call.OPEN, Call.POST, Call.BOOKMARK, Call.SHARE, Call.PUBLISH})
#: calls that change what stands there: until one has ended nobody knows what that shows
CONTENT_CHANGING_CALLS = frozenset({Call.EDIT, Call.TOPIC, Call.RENAME})
#: Slack's codes which say that a channel cannot be used any more -> what became of it
CHANNEL_LOST_REASONS = {
    "is_archived": ChannelLoss.ARCHIVED,
    "is_inactive": ChannelLoss.ARCHIVED,
    "channel_is_archived": ChannelLoss.ARCHIVED,
    "channel_not_found": ChannelLoss.DELETED,
    "not_in_channel": ChannelLoss.REMOVED,
}
#: what chat.update answers for a message that cannot be edited any more
UNEDITABLE_CODES = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})

#: states in which nothing is owed as long as the hash stays
_SETTLED = frozenset({EffectState.SENT, EffectState.REFUSED, EffectState.PARKED})
#: states of what was never made
_UNSENT = frozenset({EffectState.WAITING, EffectState.PARKED})


@dataclass(frozen=True)
class PlannedEffect:
    """One call: what to do, how it stands, the hash of what it will have shown, and its arguments."""

    effect: Effect
    call: Call
    hash: str = ""
    message: DesiredMessage | None = None
    text: str = ""
    people: tuple[str, ...] = ()

    @property
    def is_non_idempotent(self) -> bool:
        """Whether doing it twice would be seen."""
        return self.call in NON_IDEMPOTENT_CALLS

    @property
    def changes_content(self) -> bool:
        """Whether something will look different for it."""
        return self.call in CONTENT_CHANGING_CALLS

    @property
    def not_before(self) -> datetime | None:
        """Not before this moment; None: at once."""
        return self.effect.next_try_at if self.effect.state is not EffectState.SENT or self.call is Call.TWIN else None

    @property
    def rate_limit_key(self) -> tuple[str, str, str]:
        """What Slack limits together: a method in a channel of a workspace."""
        return self.effect.team, self.call, self.effect.channel


@dataclass(frozen=True)
class PlanInput:
    """Everything that the list is made from. `channel_for`: kind of place ("announcements") -> channel id, or ""."""

    subject: Subject
    effects: Mapping[str, Effect]
    messages: Sequence[DesiredMessage]
    policy: Policy
    channel_for: Callable[[str], str]
    now: datetime
    #: what the incident's channel says in its header; empty: nothing
    topic: str = ""
    #: of a workspace, the Homes that people opened lately
    homes: Sequence[DesiredMessage] = ()

    @property
    def incident(self) -> Incident:
        """The incident that this is about."""
        assert isinstance(self.subject, Incident)
        return self.subject

    def effect_for(self, key: str, kind: EffectKind, where: str = "") -> Effect:
        """The call of that key as it stands, or a new one."""
        known = self.effects.get(key)
        if known is not None:
            return known
        fresh = delivery_state.new_effect(self.subject.id, self.subject.team, key, kind, self.now)
        return after_restore.mark_possibly_sent(self.effects, replace(fresh, channel=where))

    def effect_of(self, message: DesiredMessage, where: str) -> Effect:
        """The call that sends this message, as it stands, or a new one."""
        known = self.effects.get(message.key)
        if known is not None:
            return delivery_state.of_message(known, message)
        fresh = delivery_state.new_effect(self.subject.id, self.subject.team, message.key, EffectKind.MESSAGE, self.now)
        fresh = delivery_state.of_message(replace(fresh, channel=where), message)
        return after_restore.mark_possibly_sent(self.effects, fresh)

    def needs_lookup(self, effect: Effect) -> bool:
        """Whether a call without a row has to be looked for; those with one are found in `_looks`."""
        return effect.state in delivery_state.UNCERTAIN_STATES and effect.key not in self.effects

    def is_needed(self, effect: Effect, hash: str) -> bool:
        """Whether this call is to be made, so that `hash` is shown."""
        if effect.state in delivery_state.UNCERTAIN_STATES or _is_lookup_refused(effect):
            return False  # looked for first
        return effect.state not in _SETTLED or effect.hash != hash or is_parked(effect)

    def with_retry_time(self, one: PlannedEffect) -> PlannedEffect:
        """What was given up waits for its time, unless it would show something else, or its channel is regained."""
        was = self.effects.get(one.effect.key)
        if was is None or not is_parked(was):
            return one
        if was.hash == one.hash and one.call is not Call.DROP and not self._channel_regained(was):
            return one
        return replace(one, effect=replace(one.effect, next_try_at=None))

    def _channel_regained(self, effect: Effect) -> bool:
        """Whether it was given up because the incident's channel could not be used, and that can be used again."""
        return (
            effect.channel == self.subject.channel and self.subject.reachable and effect.error in CHANNEL_LOST_REASONS
        )


def is_parked(effect: Effect) -> bool:
    """Whether it waits for a person to fix something."""
    return effect.state is EffectState.PARKED


def content_hash(*parts: str) -> str:
    """A short hash of contents, to tell whether something has to be shown anew."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:24]


def plan_effects(books: PlanInput) -> list[PlannedEffect]:
    """Every call that is to be made now or, by `not_before`, later; at most one per key, in the order in which to make
    them.
    """
    if books.incident.unknown_event_type:
        return []
    return _one_per_key(books, _looks, _channel, _messages, _file, _texts, _duplicate_checks, _refused_lookups)


def plan_workspace_effects(books: PlanInput) -> list[PlannedEffect]:
    """The same of a workspace: its digest, and the Homes."""
    return _one_per_key(books, _looks, _messages, _homes, _duplicate_checks, _refused_lookups)


def _one_per_key(books: PlanInput, *ways: Callable[[PlanInput], Iterator[PlannedEffect]]) -> list[PlannedEffect]:
    found: dict[str, PlannedEffect] = {}
    for one in (one for way in ways for one in way(books)):
        found.setdefault(one.effect.key, books.with_retry_time(one))
    return list(found.values())


def _homes(books: PlanInput) -> Iterator[PlannedEffect]:
    """A Home that shows what it should is not published again: people would lose their place in it."""
    for home in books.homes:
        effect = books.effects.get(home.key)
        if effect is not None and books.is_needed(effect, home.hash):
            yield PlannedEffect(effect, Call.HOME, home.hash, home)


def _is_lookup_refused(effect: Effect) -> bool:
    return is_parked(effect) and effect.error.startswith(delivery_state.LOOKUP_REFUSED_PREFIX)


def _looks(books: PlanInput) -> Iterator[PlannedEffect]:
    for effect in books.effects.values():
        if effect.channel and effect.channel == books.subject.channel and not books.subject.reachable:
            continue  # nobody can look there
        if effect.state is EffectState.SENDING:
            effect = delivery_state.interrupted(effect)
        if effect.state in delivery_state.UNCERTAIN_STATES:
            yield PlannedEffect(effect, Call.LOOK, effect.hash)


def _refused_lookups(books: PlanInput) -> Iterator[PlannedEffect]:
    """What could not be looked for is looked for again."""
    here = books.subject.channel if not books.subject.reachable else ""
    for effect in books.effects.values():
        if _is_lookup_refused(effect) and (not here or effect.channel != here):
            yield PlannedEffect(effect, Call.LOOK, effect.hash)


def _duplicate_checks(books: PlanInput) -> Iterator[PlannedEffect]:
    for effect in books.effects.values():
        if effect.channel == books.subject.channel and not books.subject.reachable:
            continue
        if delivery_state.duplicate_check_at(effect) is not None:
            yield PlannedEffect(effect, Call.TWIN, effect.hash)


# -- the channel and who is in it -------------------------------------------------------------------


def _channel(books: PlanInput) -> Iterator[PlannedEffect]:
    incident = books.incident
    wants = duties.channel_needs(incident)
    opening = books.effects.get("channel")
    # One that was let go when the incident ended without it is wanted again when it is reopened.
    armed = opening is not None and opening.state in (*_UNSENT, EffectState.REFUSED)
    if not incident.open and not incident.channel and opening is not None and opening.state in _UNSENT:
        yield PlannedEffect(opening, Call.DROP, opening.hash)
    if incident.open and not incident.channel and (wants.channel if opening is None else armed):
        effect = books.effect_for("channel", EffectKind.CHANNEL)
        name = effect.hash or channel.name(incident, 0)
        yield PlannedEffect(replace(effect, hash=name), Call.LOOK if books.needs_lookup(effect) else Call.OPEN, name)
    if not incident.reachable:
        return
    # Before the people: Slack tells everybody inside of a changed topic.
    effect = books.effect_for("topic", EffectKind.TOPIC, incident.channel)
    # What people wrote over a channel that they made by hand stays.
    if books.topic and not incident.keeps_topic and books.is_needed(effect, content_hash(books.topic)):
        yield PlannedEffect(effect, Call.TOPIC, content_hash(books.topic), text=books.topic)
    if incident.renamed:
        effect = books.effect_for("rename", EffectKind.RENAME, incident.channel)
        if books.is_needed(effect, content_hash(incident.channel_name)):
            yield PlannedEffect(effect, Call.RENAME, content_hash(incident.channel_name), text=incident.channel_name)
    effect, hash = (
        books.effect_for(INVITES, EffectKind.INVITES, incident.channel),
        _invitation(incident, wants.people),
    )
    # Also where nobody is left to bring in, so that the call is done with: they came by themselves meanwhile.
    begun = INVITES in books.effects and effect.state not in (EffectState.SENT, EffectState.REFUSED)
    if (wants.people or begun) and books.is_needed(effect, hash):
        yield PlannedEffect(effect, Call.INVITE, hash, people=wants.people)


def _invitation(incident: Incident, people: tuple[str, ...]) -> str:
    # Who left and is wanted again is asked again.
    return content_hash(*people, str(incident.departures))


def all_invited(books: PlanInput) -> bool:
    """Whether everybody wanted is in, was refused, or cannot be brought in as things are."""
    wanted, effect = duties.channel_needs(books.incident).people, books.effects.get(INVITES)
    if not wanted or effect is None:
        return not wanted
    return is_parked(effect) and effect.hash == _invitation(books.incident, wanted)


# -- messages ---------------------------------------------------------------------------------------


def _messages(books: PlanInput) -> Iterator[PlannedEffect]:
    for message in sorted(books.messages, key=lambda one: one.priority):
        if (one := _message(books, message)) is not None:
            yield one
        sent = books.effects.get(message.key)
        if message.pin and sent and sent.ts and books.subject.reachable:
            pin = books.effect_for(f"pin:{message.key}", EffectKind.PIN, sent.channel)
            if books.is_needed(pin, sent.ts):
                yield PlannedEffect(pin, Call.PIN, sent.ts, text=sent.ts)
            mark = books.effect_for(f"bookmark:{message.key}", EffectKind.BOOKMARK, sent.channel)
            if books.is_needed(mark, sent.ts):
                yield PlannedEffect(mark, Call.BOOKMARK, sent.ts, text=sent.ts)


def _message(books: PlanInput, message: DesiredMessage) -> PlannedEffect | None:
    effect = books.effects.get(message.key)
    if effect is not None and _is_up_to_date(effect, message):
        return None  # most do
    where = _where(books, message)
    if where is None:
        return None
    stands = effect is not None and bool(effect.ts)
    if effect is not None and stands and effect.attempts and delivery_state.duplicate_check_at(effect):
        return None  # a change failed: the look for its twin comes first
    if message.delete:
        if effect is None or not books.is_needed(effect, "gone"):
            return None
        if stands:
            return PlannedEffect(effect, Call.DELETE, "gone", message)
        return PlannedEffect(effect, Call.DROP, "gone") if effect.state in _UNSENT else None
    parent = books.effects.get(message.target.parent)
    if message.target.parent and (parent is None or not parent.ts):
        return None
    thread = parent.ts if parent else ""
    if effect is not None and stands:
        effect = delivery_state.of_message(effect, message)
        if effect.thread_ts != thread and message.moves_down:
            # Its parent was deleted and sent anew: what people tick has to hang beneath the one that they see.
            return PlannedEffect(effect, Call.MOVE, effect.hash, message) if books.is_needed(effect, "moved") else None
        if effect.state is EffectState.REFUSED and effect.error in UNEDITABLE_CODES:
            return None
        return (
            PlannedEffect(effect, Call.EDIT, message.hash, message) if books.is_needed(effect, message.hash) else None
        )
    if not message.send_if_new and effect is not None and effect.state in _UNSENT and books.is_needed(effect, "gone"):
        return PlannedEffect(effect, Call.DROP, "gone")
    if not message.send_if_new or not all(_done(books, key) for key in message.after):
        return None
    effect = books.effect_of(message, where)
    if _is_lookup_refused(effect) and effect.hash != message.hash:
        return PlannedEffect(replace(effect, hash=message.hash), Call.LOOK, message.hash, message)
    if not books.is_needed(effect, message.hash) and not books.needs_lookup(effect):
        return None
    if not effect.channel and message.target.kind is TargetKind.PERSON:
        return PlannedEffect(effect, Call.DIRECT, message.hash, message)
    effect = replace(effect, channel=where or effect.channel, thread_ts=thread)
    if books.needs_lookup(effect):  # what may stand there shows what it was sent with
        return PlannedEffect(effect, Call.LOOK, message.hash, message)
    return PlannedEffect(replace(effect, hash=message.hash), Call.POST, message.hash, message)


def _is_up_to_date(effect: Effect, message: DesiredMessage) -> bool:
    """Sent, and shows what it should. What moves down may hang beneath a parent that was sent anew: see there."""
    sent = effect.state is EffectState.SENT and not effect.attempts and not message.delete
    return sent and effect.hash == message.hash and not message.moves_down


def _where(books: PlanInput, message: DesiredMessage) -> str | None:
    """The channel to speak in ("": a person's, looked up first); None where that cannot be."""
    match message.target.kind:
        case TargetKind.CHANNEL:
            return books.subject.channel if books.subject.reachable else None
        case TargetKind.PERSON:
            return ""
        case kind:
            return books.channel_for(kind) or None


def _done(books: PlanInput, key: str) -> bool:
    if key == INVITES:
        return all_invited(books)
    effect = books.effects.get(key)
    return effect is not None and effect.state in _SETTLED


# -- files and public texts -------------------------------------------------------------------------


def _file(books: PlanInput) -> Iterator[PlannedEffect]:
    """Two steps: bytes that nobody sees yet, whose file's id is kept in `ts` and whose hash in `hash`, then the file
    into the channel."""
    incident = books.incident
    yield from _files_to_delete(books)
    for other in books.effects.values():
        # One that was never handed over and was written anew since.
        if other.kind is EffectKind.FILE and other.state in _UNSENT and other.key != postmortem_key(incident):
            yield PlannedEffect(other, Call.DROP, "gone")
    if not incident.postmortem or incident.postmortem_file or not incident.reachable:
        return
    effect = books.effect_for(postmortem_key(incident), EffectKind.FILE, incident.channel)
    if books.is_needed(effect, effect.hash):
        yield PlannedEffect(effect, Call.SHARE if effect.ts else Call.UPLOAD, effect.hash)


def postmortem_key(incident: Incident) -> str:
    """The key of the call that shares the postmortem as it was written last."""
    return f"postmortem:{incident.postmortem_seq}"


def publish_key(draft: str) -> str:
    """The key of the call that posts this customer text."""
    return f"publish:{draft}"


def _files_to_delete(books: PlanInput) -> Iterator[PlannedEffect]:
    """Files that told what was redacted since. One that is just being shared goes when that has ended."""
    under_way = {
        one.ts
        for one in books.effects.values()
        if one.kind is EffectKind.FILE and one.state in delivery_state.UNCERTAIN_STATES
    }
    for file in books.incident.unredacted_files:
        effect = books.effect_for(f"spoilt:{file}", EffectKind.FILE_DELETED)
        if file not in under_way and books.is_needed(effect, file):
            yield PlannedEffect(effect, Call.DISCARD, file, text=file)


def _texts(books: PlanInput) -> Iterator[PlannedEffect]:
    for draft in books.incident.drafts.values():
        if draft.state not in (DraftState.APPROVED, DraftState.SENDING):
            continue
        hash = draft.drafted.text_hash
        effect = books.effect_for(publish_key(draft.name), EffectKind.PUBLISH)
        if books.needs_lookup(effect):
            yield PlannedEffect(replace(effect, hash=hash), Call.LOOK, hash, text=draft.name)
        elif books.is_needed(effect, hash):
            yield PlannedEffect(replace(effect, hash=hash), Call.PUBLISH, hash, text=draft.name)
