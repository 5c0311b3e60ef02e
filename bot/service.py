"""The one way to write: ask policy, load, decide, append, and remember the delivery, in one transaction."""

from __future__ import annotations

import contextlib
import hashlib
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from bot.domain import events as e
from bot.domain.actor import Actor
from bot.domain.effect import Effect
from bot.domain.errors import Conflict, Refused
from bot.domain.incident import Incident
from bot.domain.policy import NO_SUCH, Policy
from bot.ports import Clock, Store, Transaction

#: names incidents by the delivery that declared them, so that a redelivery finds the same one
NAMESPACE = uuid.UUID("5f0c7a52-6a6e-4f0b-9b57-1c8d1f2f6f0e")


class Rule(Protocol):
    """A pure function of the domain with everything but who and when filled in."""

    def __call__(self, incident: Incident, /, *, by: Actor, at: datetime) -> list[e.Event]: ...


class Declaration(Protocol):
    """The rule that begins an incident: it also gets the number."""

    def __call__(self, incident: Incident, /, *, number: int, by: Actor, at: datetime) -> list[e.Event]: ...


@dataclass(frozen=True)
class Done:
    """What an act came to: the incident before and after, and what was appended."""

    before: Incident
    incident: Incident
    events: tuple[e.Event, ...]
    #: this delivery had been acted on before: nothing was done now
    repeated: bool = False


#: what a transaction comes to
D = TypeVar("D", Done, Done | None)


def _repeated(incident: Incident | None) -> Done | None:
    return Done(incident, incident, (), repeated=True) if incident is not None else None


def _state(incident: Incident | None) -> tuple[str, int]:
    return (incident.id, incident.seq) if incident is not None else ("", 0)


def incident_id(team: str, key: str) -> str:
    """The id of the incident that the delivery `key` declares."""
    return str(uuid.uuid5(NAMESPACE, f"{team}/{key}"))


def _minute(alike: str, at: datetime) -> str:
    return f"alike:{hashlib.sha256(alike.encode()).hexdigest()[:32]}:{int(at.timestamp()) // 60}"


def _just_begun(tx: Transaction, team: str, alike: str, at: datetime) -> Incident | None:
    """The open incident that was begun under this name in this minute or the one before."""
    for moment in (at, at - timedelta(minutes=1)):
        known = tx.delivery(team, _minute(alike, moment))
        found = tx.incident(known.incident_id) if known is not None else None
        if found is not None and found.open:
            return found
    return None


