"""When people have to post an update, what reminds them, and how an update answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain import events as e
from bot.domain.actor import Actor
from bot.domain.errors import Refused
from bot.domain.incident import Incident, Status
from bot.domain.policy import Policy
from bot.domain.preconditions import require_open
from bot.domain.running_time import deadline, postponed
from bot.domain.sentences import Person

MAX_UPDATE_CHARS = 2500


def interval(incident: Incident, policy: Policy) -> timedelta | None:
    """The time between internal updates: the severity's, doubled after mitigation; None where none is asked for."""
    cadence = policy.severity(incident.severity).cadence
    if cadence is None:
        return None
    return cadence * 2 if incident.status is Status.MITIGATED else cadence


def next_update(incident: Incident, policy: Policy) -> datetime | None:
    """When the next internal update is due.

    A promised time stands, whatever policy or severity say later; a severity raised since brings it forward,
    counted from the raise. It counts running time: nothing from before a reopening, and no permitted wait. None: the
    incident is over, or its severity asks for an update at resolution only.
    """
    running = incident.running_since
    if not incident.open or running is None:
        return None
    last = incident.last_update
    if last and last.at < running:  # told before an ending: it says nothing about the work since
        last = None
    every = interval(incident, policy)
    begin = last.at if last else running
    raised = incident.raised_at if incident.raised_at and incident.raised_at > begin else None
    due = deadline(incident, raised or begin, every) if every else None
    if last and last.next_by:
        promised = postponed(incident, last.at, last.next_by)
        due = min(promised, due) if due and raised else promised
    if due is None:
        return None
    if incident.held_until and incident.held_until > due:
        due = incident.held_until
    if incident.snoozed_until and incident.snoozed_until > due:
        due = incident.snoozed_until
    return due


def promise_due(incident: Incident) -> datetime | None:
    """When customers were promised the next text: kept by publishing, publicly moved, never snoozed."""
    said = incident.last_published_draft
    return said.drafted.promised if said and incident.open else None


def due_items(incident: Incident, policy: Policy) -> tuple[e.DueItem, ...]:
    """Everything that somebody has to say by some time, soonest first."""
    items = []
    if update := next_update(incident, policy):
        items.append(e.DueItem(kind=e.DueKind.UPDATE, due=update))
    if promised := promise_due(incident):
        said = incident.last_published_draft
        items.append(e.DueItem(kind=e.DueKind.PROMISE, due=promised, ref=said.drafted.audience if said else ""))
    return tuple(sorted(items, key=lambda item: item.due))


@dataclass(frozen=True)
class DueReminder:
    """A reminder that is due: of these things, at this rung, from this moment on."""

    at: datetime
    rung: int
    item: e.DueItem


def due_reminders(incident: Incident, policy: Policy) -> tuple[DueReminder, ...]:
    """For everything due the rung that comes next, at its time."""
    owed = []
    for item in due_items(incident, policy):
        given = max(
            (r.rung for r in incident.reminders for x in r.items if (x.kind, x.due) == (item.kind, item.due)),
            default=-1,
        )
        # After mitigation the internal ladder has one rung: at the time itself.
        quiet = incident.status is Status.MITIGATED and item.kind == e.DueKind.UPDATE
        for rung, offset in enumerate(policy.rungs):
            if rung <= given or (quiet and rung != 1):
                continue
            owed.append(DueReminder(item.due + offset, rung, item))
            break
    return tuple(sorted(owed, key=lambda one: one.at))


def recipients(incident: Incident, rung: int, policy: Policy, kinds: frozenset[str]) -> tuple[str, ...]:
    """Whom a rung tells: first who writes, then the lead, then, of a public one, the next level as well."""
    writer = incident.comms_lead or incident.lead
    people = [writer]
    if rung >= 2 or e.DueKind.UPDATE in kinds:
        people.append(incident.lead)
    if rung >= 3 and policy.levels and not incident.private:
        people.extend(policy.levels[0])
    return tuple(dict.fromkeys(user for user in people if user))


def remind(incident: Incident, *, by: Actor, at: datetime, policy: Policy) -> list[e.Event]:
    """The reminder that is due now, if one is: everything due in one, at the highest rung whose time has come."""
    items: list[e.DueItem] = []
    highest = -1
    for owed in due_reminders(incident, policy):
        if owed.at > at:
            continue
        # What fell due while nobody could be told comes once, at the rung where it stands now.
        passed = [n for n, offset in enumerate(policy.rungs) if owed.item.due + offset <= at]
        quiet = incident.status is Status.MITIGATED and owed.item.kind == e.DueKind.UPDATE
        highest = max(highest, 1 if quiet else max([owed.rung, *passed]))
        items.append(owed.item)
    if not items:
        return []
    if highest >= 1:
        known = {(item.kind, item.due) for item in items}
        items += [item for item in due_items(incident, policy) if item.due <= at and (item.kind, item.due) not in known]
    kinds = frozenset(item.kind for item in items)
    to = recipients(incident, highest, policy, kinds)
    return [e.Reminded(by=by.user, at=at, items=tuple(items), rung=highest, to=to)]


