"""The state of an incident: what its timeline amounts to. `fold` (fold.py) is the only way to get one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType

from bot.domain import events as e
from bot.domain.append_only import AppendOnlySequence
from bot.domain.probe_reading import ReadingState
from bot.domain.runbook import Runbook, Section, Step


class Status(StrEnum):
    """Where an incident stands. The table of ways between them is in lifecycle.py."""

    INVESTIGATING = "investigating"
    MITIGATED = "mitigated"
    RESOLVED = "resolved"
    FALSE_ALARM = "false_alarm"
    DUPLICATE = "duplicate"
    CLOSED = "closed"

    @property
    def open(self) -> bool:
        """Whether people still work on it."""
        return self in (Status.INVESTIGATING, Status.MITIGATED)


class ChannelLoss(StrEnum):
    """Why the bot cannot use a channel any more."""

    ARCHIVED = "archived"
    DELETED = "deleted"
    REMOVED = "removed"  # the bot was


class Mark(StrEnum):
    """How a step stands."""

    OPEN = "open"
    DONE = "done"
    SKIPPED = "skipped"
    ASKED = "asked"
    GO = "go"
    REVIEW = "review"  # done by one, owes a second person's look


@dataclass(frozen=True)
class StepReading:
    """What a probe said when somebody wanted to tick the step; `seq`: the seq of its ReadingTaken."""

    seq: int
    at: datetime
    by: str
    probe: str
    state: ReadingState
    sentence: str


@dataclass(frozen=True)
class StepState:
    """A step's mark, who set it and when, and how often it has changed (`version`)."""

    mark: Mark = Mark.OPEN
    by: str = ""
    at: datetime | None = None
    reason: str = ""  # why skipped, what came of it, why alone
    version: int = 0
    ask: int = 0  # the seq of the latest Asked
    reviewed_by: str = ""
    review_by: datetime | None = None
    review_to: tuple[str, ...] = ()
    review_nagged: bool = False
    review_seq: int = 0  # the seq of the act that owes, or owed, the review
    late_seq: int = 0  # the seq of the reminder that the review is late
    late_to: tuple[str, ...] = ()
    alone: bool = False
    notes: tuple[str, ...] = ()
    reading: StepReading | None = None  # the latest of the step's own probe
    #: every time it was done by two people: (at, by, with, result)
    done_with: tuple[tuple[datetime, str, str, str], ...] = ()


class AskState(StrEnum):
    """How a request for a second person stands."""

    ASKED = "asked"
    GO = "go"
    DONE = "done"
    NOT_DONE = "not_done"
    REFUSED = "refused"
    LAPSED = "lapsed"


@dataclass(frozen=True)
class Ask:
    """A request for a second person: asked -> go -> done | not done, or refused, or expired."""

    seq: int
    asked: e.Asked
    state: AskState = AskState.ASKED
    second: str = ""
    answered_at: datetime | None = None
    until: datetime | None = None
    result: str = ""
    ended_at: datetime | None = None

    @property
    def open(self) -> bool:
        """Whether it still waits for somebody."""
        return self.state in (AskState.ASKED, AskState.GO)


@dataclass(frozen=True)
class Checklist:
    """An attached runbook and how far people are with it."""

    seq: int
    runbook: Runbook
    how: str
    steps: Mapping[str, StepState]
    opened: frozenset[int] = frozenset()  # sections shown on request
    opened_at: Mapping[int, datetime] = field(default_factory=lambda: MappingProxyType({}))
    completed_at: Mapping[int, datetime] = field(default_factory=lambda: MappingProxyType({}))

    def state(self, step: str) -> StepState:
        """How that step stands."""
        return self.steps.get(step, StepState())

    @property
    def done(self) -> int:
        """How many steps need nothing more."""
        return sum(self.finished(step.id) for step in self.runbook.steps)

    def finished(self, step: str) -> bool:
        """Whether the step needs nothing more before the next one (a review may still be missing)."""
        return self.state(step).mark in (Mark.DONE, Mark.SKIPPED, Mark.REVIEW)

    @property
    def next_step(self) -> Step | None:
        """The first step that is not finished."""
        return next((step for step in self.runbook.steps if not self.finished(step.id)), None)

    def section_of(self, step: str) -> Section:
        """The section that holds the step."""
        return next(s for s in self.runbook.sections if any(one.id == step for one in s.steps))


