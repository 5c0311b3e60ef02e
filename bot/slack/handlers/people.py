"""`/incident add`, `page`, `handover`, `escalate`, `who`: the people of an incident."""

from __future__ import annotations

from functools import partial
from typing import Any

from bot.domain import escalation, notes, roles
from bot.domain.names import join_names
from bot.slack.requests.context import Reply, Request
from bot.slack.surfaces import modals
from bot.slack.surfaces.text import escape

Values = dict[str, Any]


async def add(call: Request, values: Values) -> Reply:
    """Bring somebody into the channel."""
    user = await call.resolve_member(values["who"])
    await call.act("add", partial(notes.add_person, user=user))
    return Reply(f"<@{user}> is being invited.")


async def page(call: Request, values: Values) -> Reply:
    """Bring somebody in, and be honest about what that reaches."""
    await add(call, values)
    return Reply(
        f"<@{await call.resolve_member(values['who'])}> is being invited and mentioned. "
        "No pager is set up: nobody asleep will hear this."
    )


async def handover(call: Request, values: Values) -> Reply | None:
    """Hand the lead over with what the next one has to know: state, tried, paused, next decision."""
    user = await call.resolve_member(values["who"])
    await call.open_view(modals.handover_form(call.required_incident, to=user, response_url=call.response_url))
    return None


async def escalate(call: Request, values: Values) -> Reply:
    """Mention the next level."""
    reason = await call.refuse_secrets(values["reason"], "reason")
    done = await call.act("escalate", partial(escalation.escalate, reason=reason, policy=call.services.policy))
    people = join_names(f"<@{user}>" for user in done.incident.escalations[-1][2])
    return Reply(f"Level {done.incident.level} is mentioned in the channel: {people}. No pager is set up.")


async def who(call: Request, values: Values) -> Reply:
    """Roles, and who is here."""
    incident = call.required_incident
    lines = [
        f"{roles.role_title(role)}: "
        + (f"{escape(call.services.directory.name(incident.roles[role]))}" if incident.roles.get(role) else "nobody")
        for role in roles.ROLES
    ]
    here = ", ".join(escape(call.services.directory.name(user)) for user in sorted(incident.invited)) or "nobody yet"
    lines.append(f"Brought in: {here}")
    if incident.refused:
        failed = ", ".join(
            f"{escape(call.services.directory.name(u))} ({code})" for u, code in incident.refused.items()
        )
        lines.append(f"Could not be invited: {failed}")
    return Reply("\n".join(lines))
