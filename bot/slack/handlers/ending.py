"""Mitigated, resolved, and the other ways an incident ends."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from bot.domain import events as e
from bot.domain import lifecycle
from bot.domain.incident import Status
from bot.domain.names import join_names
from bot.domain.resolve_conditions import resolve_checklist
from bot.slack.requests.context import Reply, Request
from bot.slack.surfaces import modals


async def mitigate(call: Request, note: str = "") -> Reply:
    """The harm has stopped."""
    note = await call.refuse_secrets(note, "note")
    await call.act("mitigate", partial(lifecycle.mitigate, note=note))
    return Reply("Mitigated. Updates are due half as often from here; resolve when it is over.")


async def resolve(call: Request, note: str = "") -> Reply | None:
    """One line at the lowest severity; else the form with the conditions, filled in where the bot can see."""
    incident, policy = call.required_incident, call.services.policy
    note = await call.refuse_secrets(note, "note")
    lifecycle.check_transition(incident, "resolve")
    if policy.severity(incident.severity).gate == "one line" and note:
        return await resolve_with(call, (), note, "")
    await call.open_view(
        modals.resolve_form(
            incident,
            checks=resolve_checklist(incident, (), policy),
            policy=policy,
            note=note,
            response_url=call.response_url,
        )
    )
    return None


async def resolve_with(call: Request, answers: Sequence[e.Check], note: str, override: str) -> Reply:
    """Resolve with these answers, or ask a second person where that is needed."""
    note = await call.refuse_secrets(note, "note")
    override = await call.refuse_secrets(override, "override")
    done = await call.act(
        "resolve",
        partial(
            lifecycle.resolve,
            answers=answers,
            note=note,
            override=override,
            confirmers=call.confirmers("resolve"),
            policy=call.services.policy,
        ),
    )
    incident = done.incident
    if incident.status is not Status.RESOLVED:
        people = join_names((f"<@{user}>" for user in incident.override.to), "or") if incident.override else ""
        return Reply(f"Conditions are open, so a second person has to agree: {people}. They have been asked.")
    owner = (
        f" <@{incident.resolution.postmortem_owner}> owns the postmortem."
        if (incident.resolution and incident.resolution.postmortem_owner)
        else ""
    )
    return Reply(f"{incident.name} is resolved.{owner} Write it: `{call.services.command} postmortem`.")


async def agree(call: Request) -> Reply:
    """A second person agrees that it is resolved with conditions open."""
    done = await call.act("resolve", partial(lifecycle.confirm_override, policy=call.services.policy))
    return Reply(f"You agreed: {done.incident.name} is resolved.")


async def reopen(call: Request, reason: str = "") -> Reply:
    """Not over after all."""
    reason = await call.refuse_secrets(reason, "reason")
    done = await call.act("reopen", partial(lifecycle.reopen, reason=reason))
    lost = " Its channel is archived and only a person can unarchive it." if done.incident.channel_lost else ""
    return Reply(f"{done.incident.name} is open again.{lost}")


async def false_alarm(call: Request, reason: str = "") -> Reply:
    """There was nothing."""
    reason = await call.refuse_secrets(reason, "reason")
    done = await call.act("false-alarm", partial(lifecycle.call_false_alarm, reason=reason))
    return Reply(f"{done.incident.name} ended as a false alarm.")


async def duplicate(call: Request, number: int) -> Reply:
    """The same as another one."""
    other = await call.incident_named(number)
    done = await call.act("duplicate", partial(lifecycle.mark_duplicate, of=other))
    return Reply(f"{done.incident.name} ended as a duplicate of {other.name}.")


async def close(call: Request, note: str = "") -> Reply | None:
    """An open incident: the resolve form. A resolved one: close the record."""
    if call.required_incident.open:
        return await resolve(call, note)
    note = await call.refuse_secrets(note, "note")
    done = await call.act("close", partial(lifecycle.close, note=note))
    return Reply(f"The record of {done.incident.name} is closed. Notes are still welcome.")
