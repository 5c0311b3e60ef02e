"""How it went, in numbers and in words: durations, updates and promises against their times, lateness.

The only place that counts. Messages, the postmortem and exports take their figures and the parts of their sentences
from here, so that one incident has one figure. Everything follows from the incident; nothing asks for the present.
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
from bot.domain.time_text import clock_time, lasted
from bot.reports.phrases import share

#: what is sent within the minute counts as on time: times are promised in minutes
GRACE = timedelta(minutes=1)

_ENDS = (e.Resolved, e.FalseAlarm, e.MarkedDuplicate)


# -- lateness ---------------------------------------------------------------------------------------


def late_by(due: datetime, at: datetime) -> timedelta:
    """How late it was; zero where it was on time, or late by less than a minute."""
    return at - due if at >= due + GRACE else timedelta()


def lateness(due: datetime, at: datetime) -> str:
    """ "4 min late", "23 h 40 min late"; empty where it was on time."""
    late = late_by(due, at)
    return f"{lasted(late)} late" if late else ""


# -- durations --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ending:
    """One end of the incident. `seq` and `at` are its event's, and of one recorded afterwards when it was over."""

    seq: int
    at: datetime
    #: the first mitigation that somebody stated since the incident was last opened
    mitigated_at: datetime | None = None
    #: how long it had been over before, between earlier ends and reopenings
    over_before: timedelta = timedelta()
    reopened_at: datetime | None = None


def endings(incident: Incident) -> tuple[Ending, ...]:
    """Every end of the incident, in order."""
    found: list[Ending] = []
    mitigated: datetime | None = None
    over = timedelta()
    for entry in incident.cadence_entries:
        event = entry.event
        if isinstance(event, e.Mitigated):
            mitigated = mitigated or event.at
        elif isinstance(event, _ENDS):
            found.append(Ending(entry.seq, event.at, mitigated, over))
        elif isinstance(event, e.Adopted) and event.over:
            found.append(Ending(entry.seq, event.over))
        elif isinstance(event, e.Reopened):
            mitigated = None
            if found and found[-1].reopened_at is None:
                last = found.pop()
                over += event.at - last.at
                found.append(Ending(last.seq, last.at, last.mitigated_at, last.over_before, event.at))
    return tuple(found)


def ending(incident: Incident, seq: int = 0) -> Ending | None:
    """The end that the event `seq` brought; without it the one that stands. None where there is none."""
    if not seq:
        return next((one for one in reversed(endings(incident)) if one.reopened_at is None), None)
    return next((one for one in endings(incident) if one.seq == seq), None)


@dataclass(frozen=True)
class Duration:
    """How long it took, from a beginning that has a name: "start" as people stated it, or "declaration"."""

    name: str
    begin: datetime
    length: timedelta


def durations(incident: Incident, until: datetime | None) -> tuple[Duration, ...]:
    """From the start, where people stated one, and from the declaration, each until that moment.

    One that was recorded afterwards was never declared in time: it is measured from its start alone.
    """
    begins = [("start", incident.started), ("declaration", None if incident.adopted_at else incident.declared_at)]
    return tuple(Duration(name, begin, until - begin) for name, begin in begins if begin and until and begin <= until)


def durations_text(some: Sequence[Duration], seen_from: datetime) -> str:
    """ "from start (13:40 UTC) 2 h 3 min, from declaration (14:00 UTC) 1 h 43 min"."""
    return ", ".join(f"from {one.name} ({clock_time(one.begin, seen_from)}) {lasted(one.length)}" for one in some)


def ending_text(incident: Incident, end: Ending) -> str:
    """How long it took until that end, and how long of that it had been over."""
    between = f"; it was over for {lasted(end.over_before)} in between" if end.over_before else ""
    return durations_text(durations(incident, end.at), end.at) + between


def mitigation_text(incident: Incident, end: Ending) -> str:
    """How long it took until it was mitigated; empty where nobody said that it was."""
    return durations_text(durations(incident, end.mitigated_at), end.at)


@dataclass(frozen=True)
class IncidentTimes:
    """How long things took; None, or nothing: it has not happened, or is not known."""

    to_declare: timedelta | None  # from the start, as people stated it
    to_acknowledge: timedelta | None  # from the declaration
    to_mitigate: tuple[Duration, ...]
    to_end: tuple[Duration, ...]
    over_between: timedelta  # of `to_end`: it had ended before, and was reopened


