"""What waits for a second person or for an answer, and which change of the incident ends it without one.

A request is made on the facts of its moment. Once they have changed, nobody can agree to it any more, and whoever
asked is told. `CHANGES` is the only place that says which change ends which kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain import events as e
from bot.domain.actor import Actor, is_program
from bot.domain.errors import Refused
from bot.domain.fold import evolve
from bot.domain.incident import AskState, DraftState, Incident
from bot.domain.resolve_conditions import observed_checks
from bot.domain.sentences import Person


class PendingKind(StrEnum):
    """What is waited for."""

    OVERRIDE = "override"  # a second person for resolving with open conditions
    STEP = "step"  # a second person for a step
    CUSTOMER_MESSAGE = "customer message"  # an approval, and then the sending
    HAND_OVER = "hand-over"  # the holder of a role


@dataclass(frozen=True)
class Pending:
    """One request that waits. `ref`: the seq of the request, the draft's id, or the role; `seq`: its event's."""

    kind: PendingKind
    ref: str
    seq: int
    by: str
    at: datetime
    expires_at: datetime | None
    checks: tuple[e.Check, ...] = ()


#: whether that change has happened since the request was made
Changed = Callable[[Incident, Pending], bool]


def _conditions_changed(incident: Incident, one: Pending) -> bool:
    """Whether the bot sees another answer to a condition than the request shows."""
    seen = observed_checks(incident)
    return any(seen.get(check.name, ("unknown", ""))[0] not in ("unknown", check.met) for check in one.checks)


_ENDING: Changed = lambda incident, one: incident.ended_seq > one.seq  # noqa: E731
_SEVERITY: Changed = lambda incident, one: incident.severity_seq > one.seq  # noqa: E731
_STATUS: Changed = lambda incident, one: incident.last_status_or_severity_seq > one.seq  # noqa: E731
_IMPACT: Changed = lambda incident, one: incident.impact_seq > one.seq  # noqa: E731

#: kind -> the changes that end it, by the name that `PendingEnded.change` bears. A hand-over outlives a severity; a
#: text that is being sent is no request any more.
CHANGES: Mapping[PendingKind, Mapping[str, Changed]] = {
    PendingKind.OVERRIDE: {"ending": _ENDING, "severity": _SEVERITY, "conditions": _conditions_changed},
    PendingKind.STEP: {"ending": _ENDING},
    PendingKind.CUSTOMER_MESSAGE: {"ending": _ENDING, "severity": _SEVERITY, "status": _STATUS, "impact": _IMPACT},
    PendingKind.HAND_OVER: {"ending": _ENDING},
}
#: how a change reads after "because"
BECAUSE = {
    "ending": "the incident was ended or reopened since",
    "severity": "the severity changed since",
    "status": "the status changed since",
    "conditions": "a condition changed since",
    "impact": "who is affected changed since",
    "expired": "nobody answered in time",
    "replaced": "somebody else has asked since",
}
#: the events that answer a kind, or that tell its asker themselves
_ANSWERS: Mapping[PendingKind, tuple[type[e.Event], ...]] = {
    PendingKind.OVERRIDE: (e.Resolved, e.PendingEnded),
    PendingKind.STEP: (e.AskRefused, e.AskDone, e.AskNotDone, e.AskLapsed),
    PendingKind.CUSTOMER_MESSAGE: (e.CommsDiscarded, e.CommsDrafted, e.CommsSending),
    PendingKind.HAND_OVER: (e.RoleTaken, e.RoleKept),
}


def requests(incident: Incident) -> Iterator[Pending]:
    """Everything that was asked for and not answered, whether or not its facts have changed."""
    if incident.override is not None:
        asked = incident.override
        seq = incident.override_seq
        yield Pending(PendingKind.OVERRIDE, str(seq), seq, asked.by, asked.at, asked.expires, asked.checks)
    for ask in incident.open_asks:
        ends = ask.until if ask.state is AskState.GO else ask.asked.lapses
        yield Pending(PendingKind.STEP, str(ask.seq), ask.seq, ask.asked.by, ask.asked.at, ends)
    for draft in incident.drafts.values():
        if draft.state in (DraftState.DRAFTED, DraftState.APPROVED):
            text = draft.drafted
            yield Pending(PendingKind.CUSTOMER_MESSAGE, draft.name, draft.seq, text.by, text.at, text.expires)
    for offer in incident.offers.values():
        yield Pending(PendingKind.HAND_OVER, offer.role, offer.seq, offer.by, offer.at, offer.until)


def change(incident: Incident, one: Pending) -> str:
    """The name of the change that ended it; empty while nothing did."""
    return next((name for name, changed in CHANGES[one.kind].items() if changed(incident, one)), "")


def waiting_override(incident: Incident) -> Pending | None:
    """The request to resolve with open conditions, where one was made."""
    return next((one for one in requests(incident) if one.kind is PendingKind.OVERRIDE), None)


def require_unchanged(incident: Incident, one: Pending, at: datetime) -> None:
    """Raise Refused where the facts on which it was asked have changed, or its time is over."""
    ended = change(incident, one) or ("expired" if one.expires_at and one.expires_at <= at else "")
    if ended:
        raise Refused(
            "That request is not valid any more, because {because}. {who} can ask again.",
            because=BECAUSE[ended],
            who=Person(one.by),
        )


def ended_without_answer(
    incident: Incident, events: Sequence[e.Event], *, by: Actor, at: datetime
) -> list[e.PendingEnded]:
    """What these events end of what waited until now; whoever ended it themselves needs no word."""
    waited = [one for one in requests(incident) if not change(incident, one)]
    if not waited or not events:
        return []
    unchanged = "replaced" if any(isinstance(event, e.OverrideAsked) for event in events) else "expired"
    after = incident
    for event in events:
        after = evolve(after, e.Entry(after.seq + 1, event))
    still = {(one.kind, one.ref) for one in requests(after) if not change(after, one)}
    return [
        e.PendingEnded(by=by.user, at=at, kind=one.kind, ref=one.ref, change=change(after, one) or unchanged, to=one.by)
        for one in waited
        if (one.kind, one.ref) not in still
        and one.by != by.user
        and not is_program(one.by)
        and not any(isinstance(event, _ANSWERS[one.kind]) for event in events)
    ]
