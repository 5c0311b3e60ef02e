"""`/incident lead`, `comms-lead`, `scribe`: who holds a role."""

from __future__ import annotations

from functools import partial
from typing import Any

from bot.domain import roles
from bot.slack.requests.context import Reply, Request

Values = dict[str, Any]


async def take_role(call: Request, values: Values, role: str) -> Reply:
    """Give a role to somebody."""
    user = await call.resolve_member(values["who"])
    done = await call.act("role", partial(roles.take, role=role, user=user, policy=call.services.policy))
    holder = done.before.roles.get(role, "")
    if done.incident.roles.get(role) == user:
        who = "You are" if user == call.actor.user else f"<@{user}> is"
        return Reply(f"{who} {roles.ROLES[role]} now.")
    return Reply(f"<@{holder}> has been asked; it is done after 5 silent minutes.")


async def lead(call: Request, values: Values) -> Reply:
    """Hand the lead to somebody."""
    return await take_role(call, values, "lead")


async def comms_lead(call: Request, values: Values) -> Reply:
    """Hand customer comms to somebody."""
    return await take_role(call, values, "comms-lead")


async def scribe(call: Request, values: Values) -> Reply:
    """Hand the writing to somebody."""
    return await take_role(call, values, "scribe")