@dataclass(frozen=True)
class Update:
    """An update that stands (not undone)."""

    seq: int
    by: str
    at: datetime
    text: str
    next_by: datetime | None
    nothing_new: bool
    undone: bool = False
    impact: str = ""


class ReminderAnswer(StrEnum):
    """How a reminder was answered."""

    NONE = ""
    SENT = "sent"
    NOTHING_NEW = "nothing new"
    SNOOZED = "snoozed"
    HELD = "held"
    ENDED = "ended"
    REPLACED = "replaced"


@dataclass(frozen=True)
class Reminder:
    """A reminder that was given, and how it was answered."""

    seq: int
    items: tuple[e.DueItem, ...]
    rung: int
    to: tuple[str, ...]
    at: datetime
    answered_at: datetime | None = None
    answer: ReminderAnswer = ReminderAnswer.NONE


@dataclass(frozen=True)
class Note:
    """A line that people added to the timeline."""

    seq: int
    noted: e.Noted
    withdrawn: bool = False


@dataclass(frozen=True)
class Task:
    """An action item."""

    seq: int
    by: str
    text: str
    assignee: str
    due: str
    done: bool = False
    due_on: date | None = None


class DraftState(StrEnum):
    """How far a customer text is."""

    DRAFTED = "drafted"
    APPROVED = "approved"
    SENDING = "sending"
    PUBLISHED = "published"
    UNCERTAIN = "uncertain"
    FAILED = "failed"
    DISCARDED = "discarded"
    LAPSED = "lapsed"
    REPLACED = "replaced"


@dataclass(frozen=True)
class Draft:
    """A customer text on its way: drafted -> approved -> sending -> published | uncertain | failed, or discarded."""

    seq: int
    drafted: e.CommsDrafted
    state: DraftState = DraftState.DRAFTED
    approved_by: str = ""
    approved_at: datetime | None = None
    published_at: datetime | None = None
    where: str = ""
    reference: str = ""
    link: str = ""
    reason: str = ""

    @property
    def name(self) -> str:
        """The draft's own id."""
        return self.drafted.draft


@dataclass(frozen=True)
class KnownAlert:
    """An alert as its sender told it last."""

    fired: e.AlertFired
    resolved_at: datetime | None = None


@dataclass(frozen=True)
class Offer:
    """A role on its way from its holder to another person."""

    seq: int
    role: str
    to: str
    by: str
    at: datetime
    until: datetime


