"""From a timeline to the state: what each event changes, a few lines each, and nothing decides here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from bot.domain import events as e
from bot.domain.actor import is_program
from bot.domain.append_only import index_of_seq
from bot.domain.fold_steps import changed_ask, changed_checklist, changed_step, section_opened, state_of, without_ask
from bot.domain.incident import (
    Ask,
    AskState,
    Checklist,
    Draft,
    DraftState,
    Incident,
    KnownAlert,
    Mark,
    Note,
    Offer,
    Reminder,
    ReminderAnswer,
    Status,
    StepReading,
    Task,
    Update,
)  # fmt: skip
from bot.domain.probe_reading import ReadingState

#: facts that are told in messages of their own and so are kept one by one, not only as what they amount to
ANNOUNCED_EVENTS = (
    e.Declared, e.SeverityChanged, e.RoleTaken, e.RoleOffered, e.RoleKept, e.NobodyAnswered, e.Escalated, e.LeadSilent,
    e.WaitingBegan, e.WaitingEnded, e.OverrideAsked, e.PendingEnded, e.SecretRefused, e.ChannelLost, e.Mitigated,
    e.Resolved, e.Reopened, e.FalseAlarm, e.MarkedDuplicate, e.StoodDown, e.PersonAdded,
)  # fmt: skip

#: facts that move the clock of updates, or what is due at it: reports/statistics.py counts from these alone
CADENCE_EVENTS = (
    e.Declared, e.Adopted, e.SeverityChanged, e.UpdatePosted, e.UpdateUndone, e.Reminded, e.Snoozed, e.Held,
    e.WaitingBegan, e.WaitingEnded, e.CommsPublished, e.Mitigated, e.Resolved, e.FalseAlarm, e.MarkedDuplicate,
    e.Reopened,
)  # fmt: skip


def fold(team: str, id: str, entries: Iterable[e.Entry]) -> Incident:
    """What these entries, in order, amount to."""
    incident = Incident(team=team, id=id)
    for entry in entries:
        incident = evolve(incident, entry)
    return incident


def evolve(incident: Incident, entry: e.Entry) -> Incident:
    """The incident after one more entry. A redacted entry (no event) changes nothing but the seq."""
    changes: dict[str, Any] = {"seq": entry.seq}
    event = entry.event
    if event is not None:
        changes["last_at"] = event.at
        if event.by == incident.lead and incident.lead:
            changes["lead_seen_at"] = event.at
        if isinstance(event, ANNOUNCED_EVENTS):
            changes["announced_entries"] = incident.announced_entries.appended(entry)
        if isinstance(event, CADENCE_EVENTS):
            changes["cadence_entries"] = incident.cadence_entries.appended(entry)
        changes |= _changes(incident, entry.seq, event)
        turned = (changes.get("severity", incident.severity), changes.get("status", incident.status))
        if turned != (incident.severity, incident.status):
            changes["last_status_or_severity_seq"] = entry.seq
        if turned[0] != incident.severity:
            changes["severity_seq"] = entry.seq
        if changes.get("impact", incident.impact) != incident.impact:
            changes["impact_seq"] = entry.seq
    # dataclasses.replace looks at each of the many fields in turn: most of the time that a fold takes
    after = object.__new__(Incident)
    after.__dict__.update(incident.__dict__, **changes)
    return after


def _changes(i: Incident, seq: int, event: e.Event) -> dict[str, Any]:
    """What one event changes: a line each where it can be."""
    at, by = event.at, event.by
    match event:
        case e.Declared():
            wanted = tuple(dict.fromkeys((*(() if is_program(by) else (by,)), *event.responders)))
            return {
                "number": event.number, "title": event.title, "severity": event.severity,
                "severity_assumed": event.assumed, "private": event.private, "drill": event.drill,
                "summary": event.summary, "impact": event.summary, "origin": event.origin, "declared_by": by,
                "declared_at": at,
                "wanted": wanted, "responders": event.responders,
            }  # fmt: skip
        case e.ChannelOpened():
            return {
                "channel": event.channel,
                "channel_name": event.name,
                "channel_error": "",
                "channel_lost": "",
            }
        case e.Adopted():
            over: dict[str, Any] = {
                "status": Status.RESOLVED, "ended_as": Status.RESOLVED, "resolved_at": event.over,
                "ended_at": event.over,
            }  # fmt: skip
            return {
                "channel": event.channel, "channel_name": event.name, "started": event.began, "adopted_at": at,
                "keeps_topic": event.keeps_topic,
            } | (over if event.over else {})  # fmt: skip
        case e.ChannelRefused():
            return {"channel_error": event.error}
        case e.ChannelLost():
            return {"channel_lost": event.reason}
        case e.ChannelRegained():
            return {"channel_lost": ""}
        case e.Invited():
            refused = {**i.refused, **{one.user: one.error for one in event.refused}}
            for user in event.users:
                refused.pop(user, None)
            return {"invited": i.invited | set(event.users), "refused": MappingProxyType(refused)}
        case e.PersonLeft():
            return {
                "invited": i.invited - {event.user}, "wanted": tuple(one for one in i.wanted if one != event.user),
                "departures": i.departures + 1,
            }  # fmt: skip
        case e.PersonAdded():
            responders = _with(i.responders, event.user) if event.called else i.responders
            return {"wanted": _with(i.wanted, event.user), "responders": responders}
        case e.Followed():
            return {"followers": MappingProxyType({**i.followers, by: seq})}
        case e.Unfollowed():
            return {"followers": MappingProxyType({user: n for user, n in i.followers.items() if user != by})}
        case e.AlertFired():
            alerts = MappingProxyType({**i.alerts, event.alert: KnownAlert(event)})
            return {"alerts": alerts, "alert_group": i.alert_group or event.group}
        case e.AlertResolved():
            if event.alert not in i.alerts:  # that it fired has been redacted
                return {}
            resolved = replace(i.alerts[event.alert], resolved_at=at)
            return {"alerts": MappingProxyType({**i.alerts, event.alert: resolved})}
        case e.Acknowledged():
            if i.acknowledged_by:
                return {}
            return {"acknowledged_by": by, "acknowledged_at": at}
        case e.NobodyAnswered() | e.Escalated():
            called = (*i.escalations, (event.level, at, event.to))
            return {"level": event.level, "escalations": called, "wanted": _with(i.wanted, *event.to)}
        case e.SeverityChanged():
            return {
                "raised_at": at if event.worse else i.raised_at,
                "severity": event.new, "severity_assumed": False, "wanted": _with(i.wanted, *event.responders),
                "responders": _with(i.responders, *event.responders),
            }  # fmt: skip
        case e.SeverityAsked():
            return {"severity_asked": True}
        case e.TitleChanged():
            return {"title": event.title}
        case e.ImpactStated():
            return {"impact": event.impact}
        case e.StartCorrected():
            return {"started": event.started}
        case e.RoleTaken():
            roles = {**i.roles, event.role: event.user}
            offers = {role: offer for role, offer in i.offers.items() if role != event.role}
            changes: dict[str, Any] = {
                "roles": MappingProxyType(roles), "offers": MappingProxyType(offers),
                "wanted": _with(i.wanted, event.user) if event.user else i.wanted,
            }  # fmt: skip
            if event.role == "lead":
                changes |= {"lead_seen_at": at, "lead_asked_at": None}
            return changes
        case e.RoleOffered():
            offers = {**i.offers, event.role: Offer(seq, event.role, event.to, by, at, event.until)}
            return {"offers": MappingProxyType(offers), "wanted": _with(i.wanted, event.to)}
        case e.RoleKept():
            return {"offers": MappingProxyType({r: o for r, o in i.offers.items() if r != event.role})}
        case e.UpdatePosted():
            return _update(i, seq, event)
        case e.UpdateUndone():
            if (place := index_of_seq(i.updates, event.seq)) is None:  # it has been redacted
                return {}
            return {"updates": i.updates.replaced(place, replace(i.updates[place], undone=True))}
        case e.Reminded():
            dues = {(item.kind, item.due) for item in event.items}
            again: Callable[[Reminder], bool] = lambda r: bool(dues & {(item.kind, item.due) for item in r.items})  # noqa: E731
            changes = _answered(i, at, ReminderAnswer.REPLACED, again)
            reminders, waiting = changes["reminders"], changes["unanswered"]
            one = Reminder(seq, event.items, event.rung, event.to, at)
            return {"reminders": reminders.appended(one), "unanswered": (*waiting, len(reminders))}
        case e.Snoozed():
            return {
                "snoozed_until": event.until, "snoozes": i.snoozes + 1,
                **_answered(i, at, ReminderAnswer.SNOOZED, _about(e.DueKind.UPDATE)),
            }  # fmt: skip
        case e.Held():
            return {
                "held_until": event.until, "watcher": event.watcher,
                **_answered(i, at, ReminderAnswer.HELD, _about(e.DueKind.UPDATE)),
            }  # fmt: skip
        case e.LeadSilent():
            return {"lead_asked_at": at}
        case e.WaitingBegan():
            return _waited(i, at) | {"waiting": event.what, "waiting_since": at, "look_again": event.look_again}
        case e.WaitingEnded():
            return _waited(i, at)
        case e.Noted():
            return {"notes": i.notes.appended(Note(seq, event))}
        case e.NoteWithdrawn():
            if (place := index_of_seq(i.notes, event.seq)) is None:  # it has been redacted
                return {}
            return {"notes": i.notes.replaced(place, replace(i.notes[place], withdrawn=True))}
        case e.TaskAdded():
            return {"tasks": (*i.tasks, Task(seq, by, event.text, event.assignee, event.due, due_on=event.due_on))}
        case e.TaskDone():
            return {"tasks": tuple(replace(t, done=True) if t.seq == event.seq else t for t in i.tasks)}
        case e.RunbookAttached():
            if i.checklist(event.runbook.slug):
                return {}
            fresh = Checklist(seq, event.runbook, event.how, MappingProxyType({}))
            return {"checklists": (*i.checklists, fresh), "guess": None}
        case e.RunbookGuessed():
            return {"guess": event, "guess_seq": seq}
        case e.RunbookDeclined():
            return {"guess": None}
        case e.SectionOpened():
            return changed_checklist(i, event.runbook, lambda c: section_opened(c, event.section, at))
        case e.ReadingTaken() if event.runbook:
            reading = StepReading(seq, at, by, event.probe, ReadingState(event.state), event.sentence)
            return changed_step(i, event.runbook, event.step, at, reading=reading)
        case e.StepTicked():
            return changed_step(i, event.runbook, event.step, at, mark=Mark.DONE, by=by, at=at, reason="")
        case e.StepUnticked():
            return changed_step(i, event.runbook, event.step, at, mark=Mark.OPEN, by=by, at=at, reason="")
        case e.StepSkipped():
            return changed_step(i, event.runbook, event.step, at, mark=Mark.SKIPPED, by=by, at=at, reason=event.reason)
        case e.StepNoted():
            notes = (*state_of(i, event.runbook, event.step).notes, event.text)
            return changed_step(i, event.runbook, event.step, at, notes=notes)
        case e.StoppedFirst():
            return changed_step(
                i, event.runbook, event.step, at, mark=Mark.REVIEW, by=by, at=at, reason=event.note,
                review_by=event.review_by, review_to=event.to, review_nagged=False,
                review_seq=seq, reviewed_by="",
            )  # fmt: skip
        case e.DoneAlone():
            return changed_step(
                i, event.runbook, event.step, at, mark=Mark.REVIEW, by=by, at=at, reason=event.reason,
                review_by=event.review_by, review_to=event.to, review_nagged=False, alone=True,
                review_seq=seq, reviewed_by="",
            )  # fmt: skip
        case e.Reviewed():
            return changed_step(i, event.runbook, event.step, at, mark=Mark.DONE, reviewed_by=by)
        case e.ReviewOverdue():
            return changed_step(i, event.runbook, event.step, at, review_nagged=True, late_seq=seq, late_to=event.to)
        case e.Asked():
            asks = MappingProxyType({**i.asks, seq: Ask(seq, event)})
            return {"asks": asks} | changed_step(
                i, event.runbook, event.step, at, mark=Mark.ASKED, by=by, at=at, ask=seq
            )
        case e.GoGiven():
            return changed_ask(
                i, event.ask, at, Mark.GO, state=AskState.GO, second=by, answered_at=at, until=event.until
            )
        case e.AskRefused():
            return changed_ask(
                i,
                event.ask,
                at,
                Mark.OPEN,
                state=AskState.REFUSED,
                second=by,
                answered_at=at,
                result=event.reason,
                ended_at=at,
            )
        case e.AskLapsed():
            return changed_ask(i, event.ask, at, Mark.OPEN, state=AskState.LAPSED, ended_at=at)
        case e.AskNotDone():
            return changed_ask(i, event.ask, at, Mark.OPEN, state=AskState.NOT_DONE, result=event.reason, ended_at=at)
        case e.AskDone():
            if event.ask not in i.asks:  # what was asked has been redacted
                return {}
            ask = i.asks[event.ask]
            asks = MappingProxyType(
                {**i.asks, event.ask: replace(ask, state=AskState.DONE, result=event.result, ended_at=at)}
            )
            was = state_of(i, ask.asked.runbook, ask.asked.step)
            return {"asks": asks} | changed_step(
                i, ask.asked.runbook, ask.asked.step, at, mark=Mark.DONE, by=by, at=at, reason=event.result,
                done_with=(*was.done_with, (at, by, ask.second, event.result)),
            )  # fmt: skip
        case e.CommsDrafted():
            drafts = dict(i.drafts)
            if event.replaces in drafts:
                drafts[event.replaces] = replace(drafts[event.replaces], state=DraftState.REPLACED)
            drafts[event.draft] = Draft(seq, event)
            return {"drafts": MappingProxyType(drafts)}
        case e.CommsApproved():
            return _draft(i, event.draft, state=DraftState.APPROVED, approved_by=by, approved_at=at)
        case e.CommsDiscarded():
            return _draft(i, event.draft, state=DraftState.DISCARDED, reason=event.reason)
        case e.CommsLapsed():
            return _draft(i, event.draft, state=DraftState.LAPSED, reason=event.reason)
        case e.CommsSending():
            return _draft(i, event.draft, state=DraftState.SENDING)
        case e.CommsUncertain():
            return _draft(i, event.draft, state=DraftState.UNCERTAIN, reason=event.error)
        case e.CommsFailed():
            return _draft(i, event.draft, state=DraftState.FAILED, reason=event.error)
        case e.CommsPublished():
            return _draft(
                i, event.draft, state=DraftState.PUBLISHED, published_at=at, where=event.where,
                reference=event.reference, link=event.link,
            ) | _answered(i, at, ReminderAnswer.SENT, _about(e.DueKind.PROMISE))  # fmt: skip
        case e.Mitigated():
            return {"status": Status.MITIGATED, "mitigated_at": i.mitigated_at or at, "mitigated_by": by}
        case e.OverrideAsked():
            return {"override": event, "override_seq": seq}
        case e.PendingEnded():
            return _pending_ended(i, event)
        case e.Resolved():
            asker = i.override.by if event.second and i.override else by  # whoever agreed only agreed
            return _ended(i, seq, event, Status.RESOLVED, event.note) | {
                "ended_by": asker, "resolution": event, "resolved_at": at, "override": None,
            }  # fmt: skip
        case e.FalseAlarm():
            return _ended(i, seq, event, Status.FALSE_ALARM, event.reason)
        case e.MarkedDuplicate():
            return _ended(i, seq, event, Status.DUPLICATE, "") | {"duplicate_of": event.of}
        case e.Reopened():
            return {
                "status": Status.INVESTIGATING, "resolved_at": None, "resolution": None, "ended_at": None,
                "ended_by": "", "ended_why": "", "ended_as": None, "duplicate_of": 0,
                "mitigated_at": None, "mitigated_by": "", "stood_down": False, "closed_at": None,
                "held_until": None, "watcher": "", "snoozed_until": None, "snoozes": 0, "ended_seq": seq,
                "reopened_at": at,
            }  # fmt: skip
        case e.StoodDown():
            return {"stood_down": True}
        case e.PostmortemWritten():
            return {"postmortem": event, "postmortem_seq": seq, "postmortem_file": "", "postmortem_link": ""}
        case e.PostmortemShared():
            return {"postmortem_file": event.file, "postmortem_link": event.link}
        case e.Closed():
            return {"status": Status.CLOSED, "closed_at": at}
        case e.Redacted():
            return _redacted(i, seq, event)
        case e.Unknown():
            return {"unknown_event_type": event.type}
    return {}


def _with(people: tuple[str, ...], *more: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*people, *more)))


def _draft(i: Incident, name: str, **fields: Any) -> dict[str, Any]:
    if name not in i.drafts:  # the text has been redacted
        return {}
    return {"drafts": MappingProxyType({**i.drafts, name: replace(i.drafts[name], **fields)})}


def _redacted(i: Incident, seq: int, event: e.Redacted) -> dict[str, Any]:
    """The entries themselves are read as they are now; this is what has to follow in Slack."""
    changes: dict[str, Any] = {}
    if event.channel_name:
        changes |= {"channel_name": event.channel_name, "renamed": True}
    if event.files:
        changes["unredacted_files"] = _with(i.unredacted_files, *event.files)
        if i.postmortem:
            changes |= {"postmortem_seq": seq, "postmortem_file": "", "postmortem_link": ""}
    return changes


def _answered(i: Incident, at: datetime, answer: ReminderAnswer, which: Callable[[Reminder], bool]) -> dict[str, Any]:
    """Of the reminders that wait, those are answered."""
    reminders, waiting = i.reminders, list[int]()
    for place in i.unanswered:
        if which(one := reminders[place]):
            reminders = reminders.replaced(place, replace(one, answered_at=at, answer=answer))
        else:
            waiting.append(place)
    return {"reminders": reminders, "unanswered": tuple(waiting)}


def _about(kind: e.DueKind) -> Callable[[Reminder], bool]:
    return lambda one: any(item.kind == kind for item in one.items)


def _update(i: Incident, seq: int, event: e.UpdatePosted) -> dict[str, Any]:
    one = Update(seq, event.by, event.at, event.text, event.next_by, event.nothing_new, impact=event.impact)
    answer = ReminderAnswer.NOTHING_NEW if event.nothing_new else ReminderAnswer.SENT
    changes: dict[str, Any] = {
        "updates": i.updates.appended(one), "snoozed_until": None, "snoozes": 0, "held_until": None,
        **_answered(i, event.at, answer, _about(e.DueKind.UPDATE)),
    }  # fmt: skip
    if event.impact:
        changes["impact"] = event.impact
    return changes


def _waited(i: Incident, until: datetime) -> dict[str, Any]:
    """Nobody waits any more; the time of the wait is kept, as internal clocks do not count it."""
    waits = (*i.waits, (i.waiting_since, until)) if i.waiting_since else i.waits
    return {"waiting": "", "waiting_since": None, "look_again": None, "waits": waits}


def _pending_ended(i: Incident, event: e.PendingEnded) -> dict[str, Any]:
    """A request that waits no more. What an ending has cleared already stays cleared."""
    if event.kind == "override" and event.ref == str(i.override_seq):
        return {"override": None}
    return {}


def _ended(i: Incident, seq: int, event: e.Event, status: Status, why: str) -> dict[str, Any]:
    """What every way of ending shares; open asks expire with it."""
    asks = {s: replace(a, state=AskState.LAPSED, ended_at=event.at) if a.open else a for s, a in i.asks.items()}
    checklists = i.checklists
    for ask in i.open_asks:
        slug, step = ask.asked.runbook, ask.asked.step
        stands = without_ask(state_of(i, slug, step))
        checklists = changed_step(replace(i, checklists=checklists), slug, step, event.at, **stands)["checklists"]
    return {
        "checklists": checklists, "status": status, "ended_as": status, "ended_at": event.at, "ended_by": event.by,
        "ended_why": why,
        "asks": MappingProxyType(asks), **_answered(i, event.at, ReminderAnswer.ENDED, lambda _: True),
        "offers": MappingProxyType({}), "snoozed_until": None, "held_until": None, "ended_seq": seq,
        **_waited(i, event.at),
    }  # fmt: skip
