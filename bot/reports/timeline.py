"""What an entry of the timeline says to people: a literal table of event type -> function.

Lines are plain text: whoever shows them escapes for the place (Markdown, Slack). People stand there by name,
never as mentions, because a line that is read again must notify nobody.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.domain import events as e
from bot.domain.append_only import index_of_seq
from bot.domain.incident import Incident
from bot.domain.names import join_names
from bot.domain.pending import BECAUSE
from bot.domain.policy import Policy
from bot.domain.roles import ROLES
from bot.domain.time_text import clock_time
from bot.scrub import kind_noun

_MENTION = re.compile(r"<@([A-Z0-9]+)(?:\|[^<>]*)?>")
_SPECIAL = re.compile(r"<!(?:subteam\^)?([A-Za-z0-9]+)(?:\|@?([^<>]*))?>|<#([A-Z0-9]+)(?:\|([^<>]*))?>")
_LINK = re.compile(r"<(https?://[^<>|\s]+)(?:\|([^<>]*))?>")
#: a step is named in at most so many characters; its whole sentence stands in the checklist
MAX_STEP_TITLE_CHARS = 100
#: characters that change how their neighbours read (bidirectional overrides and isolates)
_TURNING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class EntryFormatter:
    """Turns what an entry holds into words: names for user ids, and the words of what an entry refers to."""

    names: Mapping[str, str]
    incident: Incident | None = None
    #: a severity's key -> what policy calls it
    severities: Mapping[str, str] = field(default_factory=dict)

    def severity(self, key: str) -> str:
        """A severity's name; its key where policy knows it no more."""
        return self.severities.get(key) or self.plain(key)

    def person(self, user: str) -> str:
        """A person's name as it was; the id where it is not known."""
        if user == "bot":
            return self.names.get(user, "The bot")
        if user.startswith("cli:"):
            return f"{user.removeprefix('cli:')} (command line)"
        if user.startswith("alert:"):
            return f"{user.removeprefix('alert:')} (alert)"
        return self.plain(self.names.get(user, user) or "nobody")

    def people(self, users: tuple[str, ...]) -> str:
        """ "Ana, Ben and Carla"; "nobody"."""
        return join_names(self.person(user) for user in users) or "nobody"

    def plain(self, text: str) -> str:
        """One line of plain text: no mentions, no control characters, nothing that turns the direction of writing."""
        text = _MENTION.sub(lambda found: self.names.get(found[1], found[1]), text)
        text = _SPECIAL.sub(lambda found: found[2] or found[4] or found[1] or found[3] or "", text)
        text = _LINK.sub(lambda found: f"{found[2]} ({found[1]})" if found[2] else found[1], text)
        text = _TURNING.sub("", text)
        return " ".join("".join(c if c.isprintable() or c == "\u200d" else " " for c in text).split())

    def after_colon(self, text: str, before: str = ": ") -> str:
        """The text after a colon, or nothing."""
        words = self.plain(text)
        return f"{before}{words}" if words else ""

    def step(self, runbook: str, step: str) -> str:
        """ "step 2.3, Pause payouts" as the runbook had it at its revision."""
        checklist = self.incident.checklist(runbook) if self.incident else None
        found = checklist.runbook.step(step) if checklist else None
        words = f" ({self.short(found.text)})" if found else ""
        several = self.incident is not None and len(self.incident.checklists) > 1
        return f"step {runbook + ' ' if several or not checklist else ''}{step}{words}"

    def act(self, ask: int) -> str:
        """What an ask was about."""
        found = self.incident.asks.get(ask) if self.incident else None
        return self.short(found.asked.action) if found else f"what entry {ask} asks for"

    def short(self, text: str) -> str:
        """What a step asks for, without what is to be expected: its first clause, whole words only."""
        words = self.plain(text).partition("; ")[0].rstrip(".")
        return (
            words if len(words) <= MAX_STEP_TITLE_CHARS else f"{words[: MAX_STEP_TITLE_CHARS - 1].rsplit(' ', 1)[0]}…"
        )

    def text(self, draft: str) -> str:
        """Which customer text a draft is."""
        found = self.incident.drafts.get(draft) if self.incident else None
        if found is None:
            return "a customer text"
        return f"the text for {self.plain(found.drafted.audience)} ({self.plain(found.drafted.stage)})"


