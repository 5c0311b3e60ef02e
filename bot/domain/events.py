"""Every fact that a timeline can hold, one frozen dataclass and one sentence each.

Fields are added with defaults, never changed or removed: timelines of every release load for ever.
`by` is a Slack user id, "bot", "cli:<os user>" or "alert:<source>"; `at` is when the bot recorded it (aware UTC).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from bot.domain.runbook import Runbook


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened, who did it, and when it was recorded."""

    by: str
    at: datetime


# -- opening --------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Declared(Event):
    """An incident exists from here on; `assumed` when nobody chose the severity."""

    number: int
    title: str
    severity: str
    assumed: bool = False
    private: bool = False
    summary: str = ""
    #: the channel in which it was declared, for the answer
    origin: str = ""
    #: people whom policy wants in the channel at this severity
    responders: tuple[str, ...] = ()
    #: an exercise: nothing of it reaches anybody outside
    drill: bool = False


@dataclass(frozen=True, kw_only=True)
class ChannelOpened(Event):
    """The incident has a channel in Slack."""

    channel: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Adopted(Event):
    """The incident was recorded afterwards: its channel is one that people had made by hand."""

    channel: str
    name: str
    began: datetime
    #: when it was over, where it was over by then
    over: datetime | None = None
    #: people wrote a topic there: it stays
    keeps_topic: bool = False


@dataclass(frozen=True, kw_only=True)
class ChannelRefused(Event):
    """Slack refused the channel for good (`error` is Slack's code); people work where they declared."""

    error: str


@dataclass(frozen=True, kw_only=True)
class ChannelLost(Event):
    """The channel can no longer be used: `reason` is archived, deleted or removed (the bot was)."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class ChannelRegained(Event):
    """The bot can use the channel again."""


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A person who could not be invited, with Slack's code."""

    user: str
    error: str


