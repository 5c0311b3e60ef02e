"""Pays what is owed to the world: due rules, the channel, people, messages, pins, files, public posts.

One incident is attended by one task at a time. Every call that Slack would do twice is written down before it
is made; its outcome is written down afterwards; what may have been done is looked for before it is done again.
"""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from bot.domain import channel, drafts, duties
from bot.domain.actor import Actor, bot_itself
from bot.domain.effect import Effect, EffectState
from bot.domain.errors import Refused
from bot.domain.incident import Incident
from bot.domain.message import Message, Place
from bot.ports import NotDone, Publisher, Room, Sent, TryLater, Unsure
from bot.service import Rule, Service

log = structlog.get_logger(__name__)

#: after so many failed attempts a duty is parked until its inputs change or somebody re-arms it
ATTEMPTS = 8
#: an unknown outcome is looked for twice, after these pauses, before the call is made again
LOOKS = (timedelta(seconds=2), timedelta(seconds=15))
#: Slack's codes which say that the channel cannot be used any more
LOST = {
    "is_archived": "archived",
    "channel_not_found": "deleted",
    "not_in_channel": "removed",
    "channel_is_archived": "archived",
}
#: edits of these are answered by sending the message anew when somebody deleted it
DELETED = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})

#: messages that stand for the whole incident: sent anew when somebody deletes them
LASTING = ("card", "runbook:", "section:", "comms", "announce")

Render = Callable[[Incident, datetime], list[Message]]
Write = Callable[[Incident], Awaitable[tuple[str, str]]]  # the postmortem: (file name, Markdown)
Pay = Callable[[Effect], Awaitable[Effect]]


@dataclass(frozen=True)
class Owed:
    """One call to the world that can be made now."""

    effect: Effect
    pay: Pay
    #: whether doing it twice would be seen: written down before it is made
    once: bool = True


