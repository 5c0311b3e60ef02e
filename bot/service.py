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
from bot.domain.pending import ended_without_answer
from bot.domain.policy import NO_SUCH_INCIDENT, Policy
from bot.ports import Clock, Store, Transaction

#: names incidents by the delivery that declared them, so that a redelivery finds the same one
INCIDENT_ID_NAMESPACE = uuid.UUID("5f0c7a52-6a6e-4f0b-9b57-1c8d1f2f6f0e")


class Rule(Protocol):
    """A pure function of the domain with everything but who and when filled in."""

    def __call__(self, incident: Incident, /, *, by: Actor, at: datetime) -> list[e.Event]: ...


class DeclareRule(Protocol):
    """The rule that begins an incident: it also gets the number."""

    def __call__(self, incident: Incident, /, *, number: int, by: Actor, at: datetime) -> list[e.Event]: ...


@dataclass(frozen=True)
class ActResult:
    """What an act came to: the incident before and after, and what was appended."""

    before: Incident
    incident: Incident
    events: tuple[e.Event, ...]
    #: this delivery had been acted on before: nothing was done now
    repeated: bool = False


#: what a transaction comes to
D = TypeVar("D", ActResult, ActResult | None)


def _repeated(incident: Incident | None) -> ActResult | None:
    return ActResult(incident, incident, (), repeated=True) if incident is not None else None


def _state(incident: Incident | None) -> tuple[str, int]:
    return (incident.id, incident.seq) if incident is not None else ("", 0)


def incident_id(team: str, key: str) -> str:
    """The id of the incident that the delivery `key` declares."""
    return str(uuid.uuid5(INCIDENT_ID_NAMESPACE, f"{team}/{key}"))


def _dedup_delivery_key(alike: str, at: datetime) -> str:
    return f"alike:{hashlib.sha256(alike.encode()).hexdigest()[:32]}:{int(at.timestamp()) // 60}"


