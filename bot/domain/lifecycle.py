"""From declared to closed: the table of ways, and the rules that walk them.

What may not live here: who may (policy.py), what is said (slack/), what follows in the world (duties.py).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.domain import events as e
from bot.domain.actor import Actor, ActorKind, is_program
from bot.domain.dual_control import require_person
from bot.domain.errors import Refused
from bot.domain.incident import Incident, Status
from bot.domain.pending import require_unchanged, waiting_override
from bot.domain.policy import Policy, business_days_after
from bot.domain.preconditions import require_known, require_open
from bot.domain.resolve_conditions import resolve_checklist
from bot.domain.runbook import Runbook
from bot.domain.sentences import Moment, People, Person
from bot.domain.statuses import predicate

#: verb -> (the statuses in which it may be said, what the incident is afterwards)
TRANSITIONS: dict[str, tuple[frozenset[Status], Status]] = {
    "mitigate": (frozenset({Status.INVESTIGATING}), Status.MITIGATED),
    "resolve": (frozenset({Status.INVESTIGATING, Status.MITIGATED}), Status.RESOLVED),
    "false-alarm": (frozenset({Status.INVESTIGATING, Status.MITIGATED}), Status.FALSE_ALARM),
    "duplicate": (frozenset({Status.INVESTIGATING, Status.MITIGATED}), Status.DUPLICATE),
    "reopen": (
        frozenset({Status.MITIGATED, Status.RESOLVED, Status.FALSE_ALARM, Status.DUPLICATE, Status.CLOSED}),
        Status.INVESTIGATING,
    ),
    "close": (frozenset({Status.RESOLVED, Status.FALSE_ALARM, Status.DUPLICATE}), Status.CLOSED),
}

MAX_TITLE_CHARS = 200
#: an emoji as Slack hands it over: ":fire:"
_EMOJI = re.compile(r":[a-z0-9_+'-]*[a-z_+'-][a-z0-9_+'-]*:", re.IGNORECASE)


def clean_title(title: str) -> str:
    """One line, no control characters; refused when nothing readable is left or it is longer than 200 characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in title).split())
    if not any(c.isalnum() for c in _EMOJI.sub("", line)):
        raise Refused("Say in a few words what is broken: a title needs letters or digits.", field="title")
    if len(line) > MAX_TITLE_CHARS:
        raise Refused(
            "The title has {count} characters; at most {max_title_chars} fit. Put the rest into the summary.",
            count=len(line),
            max_title_chars=MAX_TITLE_CHARS,
            field="title",
        )
    return line


def check_transition(incident: Incident, verb: str) -> None:
    """Raise Refused, with what would work, where the table has no such way."""
    allowed, _ = TRANSITIONS[verb]
    require_known(incident)
    if incident.status in allowed:
        return
    if verb == "reopen":
        raise Refused("{name} is open already.", name=incident.name)
    if verb == "close" and incident.status.open:
        raise Refused("{name} is still open. Resolve it first: `{command} resolve`.", name=incident.name)
    if incident.status is Status.MITIGATED:
        raise Refused("{name} is mitigated already. When it is over: `{command} resolve`.", name=incident.name)
    raise Refused(
        "{name} {predicate} already. To work on it again: `{command} reopen`.",
        name=incident.name,
        predicate=predicate(incident.status),
    )


def declare(
    incident: Incident,
    *,
    number: int,
    title: str,
    severity: str | None,
    summary: str = "",
    private: bool = False,
    drill: bool = False,
    origin: str = "",
    responders: Sequence[str] = (),
    runbook: Runbook | None = None,
    guesses: Sequence[Runbook] = (),
    by: Actor,
    at: datetime,
    policy: Policy,
) -> list[e.Event]:
    """The incident begins. A person who declares has acknowledged it and leads it; no severity means an assumed one.

    A person who declares in private lets others in by name; a program cannot, so `responders` are in with it.
    `drill`: an exercise, of which nothing reaches anybody outside. `runbook`: the one that an alert names, attached at
    once. `guesses`: those that only the title's words suggest.
    """
    chosen = policy.severity(severity) if severity else policy.severity_for_title(title)
    human = not is_program(by.user)
    events: list[e.Event] = [
        e.Declared(
            by=by.user,
            at=at,
            number=number,
            title=clean_title(title),
            severity=chosen.key,
            assumed=not severity,
            private=private,
            drill=drill,
            summary=summary.strip(),
            origin=origin,
            responders=() if private and human else tuple(user for user in responders if user != by.user),
        )
    ]
    if human:
        events.append(e.Acknowledged(by=by.user, at=at))
        events.append(e.RoleTaken(by=by.user, at=at, role="lead", user=by.user))
    if runbook is not None:
        events.append(e.RunbookAttached(by=by.user, at=at, runbook=runbook, how="alert"))
    elif guesses:
        slugs, titles = tuple(one.slug for one in guesses), tuple(one.title for one in guesses)
        events.append(e.RunbookGuessed(by=by.user, at=at, slugs=slugs, titles=titles))
    return events