class Service:
    """Holds the store, the policy and the clock; `on_change` is told the id of every incident that changed.

    `policies` has the policy of each workspace, with its groups as people; elsewhere `policy` is in force.
    """

    def __init__(self, store: Store, policy: Policy, clock: Clock) -> None:
        self.store = store
        self.policy = policy
        self.policies: dict[str, Policy] = {}
        self.clock = clock
        self.on_change: Callable[[str], None] = lambda _id: None

    def policy_of(self, team: str) -> Policy:
        """The policy that is in force in a workspace."""
        return self.policies.get(team, self.policy)

    async def act(
        self, id: str, verb: str, rule: Rule, actor: Actor, *, key: str = "", told: bool = True,
        calls: Callable[[Incident], Sequence[Effect]] | None = None,
    ) -> Done:  # fmt: skip
        """Apply `rule` to the incident. Raises Refused (nothing is written then, not even the key).

        `told`: whether `on_change` hears of it. `calls`: for who attends it: how calls stand, once the rule was applied
        to that incident. They are written in the same transaction; raises LeaseLost when another process attends it.
        """
        self.policy_of(actor.team).allow(verb, actor)

        def decide(tx: Transaction, incident: Incident) -> Done:
            at = self.later(incident)
            events = rule(incident, by=actor, at=at)
            return self._append(tx, incident, events, key, at, calls(incident) if calls is not None else None)

        def job(tx: Transaction) -> Done:
            if calls is not None:
                tx.fence(id)
            incident = tx.incident(id)
            if incident is None or not self.policy_of(actor.team).knows(incident, actor):
                raise Refused(NO_SUCH)
            if key and tx.delivery(actor.team, key) is not None:
                return Done(incident, incident, (), repeated=True)
            return decide(tx, incident)

        done = await self._at_once(id, decide, actor, told)
        return done if done is not None else await self._write(job, told)

    async def declare(self, verb: str, rule: Declaration, actor: Actor, *, key: str, alike: str = "") -> Done:
        """Begin an incident; its id follows from the delivery's key, its number from the team's counter.

        `alike` names what it is about: of two declarations that bear the same name within a minute, the second begins
        nothing, and gets the incident of the first, as one that is `repeated`.
        """
        self.policy_of(actor.team).allow(verb, actor)
        id = incident_id(actor.team, key)

        def job(tx: Transaction) -> Done:
            known = tx.incident(id)
            if known is not None:
                return Done(known, known, (), repeated=True)
            incident = Incident(team=actor.team, id=id)
            at = self.clock.now()
            if alike and (other := _just_begun(tx, actor.team, alike, at)) is not None:
                return Done(other, other, (), repeated=True)
            events = rule(incident, number=tx.next_number(actor.team), by=actor, at=at)
            if alike and _just_begun(tx, actor.team, alike, at) is not None:
                raise Conflict("another replica has declared it while this one waited for the number")
            if alike and tx.delivery(actor.team, _minute(alike, at)) is None:
                tx.remember(actor.team, _minute(alike, at), id, "", at)
            return self._append(tx, incident, events, key, at)

        return await self._write(job)

    async def gather(
        self, group: str, begin: Callable[[Incident | None, datetime], Declaration | None], add: Rule, actor: Actor, *,
        key: str,
    ) -> Done | None:  # fmt: skip
        """Of one group of alerts one incident is open at a time: apply `add` to it, or declare one.

        `begin` is given the group's latest, which has ended (None: there was none), and has the rule by which another
        one is declared, or None; then `add` may still have something for the ended one. The key is kept where
        something is written. The answer is None where there is no incident.
        """
        self.policy_of(actor.team).allow("alert", actor)

        def more(tx: Transaction, incident: Incident) -> Done:
            at = self.later(incident)
            events = add(incident, by=actor, at=at)
            return self._append(tx, incident, events, key if events else "", at)

        def job(tx: Transaction) -> Done | None:
            if (known := tx.delivery(actor.team, key)) is not None:
                return _repeated(tx.incident(known.incident_id))
            last, at = tx.gathered(actor.team, group), self.clock.now()
            if last is None or not last.open:
                if (rule := begin(last, at)) is not None:
                    number = tx.next_number(actor.team)
                    if _state(tx.gathered(actor.team, group)) != _state(last):
                        raise Conflict("another replica has declared it while this one waited for the number")
                    fresh = Incident(team=actor.team, id=incident_id(actor.team, key))
                    return self._append(tx, fresh, rule(fresh, number=number, by=actor, at=at), key, at)
                if last is None:
                    return None
            return more(tx, last)

        def more_of_the_same(tx: Transaction, incident: Incident) -> Done:
            if not incident.open:
                raise Conflict("it has ended, as far as is known here")
            return more(tx, incident)

        id = self.store.gathering(actor.team, group)
        done = await self._at_once(id, more_of_the_same, actor) if id else None
        return done if done is not None else await self._write(job)

    async def _at_once(
        self, id: str, decide: Callable[[Transaction, Incident], Done], actor: Actor, told: bool = True
    ) -> Done | None:
        """On the incident as it is known here: written only if it still stands so, and if the key is new. None, and
        nothing written, for all else: a refusal, or nothing to do, takes a look."""

        def job(tx: Transaction) -> Done:
            incident = tx.glance(id)
            if incident is None or not self.policy_of(actor.team).knows(incident, actor):
                raise Conflict("it is not known here")
            try:
                done = decide(tx, incident)
            except Refused:
                raise Conflict("refused, as far as is known here") from None
            if not done.events:
                raise Conflict("nothing to do, as far as is known here")
            return done

        with contextlib.suppress(Conflict):
            return self._told(await self.store.write(job, alone=id), told)
        return None

    def later(self, incident: Incident) -> datetime:
        """Time never runs back within a timeline, whatever the machine's clock does."""
        now = self.clock.now()
        return max(now, incident.last_at) if incident.last_at else now

    @staticmethod
    def _append(
        tx: Transaction, incident: Incident, events: Sequence[e.Event], key: str, at: datetime,
        owed: Sequence[Effect] | None = None,
    ) -> Done:  # fmt: skip
        if events:
            after = tx.append(incident, events, due_at=at, delivery=(key, at) if key else None, owed=owed)
            return Done(incident, after, tuple(events))
        for one in owed or ():
            tx.save_effect(one)
        if key:
            tx.remember(incident.team, key, incident.id, "", at)
        return Done(incident, incident, ())

    async def _write(self, job: Callable[[Transaction], D], told: bool = True) -> D:
        for attempt in range(5):
            try:
                return self._told(await self.store.write(job), told)
            except Conflict:  # somebody else appended first: look again
                if attempt == 4:
                    raise
        raise AssertionError("unreachable")

    def _told(self, done: D, told: bool) -> D:
        if done is not None and done.events and told:
            self.on_change(done.incident.id)
        return done