def _reading(x: e.ReadingTaken, r: EntryFormatter) -> str:
    target = f" {r.plain(x.target)}" if x.target else ""
    return f"Reading of {r.plain(x.probe)}{target}: {r.plain(x.sentence)}"


def _role(x: e.RoleTaken, r: EntryFormatter) -> str:
    role = ROLES.get(x.role, r.plain(x.role))
    return f"{r.person(x.user)} is {role}" if x.user else f"Nobody is {role} any more"


def _adopted(x: e.Adopted, r: EntryFormatter) -> str:
    told = f"it began {clock_time(x.began, x.at)}" + (f" and was over {clock_time(x.over, x.at)}" if x.over else "")
    return f"{r.person(x.by)} recorded #{r.plain(x.name)} afterwards (backfilled): {told}"


def _update(x: e.UpdatePosted, r: EntryFormatter) -> str:
    by = f" Next update by {clock_time(x.next_by, x.at)}." if x.next_by else ""
    return f"Update by {r.person(x.by)}: {r.plain(x.text).rstrip('.')}.{by}"


#: kind of request -> how it reads
_REQUESTS = {
    "override": "request to resolve with open conditions",
    "step": "request for a second person",
    "customer message": "text for customers",
    "hand-over": "hand-over",
}


def _pending_ended(x: e.PendingEnded, r: EntryFormatter) -> str:
    because = BECAUSE.get(x.change, BECAUSE["ending"])
    return f"The {_REQUESTS.get(x.kind, 'request')} of {r.person(x.to)} ended without an answer, because {because}"


def _resolved(x: e.Resolved, r: EntryFormatter) -> str:
    if x.override and x.second:
        resolved = f"{r.person(x.second)} agreed, and the incident was resolved{r.after_colon(x.note)}"
    else:
        resolved = f"{r.person(x.by)} resolved the incident{r.after_colon(x.note)}"
    return f"{resolved} (with open conditions: {r.plain(x.override)})" if x.override else resolved


def _published(x: e.CommsPublished, r: EntryFormatter) -> str:
    text = r.text(x.draft)
    return f"{text[:1].upper()}{text[1:]} is public ({r.plain(x.publisher)})"


def _redacted(x: e.Redacted, r: EntryFormatter) -> str:
    where = join_names(str(one.seq) for one in x.kept)
    return f"{r.person(x.by)} redacted {'entry' if len(x.kept) == 1 else 'entries'} {where}{r.after_colon(x.reason)}"