def acknowledge(incident: Incident, *, by: Actor, at: datetime) -> list[e.Event]:
    """A person answers; who comes second is told who was first."""
    require_open(incident)
    if incident.acknowledged_by and incident.acknowledged_at:
        who = "You" if incident.acknowledged_by == by.user else Person(incident.acknowledged_by)
        raise Refused(
            "{who} answered already, {time}. Nothing more to do.", who=who, time=Moment(incident.acknowledged_at, at)
        )
    events: list[e.Event] = [e.Acknowledged(by=by.user, at=at)]
    if not incident.lead and by.kind is not ActorKind.CLI:
        events.append(e.RoleTaken(by=by.user, at=at, role="lead", user=by.user))
    return events


def change_severity(
    incident: Incident,
    *,
    severity: str,
    reason: str,
    responders: Sequence[str],
    by: Actor,
    at: datetime,
    policy: Policy,
) -> list[e.Event]:
    """Raise, lower or confirm the severity. Lowering takes a reason, mentions nobody and keeps promises made."""
    require_open(incident)
    new = policy.severity(severity)
    if new.key == incident.severity and not incident.severity_assumed:
        raise Refused(
            "{name} is {name_2} already. Nothing changed.", name=incident.name, name_2=new.name, field="severity"
        )
    worse = policy.rank(new.key) < policy.rank(incident.severity)
    if policy.rank(new.key) > policy.rank(incident.severity) and not reason.strip():
        raise Refused(
            "Lowering to {name} needs a reason: `{command} sev {key} what changed`.",
            name=new.name,
            key=new.key,
            field="reason",
        )
    return [
        e.SeverityChanged(
            by=by.user,
            at=at,
            old=incident.severity,
            new=new.key,
            worse=worse,
            reason=reason.strip(),
            responders=tuple(responders) if worse and not incident.private else (),
        )
    ]


def ask_severity(incident: Incident, *, by: Actor, at: datetime) -> list[e.Event]:
    """Ask the lead once whether the assumed severity is right."""
    if not incident.open or not incident.severity_assumed or incident.severity_asked or not incident.lead:
        return []
    return [e.SeverityAsked(by=by.user, at=at, to=incident.lead)]


def retitle(incident: Incident, *, title: str, by: Actor, at: datetime) -> list[e.Event]:
    """Say better what is broken."""
    require_open(incident)
    new = clean_title(title)
    if new == incident.title:
        raise Refused("That is the title already. Nothing changed.", field="title")
    return [e.TitleChanged(by=by.user, at=at, title=new)]


def state_impact(incident: Incident, *, impact: str, by: Actor, at: datetime) -> list[e.Event]:
    """Say who is affected and how."""
    require_open(incident)
    text = impact.strip()
    if not text:
        raise Refused("Say who is affected: `{command} impact payouts to NG and KE wait`.", field="impact")
    if len(text) > 500:
        raise Refused(
            "The impact has {count} characters; at most 500 fit on the card.", count=len(text), field="impact"
        )
    return [e.ImpactStated(by=by.user, at=at, impact=text)]


def correct_start(incident: Incident, *, started: datetime, by: Actor, at: datetime) -> list[e.Event]:
    """Correct when the trouble began; never later than the declaration's future."""
    require_known(incident)
    if started > at:
        raise Refused("That time is in the future. When did it begin?", field="started")
    if started < at - timedelta(days=90):
        raise Refused("That is more than 90 days ago. Check the date.", field="started")
    return [e.StartCorrected(by=by.user, at=at, started=started)]


def mitigate(incident: Incident, *, note: str, by: Actor, at: datetime) -> list[e.Event]:
    """The harm to customers has stopped."""
    check_transition(incident, "mitigate")
    return [e.Mitigated(by=by.user, at=at, note=note.strip())]


def resolve(
    incident: Incident,
    *,
    answers: Sequence[e.Check] = (),
    note: str = "",
    override: str = "",
    confirmers: Sequence[str] = (),
    by: Actor,
    at: datetime,
    policy: Policy,
) -> list[e.Event]:
    """It is over. SEV-3 takes one line; else every condition, or a reason, and at SEV-1 a second person too."""
    check_transition(incident, "resolve")
    severity = policy.severity(incident.severity)
    if severity.gate == "one line":
        if not note.strip():
            raise Refused("Say in one line how it ended: `{command} resolve cache cleared, errors gone`.", field="note")
        return [_resolved(incident, (), note, "", "", by, at, policy)]
    checks = resolve_checklist(incident, answers, policy)
    unmet = [name for check in checks if check.met != "yes" for name in [check.name]]
    if not unmet:
        return [_resolved(incident, checks, note, "", "", by, at, policy)]
    if not override.strip():
        sentences = dict(policy.resolve_checks)
        listed = "; ".join(sentences[name] for name in unmet)
        raise Refused(
            "Not resolved. These conditions are open: {listed}. Meet them, or give a reason to resolve anyway.",
            listed=listed,
            field="override",
        )
    if severity.gate == "second person":
        require_person(by)
        others = tuple(user for user in confirmers if user != by.user)
        if not others:
            raise Refused(
                "Resolving with open conditions at this severity needs a second person, and nobody else is "
                "here. Stay mitigated, or invite one: `{command} add @name`.",
                field="override",
            )
        return [
            e.OverrideAsked(
                by=by.user, at=at, reason=override.strip(), checks=checks, note=note.strip(), to=others,
                expires=at + policy.ask_stands,
            )
        ]  # fmt: skip
    return [_resolved(incident, checks, note, override.strip(), "", by, at, policy)]