def digest(*parts: str) -> str:
    """A short hash of contents, to tell whether something has to be shown anew."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:24]


class Caretaker:
    """Attends incidents. `render` makes the messages, `postmortem` the file, `publishers` the public posts."""

    def __init__(
        self,
        service: Service,
        room: Room,
        render: Render,
        postmortem: Write,
        publishers: Mapping[str, Publisher],
        channels: Callable[[str], str],
    ) -> None:
        self._service = service
        self._store = service.store
        self._room = room
        self._render = render
        self._postmortem = postmortem
        self._publishers = publishers
        #: place kind ("announcements") -> channel id, or "" where there is none
        self._channels = channels
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        self._wake = asyncio.Event()
        self._stopping = False

    # -- when ---------------------------------------------------------------------------------------

    def changed(self, id: str) -> None:
        """Something happened to this incident: attend it soon."""
        if not self._stopping:
            self._start(id)

    async def attend(self, id: str) -> None:
        """Pay everything that is owed for this incident and can be paid now."""
        await asyncio.shield(self._start(id))

    def _start(self, id: str) -> asyncio.Task[None]:
        task = self._tasks.get(id)
        if task is None:
            task = asyncio.create_task(self._attend(id), name=f"attend {id}")
            self._tasks[id] = task
        else:
            self._again.add(id)
        return task

    async def _attend(self, id: str) -> None:
        try:
            while True:
                self._again.discard(id)
                await self._pay_all(id)
                if id not in self._again or self._stopping:
                    return
        except Exception:
            log.exception("caretaker.failed", incident=id)
        finally:
            self._tasks.pop(id, None)
            self._again.discard(id)
            self._wake.set()

    async def run(self) -> None:
        """Attend what is due, for ever; sleep until the next due moment or change, at most a second of the clock."""
        clock = self._service.clock
        while not self._stopping:
            try:
                await self.round()
            except Exception:
                log.exception("caretaker.round_failed")
            self._wake.clear()
            sleep = asyncio.create_task(clock.sleep_until(clock.now() + timedelta(seconds=1)))
            wake = asyncio.create_task(self._wake.wait())
            try:
                await asyncio.wait({sleep, wake}, return_when=asyncio.FIRST_COMPLETED, timeout=1.0)
            finally:
                sleep.cancel()
                wake.cancel()
                await asyncio.gather(sleep, wake, return_exceptions=True)

    async def round(self, most: int = 16) -> None:
        """Start attending everything that is due now."""
        busy = len(self._tasks)
        for id in await self._store.due(self._service.clock.now(), max(1, most - busy)):
            self._start(id)

    @property
    def busy(self) -> bool:
        """Whether anything is being attended."""
        return bool(self._tasks)

    async def idle(self) -> None:
        """Return when nothing is being attended (tests, orderly stop)."""
        while self._tasks:
            await asyncio.wait(list(self._tasks.values()))

    async def stop(self, within: float = 10.0) -> None:
        """Take no new work and let what runs finish, within so many seconds."""
        self._stopping = True
        self._wake.set()
        if self._tasks:
            await asyncio.wait(list(self._tasks.values()), timeout=within)

    # -- what ---------------------------------------------------------------------------------------

    async def _pay_all(self, id: str) -> None:
        running: dict[asyncio.Task[None], str] = {}
        failed_rules: set[str] = set()
        try:
            while True:
                incident = await self._store.incident(id)
                if incident is None:
                    return
                now = self._service.clock.now()
                if await self._apply_rules(incident, now, failed_rules):
                    continue
                effects = {effect.key: effect for effect in await self._store.effects(id)}
                busy = set(running.values())
                ready = [one for one in self._owed(incident, effects, now) if one.effect.key not in busy]
                await self._begin([one.effect for one in ready if one.once])
                for one in ready:
                    running[asyncio.create_task(self._pay(one))] = one.effect.key
                if not running:
                    await self._settle(incident, effects, now)
                    return
                done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    running.pop(task)
                    task.result()
        finally:
            if running:
                await asyncio.wait(running)

    async def _apply_rules(self, incident: Incident, now: datetime, failed: set[str]) -> bool:
        """Apply the rules whose time has come; whether anything happened."""
        happened = False
        for name, rule in duties.timed(incident, self._service.policy, now):
            if name in failed:
                continue
            try:
                done = await self._record(incident, name, lambda i, *, by, at, rule=rule: rule(i, by, at))
            except Refused:
                failed.add(name)
                continue
            if done:
                happened = True
            else:
                failed.add(name)
        return happened

    async def _record(self, incident: Incident, verb: str, rule: Rule) -> bool:
        done = await self._service.act(incident.id, verb, rule, self._me(incident))
        return bool(done.events)

    @staticmethod
    def _me(incident: Incident) -> Actor:
        return bot_itself(incident.team)

    async def _begin(self, effects: Sequence[Effect]) -> None:
        """Write down, in one transaction, that these calls are about to be made."""
        if effects:
            await self._store.write(lambda tx: [tx.save_effect(effect) for effect in effects])

    async def _save(self, effect: Effect) -> None:
        await self._store.write(lambda tx: tx.save_effect(effect))

    async def _settle(self, incident: Incident, effects: Mapping[str, Effect], now: datetime) -> None:
        """Nothing can be paid now: say when to look next."""
        # What was to be tried by now and is not owed any more would be looked at for ever.
        moments = [at for effect in effects.values() if (at := effect.next_try_at) is not None and at > now]
        if (later := duties.next_at(incident, self._service.policy, now)) is not None:
            moments.append(later)
        due = min(moments, default=None)
        await self._store.write(lambda tx: tx.set_due(incident.id, incident.seq, due))

    # -- the list -----------------------------------------------------------------------------------

    def _owed(self, incident: Incident, effects: Mapping[str, Effect], now: datetime) -> list[Owed]:
        owed: list[Owed] = []
        wants = duties.wants(incident)

        def due(key: str, kind: str, hash: str) -> Effect | None:
            """The effect to pay, or None when it is paid, parked, or not yet to be tried again."""
            effect = effects.get(key)
            if effect is None:
                return self._new(incident, key, kind, hash, now)
            if effect.state in (EffectState.SENT, EffectState.REFUSED) and effect.hash == hash:
                return None
            if effect.state is EffectState.PARKED and effect.hash == hash and not _regained(incident, effect):
                return None
            if effect.next_try_at is not None and effect.next_try_at > now:
                return None
            return effect

        # A refused channel is asked for again when somebody re-armed it: the answer would be the same before.
        opening = effects.get("channel")
        rearmed = incident.open and not incident.channel and opening is not None and opening.state is EffectState.WAITING
        if (wants.channel or rearmed) and (effect := due("channel", "channel", "")):
            owed.append(Owed(effect, lambda one: self._open_channel(incident, one)))
        if incident.reachable:
            # Before the people: Slack tells everybody inside of a changed topic.
            topic = channel.topic(incident, self._service.policy)
            if effect := due("topic", "topic", digest(topic)):
                owed.append(
                    Owed(
                        effect,
                        self._done_by(lambda: self._room.set_topic(incident.channel, topic), incident, digest(topic)),
                        once=False,
                    )
                )
        if wants.people:
            hash = digest(*wants.people, str(incident.departures))
            if effect := due("invites", "invites", hash):
                owed.append(
                    Owed(effect, lambda one: self._invite(incident, wants.people, replace(one, hash=hash)), once=False)
                )
        messages = self._render(incident, now)
        settled = {key for key, effect in effects.items() if effect.state in (EffectState.SENT, EffectState.REFUSED)}
        if not wants.people:
            settled.add("invites")
        for message in messages:
            if (one := self._message(incident, message, effects, settled, due)) is not None:
                owed.append(one)
            sent = effects.get(message.key)
            if message.pin and sent and sent.ts and incident.reachable:
                for kind, pay in (
                    ("pin", lambda sent=sent: self._room.pin(sent.channel, sent.ts)),
                    ("bookmark", lambda sent=sent: self._room.bookmark(sent.channel, "Incident card", sent.ts)),
                ):
                    if effect := due(f"{kind}:{message.key}", kind, sent.ts):
                        owed.append(Owed(effect, self._done_by(pay, incident, sent.ts)))
        if incident.postmortem and not incident.postmortem_file and incident.reachable:
            seq = incident.postmortem_seq
            if effect := due(f"postmortem:{seq}", "file", str(seq)):
                owed.append(Owed(effect, lambda one: self._upload(incident, seq, one)))
        for draft in incident.drafts.values():
            if draft.state in ("approved", "sending") and (
                effect := due(f"publish:{draft.name}", "publish", draft.drafted.text_hash)
            ):
                owed.append(Owed(effect, lambda one, name=draft.name: self._publish(incident, name, one), once=False))  # type: ignore[misc]
        return owed

    def _message(
        self,
        incident: Incident,
        message: Message,
        effects: Mapping[str, Effect],
        settled: set[str],
        due: Callable[[str, str, str], Effect | None],
    ) -> Owed | None:
        effect = effects.get(message.key)
        if message.gone:
            if effect is None or not effect.ts or effect.hash == "gone":
                return None
            return Owed(
                effect,
                self._done_by(lambda: self._room.delete(effect.channel, effect.ts), incident, "gone"),
                once=False,
            )
        if (effect is None or not effect.ts) and not message.standing and not (effect and effect.attempts):
            return None
        where = self._where(incident, message.place)
        if where is None:
            return None
        parent = effects.get(message.place.parent) if message.place.parent else None
        if message.place.parent and (parent is None or not parent.ts):
            return None
        if any(key not in settled for key in message.after):
            return None
        hash = message.hash
        todo = due(message.key, "message", hash)
        if todo is None:
            return None
        if todo.ts:
            return Owed(todo, lambda one: self._edit(incident, message, replace(one, hash=hash)), once=False)
        thread = parent.ts if parent else ""
        return Owed(
            replace(todo, channel=where, thread_ts=thread, hash=hash),
            lambda one: self._post(incident, message, one),
            once=todo.state is not EffectState.UNKNOWN,
        )

    def _where(self, incident: Incident, place: Place) -> str | None:
        """The channel id to speak in ("" where it has to be looked up first); None where that cannot be."""
        if place.kind == "channel":
            return incident.channel if incident.reachable else None
        if place.kind == "person":
            return ""
        return self._channels(place.kind) or None

    def _new(self, incident: Incident, key: str, kind: str, hash: str, now: datetime) -> Effect:
        return Effect(
            id=str(uuid.uuid5(uuid.UUID(incident.id), key)),
            team=incident.team,
            incident_id=incident.id,
            key=key,
            kind=kind,
            state=EffectState.SENDING,
            hash=hash,
            started_at=now,
        )

    # -- paying -------------------------------------------------------------------------------------

    async def _pay(self, owed: Owed) -> None:
        """Make the call and write down how it ended. A call found in state sending was cut off by a crash."""
        effect = owed.effect
        now = self._service.clock.now()
        try:
            paid = await owed.pay(effect)
        except TryLater as later:
            paid = replace(effect, state=EffectState.WAITING, next_try_at=now + timedelta(seconds=later.seconds))
        except NotDone as refusal:
            paid = self._refused(effect, refusal, now)
        except Unsure as unsure:
            paid = replace(
                effect,
                state=EffectState.UNKNOWN,
                error=str(unsure)[:200],
                attempts=effect.attempts + 1,
                next_try_at=now + LOOKS[0],
            )
        except Refused as refused:  # the incident has moved on: what was to be recorded no longer fits
            paid = replace(effect, state=EffectState.REFUSED, error=refused.sentence[:200], next_try_at=None)
        await self._save(paid)

    def _refused(self, effect: Effect, refusal: NotDone, now: datetime) -> Effect:
        attempts = effect.attempts + 1
        log.warning("caretaker.refused", key=effect.key, code=refusal.code, incident=effect.incident_id)
        if refusal.code in TRANSIENT and attempts < ATTEMPTS:
            pause = timedelta(seconds=min(300, 2**attempts))
            return replace(
                effect, state=EffectState.WAITING, attempts=attempts, error=refusal.code, next_try_at=now + pause
            )
        return replace(effect, state=EffectState.PARKED, attempts=attempts, error=refusal.code, next_try_at=None)

    def _done_by(self, call: Callable[[], Awaitable[None]], incident: Incident, hash: str) -> Pay:
        async def pay(effect: Effect) -> Effect:
            try:
                await call()
            except NotDone as refusal:
                await self._lost(incident, effect.channel or incident.channel, refusal)
                raise
            return replace(effect, state=EffectState.SENT, hash=hash, error="", next_try_at=None)

        return pay

    async def _lost(self, incident: Incident, where: str, refusal: NotDone) -> None:
        """Slack says that the incident's own channel cannot be used: that is a fact of the timeline."""
        reason = LOST.get(refusal.code)
        if reason and where == incident.channel and incident.reachable:
            await self._record(
                incident, "channel lost", lambda i, *, by, at: channel.lost(i, reason=reason, by=by, at=at)
            )

    async def _open_channel(self, incident: Incident, effect: Effect) -> Effect:
        found: tuple[str, str] | None = None
        if effect.state is EffectState.UNKNOWN or effect.attempts:
            name = effect.hash or channel.name(incident, 0)
            id = await self._room.find_channel(name, effect.started_at)
            found = (id, name) if id else None
            if found is None and effect.attempts < len(LOOKS):
                raise Unsure("not found yet")
        suffix = 0
        while found is None:
            name = channel.name(incident, suffix)
            try:
                found = await self._room.open_channel(name, incident.private)
            except NotDone as refusal:
                if refusal.code == "name_taken" and suffix < 20:
                    # Somebody else's channel is never adopted; our own of an earlier attempt is.
                    own = await self._room.find_channel(name, effect.started_at)
                    if own:
                        found = (own, name)
                    suffix += 1
                    continue
                if refusal.code in TRANSIENT:
                    raise
                await self._record(
                    incident,
                    "channel refused",
                    lambda i, *, by, at, code=refusal.code: channel.refused(i, error=code, by=by, at=at),
                )
                return replace(effect, state=EffectState.PARKED, error=refusal.code, next_try_at=None)
        opened = found
        await self._record(
            incident,
            "channel opened",
            lambda i, *, by, at: channel.opened(i, channel=opened[0], name=opened[1], by=by, at=at),
        )
        return replace(effect, state=EffectState.SENT, channel=opened[0], error="", next_try_at=None)

    async def _invite(self, incident: Incident, people: Sequence[str], effect: Effect) -> Effect:
        try:
            refused = await self._room.invite(incident.channel, people)
        except NotDone as refusal:
            await self._lost(incident, incident.channel, refusal)
            raise
        await self._record(
            incident,
            "invited",
            lambda i, *, by, at: channel.invited(i, users=people, refused=refused, by=by, at=at),
        )
        return replace(effect, state=EffectState.SENT, error="", next_try_at=None)

    async def _post(self, incident: Incident, message: Message, effect: Effect) -> Effect:
        now = self._service.clock.now()
        where = effect.channel or await self._room.direct(message.place.user)
        effect = replace(effect, channel=where)
        if effect.attempts and effect.state in (EffectState.UNKNOWN, EffectState.SENDING):
            ts = await self._room.find(where, effect.thread_ts, effect.id, effect.started_at)
            if ts:
                return replace(effect, state=EffectState.SENT, ts=ts, error="", next_try_at=None)
            if effect.attempts < len(LOOKS) + 1 and effect.state is EffectState.UNKNOWN and effect.attempts < 2:
                return replace(effect, attempts=effect.attempts + 1, next_try_at=now + LOOKS[1])
        try:
            ts = await self._room.post(where, effect.thread_ts, message.text, message.blocks, effect.id)
        except NotDone as refusal:
            await self._lost(incident, where, refusal)
            raise
        return replace(effect, state=EffectState.SENT, ts=ts, error="", next_try_at=None, attempts=0)

    async def _edit(self, incident: Incident, message: Message, effect: Effect) -> Effect:
        try:
            await self._room.edit(effect.channel, effect.ts, message.text, message.blocks)
        except NotDone as refusal:
            if refusal.code in DELETED:
                # Somebody deleted it: what stands for the whole incident is sent anew, the rest stays gone.
                if message.key.startswith(LASTING):
                    fresh = str(uuid.uuid5(uuid.UUID(effect.id), effect.ts))
                    return replace(effect, id=fresh, ts="", hash="", state=EffectState.WAITING, next_try_at=None)
                return replace(effect, state=EffectState.SENT, error=refusal.code, next_try_at=None)
            await self._lost(incident, effect.channel, refusal)
            raise
        return replace(effect, state=EffectState.SENT, error="", next_try_at=None, attempts=0)

    async def _upload(self, incident: Incident, seq: int, effect: Effect) -> Effect:
        name, content = await self._postmortem(incident)
        file = await self._room.upload(incident.channel, "", name, f"{incident.name} postmortem draft", content)
        await self._record(
            incident,
            "postmortem shared",
            lambda i, *, by, at: channel.postmortem_shared(i, file=file, written=seq, by=by, at=at),
        )
        return replace(effect, state=EffectState.SENT, ts=file, error="", next_try_at=None)

    async def _publish(self, incident: Incident, name: str, effect: Effect) -> Effect:
        """Intent first, then the post; a post that was begun and never ended is shown to a person, not repeated."""
        draft = incident.drafts[name]
        audience = draft.drafted.audience
        # What colleagues may read is announced; a private incident is not.
        publisher = None if incident.private and audience == "internal" else self._publishers.get(audience)
        if publisher is None:
            return await self._by_hand(incident, name, effect)
        if draft.state == "sending":
            sent = await publisher.find(effect.id, effect.started_at)
            if sent is None:
                await self._record(
                    incident,
                    "publish uncertain",
                    lambda i, *, by, at: drafts.uncertain(i, draft=name, error="interrupted", by=by, at=at),
                )
                return replace(effect, state=EffectState.REFUSED, hash=draft.drafted.text_hash, error="interrupted")
        else:
            await self._save(effect)
            await self._record(incident, "publish", lambda i, *, by, at: drafts.sending(i, draft=name, by=by, at=at))
            try:
                sent = await publisher.publish(draft.drafted.text, effect.id)
            except (NotDone, TryLater) as failure:
                error = failure.code if isinstance(failure, NotDone) else "Slack asks to wait"
                await self._record(
                    incident,
                    "publish failed",
                    lambda i, *, by, at: drafts.failed(i, draft=name, error=error, by=by, at=at),
                )
                return replace(effect, state=EffectState.REFUSED, hash=draft.drafted.text_hash, error=error)
            except Unsure:
                found = await publisher.find(effect.id, effect.started_at)
                if found is None:
                    await self._record(
                        incident,
                        "publish uncertain",
                        lambda i, *, by, at: drafts.uncertain(i, draft=name, error="no answer", by=by, at=at),
                    )
                    return replace(effect, state=EffectState.REFUSED, hash=draft.drafted.text_hash, error="no answer")
                sent = found
        await self._published(incident, name, publisher.name, sent)
        return replace(
            effect,
            state=EffectState.SENT,
            hash=draft.drafted.text_hash,
            channel=sent.where,
            ts=sent.reference,
            error="",
            next_try_at=None,
        )

    async def _by_hand(self, incident: Incident, name: str, effect: Effect) -> Effect:
        """Nothing posts to this audience: a person does, and says so."""
        if incident.drafts[name].state == "approved":
            await self._record(incident, "publish", lambda i, *, by, at: drafts.sending(i, draft=name, by=by, at=at))
        await self._record(
            incident,
            "publish uncertain",
            lambda i, *, by, at: drafts.uncertain(i, draft=name, error=drafts.BY_HAND, by=by, at=at),
        )
        text_hash = incident.drafts[name].drafted.text_hash
        return replace(effect, state=EffectState.REFUSED, hash=text_hash, error=drafts.BY_HAND)

    async def _published(self, incident: Incident, name: str, publisher: str, sent: Sent) -> None:
        await self._record(
            incident,
            "published",
            lambda i, *, by, at: drafts.published(
                i,
                draft=name,
                publisher=publisher,
                where=sent.where,
                reference=sent.reference,
                link=sent.link,
                by=by,
                at=at,
            ),
        )


def _regained(incident: Incident, effect: Effect) -> bool:
    """Whether this was parked because the incident's channel could not be used, and it can be used again."""
    return effect.error in LOST and incident.reachable and effect.channel in ("", incident.channel)


#: refusals that pass by themselves
TRANSIENT = frozenset(
    {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org", "unavailable"}
)
