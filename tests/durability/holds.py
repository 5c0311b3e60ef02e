"""What has to hold after any history, once nothing goes wrong any more: each check yields a sentence per breach.

What can be read off Slack and the timeline is read off them, not off what the product thinks of itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from bot.domain import cadence, duties
from bot.domain import events as e
from bot.domain.desired_message import DesiredMessage
from bot.domain.effect import Effect, EffectKind, EffectState
from bot.domain.fold import evolve, fold
from bot.domain.incident import Incident, Status
from bot.reconciler import delivery_state
from bot.slack.surfaces.topic import channel_topic
from bot.store.tables import incidents
from tests.durability.histories import TEAM, Freeze
from tests.durability.simulated_slack import Place, Posted
from tests.durability.simulation import World
from tests.durability.stories import POLICY
from tests.world import BEGIN

_OPEN, _OVER = {"investigating", "mitigated"}, {"resolved", "false_alarm", "duplicate"}
#: from where to where a status goes in one event
WAYS = {
    *(("investigating", to) for to in ("mitigated", *_OVER)),
    *(("mitigated", to) for to in ("investigating", *_OVER)),
    *((over, to) for over in _OVER for to in ("investigating", "closed")),
    ("closed", "investigating"),
}
#: how long after the end a call may begin that was owed before: no clock is further from another one
MOMENT = timedelta(seconds=100)


@dataclass(frozen=True)
class Case:
    """One incident, and everything that is known about it."""

    world: World
    incident: Incident
    entries: list[e.Entry]
    effects: dict[str, Effect]
    shown: list[DesiredMessage]
    due: datetime | None
    now: datetime

    @property
    def place(self) -> Place | None:
        return self.world.slack.places.get(self.incident.channel)

    def id(self, key: str) -> str:
        """What marks the message of that key when it is sent for the first time."""
        return delivery_state.new_effect(self.incident.id, TEAM, key, EffectKind.MESSAGE, self.now).id

    def marked(self, id: str) -> list[Posted]:
        return [one for place in self.world.slack.places.values() for one in place.standing if one.id == id]


def its_timeline_is_what_was_written(case: Case) -> Iterator[str]:
    here = sorted((d for d in case.world.committed if d.incident.id == case.incident.id), key=lambda d: d.incident.seq)
    written = [event for done in here for event in done.events]
    if [one.event for one in case.entries] != written:
        told = [type(one.event).__name__ for one in case.entries]
        yield f"written was {[type(one).__name__ for one in written]}, there is {told}"
    if [one.seq for one in case.entries] != list(range(1, len(case.entries) + 1)):
        yield "its timeline has gaps"
    if fold(TEAM, case.incident.id, case.entries) != case.incident:
        yield "its state is not the fold of its timeline"
    moments = [one.event.at for one in case.entries if one.event]
    if moments != sorted(moments):
        yield "time runs back in it"


def each_delivery_counts_once(case: Case) -> Iterator[str]:
    keys = Counter(
        case.world.born[id(done.events[0])][0]
        for done in case.world.committed
        if done.incident.id == case.incident.id and id(done.events[0]) in case.world.born
    )
    yield from (f"step {key} was done {count} times" for key, count in keys.items() if count > 1)


def it_has_one_channel(case: Case) -> Iterator[str]:
    stem = f"inc-{case.incident.number}"
    ours = [
        one for one in case.world.slack.places.values()
        if one.ours and (one.name == stem or one.name.startswith(f"{stem}-"))
    ]  # fmt: skip
    wanted = [case.incident.channel] if case.incident.channel else []
    if [one.id for one in ours] != wanted:
        yield f"it has the channels {[(one.id, one.name) for one in ours]}, and knows {wanted}"
    if not wanted and not case.incident.channel_error and case.incident.open:
        yield "it has no channel"
    if case.place is not None:
        yield from _fittings(case, case.place)


def _fittings(case: Case, place: Place) -> Iterator[str]:
    card = case.effects.get("card")
    marked = [ts for _, ts in place.bookmarks]
    # A bot that is frozen in the instant before the call makes it after another has: bookmarks bear no mark of ours.
    frozen = any(isinstance(step, Freeze) for step in case.world.history.steps)
    if card is None or place.pins != [card.ts] or (sorted(set(marked)) if frozen else marked) != [card.ts]:
        yield f"the card is {card and card.ts}; pinned: {place.pins}, bookmarked: {place.bookmarks}"
    if place.topic != channel_topic(case.incident, POLICY):
        yield f"its topic is {place.topic!r}"
    if missing := set(case.incident.wanted) - place.members - set(case.incident.refused):
        yield f"{missing} are not in it"
    files = [name for one in place.standing for name in one.files]
    written = sum(isinstance(one.event, e.PostmortemWritten) for one in case.entries)
    if len(files) > written or (case.incident.postmortem and case.incident.postmortem_file not in files):
        yield f"{written} postmortems written, shared are {files}, it knows {case.incident.postmortem_file!r}"


def each_message_stands_once_as_it_should(case: Case) -> Iterator[str]:
    for one in case.shown:
        effect = case.effects.get(one.key)
        there = case.marked(effect.id if effect is not None else case.id(one.key))
        if one.delete:
            if there or (effect is not None and effect.ts):
                yield f"{one.key} should be gone"
            continue
        if one.target.kind == "channel" and not case.incident.channel:
            continue
        if one.send_if_new and len(there) != 1:
            yield f"{one.key} stands {len(there)} times"
        if len(there) > 1:
            yield f"{one.key} stands {len(there)} times, and needs not stand"
        if there and (there[0].text, there[0].blocks) != (one.text, one.blocks):
            yield f"{one.key} is out of date: {there[0].text!r}, not {one.text!r}"
        if there and effect is not None and there[0].ts != effect.ts:
            yield f"{one.key} is known as {effect.ts!r}, and is {there[0].ts!r}"


def reminders_are_what_was_due(case: Case) -> Iterator[str]:
    """Told while the incident was open, of what was due then, each time one rung further."""
    incident, given = Incident(team=TEAM, id=case.incident.id), dict[Any, int]()
    for entry in case.entries:
        if isinstance(event := entry.event, e.Reminded):
            if not incident.open:
                yield f"reminded by event {entry.seq} though it was {incident.status}"
            due = {(item.kind, item.due) for item in cadence.due_items(incident, POLICY)}
            told = {(item.kind, item.due) for item in event.items}
            if not told <= due:
                yield f"event {entry.seq} reminds of {told - due}, which was not due"
            if any(when + min(POLICY.rungs) > event.at for _, when in told):
                yield f"event {entry.seq} reminds too early"
            if not any(event.rung > given.get(one, -1) for one in told):
                yield f"event {entry.seq} reminds again"
            given |= {one: max(event.rung, given.get(one, -1)) for one in told}
        incident = evolve(incident, entry)


def nobody_is_reminded_after_the_end(case: Case) -> Iterator[str]:
    """Deleted ones count as well: people were notified."""
    ids = {case.id(one.key): one.key for one in case.shown if one.key.startswith("reminder:")}
    for place in case.world.slack.places.values():
        for one in place.messages.values():
            if one.id in ids and not _open_at(case, BEGIN + timedelta(seconds=one.began)):
                yield f"{ids[one.id]} was sent after the end"


def _open_at(case: Case, at: datetime) -> bool:
    """Whether it was open at that moment or shortly before."""
    incident = Incident(team=TEAM, id=case.incident.id)
    for entry in case.entries:
        assert entry.event is not None
        if entry.event.at > at - MOMENT and incident.open:
            return True
        incident = evolve(incident, entry)
    return incident.open


def public_texts_are_public_once(case: Case) -> Iterator[str]:
    for draft in case.incident.drafts.values():
        id = case.id(f"publish:{draft.name}")
        there = [one for one in case.world.slack.customers.messages.values() if one.id == id]
        if len(there) > 1:
            yield f"{draft.name} is public {len(there)} times"
        if there and not draft.approved_by:
            yield f"{draft.name} is public, and nobody approved it"
        if there and there[0].text != draft.drafted.text:
            yield f"{draft.name} is public with other words"
        if draft.state in ("approved", "sending"):
            yield f"{draft.name} is {draft.state} for ever"
        if draft.state != "uncertain" and len(there) != (draft.state == "published"):
            yield f"{draft.name} is {draft.state}, and public {len(there)} times"
        if draft.state == "uncertain" and not any(m.key == f"trouble:{draft.name}" for m in case.shown):
            yield f"{draft.name} is uncertain, and nobody is told"


def its_status_goes_along_the_ways(case: Case) -> Iterator[str]:
    incident = Incident(team=TEAM, id=case.incident.id)
    for entry in case.entries:
        before, incident = incident.status, evolve(incident, entry)
        if before is not incident.status and (before.value, incident.status.value) not in WAYS:
            yield f"event {entry.seq} led from {before} to {incident.status}"
    if case.incident.status not in set(Status):
        yield "it has no status"


def nothing_is_left_over(case: Case) -> Iterator[str]:
    for one in case.effects.values():
        if one.state is EffectState.PARKED:
            if one.error.removeprefix(delivery_state.LOOKUP_REFUSED_PREFIX) not in case.world.slack.refused:
                yield f"{one.key} is parked for no reason: {one.error}"
        elif one.state not in (EffectState.SENT, EffectState.REFUSED):
            yield f"{one.key} is {one.state}: {one.error}, next at {one.next_try_at}"
    given_up = [one.next_try_at for one in case.effects.values() if one.state is EffectState.PARKED]
    moments = [*given_up, duties.next_at(case.incident, POLICY, case.now)]
    expected = min((at for at in moments if at is not None), default=None)
    if case.due != expected:
        yield f"it is due at {case.due}, not {expected}; now it is {case.now}"


CHECKS = (
    its_timeline_is_what_was_written, each_delivery_counts_once, it_has_one_channel,
    each_message_stands_once_as_it_should, reminders_are_what_was_due, nobody_is_reminded_after_the_end,
    public_texts_are_public_once, its_status_goes_along_the_ways, nothing_is_left_over,
)  # fmt: skip


async def everything_holds(world: World) -> None:
    """Raises AssertionError with every breach, a sentence each."""
    store, breaches = world.one.kept, [*await world.one.kept.verify()]
    rows = select(incidents.c.id, incidents.c.due_at)
    dues = dict(await store.write(lambda tx: [tuple(row) for row in tx.connection.execute(rows)]))
    known: set[str] = set()
    for id in world.declared:
        incident = await store.incident(id)
        if incident is None:
            breaches.append(f"{id} was declared, and is not there")
            continue
        now = world.one.clock.now()
        effects = {one.key: one for one in await store.effects(id)}
        known |= {one.id for one in effects.values() if one.ts}
        case = Case(
            world, incident, await store.entries(id), effects, world.render(incident, now), dues[id], now
        )  # fmt: skip
        breaches += [f"{incident.name}: {said}" for check in CHECKS for said in check(case)]
    for place in world.slack.places.values():
        for one in place.standing:
            if not one.files and place is not world.slack.customers and one.id not in known:
                breaches.append(f"in {place.name}: {one.text!r} is nobody's, marked {one.id!r}")
    assert breaches == [], "\n".join(breaches)
