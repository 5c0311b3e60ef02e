"""Declaring, answering, severity, who leads, who helps."""

from __future__ import annotations

from functools import partial
from typing import Any

from bot.domain import channel, escalation, lifecycle, notes, roles
from bot.domain.errors import Refused
from bot.domain.incident import Incident
from bot.domain.runbook import Runbook
from bot.domain.times import lasted
from bot.service import incident_id
from bot.slack.requests import respond
from bot.slack.requests.arguments import UNITS, Missing, Parsed, Reading, person_in, severity_like, split
from bot.slack.requests.context import Answer, Call
from bot.slack.surfaces import modals
from bot.slack.surfaces.text import escape

Values = dict[str, Any]


# -- declare ----------------------------------------------------------------------------------------


def read_declare(text: str, call: Call) -> Reading:
    """[severity] title; nothing at all asks for the form."""
    if not text:
        return Parsed({"title": "", "severity": None})
    first, rest = split(text)
    # "sev 1 title" as well as "sev1 title"
    if first.lower() in ("sev", "severity") and rest:
        number, after = split(rest)
        if number.isdigit() and split(after)[0].lower() not in UNITS:
            first, rest = f"sev{number}", after
    try:
        severity = call.desk.policy.severity(first).key if not first.isdigit() else None
    except Refused:
        if severity_like(first):  # a slip that deserves a word, not a part of the title
            raise
        severity = None
    if severity is None:
        return Parsed({"title": text, "severity": None})
    return Parsed({"title": rest, "severity": severity})


async def declare(call: Call, values: Values) -> Answer | None:
    """At once where there is a title, by the form where there is none."""
    if not values["title"]:
        await call.open(declare_view(call, "", values["severity"]))
        return None
    return await open_incident(call, **values)


def declare_view(call: Call, title: str, severity: str | None = None) -> modals.View:
    """The form, filled in as far as somebody typed."""
    return modals.declare_form(
        title=title[: lifecycle.TITLE_LIMIT],
        severity=severity or "",
        policy=call.desk.policy,
        private=call.desk.policy.delicate(title),
        response_url=call.response_url,
        channel=call.channel,
    )


async def open_incident(
    call: Call,
    title: str,
    severity: str | None,
    summary: str = "",
    private: bool | None = None,
    anyway: bool = False,
    another: bool = False,
) -> Answer:
    """Declare. Delicate words ask first whether it is private; one like it opened lately is shown first.

    `anyway`: not looked for one like it; `another`: nor for one of the same words, begun at the same moment.
    """
    desk, policy = call.desk, call.desk.policy
    desk.policy.allow("declare", call.actor)
    title = lifecycle.clean_title(await call.guard(title, "title"))
    summary = await call.guard(summary, "summary")
    if private is None and policy.delicate(f"{title} {summary}"):
        return respond.private_or_public(title, severity)
    if private is None:
        private = False
    if not anyway and not private and (twin := await _twin(call, title)) is not None:
        return respond.like_it(twin, title, severity)
    named = _named(call, title)
    key = severity or (named.severity if named else None)
    responders = (
        () if private else desk.directory.expand((policy.severity(key) if key else policy.assume(title)).responders)
    )
    done = await desk.service.declare(
        "declare",
        partial(
            lifecycle.declare,
            title=title,
            severity=key,
            summary=summary,
            private=bool(private),
            origin=call.channel,
            responders=responders,
            runbook=named,
            guesses=() if named else tuple(desk.runbooks.guess(title)),
            policy=policy,
        ),
        call.actor,
        key=call.key,
        alike="" if another else _alike(call, title, bool(private)),
    )
    if done.incident.id != incident_id(call.actor.team, call.key):
        if summary:  # it stays in the form
            raise Refused(
                f"{done.incident.name} has just been declared under this title, so nothing was declared. "
                "If yours is another one, change the title.",
                field="title",
            )
        return respond.like_it(done.incident, title, severity)
    call.incident = done.incident
    if not done.repeated:
        call.after(lambda: _say_where(call, done.incident))
    name = done.incident.name
    return Answer(f"{name} is recorded; its channel is being opened. I will name it here in a moment.")


