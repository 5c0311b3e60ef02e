"""The duties of the bot: which rules time makes it apply, what Slack does not show yet, and when to look next.

`due_rules` turns time into events; events make messages (slack/messages); `channel_needs` lists the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain import cadence, customer_messages, dual_control, escalation, lifecycle, notes, roles
from bot.domain import events as e
from bot.domain.actor import Actor
from bot.domain.incident import AskState, Incident
from bot.domain.policy import Policy
from bot.domain.running_time import deadline

#: a rule that time applies: (incident, bot, now) -> events, empty where there is nothing to do
TimedRule = Callable[[Incident, Actor, datetime], list[e.Event]]


def _timed_rules(incident: Incident, policy: Policy) -> Iterator[tuple[datetime, str, TimedRule]]:
    """Every moment at which a rule has to be applied, with the rule's name."""
    if incident.unknown_event_type:
        return
    for draft in incident.drafts.values():  # texts are written after the end, too
        if ends := customer_messages.expires_at(incident, draft):
            yield (
                ends,
                "expire draft",
                lambda i, by, at, name=draft.name: customer_messages.expire(i, draft=name, by=by, at=at),  # type: ignore[misc]
            )
    if not incident.open:
        return
    if incident.severity_assumed and not incident.severity_asked and incident.lead and incident.declared_at:
        yield (
            deadline(incident, incident.declared_at, policy.severity_asked_after),
            "ask severity",
            lambda i, by, at: lifecycle.ask_severity(i, by=by, at=at),
        )
    if call := escalation.next_escalation_at(incident, policy):
        yield call, "call next", lambda i, by, at: escalation.escalate_unanswered(i, by=by, at=at, policy=policy)
    if silent := escalation.lead_silent_at(incident, policy):
        yield silent, "ask lead", lambda i, by, at: escalation.ask_lead(i, by=by, at=at, policy=policy)
    if incident.look_again:
        yield incident.look_again, "look again", lambda i, by, at: notes.stop_waiting(i, by=by, at=at)
    for offer in incident.offers.values():
        yield offer.until, "settle hand-over", lambda i, by, at: roles.complete_expired_handovers(i, by=by, at=at)
    for rung in cadence.due_reminders(incident, policy):
        yield rung.at, "remind", lambda i, by, at: cadence.remind(i, by=by, at=at, policy=policy)
    if ends := lifecycle.override_expires_at(incident):
        yield ends, "expire override", lambda i, by, at: lifecycle.expire_override(i, by=by, at=at)
    for ask in incident.open_asks:
        ends = ask.until if ask.state is AskState.GO and ask.until else ask.asked.lapses
        yield (
            ends,
            "expire ask",
            lambda i, by, at, seq=ask.seq: dual_control.expire_ask(i, ask=seq, by=by, at=at, policy=policy),  # type: ignore[misc]
        )
    for one in incident.checklists:
        for step, state in one.steps.items():
            if due := dual_control.review_due(incident, state):
                yield (
                    due,
                    "review overdue",
                    lambda i, by, at, slug=one.runbook.slug, step=step: dual_control.remind_of_review(  # type: ignore[misc]
                        i, runbook=slug, step=step, by=by, at=at
                    ),
                )


def due_rules(incident: Incident, policy: Policy, now: datetime) -> list[tuple[str, TimedRule]]:
    """The rules whose time has come, by name, each once."""
    owed: dict[str, TimedRule] = {}
    for at, name, rule in _timed_rules(incident, policy):
        if at <= now:
            owed.setdefault(name, rule)
    return list(owed.items())


def next_at(incident: Incident, policy: Policy, now: datetime) -> datetime | None:
    """The next moment at which something of this incident has to be looked at, after `now`."""
    moments = [at for at, _, _ in _timed_rules(incident, policy)]
    moments += _render_times(incident, policy)
    later = [at for at in moments if at > now]
    return min(later, default=None)


def _render_times(incident: Incident, policy: Policy) -> Iterator[datetime]:
    """Moments at which a message looks different though nothing happened: a section folds, [Undo] goes."""
    for one in incident.checklists:
        for completed in one.completed_at.values():
            yield completed + policy.section_folds_after
    for ask in incident.open_asks:  # those who may agree and are elsewhere are asked one after the other
        for turn in range(len(ask.asked.to) + 1):
            yield ask.asked.at + policy.answer_within * turn
    if last := incident.last_update:
        yield last.at + policy.undo_within + timedelta(milliseconds=1)


@dataclass(frozen=True)
class ChannelNeeds:
    """What the world lacks, seen from the timeline; messages are slack/messages' part."""

    channel: bool = False  # a channel is to be opened
    people: tuple[str, ...] = ()  # to be invited


def channel_needs(incident: Incident) -> ChannelNeeds:
    """What has to be done in Slack besides messages."""
    if incident.unknown_event_type or not incident.seq:
        return ChannelNeeds()
    if not incident.channel:
        # A refused channel is asked for again only when somebody re-arms it: the answer would be the same.
        return ChannelNeeds(channel=not incident.channel_error and incident.open)
    if incident.channel_lost:
        return ChannelNeeds()
    missing = tuple(user for user in incident.wanted if user not in incident.invited and user not in incident.refused)
    return ChannelNeeds(people=missing)
