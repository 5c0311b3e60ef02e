"""How it went, in numbers: times to acknowledge, mitigate and resolve; updates and promises against their times.

Everything follows from the timeline. Durations of the response run from the declaration; what came before it
(when the trouble began, as far as is known) is told apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise, zip_longest

from bot.domain import cadence
from bot.domain import events as e
from bot.domain.fold import evolve
from bot.domain.incident import Draft, Incident
from bot.domain.policy import Policy

#: what is sent within the minute counts as on time: times are promised in minutes
GRACE = timedelta(minutes=1)


@dataclass(frozen=True)
class IncidentDurations:
    """How long things took; None: it has not happened, or is not known."""

    to_declare: timedelta | None  # from when the trouble began
    to_acknowledge: timedelta | None  # these three from the declaration
    to_mitigate: timedelta | None
    to_end: timedelta | None


def times(incident: Incident) -> IncidentDurations:
    """The times of one incident. After a reopening, mitigation and end are the latest ones.

    One that was recorded afterwards is measured from its beginning: nobody knows when it would have been declared.
    """
    begun = incident.started if incident.adopted_at else incident.declared_at

    def since(moment: datetime | None) -> timedelta | None:
        return moment - begun if moment and begun else None

    started = incident.started
    return IncidentDurations(
        to_declare=begun - started if begun and started and started <= begun and not incident.adopted_at else None,
        to_acknowledge=since(incident.acknowledged_at) if not incident.adopted_at else None,
        to_mitigate=since(incident.mitigated_at),
        to_end=since(incident.ended_at),
    )


@dataclass(frozen=True)
class DueOutcome:
    """One thing owed by a time: `due` and when it was told; `told_at` None: it never was."""

    due: datetime | None
    told_at: datetime | None
    what: str = ""
    #: it was still ahead, or nobody asked for it any more, when the incident ended (or until now)
    open: bool = False

    @property
    def late(self) -> timedelta:
        """By how much it was late; zero where it was on time or no time was set."""
        if self.due is None or self.told_at is None or self.told_at < self.due + GRACE:
            return timedelta()
        return self.told_at - self.due

    @property
    def kept(self) -> bool:
        """Whether it was told, by its time."""
        return self.told_at is not None and not self.late


@dataclass(frozen=True)
class Silence:
    """The longest time during which nobody was told anything."""

    begin: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """From the one to the other."""
        return self.end - self.begin


@dataclass(frozen=True)
class Scorecard:
    """Updates and promises against their times."""

    updates: tuple[DueOutcome, ...]
    promises: tuple[DueOutcome, ...]
    silence: Silence | None

    @property
    def updates_on_time(self) -> tuple[int, int]:
        """(on time, of those that had a time); what was still ahead counts in neither."""
        return _score(self.updates)

    @property
    def promises_kept(self) -> tuple[int, int]:
        """(kept, made); what was still ahead counts in neither."""
        return _score(self.promises)


def _score(told: Sequence[DueOutcome]) -> tuple[int, int]:
    owed = [one for one in told if one.due is not None and not one.open]
    return sum(one.kept for one in owed), len(owed)


def scorecard(incident: Incident, entries: Sequence[e.Entry], policy: Policy, at: datetime) -> Scorecard:
    """The scorecard at `at` (or at the end, where the incident has ended), from all entries in order."""
    end = incident.ended_at or at
    return Scorecard(
        updates=_updates(incident, entries, policy, end),
        promises=_promises(incident, end),
        silence=_silence(incident, end),
    )


def _updates(incident: Incident, entries: Sequence[e.Entry], policy: Policy, end: datetime) -> tuple[DueOutcome, ...]:
    """Each update with the time by which it was due, as the clock stood right before it was posted.

    Snoozing, holding and waiting move the time while it is ahead; a reminder that has come due keeps it.
    """
    standing = {one.seq for one in incident.updates if not one.undone}
    told: list[DueOutcome] = []
    moment = Incident(team=incident.team, id=incident.id)
    before_end = moment
    for entry in entries:
        if isinstance(entry.event, e.UpdatePosted) and entry.seq in standing:
            due = _due(moment, policy, entry.event.at)
            told.append(DueOutcome(due, entry.event.at, "nothing new" if entry.event.nothing_new else entry.event.text))
        if moment.open:
            before_end = moment
        moment = evolve(moment, entry)
    if moment.open:
        before_end = moment
    due = _due(before_end, policy, end)
    if due is not None and due + GRACE <= end:
        told.append(DueOutcome(due, None))
    return tuple(told)


def _due(incident: Incident, policy: Policy, at: datetime) -> datetime | None:
    passed = [
        item.due
        for reminder in incident.open_reminders
        for item in reminder.items
        if item.kind == "update" and item.due <= at
    ]
    due = cadence.next_update(incident, policy) if incident.open else None
    return min([*passed, *([due] if due else [])], default=None)


def published_drafts(incident: Incident) -> tuple[Draft, ...]:
    """The customer texts that are public, in the order in which they became so."""
    public = [one for one in incident.drafts.values() if one.published_at is not None]
    return tuple(sorted(public, key=lambda one: (one.published_at, one.seq)))


def _promises(incident: Incident, end: datetime) -> tuple[DueOutcome, ...]:
    """Each promised time with the next public text; a promise still ahead at the end is open."""
    public = published_drafts(incident)
    told = []
    for this, following in zip_longest(public, public[1:]):
        promised = this.drafted.promised
        if promised is None:
            continue
        answered = following.published_at if following else None
        ahead = answered is None and end < promised + GRACE
        told.append(DueOutcome(promised, answered, this.drafted.audience, open=ahead))
    return tuple(told)


def _silence(incident: Incident, end: datetime) -> Silence | None:
    """The longest gap between the declaration, everything told, and the end."""
    if incident.declared_at is None:
        return None
    told = [one.at for one in incident.updates if not one.undone]
    told += [one.published_at for one in published_drafts(incident) if one.published_at]
    moments = [incident.declared_at, *sorted(one for one in told if one <= end), max(end, incident.declared_at)]
    gaps = [Silence(begin, after) for begin, after in pairwise(moments)]
    return max(gaps, key=lambda gap: gap.length)
