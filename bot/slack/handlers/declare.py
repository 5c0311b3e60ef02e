"""`/incident declare`: the form, incidents like it, the declaration, and who could be invited."""

from __future__ import annotations

from functools import partial
from typing import Any

from bot.domain import channel, lifecycle
from bot.domain.errors import Refused
from bot.domain.incident import Incident
from bot.domain.runbook import Runbook
from bot.service import incident_id
from bot.slack.requests import respond
from bot.slack.requests.arguments import UNITS, Arguments, ParseResult, severity_like, split_first_word
from bot.slack.requests.context import Reply, Request
from bot.slack.surfaces import modals


def read_declare(text: str, call: Request) -> ParseResult:
    """[severity] title; nothing at all asks for the form."""
    if not text:
        return Arguments({"title": "", "severity": None})
    first, rest = split_first_word(text)
    # "sev 1 title" as well as "sev1 title"
    if first.lower() in ("sev", "severity") and rest:
        number, after = split_first_word(rest)
        if number.isdigit() and split_first_word(after)[0].lower() not in UNITS:
            first, rest = f"sev{number}", after
    try:
        severity = call.services.policy.severity(first).key if not first.isdigit() else None
    except Refused:
        if severity_like(first):  # a slip that deserves a word, not a part of the title
            raise
        severity = None
    if severity is None:
        return Arguments({"title": text, "severity": None})
    return Arguments({"title": rest, "severity": severity})


async def declare(call: Request, title: str = "", severity: str | None = None, **more: Any) -> Reply | None:
    """At once where there is a title, by the form where there is none. `more`: as for `open_incident`."""
    if not title:
        await call.open_view(declare_view(call, "", severity))
        return None
    return await open_incident(call, title, severity, **more)


async def declare_once(call: Request, **more: Any) -> Reply:
    """The answer to a question before a declaration: it declares once, however often its button is pressed."""
    call.idempotency_key = call.once_per_message_key("declare")
    return await open_incident(call, **more)


async def open_declare_form(call: Request, title: str = "", severity: str | None = None) -> None:
    """The form, filled in as far as somebody said."""
    await call.open_view(declare_view(call, title, severity))


def declare_view(call: Request, title: str, severity: str | None = None) -> modals.ModalView:
    """The form, filled in as far as somebody typed."""
    return modals.declare_form(
        title=title[: lifecycle.MAX_TITLE_CHARS],
        severity=severity or "",
        policy=call.services.policy,
        private=call.services.policy.has_private_words(title),
        response_url=call.response_url,
        channel=call.channel,
    )


async def open_incident(
    call: Request,
    title: str,
    severity: str | None,
    summary: str = "",
    private: bool | None = None,
    ignore_similar: bool = False,
    ignore_same_title: bool = False,
) -> Reply:
    """Declare. Delicate words ask first whether it is private; one like it opened lately is shown first.

    `ignore_similar`: not looked for one like it; `ignore_same_title`: nor for one of the same words, begun at the same
    moment.
    """
    services, policy = call.services, call.services.policy
    services.policy.require_right("declare", call.actor)
    title = lifecycle.clean_title(await call.refuse_secrets(title, "title"))
    summary = await call.refuse_secrets(summary, "summary")
    if private is None and policy.has_private_words(f"{title} {summary}"):
        return respond.private_or_public(title, severity)
    if private is None:
        private = False
    if not ignore_similar and not private and (twin := await _similar_open_incident(call, title)) is not None:
        return respond.similar_incident_reply(twin, title, severity)
    named = _named(call, title)
    key = severity or (named.severity if named else None)
    responders = (
        ()
        if private
        else services.directory.expand((policy.severity(key) if key else policy.severity_for_title(title)).responders)
    )
    done = await services.service.declare(
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
            guesses=() if named else tuple(services.runbooks.guess(title)),
            policy=policy,
        ),
        call.actor,
        key=call.idempotency_key,
        dedup_key="" if ignore_same_title else _same_declaration_key(call, title, bool(private)),
    )
    if done.incident.id != incident_id(call.actor.team, call.idempotency_key):
        if summary:  # it stays in the form
            raise Refused(
                f"{done.incident.name} has just been declared under this title, so nothing was declared. "
                "If yours is another one, change the title.",
                field="title",
            )
        return respond.similar_incident_reply(done.incident, title, severity)
    call.incident = done.incident
    if not done.repeated:
        call.after_ack(lambda: _respond_with_channel(call, done.incident))
    name = done.incident.name
    return Reply(f"{name} is recorded; its channel is being opened. I will name it here in a moment.")


def _named(call: Request, title: str) -> Runbook | None:
    """The runbook of an alert whose name stands in the title: that is no guess."""
    words = (word.strip(".,:;()[]{}\"'") for word in title.split())
    return next((found for word in words if word and (found := call.services.runbooks.for_alert(word))), None)


def _same_declaration_key(call: Request, title: str, private: bool) -> str:
    """What makes two declarations the same at a glance: the words; of a private one nobody else may learn."""
    return f"{call.actor.user if private else ''}/{title.casefold()}"


async def _similar_open_incident(call: Request, title: str) -> Incident | None:
    """An open public incident, declared within the hour, whose title is nearly the same."""
    words = set(channel.slug(title).split("-")) - {""}
    rows = await call.services.service.store.listing(call.actor.team, open_only=True, limit=20)
    if incident_id(call.actor.team, call.idempotency_key) in {row.id for row in rows}:
        return None  # another replica got the same delivery, and has just recorded it
    for row in rows:
        other = await call.services.service.store.incident(row.id)
        if other is None or other.private or other.declared_at is None:
            continue
        if (call.services.now() - other.declared_at).total_seconds() > 3600:
            continue
        theirs = set(channel.slug(other.title).split("-")) - {""}
        if words and theirs and len(words & theirs) / len(words | theirs) >= 0.6:
            return other
    return None


async def _respond_with_channel(call: Request, incident: Incident) -> None:
    """Once the channel is there: name it to the declarer, with what did not work."""
    await call.services.scheduler.wait_until_channel_ready(incident.id)
    now = await call.services.service.store.incident(incident.id)
    if now is not None:
        await respond.respond(call, channel_opened_reply(now, call.actor.user))


def channel_opened_reply(incident: Incident, user: str) -> Reply:
    """ "INC-42 is open: #inc-42-…. You are in it and lead it." and who could not be invited."""
    if incident.channel_error:
        return Reply(
            f"{incident.name} is recorded, but Slack refused to open a channel ({incident.channel_error}). "
            "Work where you are; an admin can allow this app to create channels; I try again by myself."
        )
    if not incident.channel:
        return Reply(f"{incident.name} is recorded. Slack did not answer; its channel opens as soon as it does.")
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
    return Reply(" ".join(lines))