@dataclass(frozen=True, kw_only=True)
class Invited(Event):
    """These people are in the channel, those could not be invited."""

    users: tuple[str, ...] = ()
    refused: tuple[Refusal, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PersonLeft(Event):
    """This person is no longer in the channel."""

    user: str


@dataclass(frozen=True, kw_only=True)
class PersonAdded(Event):
    """Somebody asked for this person's help."""

    user: str
    #: policy names them as a responder, and the bot found them only after the declaration: they are mentioned
    called: bool = False


@dataclass(frozen=True, kw_only=True)
class Followed(Event):
    """Somebody outside the channel wants to hear when severity, status or lead change."""


@dataclass(frozen=True, kw_only=True)
class Unfollowed(Event):
    """They have heard enough."""


@dataclass(frozen=True, kw_only=True)
class Acknowledged(Event):
    """A person answers for the incident."""


@dataclass(frozen=True, kw_only=True)
class NobodyAnswered(Event):
    """No one acknowledged in time: these people were mentioned next (`level` counts from 1)."""

    level: int
    to: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Escalated(Event):
    """A person asked for the next level."""

    level: int
    to: tuple[str, ...] = ()
    reason: str = ""


# -- alerts ---------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class AlertFired(Event):
    """A sender says that something is wrong since `since`; `alert` names it, `group` what it belongs together with."""

    alert: str
    group: str
    name: str
    title: str = ""
    since: datetime | None = None
    #: in the sender's word
    severity: str = ""
    #: a runbook's name or address
    runbook: str = ""
    link: str = ""
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class AlertResolved(Event):
    """The sender says that it no longer fires; the incident is people's to end."""

    alert: str
    name: str


# -- facts ----------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class SeverityChanged(Event):
    """The severity went from `old` to `new`; choosing the assumed one again confirms it."""

    old: str
    new: str
    worse: bool = False
    reason: str = ""
    #: people whom the new severity adds
    responders: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SeverityAsked(Event):
    """The lead was asked whether the assumed severity is right."""

    to: str


@dataclass(frozen=True, kw_only=True)
class TitleChanged(Event):
    """What is broken, said better."""

    title: str


@dataclass(frozen=True, kw_only=True)
class ImpactStated(Event):
    """Who is affected and how."""

    impact: str


@dataclass(frozen=True, kw_only=True)
class StartCorrected(Event):
    """When the trouble began, as far as is known now."""

    started: datetime


@dataclass(frozen=True, kw_only=True)
class RoleTaken(Event):
    """`user` holds `role` (lead, comms-lead, scribe) from now on; empty: nobody."""

    role: str
    user: str


@dataclass(frozen=True, kw_only=True)
class RoleOffered(Event):
    """`to` is to take the role from its holder, who may say not yet until `until`."""

    role: str
    to: str
    until: datetime


@dataclass(frozen=True, kw_only=True)
class RoleKept(Event):
    """The holder said not yet: the offer is gone."""

    role: str


# -- telling people -------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class UpdatePosted(Event):
    """Where the incident stands, told to all, with the promised time of the next update."""

    text: str
    next_by: datetime | None = None
    impact: str = ""
    #: [Nothing new]: internal, made from the state
    nothing_new: bool = False


@dataclass(frozen=True, kw_only=True)
class UpdateUndone(Event):
    """The update recorded as `seq` was withdrawn within the seconds allowed."""

    seq: int


class DueKind(StrEnum):
    """What can be due."""

    UPDATE = "update"
    PROMISE = "promise"


@dataclass(frozen=True, kw_only=True)
class DueItem:
    """One thing that was due: `kind` is a DueKind; for a promise `ref` names the audience."""

    kind: str
    due: datetime
    ref: str = ""


@dataclass(frozen=True, kw_only=True)
class Reminded(Event):
    """These things were due, and `to` were told; `rung` 0 is before the time, 1 at it, 2 and up after it."""

    items: tuple[DueItem, ...]
    rung: int
    to: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Snoozed(Event):
    """The internal update waits until then; promises to customers do not."""

    until: datetime


@dataclass(frozen=True, kw_only=True)
class Held(Event):
    """After mitigation: quiet until then, with a named watcher."""

    until: datetime
    watcher: str


@dataclass(frozen=True, kw_only=True)
class LeadSilent(Event):
    """The lead has not been seen for a while and was asked."""

    to: str


@dataclass(frozen=True, kw_only=True)
class LeadSeen(Event):
    """The lead, when asked, said that they are still there."""


@dataclass(frozen=True, kw_only=True)
class WaitingBegan(Event):
    """Nothing can be done before somebody else acts; look again at `look_again`."""

    what: str
    look_again: datetime


@dataclass(frozen=True, kw_only=True)
class WaitingEnded(Event):
    """The wait is over, or it is time to look again."""


@dataclass(frozen=True, kw_only=True)
class Noted(Event):
    """A line of the timeline: what happened (at `happened`), who said it, and where it stands in Slack."""

    text: str
    happened: datetime
    author: str = ""
    channel: str = ""
    message_ts: str = ""
    permalink: str = ""
    #: it was pinned in the channel before the incident was recorded
    backfilled: bool = False


@dataclass(frozen=True, kw_only=True)
class NoteWithdrawn(Event):
    """The note recorded as `seq` no longer belongs to the timeline (its last pin went)."""

    seq: int


@dataclass(frozen=True, kw_only=True)
class TaskAdded(Event):
    """Somebody is to do something by some day: `due` as it was said, `due_on` the day (UTC) that this means."""

    text: str
    assignee: str = ""
    due: str = ""
    due_on: date | None = None


@dataclass(frozen=True, kw_only=True)
class TaskDone(Event):
    """The task recorded as `seq` is done."""

    seq: int


@dataclass(frozen=True, kw_only=True)
class ReadingTaken(Event):
    """A probe looked; it changed nothing."""

    probe: str
    state: str
    sentence: str
    target: str = ""
    evidence: tuple[str, ...] = ()
    #: the step that asked for it, where one did; without `runbook` both in one: "horizon-outage 1.2"
    step: str = ""
    runbook: str = ""


# -- runbooks -------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class RunbookAttached(Event):
    """A runbook, whole and at its revision: a later edit in git never changes the past."""

    runbook: Runbook
    how: str = "choice"  # "choice" | "alert" | "guess"


@dataclass(frozen=True, kw_only=True)
class RunbookGuessed(Event):
    """The title's words fit these runbooks; the lead is asked."""

    slugs: tuple[str, ...]
    titles: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class RunbookDeclined(Event):
    """None of the guessed runbooks fits."""


@dataclass(frozen=True, kw_only=True)
class SectionOpened(Event):
    """A section of a runbook is shown (or shown again) in the thread."""

    runbook: str
    section: int


@dataclass(frozen=True, kw_only=True)
class StepTicked(Event):
    """A step is done."""

    runbook: str
    step: str


@dataclass(frozen=True, kw_only=True)
class StepUnticked(Event):
    """A step is not done after all."""

    runbook: str
    step: str


@dataclass(frozen=True, kw_only=True)
class StepSkipped(Event):
    """A step is left out, and why."""

    runbook: str
    step: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class StepNoted(Event):
    """A remark on a step; `correction` where it corrects what was done by two people."""

    runbook: str
    step: str
    text: str
    correction: bool = False


@dataclass(frozen=True, kw_only=True)
class Asked(Event):
    """A second person is asked to agree before the act; the seq of this event names the ask."""

    runbook: str
    step: str
    action: str
    evidence: str = ""
    count: str = ""
    amount: str = ""
    to: tuple[str, ...] = ()
    lapses: datetime


@dataclass(frozen=True, kw_only=True)
class GoGiven(Event):
    """A second person agrees to the ask `ask`; the act has to be done before `until`."""

    ask: int
    until: datetime


@dataclass(frozen=True, kw_only=True)
class AskRefused(Event):
    """A second person does not agree."""

    ask: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class AskLapsed(Event):
    """Nobody agreed, or nobody acted, in time."""

    ask: int


@dataclass(frozen=True, kw_only=True)
class AskDone(Event):
    """What two people agreed on was done, with its result or hash."""

    ask: int
    result: str


@dataclass(frozen=True, kw_only=True)
class AskNotDone(Event):
    """What two people agreed on was not done after all."""

    ask: int
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class StoppedFirst(Event):
    """Something was stopped by one person, as it may be; a second reviews it before `review_by`."""

    runbook: str
    step: str
    review_by: datetime
    to: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class DoneAlone(Event):
    """What needs two people was done by one all the same: an exception that a second person reviews."""

    runbook: str
    step: str
    reason: str
    review_by: datetime
    to: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Reviewed(Event):
    """A second person has looked at what one did."""

    runbook: str
    step: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class ReviewOverdue(Event):
    """Nobody has reviewed it in time; these people were told."""

    runbook: str
    step: str
    to: tuple[str, ...] = ()


# -- customer comms -------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class CommsDrafted(Event):
    """A customer text, scrubbed; `draft` names it, `replaces` the draft that it edits."""

    draft: str
    template: str
    audience: str
    stage: str
    revision: str
    text: str
    text_hash: str
    removed: str = ""  # "2 account ids removed"
    findings: tuple[str, ...] = ()  # kinds and rules, never values
    tone: tuple[str, ...] = ()
    promised: datetime | None = None
    replaces: str = ""
    #: slot name, value after scrubbing: fills the form again
    slots: tuple[tuple[str, str], ...] = ()
    to: tuple[str, ...] = ()  # who may approve
    expires: datetime


@dataclass(frozen=True, kw_only=True)
class CommsApproved(Event):
    """A second person approved exactly the text with this hash."""

    draft: str
    text_hash: str


@dataclass(frozen=True, kw_only=True)
class CommsDiscarded(Event):
    """The draft will not be sent."""

    draft: str
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class CommsLapsed(Event):
    """Nobody approved in time, or the facts changed: the draft has to be made anew."""

    draft: str
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class CommsSending(Event):
    """Sending was begun: from here on it may be public."""

    draft: str


@dataclass(frozen=True, kw_only=True)
class CommsPublished(Event):
    """The text is public there."""

    draft: str
    publisher: str
    where: str  # a channel id, an address, a page
    reference: str = ""  # a message's ts, a page's id
    link: str = ""


@dataclass(frozen=True, kw_only=True)
class CommsUncertain(Event):
    """Sending was begun and nobody knows how it ended: a person has to look."""

    draft: str
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class CommsFailed(Event):
    """The text is certainly not public; `error` says why."""

    draft: str
    error: str


@dataclass(frozen=True, kw_only=True)
class SecretRefused(Event):
    """Somebody's text held a secret and was not stored: the fact, never the value."""

    kind: str
    where: str


# -- ending ---------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Check:
    """One condition of resolving: `met` is yes, no or unknown; unknown is not a pass."""

    name: str
    met: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Mitigated(Event):
    """The harm to customers has stopped; the cause may be there still."""

    note: str = ""


@dataclass(frozen=True, kw_only=True)
class OverrideAsked(Event):
    """To resolve although conditions are open takes a second person: asked for here."""

    reason: str
    checks: tuple[Check, ...] = ()
    note: str = ""
    to: tuple[str, ...] = ()
    expires: datetime | None = None  # None: asked before requests had an end of their own


@dataclass(frozen=True, kw_only=True)
class PendingEnded(Event):
    """A matter that waited for a second person, or for an answer, ended without one: whoever asked is told.

    `kind` is a PendingKind, `ref` the seq of the request, the draft's id or the role; `change` is what ended it, one
    of the names of domain/pending.py.
    """

    kind: str
    ref: str
    change: str
    to: str


@dataclass(frozen=True, kw_only=True)
class Resolved(Event):
    """It is over. `override` says why, where conditions were open; `second` who agreed."""

    note: str = ""
    checks: tuple[Check, ...] = ()
    override: str = ""
    second: str = ""
    postmortem_owner: str = ""
    postmortem_due: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Reopened(Event):
    """It is not over after all."""

    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class FalseAlarm(Event):
    """There was no incident."""

    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class MarkedDuplicate(Event):
    """It is the same as another incident, which goes on."""

    of: int
    of_channel: str = ""


@dataclass(frozen=True, kw_only=True)
class StoodDown(Event):
    """Everybody who was mentioned was told that they can rest."""

    to: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PostmortemWritten(Event):
    """A draft of the postmortem was asked for; `through` is the last event it covers."""

    name: str
    through: int
    #: written by version 0.1.0 only, and no hash of the text there: see PostmortemShared
    text_hash: str = ""


@dataclass(frozen=True, kw_only=True)
class PostmortemShared(Event):
    """The draft is in the channel as this file."""

    file: str
    written: int  # the seq of its PostmortemWritten
    text_hash: str = ""  # SHA-256, in hex, of the file's bytes; empty where an earlier version uploaded them
    link: str = ""  # where people read it; empty where Slack told no address


@dataclass(frozen=True, kw_only=True)
class Closed(Event):
    """The record is closed."""

    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What is left of the entry `seq` without the words that were taken out of it: its body, as the store writes it."""

    seq: int
    type: str
    body: str


@dataclass(frozen=True, kw_only=True)
class Redacted(Event):
    """Words that do not belong in a record were taken out of entries; `kept` is read in their place from now on."""

    reason: str
    kept: tuple[Kept, ...]
    #: the channel is called so from now on, where its name told the words
    channel_name: str = ""
    #: files of the bot that told the words: taken away, and the last one made anew
    files: tuple[str, ...] = ()
    #: drafts whose public posts told the words, and are taken back on request
    taken_back: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Unknown(Event):
    """An event of a type that this program does not know: it reads on, and writes nothing."""

    type: str = ""


#: every type that a timeline may hold, by name; the version is raised when a field is added
EVENTS: dict[str, type[Event]] = {
    cls.__name__: cls
    for cls in (
        Declared, ChannelOpened, Adopted, ChannelRefused, ChannelLost, ChannelRegained, Invited, PersonAdded,
        PersonLeft, Followed, Unfollowed, AlertFired, AlertResolved,
        Acknowledged, NobodyAnswered, Escalated, SeverityChanged, SeverityAsked,
        TitleChanged, ImpactStated, StartCorrected, RoleTaken, RoleOffered, RoleKept, UpdatePosted, UpdateUndone,
        Reminded, Snoozed, Held, LeadSilent, LeadSeen, WaitingBegan, WaitingEnded, Noted, NoteWithdrawn, TaskAdded,
        TaskDone, ReadingTaken, RunbookAttached, RunbookGuessed, RunbookDeclined, SectionOpened, StepTicked,
        StepUnticked, StepSkipped, StepNoted, Asked, GoGiven, AskRefused, AskLapsed, AskDone, AskNotDone, StoppedFirst,
        DoneAlone, Reviewed, ReviewOverdue, CommsDrafted, CommsApproved, CommsDiscarded, CommsLapsed, CommsSending,
        CommsPublished, CommsUncertain, CommsFailed, SecretRefused, Mitigated, OverrideAsked, PendingEnded,
        Resolved, Reopened,
        FalseAlarm, MarkedDuplicate, StoodDown, PostmortemWritten, PostmortemShared, Closed, Redacted,
    )
}  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """An event at its place in the chain of one incident; of a redacted one what was kept, None for nothing."""

    seq: int
    event: Event | None
