"""What one incident lacks in the world: a pure function from its state, its calls so far and its messages to calls.

There is one call per key at a time. A call whose outcome is unknown is looked for before anything else is done
under its key; what stands is compared by the hash of what it shows; what was given up waits for its time, or until that
changes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain import channel, duties
from bot.domain.desired_message import Message
from bot.domain.effect import Effect, EffectState
from bot.domain.incident import Incident
from bot.domain.policy import Policy
from bot.reconciler import after_restore, delivery_state

#: calls that Slack would do twice: written down before they are made
ONCE = frozenset({"open", "post", "bookmark", "share", "publish"})
#: calls that change what stands there: until one has ended nobody knows what that shows
CHANGING = frozenset({"edit", "topic", "rename"})
#: Slack's codes which say that a channel cannot be used any more -> what became of it
LOST = {
    "is_archived": "archived",
    "is_inactive": "archived",
    "channel_is_archived": "archived",
    "channel_not_found": "deleted",
    "not_in_channel": "removed",
}
#: what chat.update answers for a message that cannot be edited any more
GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})

#: states in which nothing is owed as long as the hash stays
_SETTLED = frozenset({EffectState.SENT, EffectState.REFUSED, EffectState.PARKED})
#: states of what was never made
_UNSENT = frozenset({EffectState.WAITING, EffectState.PARKED})


@dataclass(frozen=True)
class Owed:
    """One call: its name in `paying.CALLS`, how it stands, the hash of what it will have shown, and its arguments."""

    effect: Effect
    call: str
    hash: str = ""
    message: Message | None = None
    text: str = ""
    people: tuple[str, ...] = ()

    @property
    def once(self) -> bool:
        """Whether doing it twice would be seen."""
        return self.call in ONCE

    @property
    def changes(self) -> bool:
        """Whether something will look different for it."""
        return self.call in CHANGING

    @property
    def at(self) -> datetime | None:
        """Not before this moment; None: at once."""
        return self.effect.next_try_at if self.effect.state is not EffectState.SENT or self.call == "twin" else None

    @property
    def gate(self) -> tuple[str, str, str]:
        """What Slack limits together: a method in a channel of a workspace."""
        return self.effect.team, self.call, self.effect.channel


@dataclass(frozen=True)
class Books:
    """Everything that the list is made from. `place`: kind of place ("announcements") -> channel id, or ""."""

    incident: Incident
    effects: Mapping[str, Effect]
    messages: Sequence[Message]
    policy: Policy
    place: Callable[[str], str]
    now: datetime

    def effect(self, key: str, kind: str, where: str = "") -> Effect:
        """The call of that key as it stands, or a new one."""
        known = self.effects.get(key)
        if known is not None:
            return known
        fresh = delivery_state.new(self.incident.id, self.incident.team, key, kind, self.now)
        return after_restore.first(self.effects, replace(fresh, channel=where))

    def doubtful(self, effect: Effect) -> bool:
        """Whether a call without a row has to be looked for; those with one are found in `_looks`."""
        return effect.state in delivery_state.DOUBTFUL and effect.key not in self.effects

    def open_to(self, effect: Effect, hash: str) -> bool:
        """Whether this call is owed, so that `hash` is shown."""
        if effect.state in delivery_state.DOUBTFUL or _unseeable(effect):
            return False  # looked for first
        return effect.state not in _SETTLED or effect.hash != hash or given_up(effect)

    def timed(self, one: Owed) -> Owed:
        """What was given up waits for its time, unless it would show something else, or its channel is regained."""
        was = self.effects.get(one.effect.key)
        if was is None or not given_up(was):
            return one
        if was.hash == one.hash and one.call != "drop" and not self._regained(was):
            return one
        return replace(one, effect=replace(one.effect, next_try_at=None))

    def _regained(self, effect: Effect) -> bool:
        """Whether it was given up because the incident's channel could not be used, and that can be used again."""
        return effect.channel == self.incident.channel and self.incident.reachable and effect.error in LOST


def given_up(effect: Effect) -> bool:
    """Whether it waits for a person to mend something."""
    return effect.state is EffectState.PARKED


def lasting(key: str) -> bool:
    """Whether the message stands for the whole incident: then it is sent anew when somebody deletes it."""
    return key in ("card", "announce", "comms") or key.startswith(("runbook:", "section:"))