#: event type -> its line; a type is here or in SILENT, never in both
FORMATTERS: dict[type[e.Event], Callable[[Any, EntryFormatter], str]] = {
    e.Declared: lambda x, r: (
        f"{r.person(x.by)} declared the incident, {r.severity(x.severity)}{' (assumed)' if x.assumed else ''}: "
        f"{r.plain(x.title)}"
    ),
    e.Adopted: _adopted,
    e.ChannelRefused: lambda x, r: f"Slack refused to open a channel ({r.plain(x.error)})",
    e.ChannelLost: lambda x, r: f"The channel could not be used any more ({r.plain(x.reason)})",
    e.ChannelRegained: lambda x, r: "The channel could be used again",
    e.AlertFired: lambda x, r: f"{r.person(x.by)}: {r.plain(x.name)} fires{r.after_colon(x.title)}",
    e.AlertResolved: lambda x, r: f"{r.person(x.by)}: {r.plain(x.name)} no longer fires",
    e.Acknowledged: lambda x, r: f"{r.person(x.by)} answered",
    e.NobodyAnswered: lambda x, r: f"Nobody had answered; level {x.level} was asked: {r.people(x.to)}",
    e.Escalated: lambda x, r: (
        f"{r.person(x.by)} escalated to level {x.level}, {r.people(x.to)}{r.after_colon(x.reason)}"
    ),
    e.SeverityChanged: lambda x, r: (
        f"{r.person(x.by)} confirmed {r.severity(x.new)}{r.after_colon(x.reason)}"
        if x.old == x.new
        else f"{r.person(x.by)} changed the severity from {r.severity(x.old)} to {r.severity(x.new)}"
        f"{r.after_colon(x.reason)}"
    ),
    e.TitleChanged: lambda x, r: f"{r.person(x.by)} changed the title: {r.plain(x.title)}",
    e.ImpactStated: lambda x, r: f"{r.person(x.by)} stated the impact: {r.plain(x.impact)}",
    e.StartCorrected: lambda x, r: f"{r.person(x.by)} corrected the start to {clock_time(x.started, x.at)}",
    e.RoleTaken: _role,
    e.UpdatePosted: _update,
    e.Snoozed: lambda x, r: f"{r.person(x.by)} put the update off until {clock_time(x.until, x.at)}",
    e.Held: lambda x, r: f"Quiet until {clock_time(x.until, x.at)}; {r.person(x.watcher)} watches",
    e.WaitingBegan: lambda x, r: f"Waiting for {r.plain(x.what)}; look again {clock_time(x.look_again, x.at)}",
    e.WaitingEnded: lambda x, r: "The wait ended",
    e.Noted: lambda x, r: f"{r.person(x.author or x.by)}: {r.plain(x.text)}{' (backfilled)' if x.backfilled else ''}",
    e.TaskAdded: lambda x, r: (
        f"Action item{' for ' + r.person(x.assignee) if x.assignee else ''}: {r.plain(x.text)}"
        f"{f', by {x.due_on:%Y-%m-%d}' if x.due_on else ', by ' + r.plain(x.due) if x.due else ''}"
    ),
    e.ReadingTaken: _reading,
    e.RunbookAttached: lambda x, r: (
        f"Runbook {r.plain(x.runbook.title)} attached at revision {r.plain(x.runbook.revision)} "
        f"{'by an alert' if x.how == 'alert' else 'by ' + r.person(x.by)}"
    ),
    e.StepTicked: lambda x, r: f"{r.person(x.by)} did {r.step(x.runbook, x.step)}",
    e.StepUnticked: lambda x, r: f"{r.person(x.by)} reopened {r.step(x.runbook, x.step)}",
    e.StepSkipped: lambda x, r: f"{r.person(x.by)} skipped {r.step(x.runbook, x.step)}{r.after_colon(x.reason)}",
    e.StepNoted: lambda x, r: (
        f"{r.person(x.by)} {'corrected' if x.correction else 'remarked on'} {r.step(x.runbook, x.step)}"
        f"{r.after_colon(x.text)}"
    ),
    e.Asked: lambda x, r: (
        f"{r.person(x.by)} asked for a second person: {r.short(x.action)}"
        f"{r.after_colon(x.count, '; count ')}{r.after_colon(x.amount, '; sum ')}"
        f"{r.after_colon(x.evidence, '; evidence: ')}"
    ),
    e.GoGiven: lambda x, r: f"{r.person(x.by)} agreed: {r.act(x.ask)}",
    e.AskRefused: lambda x, r: f"{r.person(x.by)} did not agree to: {r.act(x.ask)}{r.after_colon(x.reason, ' — ')}",
    e.AskLapsed: lambda x, r: f"The request expired: {r.act(x.ask)}",
    e.AskDone: lambda x, r: (
        f"{r.person(x.by)} did what two people agreed on: {r.act(x.ask)}{r.after_colon(x.result, ' — ')}"
    ),
    e.AskNotDone: lambda x, r: f"{r.person(x.by)} did not do it: {r.act(x.ask)}{r.after_colon(x.reason, ' — ')}",
    e.StoppedFirst: lambda x, r: f"{r.person(x.by)} stopped first: {r.step(x.runbook, x.step)}{r.after_colon(x.note)}",
    e.DoneAlone: lambda x, r: (
        f"Exception: {r.person(x.by)} did {r.step(x.runbook, x.step)} without a second person{r.after_colon(x.reason)}"
    ),
    e.Reviewed: lambda x, r: f"{r.person(x.by)} reviewed {r.step(x.runbook, x.step)}{r.after_colon(x.note)}",
    e.ReviewOverdue: lambda x, r: f"The review of {r.step(x.runbook, x.step)} was overdue",
    e.CommsDrafted: lambda x, r: f"{r.person(x.by)} wrote a text for {r.plain(x.audience)} ({r.plain(x.stage)})",
    e.CommsApproved: lambda x, r: f"{r.person(x.by)} approved {r.text(x.draft)}",
    e.CommsDiscarded: lambda x, r: f"{r.person(x.by)} discarded {r.text(x.draft)}{r.after_colon(x.reason)}",
    e.CommsLapsed: lambda x, r: f"The draft expired, {r.text(x.draft)}{r.after_colon(x.reason)}",
    e.CommsPublished: _published,
    e.CommsUncertain: lambda x, r: f"It is not known whether {r.text(x.draft)} went out{r.after_colon(x.error)}",
    e.CommsFailed: lambda x, r: f"Sending failed, {r.text(x.draft)} is not public{r.after_colon(x.error)}",
    e.SecretRefused: lambda x, r: (
        f"{_capitalized(kind_noun(r.plain(x.kind)))} was kept out of {r.plain(x.where)}; nothing was stored"
    ),
    e.Mitigated: lambda x, r: f"{r.person(x.by)} mitigated the incident{r.after_colon(x.note)}",
    e.OverrideAsked: lambda x, r: f"{r.person(x.by)} asked to resolve with open conditions{r.after_colon(x.reason)}",
    e.PendingEnded: _pending_ended,
    e.Resolved: _resolved,
    e.Reopened: lambda x, r: f"{r.person(x.by)} reopened the incident{r.after_colon(x.reason)}",
    e.FalseAlarm: lambda x, r: f"{r.person(x.by)} ended the incident as a false alarm{r.after_colon(x.reason)}",
    e.MarkedDuplicate: lambda x, r: f"{r.person(x.by)} marked the incident as a duplicate of INC-{x.of}",
    e.Redacted: _redacted,
    e.Closed: lambda x, r: f"{r.person(x.by)} closed the record{r.after_colon(x.note)}",
    e.Unknown: lambda x, r: f"An entry of a newer version of the bot ({r.plain(x.type)})",
}