def times(incident: Incident) -> IncidentTimes:
    """The times of one incident. After a reopening, mitigation and end are the latest ones."""
    declared, started, answered = incident.declared_at, incident.started, incident.acknowledged_at
    end = ending(incident)
    known = declared is not None and not incident.adopted_at
    return IncidentTimes(
        to_declare=declared - started if known and declared and started and started <= declared else None,
        to_acknowledge=answered - declared if known and declared and answered else None,
        to_mitigate=durations(incident, end.mitigated_at if end else incident.mitigated_at),
        to_end=durations(incident, end.at if end else None),
        over_between=end.over_before if end else timedelta(),
    )


# -- updates and promises ---------------------------------------------------------------------------


@dataclass(frozen=True)
class DueOutcome:
    """One thing that was due: `due` and when it was told; `told_at` None: it never was."""

    due: datetime | None
    told_at: datetime | None
    what: str = ""
    #: it was still ahead, or nobody asked for it any more, when the incident ended (or until now)
    open: bool = False

    @property
    def late(self) -> timedelta:
        """By how much it was late; zero where it was on time or no time was set."""
        return late_by(self.due, self.told_at) if self.due and self.told_at else timedelta()

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


def scorecard(incident: Incident, policy: Policy, at: datetime, end: Ending | None = None) -> Scorecard:
    """The scorecard at that end; without one at the end that stands, and of an open incident at `at`.

    What came later counts as far as it belongs to that time: an update that was undone, a promise that was kept.
    """
    end = end or ending(incident)
    until = end.at if end else at
    return Scorecard(
        updates=_updates(incident, policy, until, end),
        promises=_promises(incident, until, end),
        silence=_silence(incident, until),
    )


def score_text(card: Scorecard) -> str:
    """ "3 of 4 updates on time; the one promise to customers kept": what was due, and what was told in time."""
    on_time, owed = card.updates_on_time
    kept, made = card.promises_kept
    parts = [share(on_time, owed, "update", "on time")] if owed else []
    if not card.updates:
        parts = ["No update was posted"]
    parts += [share(kept, made, "promise to customers", "kept", "promises to customers")] if made else []
    return "; ".join(part if place == 0 else f"{part[:1].lower()}{part[1:]}" for place, part in enumerate(parts))


def _updates(incident: Incident, policy: Policy, until: datetime, end: Ending | None) -> tuple[DueOutcome, ...]:
    """Each update with the time by which it was due, as the clock stood right before it was posted.

    Snoozing, holding and waiting move the time while it is ahead; a reminder that has come due keeps it. What was
    overdue when the incident ended was never told.
    """
    standing = {one.seq for one in incident.updates if not one.undone}
    told: list[DueOutcome] = []
    moment = Incident(team=incident.team, id=incident.id)
    for entry in incident.cadence_entries:
        if entry.event is None or (end and entry.seq > end.seq):
            continue
        if isinstance(entry.event, e.UpdatePosted) and entry.seq in standing:
            due = _due(moment, policy, entry.event.at)
            told.append(DueOutcome(due, entry.event.at, "nothing new" if entry.event.nothing_new else entry.event.text))
        after = evolve(moment, entry)
        if moment.open and not after.open:
            told += _missed(moment, policy, entry.event.at)
        moment = after
    if moment.open:
        told += _missed(moment, policy, until)
    return tuple(told)


def _missed(incident: Incident, policy: Policy, at: datetime) -> list[DueOutcome]:
    due = _due(incident, policy, at)
    return [DueOutcome(due, None)] if due and late_by(due, at) else []


def _due(incident: Incident, policy: Policy, at: datetime) -> datetime | None:
    passed = [
        item.due
        for reminder in incident.open_reminders
        for item in reminder.items
        if item.kind == e.DueKind.UPDATE and item.due <= at
    ]
    due = cadence.next_update(incident, policy) if incident.open else None
    return min([*passed, *([due] if due else [])], default=None)


def published_drafts(incident: Incident) -> tuple[Draft, ...]:
    """The customer texts that are public, in the order in which they became so."""
    public = [one for one in incident.drafts.values() if one.published_at is not None]
    return tuple(sorted(public, key=lambda one: (one.published_at, one.seq)))


def _promises(incident: Incident, until: datetime, end: Ending | None) -> tuple[DueOutcome, ...]:
    """Each promised time with the next public text, also one that came after the end: a promise outlives it.

    A promise that was still ahead at the end, and that nothing since shows as broken, is open.
    """
    public = published_drafts(incident)
    reopened = end.reopened_at if end else None
    seen = max(until, incident.last_at or until) if end and reopened is None else reopened or until
    told = []
    for this, following in zip_longest(public, public[1:]):
        promised = this.drafted.promised
        if promised is None or (reopened and this.published_at and this.published_at > reopened):
            continue
        answered = following.published_at if following else None
        ahead = answered is None and not late_by(promised, seen)
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