def digest(*parts: str) -> str:
    """A short hash of contents, to tell whether something has to be shown anew."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:24]


def owed(books: Books) -> list[Owed]:
    """Every call that is owed now or, by `at`, later; at most one per key, in the order in which to make them."""
    if books.incident.newer:
        return []
    found: dict[str, Owed] = {}
    ways = (_looks, _channel, _messages, _file, _texts, _twins, _blind)
    for one in (one for way in ways for one in way(books)):
        found.setdefault(one.effect.key, books.timed(one))
    return list(found.values())


def _unseeable(effect: Effect) -> bool:
    return given_up(effect) and effect.error.startswith(delivery_state.BLIND)


def _looks(books: Books) -> Iterator[Owed]:
    for effect in books.effects.values():
        if effect.channel and effect.channel == books.incident.channel and not books.incident.reachable:
            continue  # nobody can look there
        if effect.state is EffectState.SENDING:
            effect = delivery_state.cut_off(effect)
        if effect.state in delivery_state.DOUBTFUL:
            yield Owed(effect, "look", effect.hash)


def _blind(books: Books) -> Iterator[Owed]:
    """What could not be looked for is looked for again."""
    here = books.incident.channel if not books.incident.reachable else ""
    for effect in books.effects.values():
        if _unseeable(effect) and (not here or effect.channel != here):
            yield Owed(effect, "look", effect.hash)


def _twins(books: Books) -> Iterator[Owed]:
    for effect in books.effects.values():
        if effect.channel == books.incident.channel and not books.incident.reachable:
            continue
        if delivery_state.twin_at(effect) is not None:
            yield Owed(effect, "twin", effect.hash)


# -- the channel and who is in it -------------------------------------------------------------------


def _channel(books: Books) -> Iterator[Owed]:
    incident = books.incident
    wants = duties.wants(incident)
    opening = books.effects.get("channel")
    # One that was let go when the incident ended without it is wanted again when it is reopened.
    armed = opening is not None and opening.state in (*_UNSENT, EffectState.REFUSED)
    if not incident.open and not incident.channel and opening is not None and opening.state in _UNSENT:
        yield Owed(opening, "drop", opening.hash)
    if incident.open and not incident.channel and (wants.channel if opening is None else armed):
        effect = books.effect("channel", "channel")
        name = effect.hash or channel.name(incident, 0)
        yield Owed(replace(effect, hash=name), "look" if books.doubtful(effect) else "open", name)
    if not incident.reachable:
        return
    # Before the people: Slack tells everybody inside of a changed topic.
    topic = channel.topic(incident, books.policy)
    effect = books.effect("topic", "topic", incident.channel)
    # What people wrote over a channel that they made by hand stays.
    if not incident.keeps_topic and books.open_to(effect, digest(topic)):
        yield Owed(effect, "topic", digest(topic), text=topic)
    if incident.renamed:
        effect = books.effect("rename", "rename", incident.channel)
        if books.open_to(effect, digest(incident.channel_name)):
            yield Owed(effect, "rename", digest(incident.channel_name), text=incident.channel_name)
    effect, hash = books.effect("invites", "invites", incident.channel), _invitation(incident, wants.people)
    # Also where nobody is left to bring in, so that the call is done with: they came by themselves meanwhile.
    begun = "invites" in books.effects and effect.state not in (EffectState.SENT, EffectState.REFUSED)
    if (wants.people or begun) and books.open_to(effect, hash):
        yield Owed(effect, "invite", hash, people=wants.people)


def _invitation(incident: Incident, people: tuple[str, ...]) -> str:
    # Who left and is wanted again is asked again.
    return digest(*people, str(incident.departures))


def people_are_in(books: Books) -> bool:
    """Whether everybody wanted is in, was refused, or cannot be brought in as things are."""
    wanted, effect = duties.wants(books.incident).people, books.effects.get("invites")
    if not wanted or effect is None:
        return not wanted
    return given_up(effect) and effect.hash == _invitation(books.incident, wanted)


# -- messages ---------------------------------------------------------------------------------------


def _messages(books: Books) -> Iterator[Owed]:
    for message in sorted(books.messages, key=_urgency):
        if (one := _message(books, message)) is not None:
            yield one
        sent = books.effects.get(message.key)
        if message.pin and sent and sent.ts and books.incident.reachable:
            pin = books.effect(f"pin:{message.key}", "pin", sent.channel)
            if books.open_to(pin, sent.ts):
                yield Owed(pin, "pin", sent.ts, text=sent.ts)
            mark = books.effect(f"bookmark:{message.key}", "bookmark", sent.channel)
            if books.open_to(mark, sent.ts):
                yield Owed(mark, "bookmark", sent.ts, text=sent.ts)


def _urgency(message: Message) -> int:
    """What is sent first where Slack lets only one a second through: the card, then whoever is called for."""
    if message.key == "card":
        return 0
    return 1 if message.key.startswith(("nobody:", "hail")) else 2


def _message(books: Books, message: Message) -> Owed | None:
    effect = books.effects.get(message.key)
    if effect is not None and _stands_as_it_should(effect, message):
        return None  # most do
    where = _where(books, message)
    if where is None:
        return None
    stands = effect is not None and bool(effect.ts)
    if effect is not None and stands and effect.attempts and delivery_state.twin_at(effect):
        return None  # a change failed: the look for its twin comes first
    if message.gone:
        if effect is None or not books.open_to(effect, "gone"):
            return None
        if stands:
            return Owed(effect, "delete", "gone", message)
        return Owed(effect, "drop", "gone") if effect.state in _UNSENT else None
    parent = books.effects.get(message.place.parent)
    if message.place.parent and (parent is None or not parent.ts):
        return None
    thread = parent.ts if parent else ""
    if effect is not None and stands:
        if effect.thread_ts != thread and message.key.startswith("section:"):
            # Its parent was deleted and sent anew: what people tick has to hang beneath the one that they see.
            return Owed(effect, "move", effect.hash, message) if books.open_to(effect, "moved") else None
        if effect.state is EffectState.REFUSED and effect.error in GONE:
            return None
        return Owed(effect, "edit", message.hash, message) if books.open_to(effect, message.hash) else None
    if not message.standing and effect is not None and effect.state in _UNSENT and books.open_to(effect, "gone"):
        return Owed(effect, "drop", "gone")
    if not message.standing or not all(_done(books, key) for key in message.after):
        return None
    effect = books.effect(message.key, "message", where)
    if _unseeable(effect) and effect.hash != message.hash:
        return Owed(replace(effect, hash=message.hash), "look", message.hash, message)
    if not books.open_to(effect, message.hash) and not books.doubtful(effect):
        return None
    if not effect.channel and message.place.kind == "person":
        return Owed(effect, "direct", message.hash, message)
    effect = replace(effect, channel=where or effect.channel, thread_ts=thread)
    if books.doubtful(effect):  # what may stand there shows what it was sent with
        return Owed(effect, "look", message.hash, message)
    return Owed(replace(effect, hash=message.hash), "post", message.hash, message)


def _stands_as_it_should(effect: Effect, message: Message) -> bool:
    """Sent, and shows what it should. What was ticked may hang beneath a parent that was sent anew: see there."""
    sent = effect.state is EffectState.SENT and not effect.attempts and not message.gone
    return sent and effect.hash == message.hash and not message.key.startswith("section:")


def _where(books: Books, message: Message) -> str | None:
    """The channel to speak in ("": a person's, looked up first); None where that cannot be."""
    match message.place.kind:
        case "channel":
            return books.incident.channel if books.incident.reachable else None
        case "person":
            return ""
        case kind:
            return books.place(kind) or None


def _done(books: Books, key: str) -> bool:
    if key == "invites":
        return people_are_in(books)
    effect = books.effects.get(key)
    return effect is not None and effect.state in _SETTLED


# -- files and public texts -------------------------------------------------------------------------


def _file(books: Books) -> Iterator[Owed]:
    """Two steps: bytes that nobody sees yet, whose file's id is kept in `ts`, then the file into the channel."""
    incident = books.incident
    yield from _spoilt(books)
    for other in books.effects.values():
        # One that was never handed over and was written anew since.
        if other.kind == "file" and other.state in _UNSENT and other.key != f"postmortem:{incident.postmortem_seq}":
            yield Owed(other, "drop", "gone")
    if not incident.postmortem or incident.postmortem_file or not incident.reachable:
        return
    hash = str(incident.postmortem_seq)
    effect = books.effect(f"postmortem:{hash}", "file", incident.channel)
    if books.open_to(effect, hash):
        yield Owed(replace(effect, hash=hash), "share" if effect.ts else "upload", hash)


def _spoilt(books: Books) -> Iterator[Owed]:
    """Files that told what was redacted since. One that is just being shared goes when that has ended."""
    under_way = {
        one.ts for one in books.effects.values() if one.kind == "file" and one.state in delivery_state.DOUBTFUL
    }
    for file in books.incident.spoilt_files:
        effect = books.effect(f"spoilt:{file}", "spoilt")
        if file not in under_way and books.open_to(effect, file):
            yield Owed(effect, "discard", file, text=file)


def _texts(books: Books) -> Iterator[Owed]:
    for draft in books.incident.drafts.values():
        if draft.state not in ("approved", "sending"):
            continue
        hash = draft.drafted.text_hash
        effect = books.effect(f"publish:{draft.name}", "publish")
        if books.doubtful(effect):
            yield Owed(replace(effect, hash=hash), "look", hash, text=draft.name)
        elif books.open_to(effect, hash):
            yield Owed(replace(effect, hash=hash), "publish", hash, text=draft.name)
