"""How a workspace stands: what is open, what is overdue, what waits for whom. The digest and a person's Home ask it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from bot.domain import cadence
from bot.domain.incident import AskState, DraftState, Incident, Status, Task
from bot.domain.policy import Policy
from bot.domain.runbook import Runbook

#: a runbook is to be reviewed every quarter
REVIEW_EVERY = timedelta(days=92)


@dataclass(frozen=True)
class Overview:
    """A workspace at one moment: its open incidents, the worst first, and those that ended lately, the latest first."""

    now: datetime
    policy: Policy
    open: Sequence[Incident]
    ended: Sequence[Incident]
    runbooks: Sequence[Runbook] = ()


@dataclass(frozen=True)
class OverdueTask:
    """An action item whose day has passed."""

    incident: Incident
    task: Task
    due_on: date


@dataclass(frozen=True)
class OverduePostmortem:
    """An incident that has ended and whose postmortem is not shared yet."""

    incident: Incident
    due_on: date


class WaitingKind(StrEnum):
    """What can wait for one person."""

    STEP = "step"
    GO = "go"
    REVIEW = "review"
    TEXT = "text"
    HANDOVER = "handover"
    OVERRIDE = "override"
    PAGE = "page"
    TASK = "task"


@dataclass(frozen=True)
class Waiting:
    """Something of an incident that waits for a person, and until when, where it has an end."""

    kind: WaitingKind
    incident: Incident
    what: str
    by: str = ""
    until: datetime | None = None
    due_on: date | None = None


def worst_first(some: Sequence[Incident], policy: Policy) -> list[Incident]:
    """The worst first, of each severity the latest first."""
    return sorted(some, key=lambda one: (policy.rank(one.severity), -one.number))


def add_working_days(day: date, count: int) -> date:
    """So many days from Monday to Friday later."""
    while count:
        day += timedelta(days=1)
        count -= day.weekday() < 5
    return day


def postmortem_due(incident: Incident, policy: Policy) -> date | None:
    """The day by which policy wants the postmortem; None where it wants none, it is shared, or the record is closed."""
    days = policy.severity(incident.severity).postmortem_days
    if days is None or incident.ended_at is None or incident.postmortem_file or incident.drill:
        return None
    # Of a false alarm or a duplicate there is nothing to write.
    if incident.ended_as is not Status.RESOLVED or incident.closed_at:
        return None
    return add_working_days(incident.ended_at.astimezone(UTC).date(), days)


def overdue_postmortems(view: Overview) -> list[OverduePostmortem]:
    """Those whose day has passed, the longest overdue first."""
    today = view.now.astimezone(UTC).date()
    found = [OverduePostmortem(one, due) for one in view.ended if (due := postmortem_due(one, view.policy))]
    return sorted((one for one in found if one.due_on < today), key=lambda one: (one.due_on, one.incident.number))


def overdue_tasks(view: Overview) -> list[OverdueTask]:
    """Action items whose day has passed, the longest overdue first."""
    today = view.now.astimezone(UTC).date()
    found = [
        OverdueTask(incident, task, task.due_on)
        for incident in (*view.open, *view.ended)
        for task in incident.tasks
        if not task.done and task.due_on is not None and task.due_on < today and not incident.drill
    ]
    return sorted(found, key=lambda one: (one.due_on, one.incident.number, one.task.seq))


def runbooks_to_review(view: Overview) -> list[Runbook]:
    """Runbooks whose review is overdue, or that were never reviewed; the longest overdue first."""
    today = view.now.astimezone(UTC).date()
    due = [one for one in view.runbooks if one.reviewed is None or today - one.reviewed > REVIEW_EVERY]
    return sorted(due, key=lambda one: (one.reviewed or date.min, one.slug))


def waits_for(view: Overview, user: str) -> list[Waiting]:
    """What waits for this person, in the order of the incidents; the caller has left out what they may not see."""
    return [one for incident in (*view.open, *view.ended) for one in _waits(incident, user)]


def _waits(incident: Incident, user: str) -> Iterator[Waiting]:
    if incident.open:
        called = {one for _, _, to in incident.escalations for one in to}
        if not incident.acknowledged_by and (user in called or user == incident.lead):
            yield Waiting(WaitingKind.PAGE, incident, incident.title)
        for ask in incident.open_asks:
            if ask.state is AskState.ASKED and user in ask.asked.to:
                yield Waiting(WaitingKind.STEP, incident, ask.asked.action, ask.asked.by, ask.asked.lapses)
            elif ask.state is AskState.GO and user == ask.asked.by:
                yield Waiting(WaitingKind.GO, incident, ask.asked.action, ask.second, ask.until)
        for offer in incident.offers.values():
            if incident.roles.get(offer.role) == user:
                yield Waiting(WaitingKind.HANDOVER, incident, offer.role, offer.to, offer.until)
        asked = incident.override
        if asked is not None and user in asked.to and user != asked.by:
            yield Waiting(WaitingKind.OVERRIDE, incident, asked.reason, asked.by)
        for one in incident.checklists:
            for step in one.runbook.steps:
                state = one.state(step.id)
                if state.review_by and not state.reviewed_by and user in state.review_to and user != state.by:
                    yield Waiting(WaitingKind.REVIEW, incident, step.text, state.by, state.review_by)
    for draft in incident.drafts.values():
        if draft.state is DraftState.DRAFTED and user in draft.drafted.to:
            yield Waiting(WaitingKind.TEXT, incident, draft.drafted.audience, draft.drafted.by, draft.drafted.expires)
    for task in incident.tasks:
        if task.assignee == user and not task.done:
            yield Waiting(WaitingKind.TASK, incident, task.text, due_on=task.due_on)


def next_due(incident: Incident, policy: Policy) -> datetime | None:
    """The next moment at which something of an open incident is due: an update, or a promise to customers."""
    if not incident.open:
        return None
    moments = [at for at in (cadence.next_update(incident, policy), cadence.promise_due(incident)) if at is not None]
    return min(moments, default=None)