#: facts that the timeline keeps and that nobody needs to read there
HIDDEN_EVENTS: frozenset[type[e.Event]] = frozenset(
    {
        e.ChannelOpened, e.Invited, e.PersonAdded, e.PersonLeft, e.Followed, e.Unfollowed,
        e.SeverityAsked, e.RoleOffered, e.RoleKept, e.UpdateUndone,
        e.Reminded, e.LeadSilent, e.LeadSeen, e.NoteWithdrawn, e.TaskDone, e.RunbookGuessed, e.RunbookDeclined,
        e.SectionOpened, e.CommsSending, e.StoodDown, e.PostmortemWritten, e.PostmortemShared,
    }
)  # fmt: skip


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]


def severity_names(policy: Policy) -> Mapping[str, str]:
    """A severity's key -> what policy calls it."""
    return {one.key: one.name for one in policy.severities}


def format_line(
    entry: e.Entry, names: Mapping[str, str], *, policy: Policy, incident: Incident | None = None
) -> str | None:
    """ "14:02 UTC Ana answered": `format_entry` with their time; with its weekday where `incident` began on another
    day.
    """
    said, at = format_entry(entry, names, policy=policy, incident=incident), happened_at(entry)
    if said is None or at is None:
        return said
    return f"{clock_time(at, incident.declared_at if incident else None)} {said}"


def format_entry(
    entry: e.Entry, names: Mapping[str, str], *, policy: Policy, incident: Incident | None = None
) -> str | None:
    """One line of plain text, without its time, or None where people need not read it.

    `names`: user id -> name. With `incident` the line says what an entry refers to, and what was undone or
    withdrawn since is left out. A redacted entry says so.
    """
    event = entry.event
    if event is None:
        return "An entry was redacted"
    if incident is not None and (is_withdrawn(entry, incident) or _declared_too(event, incident)):
        return None
    say = FORMATTERS.get(type(event))
    return say(event, EntryFormatter(names, incident, severity_names(policy))) if say else None


def _declared_too(event: e.Event, incident: Incident) -> bool:
    """Whoever declares answers and leads in the same moment: one line says it."""
    return (
        isinstance(event, e.Acknowledged | e.RoleTaken)
        and (event.by, event.at) == (incident.declared_by, incident.declared_at)
        and getattr(event, "user", event.by) == event.by
    )


def is_withdrawn(entry: e.Entry, incident: Incident) -> bool:
    """Whether it is an update that was undone or a note that was withdrawn since."""
    match entry.event:
        case e.UpdatePosted():
            place = index_of_seq(incident.updates, entry.seq)
            return place is not None and incident.updates[place].undone
        case e.Noted():
            place = index_of_seq(incident.notes, entry.seq)
            return place is not None and incident.notes[place].withdrawn
    return False


def happened_at(entry: e.Entry) -> datetime | None:
    """When it happened (for a note: as told, else as recorded); None for a redacted entry."""
    if isinstance(entry.event, e.Noted):
        return entry.event.happened
    return entry.event.at if entry.event else None