def confirm_override(incident: Incident, *, by: Actor, at: datetime, policy: Policy) -> list[e.Event]:
    """A second person agrees that it is over although conditions are open."""
    check_transition(incident, "resolve")
    asked = incident.override
    waiting = waiting_override(incident)
    if asked is None or waiting is None:
        raise Refused("Nobody asks to resolve this any more. Nothing was done.")
    require_unchanged(incident, waiting, at)
    require_person(by)
    if asked.by == by.user:
        raise Refused("You asked for this, so somebody else has to agree: {others}.", others=People.of(asked.to))
    ended = _resolved(incident, asked.checks, asked.note, asked.reason, by.user, by, at, policy)
    return [ended]


def override_expires_at(incident: Incident) -> datetime | None:
    """When a request to resolve over open conditions expires; None where none waits, or it has no end of its own."""
    waiting = waiting_override(incident)
    return waiting.expires_at if waiting else None


def expire_override(incident: Incident, *, by: Actor, at: datetime) -> list[e.Event]:
    """For the bot: nobody agreed in time. Before that, nothing."""
    waiting = waiting_override(incident)
    if waiting is None or waiting.expires_at is None or waiting.expires_at > at:
        return []
    return [e.PendingEnded(by=by.user, at=at, kind=waiting.kind, ref=waiting.ref, change="expired", to=waiting.by)]


def _resolved(
    incident: Incident,
    checks: tuple[e.Check, ...],
    note: str,
    override: str,
    second: str,
    by: Actor,
    at: datetime,
    policy: Policy,
) -> e.Resolved:
    days = policy.severity(incident.severity).postmortem_days
    return e.Resolved(
        by=by.user,
        at=at,
        note=note.strip(),
        checks=checks,
        override=override,
        second=second,
        postmortem_owner=incident.lead if days else "",
        postmortem_due=business_days_after(at, days) if days else None,
    )


def reopen(incident: Incident, *, reason: str, by: Actor, at: datetime) -> list[e.Event]:
    """It is not over after all."""
    check_transition(incident, "reopen")
    return [e.Reopened(by=by.user, at=at, reason=reason.strip())]


def call_false_alarm(incident: Incident, *, reason: str, by: Actor, at: datetime) -> list[e.Event]:
    """There was nothing. Refused while customers have been told that there is."""
    check_transition(incident, "false-alarm")
    _refuse_if_customers_were_told(incident, "a false alarm")
    return [e.FalseAlarm(by=by.user, at=at, reason=reason.strip())]


def mark_duplicate(incident: Incident, *, of: Incident, by: Actor, at: datetime) -> list[e.Event]:
    """The same as another incident. Refused while customers have been told about this one.

    Refused also where people read this one who may not know of that one, which is private.
    """
    check_transition(incident, "duplicate")
    if of.id == incident.id:
        raise Refused("An incident cannot be a duplicate of itself. Which other one is it?")
    if of.private and not (
        incident.private and all(of.is_participant(one) for one in (*incident.invited, *incident.wanted))
    ):
        raise Refused(
            "{name} is private, and people who are not in it would read its number here. "
            "End this one without naming it: `{command} resolve`, or `{command} false-alarm`.",
            name=of.name,
        )
    _refuse_if_customers_were_told(incident, "a duplicate")
    return [e.MarkedDuplicate(by=by.user, at=at, of=of.number, of_channel=of.channel)]


def _refuse_if_customers_were_told(incident: Incident, what: str) -> None:
    said = incident.last_published_draft
    if said is not None and said.drafted.stage != "resolved":
        raise Refused(
            "Not ended as {what}: customers were told “{stage}”. "
            "Send a text that says it is resolved first: `{command} comms`.",
            what=what,
            stage=said.drafted.stage,
        )


def stand_down(incident: Incident, *, by: Actor, at: datetime) -> list[e.Event]:
    """Tell everybody who was mentioned that they can rest."""
    if incident.stood_down:
        raise Refused("Everybody has been told already.")
    people = {user for _, _, to in incident.escalations for user in to} | set(incident.responders)
    people.discard(by.user)
    return [e.StoodDown(by=by.user, at=at, to=tuple(sorted(people)))]


def close(incident: Incident, *, note: str, by: Actor, at: datetime) -> list[e.Event]:
    """Close the record."""
    check_transition(incident, "close")
    return [e.Closed(by=by.user, at=at, note=note.strip())]