def _named(call: Call, title: str) -> Runbook | None:
    """The runbook of an alert whose name stands in the title: that is no guess."""
    words = (word.strip(".,:;()[]{}\"'") for word in title.split())
    return next((found for word in words if word and (found := call.desk.runbooks.for_alert(word))), None)


def _alike(call: Call, title: str, private: bool) -> str:
    """What makes two declarations the same at a glance: the words; of a private one nobody else may learn."""
    return f"{call.actor.user if private else ''}/{title.casefold()}"


async def _twin(call: Call, title: str) -> Incident | None:
    """An open public incident, declared within the hour, whose title is nearly the same."""
    words = set(channel.slug(title).split("-")) - {""}
    rows = await call.desk.service.store.listing(call.actor.team, open_only=True, limit=20)
    if incident_id(call.actor.team, call.key) in {row.id for row in rows}:
        return None  # another replica got the same delivery, and has just recorded it
    for row in rows:
        other = await call.desk.service.store.incident(row.id)
        if other is None or other.private or other.declared_at is None:
            continue
        if (call.desk.now() - other.declared_at).total_seconds() > 3600:
            continue
        theirs = set(channel.slug(other.title).split("-")) - {""}
        if words and theirs and len(words & theirs) / len(words | theirs) >= 0.6:
            return other
    return None


async def _say_where(call: Call, incident: Incident) -> None:
    """Once the channel is there: name it to the declarer, with what did not work."""
    await call.desk.caretaker.opened(incident.id)
    now = await call.desk.service.store.incident(incident.id)
    if now is not None:
        await respond.respond(call, opened_answer(now, call.actor.user))


def opened_answer(incident: Incident, user: str) -> Answer:
    """ "INC-42 is open: #inc-42-…. You are in it and lead it." and who could not be invited."""
    if incident.channel_error:
        return Answer(
            f"{incident.name} is recorded, but Slack refused to open a channel ({incident.channel_error}). "
            "Work where you are; an admin can allow this app to create channels; I try again by myself."
        )
    if not incident.channel:
        return Answer(f"{incident.name} is recorded. Slack did not answer; its channel opens as soon as it does.")
    lines = [f"{incident.name} is open: <#{incident.channel}>. You are in it and lead it."]
    if user in incident.refused:
        lines = [f"{incident.name} is open: <#{incident.channel}>. Join it: Slack did not let me bring you in."]
    elif user not in incident.invited:
        lines = [f"{incident.name} is open: <#{incident.channel}>. Join it: Slack has not let me bring you in yet."]
    failed = [f"<@{one}> ({error})" for one, error in incident.refused.items() if one != user]
    if failed:
        count = "One person" if len(failed) == 1 else f"{len(failed)} people"
        lines.append(f"{count} could not be invited: {', '.join(failed)}.")
    if incident.invited == {user}:
        lines.append("You are alone so far. Mitigate first; I keep the clock.")
    return Answer(" ".join(lines))


# -- answering and severity -------------------------------------------------------------------------


async def ack(call: Call, values: Values) -> Answer:
    """Somebody answers for it."""
    done = await call.act("ack", lifecycle.acknowledge)
    incident = done.incident
    took = (
        lasted(incident.acknowledged_at - incident.declared_at)
        if incident.acknowledged_at and incident.declared_at
        else ""
    )
    lead = " You lead it now." if incident.lead == call.actor.user and done.before.lead != call.actor.user else ""
    return Answer(f"You answered {incident.name} after {took}.{lead}")


def read_sev(text: str, call: Call) -> Reading:
    """A severity and perhaps a reason. "sev 2 hours stuck" is a title, not a severity."""
    if not text:
        return Missing()
    word, reason = split(text)
    if word.isdigit() and split(reason)[0].lower().strip(".,") in UNITS:
        return None
    try:
        return Parsed({"severity": call.desk.policy.severity(word).key, "reason": reason})
    except Refused:
        if word.isdigit() or severity_like(word):
            raise
        return None


