"""When nobody answers, and when the one who leads falls silent."""

from __future__ import annotations

from datetime import datetime

from bot.domain import events as e
from bot.domain.actor import Actor
from bot.domain.errors import Refused
from bot.domain.incident import Incident
from bot.domain.policy import Policy
from bot.domain.preconditions import require_open
from bot.domain.running_time import clock_start, deadline
from bot.domain.sentences import Person


def next_escalation_at(incident: Incident, policy: Policy) -> datetime | None:
    """When the next level is mentioned, as long as nobody answers; None where somebody did, or no level is set."""
    levels, running = _levels(incident, policy), incident.running_since
    if not incident.open or incident.acknowledged_by or not levels or running is None:
        return None
    calls = _calls(incident)
    if not calls:
        return deadline(incident, running, policy.answer_within)
    # Each level once at the short interval, in a loop of two rounds, then hourly: people sleep through one call.
    every = policy.answer_within if len(calls) < 2 * len(levels) else policy.ask_again_every
    return deadline(incident, calls[-1][1], every)


def _calls(incident: Incident) -> list[tuple[int, datetime, tuple[str, ...]]]:
    """The levels that were mentioned since the incident runs: (level, when, whom)."""
    running = incident.running_since
    return [one for one in incident.escalations if running is None or one[1] >= running]


def _levels(incident: Incident, policy: Policy) -> tuple[tuple[str, ...], ...]:
    """Nobody is called into a private incident by itself; those whom an alert let in are called again."""
    if incident.private:
        return (incident.responders,) if incident.responders else ()
    return policy.levels


def escalate_unanswered(incident: Incident, *, by: Actor, at: datetime, policy: Policy) -> list[e.Event]:
    """Mention the next level because nobody has answered."""
    due = next_escalation_at(incident, policy)
    if due is None or due > at:
        return []
    levels = _levels(incident, policy)
    position = len(_calls(incident)) % len(levels)
    return [e.NobodyAnswered(by=by.user, at=at, level=position + 1, to=levels[position])]


def escalate(incident: Incident, *, reason: str, by: Actor, at: datetime, policy: Policy) -> list[e.Event]:
    """Mention the next level because a person asks for it."""
    require_open(incident)
    if incident.private:
        raise Refused(
            "{name} is private, so nobody is brought in from a list. Name a person: `{command} add @name`.",
            name=incident.name,
        )
    if not policy.levels:
        raise Refused("No escalation levels are set in the policy file. Bring a person in: `{command} add @name`.")
    level = min(incident.level + 1, len(policy.levels))
    return [e.Escalated(by=by.user, at=at, level=level, to=policy.levels[level - 1], reason=reason.strip()[:500])]


def lead_silent_at(incident: Incident, policy: Policy) -> datetime | None:
    """When a lead who has not been seen is asked; once per silence."""
    if not incident.open or not incident.lead or incident.lead_seen_at is None or incident.waiting:
        return None
    if incident.held_until:
        return None
    if incident.lead_asked_at and incident.lead_asked_at >= clock_start(incident, incident.lead_seen_at):
        return None
    return deadline(incident, incident.lead_seen_at, policy.lead_silent_after)


def ask_lead(incident: Incident, *, by: Actor, at: datetime, policy: Policy) -> list[e.Event]:
    """Ask a silent lead whether they are still there."""
    due = lead_silent_at(incident, policy)
    if due is None or due > at:
        return []
    return [e.LeadSilent(by=by.user, at=at, to=incident.lead)]


def lead_seen(incident: Incident, *, by: Actor, at: datetime) -> list[e.Event]:
    """The lead says that they are still there; anything else that they do says so too."""
    require_open(incident)
    if by.user != incident.lead:
        raise Refused("{lead} was asked. To take over: `{command} lead me`.", lead=Person(incident.lead))
    return [e.LeadSeen(by=by.user, at=at)]