def _recent_duplicate(tx: Transaction, team: str, alike: str, at: datetime) -> Incident | None:
    """The open incident that was begun under this name in this minute or the one before."""
    for moment in (at, at - timedelta(minutes=1)):
        known = tx.delivery(team, _dedup_delivery_key(alike, moment))
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
        self, id: str, verb: str, rule: Rule, actor: Actor, *, key: str = "", on_change: bool = True,
        effects: Callable[[Incident], Sequence[Effect]] | None = None,
    ) -> ActResult:  # fmt: skip
        """Apply `rule` to the incident. Raises Refused (nothing is written then, not even the key).

        `on_change`: whether `on_change` hears of it. `effects`: for who attends it: how calls stand, once the rule was
        applied to that incident. They are written in the same transaction; raises LeaseLost when another process
        attends it.
        """
        self.policy_of(actor.team).require_right(verb, actor)

        def decide(tx: Transaction, incident: Incident) -> ActResult:
            at = self.next_timestamp(incident)
            events = rule(incident, by=actor, at=at)
            events = [*events, *ended_without_answer(incident, events, by=actor, at=at)]
            return self._append(tx, incident, events, key, at, effects(incident) if effects is not None else None)

        def job(tx: Transaction) -> ActResult:
            if effects is not None:
                tx.fence(id)
            incident = tx.incident(id)
            if incident is None or not self.policy_of(actor.team).may_act_on(incident, actor):
                raise Refused(NO_SUCH_INCIDENT)
            if key and tx.delivery(actor.team, key) is not None:
                return ActResult(incident, incident, (), repeated=True)
            return decide(tx, incident)

        done = await self._act_on_cached(id, decide, actor, on_change)
        return done if done is not None else await self._write(job, on_change)

    async def declare(self, verb: str, rule: DeclareRule, actor: Actor, *, key: str, dedup_key: str = "") -> ActResult:
        """Begin an incident; its id follows from the delivery's key, its number from the team's counter.

        `dedup_key` names what it is about. If two declarations bear the same name within a minute, the second begins
        nothing: it gets the incident of the first, as one that is `repeated`.
        """
        self.policy_of(actor.team).require_right(verb, actor)
        id = incident_id(actor.team, key)

        def job(tx: Transaction) -> ActResult:
            known = tx.incident(id)
            if known is not None:
                return ActResult(known, known, (), repeated=True)
            incident = Incident(team=actor.team, id=id)
            at = self.clock.now()
            if dedup_key and (other := _recent_duplicate(tx, actor.team, dedup_key, at)) is not None:
                return ActResult(other, other, (), repeated=True)
            events = rule(incident, number=tx.next_number(actor.team), by=actor, at=at)
            if dedup_key and _recent_duplicate(tx, actor.team, dedup_key, at) is not None:
                raise Conflict("another replica has declared it while this one waited for the number")
            if dedup_key and tx.delivery(actor.team, _dedup_delivery_key(dedup_key, at)) is None:
                tx.save_delivery(actor.team, _dedup_delivery_key(dedup_key, at), id, "", at)
            return self._append(tx, incident, events, key, at)

        return await self._write(job)

    async def correlate_alerts(
        self, group: str, begin: Callable[[Incident | None, datetime], DeclareRule | None], add: Rule, actor: Actor, *,
        key: str,
    ) -> ActResult | None:  # fmt: skip
        """Of one group of alerts one incident is open at a time: apply `add` to it, or declare one.

        `begin` is given the group's latest, which has ended (None: there was none). It answers with the rule by which
        another one is declared, or None; then `add` may still have something for the ended one. The key is kept where
        something is written. The answer is None where there is no incident.
        """
        self.policy_of(actor.team).require_right("alert", actor)

        def more(tx: Transaction, incident: Incident) -> ActResult:
            at = self.next_timestamp(incident)
            events = add(incident, by=actor, at=at)
            return self._append(tx, incident, events, key if events else "", at)

        def job(tx: Transaction) -> ActResult | None:
            if (known := tx.delivery(actor.team, key)) is not None:
                return _repeated(tx.incident(known.incident_id))
            last, at = tx.incident_by_alert_group(actor.team, group), self.clock.now()
            if last is None or not last.open:
                if (rule := begin(last, at)) is not None:
                    number = tx.next_number(actor.team)
                    if _state(tx.incident_by_alert_group(actor.team, group)) != _state(last):
                        raise Conflict("another replica has declared it while this one waited for the number")
                    fresh = Incident(team=actor.team, id=incident_id(actor.team, key))
                    return self._append(tx, fresh, rule(fresh, number=number, by=actor, at=at), key, at)
                if last is None:
                    return None
            return more(tx, last)

        def more_of_the_same(tx: Transaction, incident: Incident) -> ActResult:
            if not incident.open:
                raise Conflict("it has ended, as far as is known here")
            return more(tx, incident)

        id = self.store.cached_id_by_alert_group(actor.team, group)
        done = await self._act_on_cached(id, more_of_the_same, actor) if id else None
        return done if done is not None else await self._write(job)

    async def _act_on_cached(
        self, id: str, decide: Callable[[Transaction, Incident], ActResult], actor: Actor, told: bool = True
    ) -> ActResult | None:
        """On the incident as it is known here: written only if it still stands so, and if the key is new. None, and
        nothing written, for all else: a refusal, or nothing to do, takes a look."""

        def job(tx: Transaction) -> ActResult:
            incident = tx.cached(id)
            if incident is None or not self.policy_of(actor.team).may_act_on(incident, actor):
                raise Conflict("it is not known here")
            try:
                done = decide(tx, incident)
            except Refused:
                raise Conflict("refused, as far as is known here") from None
            if not done.events:
                raise Conflict("nothing to do, as far as is known here")
            return done

        with contextlib.suppress(Conflict):
            return self._told(await self.store.write(job, append_to=id), told)
        return None

    def next_timestamp(self, incident: Incident) -> datetime:
        """Time never runs back within a timeline, whatever the machine's clock does."""
        now = self.clock.now()
        return max(now, incident.last_at) if incident.last_at else now

    @staticmethod
    def _append(
        tx: Transaction, incident: Incident, events: Sequence[e.Event], key: str, at: datetime,
        owed: Sequence[Effect] | None = None,
    ) -> ActResult:  # fmt: skip
        if events:
            after = tx.append(incident, events, due_at=at, delivery=(key, at) if key else None, effects=owed)
            return ActResult(incident, after, tuple(events))
        for one in owed or ():
            tx.save_effect(one)
        if key:
            tx.save_delivery(incident.team, key, incident.id, "", at)
        return ActResult(incident, incident, ())

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