def post_update(
    incident: Incident,
    *,
    text: str,
    next_by: datetime | None,
    timeless: bool = False,
    impact: str = "",
    by: Actor,
    at: datetime,
    policy: Policy,
) -> list[e.Event]:
    """Tell all where it stands.

    A time given is a promise. None given: the severity's interval from now is one; `timeless`: nothing is promised,
    and the severity's rhythm goes on.
    """
    require_open(incident)
    words = text.strip()
    if not words:
        raise Refused("Write what is known: `{command} update payouts to NG resumed, KE follows`.", field="text")
    if len(words) > MAX_UPDATE_CHARS:
        raise Refused(
            "The update has {count} characters; at most {max_update_chars} fit. Put detail into the thread.",
            count=len(words),
            max_update_chars=MAX_UPDATE_CHARS,
            field="text",
        )
    if next_by is None and not timeless:
        every = interval(incident, policy)
        next_by = at + every if every else None
    elif next_by is not None and next_by <= at:
        raise Refused("That time for the next update is in the past. When will it be?", field="next_by")
    return [e.UpdatePosted(by=by.user, at=at, text=words, next_by=next_by, impact=impact.strip()[:500])]


def undo_update(incident: Incident, *, seq: int, by: Actor, at: datetime, policy: Policy) -> list[e.Event]:
    """Withdraw one's own update within the seconds allowed."""
    update = next((one for one in incident.updates if one.seq == seq), None)
    if update is None or update.undone:
        raise Refused("That update is gone already.")
    if update.by != by.user:
        raise Refused("Only {who} can undo that update. Post a new one to correct it.", who=Person(update.by))
    if at > update.at + policy.undo_within:
        raise Refused("It is too late to undo: people have read it. Post a new update to correct it.")
    return [e.UpdateUndone(by=by.user, at=at, seq=seq)]


def nothing_new(incident: Incident, *, tried: str = "", by: Actor, at: datetime, policy: Policy) -> list[e.Event]:
    """Say in one click that the state has not changed; the third time in a row takes a sentence."""
    require_open(incident)
    in_a_row = 0
    for update in reversed([one for one in incident.updates if not one.undone]):
        if not update.nothing_new:
            break
        in_a_row += 1
    if in_a_row >= 2 and not tried.strip():
        raise Refused("Nothing new twice in a row. Say what was tried, or what you wait for.", field="tried")
    state = "Fix in place, watching" if incident.status is Status.MITIGATED else "Still being investigated"
    if incident.waiting:
        state = f"Waiting: {incident.waiting}"
    text = f"{state}; nothing new." + (f" {tried.strip()}" if tried.strip() else "")
    every = interval(incident, policy)
    return [e.UpdatePosted(by=by.user, at=at, text=text, next_by=at + every if every else None, nothing_new=True)]


def snooze(incident: Incident, *, by: Actor, at: datetime, policy: Policy) -> list[e.Event]:
    """Put the internal update off, twice at most; a promise to customers is kept or publicly moved."""
    require_open(incident)
    if incident.snoozes >= policy.snoozes:
        raise Refused(
            "Snoozed {snoozes} times already. Post an update, or say [Nothing new]: it takes one click.",
            snoozes=incident.snoozes,
        )
    open_items = [item for one in incident.open_reminders for item in one.items]
    if open_items and all(item.kind == e.DueKind.PROMISE for item in open_items):
        raise Refused("Customers were promised this time. Keep it, or promise another one: `{command} comms`.")
    return [e.Snoozed(by=by.user, at=at, until=at + policy.snooze)]


def hold(incident: Incident, *, until: datetime, watcher: str, by: Actor, at: datetime) -> list[e.Event]:
    """After mitigation: be quiet until a time, with somebody named who watches."""
    require_open(incident)
    if incident.status is not Status.MITIGATED:
        raise Refused("Holding is for after mitigation: `{command} mitigate` first, or wait for something by name.")
    if until <= at:
        raise Refused("That time is in the past.", field="until")
    if not watcher:
        raise Refused("Name who watches until then.", field="watcher")
    return [e.Held(by=by.user, at=at, until=until, watcher=watcher)]