async def sev(call: Call, values: Values) -> Answer:
    """Raise, lower or confirm."""
    reason = await call.guard(values["reason"], "reason")
    new = call.desk.policy.severity(values["severity"])
    responders = call.desk.directory.expand(new.responders)
    done = await call.act(
        "sev",
        partial(
            lifecycle.change_severity,
            severity=new.key,
            reason=reason,
            responders=responders,
            policy=call.desk.policy,
        ),
    )
    if done.before.severity == new.key:
        return Answer(f"{new.name} is confirmed.")
    every = f"Updates every {lasted(new.cadence)}." if new.cadence else "One update, at resolution."
    return Answer(f"{done.incident.name} is {new.name} now. {every}")


# -- roles and people -------------------------------------------------------------------------------


def read_person(text: str, call: Call) -> Reading:
    """@who or me, and nothing after it."""
    if not text:
        return Missing()
    found = person_in(text, call.actor.user)
    if found is None or found[1]:
        return None
    return Parsed({"who": found[0]})


async def take_role(call: Call, values: Values, role: str) -> Answer:
    """Give a role to somebody."""
    user = await call.person(values["who"])
    done = await call.act("role", partial(roles.take, role=role, user=user, policy=call.desk.policy))
    holder = done.before.roles.get(role, "")
    if done.incident.roles.get(role) == user:
        who = "You are" if user == call.actor.user else f"<@{user}> is"
        return Answer(f"{who} {roles.ROLES[role]} now.")
    return Answer(f"<@{holder}> has been asked; it is done after 5 silent minutes.")


async def lead(call: Call, values: Values) -> Answer:
    """Hand the lead to somebody."""
    return await take_role(call, values, "lead")


async def comms_lead(call: Call, values: Values) -> Answer:
    """Hand customer comms to somebody."""
    return await take_role(call, values, "comms-lead")


async def scribe(call: Call, values: Values) -> Answer:
    """Hand the writing to somebody."""
    return await take_role(call, values, "scribe")


async def add(call: Call, values: Values) -> Answer:
    """Bring somebody into the channel."""
    user = await call.person(values["who"])
    await call.act("add", partial(notes.add_person, user=user))
    return Answer(f"<@{user}> is being invited.")


async def page(call: Call, values: Values) -> Answer:
    """Bring somebody in, and be honest about what that reaches."""
    await add(call, values)
    return Answer(
        f"<@{await call.person(values['who'])}> is being invited and mentioned. "
        "No pager is set up: nobody asleep will hear this."
    )


async def handover(call: Call, values: Values) -> Answer | None:
    """Hand the lead over with what the next one has to know: state, tried, paused, next decision."""
    user = await call.person(values["who"])
    await call.open(modals.handover_form(call.known, to=user, response_url=call.response_url))
    return None


def read_reason(text: str, call: Call) -> Reading:
    """Any text, also none."""
    return Parsed({"reason": text})


async def escalate(call: Call, values: Values) -> Answer:
    """Mention the next level."""
    reason = await call.guard(values["reason"], "reason")
    done = await call.act("escalate", partial(escalation.escalate, reason=reason, policy=call.desk.policy))
    people = ", ".join(f"<@{user}>" for user in done.incident.escalations[-1][2])
    return Answer(f"Level {done.incident.level} is mentioned in the channel: {people}. No pager is set up.")


async def who(call: Call, values: Values) -> Answer:
    """Roles, and who is here."""
    incident = call.known
    lines = [
        f"{name.removeprefix('the ').capitalize()}: "
        + (f"{escape(call.desk.directory.name(incident.roles[role]))}" if incident.roles.get(role) else "nobody")
        for role, name in roles.ROLES.items()
    ]
    here = ", ".join(escape(call.desk.directory.name(user)) for user in sorted(incident.invited)) or "nobody yet"
    lines.append(f"Brought in: {here}")
    if incident.refused:
        failed = ", ".join(f"{escape(call.desk.directory.name(u))} ({code})" for u, code in incident.refused.items())
        lines.append(f"Could not be invited: {failed}")
    return Answer("\n".join(lines))