@dataclass(frozen=True)
class Incident:
    """Everything known about one incident. Seq 0: nothing has happened yet."""

    team: str
    id: str
    seq: int = 0
    unknown_event_type: str = ""  # the type of an event that only a newer program knows
    number: int = 0
    title: str = ""
    summary: str = ""
    impact: str = ""
    severity: str = ""
    severity_assumed: bool = False
    severity_asked: bool = False
    raised_at: datetime | None = None  # when the severity last became worse than it had been
    private: bool = False
    drill: bool = False  # an exercise: no call of it reaches outside
    status: Status = Status.INVESTIGATING
    declared_by: str = ""
    declared_at: datetime | None = None
    reopened_at: datetime | None = None  # the latest time
    started: datetime | None = None
    origin: str = ""
    channel: str = ""
    channel_name: str = ""
    channel_error: str = ""
    channel_lost: str = ""  # empty, or a ChannelLoss
    adopted_at: datetime | None = None  # when a channel made by hand was recorded afterwards
    keeps_topic: bool = False  # people wrote the channel's topic before
    wanted: tuple[str, ...] = ()  # people who should be in the channel
    invited: frozenset[str] = frozenset()
    departures: int = 0  # how often somebody left
    refused: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    responders: tuple[str, ...] = ()  # whom policy mentioned
    followers: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))  # user -> since which seq
    alert_group: str = ""  # which group of alerts began it; empty: people did
    alerts: Mapping[str, KnownAlert] = field(default_factory=lambda: MappingProxyType({}))  # by Alert.key
    acknowledged_by: str = ""
    acknowledged_at: datetime | None = None
    level: int = 0
    escalations: tuple[tuple[int, datetime, tuple[str, ...]], ...] = ()
    roles: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    offers: Mapping[str, Offer] = field(default_factory=lambda: MappingProxyType({}))
    lead_seen_at: datetime | None = None
    lead_asked_at: datetime | None = None
    checklists: tuple[Checklist, ...] = ()
    guess: e.RunbookGuessed | None = None
    guess_seq: int = 0
    asks: Mapping[int, Ask] = field(default_factory=lambda: MappingProxyType({}))
    updates: AppendOnlySequence[Update] = field(default_factory=AppendOnlySequence)
    reminders: AppendOnlySequence[Reminder] = field(default_factory=AppendOnlySequence)
    unanswered: tuple[int, ...] = ()  # the places in `reminders` of those that still wait
    snoozed_until: datetime | None = None
    snoozes: int = 0
    held_until: datetime | None = None
    watcher: str = ""
    waiting: str = ""
    waiting_since: datetime | None = None
    waits: tuple[tuple[datetime, datetime], ...] = ()  # that are over: from, until
    look_again: datetime | None = None
    notes: AppendOnlySequence[Note] = field(default_factory=AppendOnlySequence)
    tasks: tuple[Task, ...] = ()
    drafts: Mapping[str, Draft] = field(default_factory=lambda: MappingProxyType({}))
    override: e.OverrideAsked | None = None
    override_seq: int = 0
    mitigated_at: datetime | None = None
    mitigated_by: str = ""
    resolved_at: datetime | None = None
    resolution: e.Resolved | None = None
    ended_at: datetime | None = None
    ended_by: str = ""
    ended_why: str = ""
    ended_as: Status | None = None  # how: resolved, a false alarm, a duplicate; also once the record is closed
    duplicate_of: int = 0
    stood_down: bool = False
    postmortem: e.PostmortemWritten | None = None
    postmortem_seq: int = 0
    postmortem_file: str = ""
    postmortem_link: str = ""
    renamed: bool = False  # the channel is to be called `channel_name`, which it was not at first
    unredacted_files: tuple[str, ...] = ()  # files that told what was redacted since: to be taken away
    closed_at: datetime | None = None
    ended_seq: int = 0  # the seq of the latest ending or reopening
    severity_seq: int = 0  # the seq of the latest change of severity
    impact_seq: int = 0  # the seq of the latest change of who is affected
    # the seq of the latest change of severity or status: customer texts from before are void
    last_status_or_severity_seq: int = 0
    last_at: datetime | None = None
    #: the entries, in order, of which a message of their own speaks: see ANNOUNCED_EVENTS
    announced_entries: AppendOnlySequence[e.Entry] = field(default_factory=AppendOnlySequence)
    #: the entries, in order, that move the clocks of updates and promises: see CADENCE_EVENTS
    cadence_entries: AppendOnlySequence[e.Entry] = field(default_factory=AppendOnlySequence)

    @property
    def name(self) -> str:
        """How people call it: INC-42."""
        return f"INC-{self.number}"

    @property
    def lead(self) -> str:
        """The incident commander's user id, or empty."""
        return self.roles.get("lead", "")

    @property
    def comms_lead(self) -> str:
        """The comms lead's user id, or empty."""
        return self.roles.get("comms-lead", "")

    def is_participant(self, user: str) -> bool:
        """Whether this person was asked in by name, or came in and did not leave: who may know of a private one."""
        return user in self.invited or user in self.wanted

    @property
    def open(self) -> bool:
        """Whether people still work on it."""
        return self.seq > 0 and self.status.open

    @property
    def running_since(self) -> datetime | None:
        """When the work that goes on began: declared, or reopened the last time. Internal clocks start no earlier."""
        return self.reopened_at or self.declared_at if self.declared_at else None  # its declaration may be redacted

    @property
    def reachable(self) -> bool:
        """Whether the bot can speak in its channel."""
        return bool(self.channel) and not self.channel_lost

    @property
    def last_update(self) -> Update | None:
        """The latest update that was not undone."""
        return next((one for one in reversed(self.updates) if not one.undone), None)

    @property
    def open_reminders(self) -> tuple[Reminder, ...]:
        """Reminders that still wait for an answer."""
        return tuple(self.reminders[place] for place in self.unanswered)

    @property
    def last_published_draft(self) -> Draft | None:
        """The customer text that was published last."""
        published = [d for d in self.drafts.values() if d.state is DraftState.PUBLISHED and d.published_at]
        return max(published, key=lambda d: (d.published_at, d.seq), default=None)

    @property
    def open_asks(self) -> tuple[Ask, ...]:
        """Requests for a second person that still wait."""
        return tuple(ask for ask in self.asks.values() if ask.open)

    def checklist(self, slug: str) -> Checklist | None:
        """The attached runbook of that slug, or of that short name (`Runbook.ref`)."""
        return next((one for one in self.checklists if slug in (one.runbook.slug, one.runbook.ref)), None)
