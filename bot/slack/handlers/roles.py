"""Who leads, who speaks to customers, who writes: taking a role, answering a hand-over, saying that one still leads."""

from __future__ import annotations

from functools import partial

from bot.domain import escalation, roles
from bot.domain.errors import Refused
from bot.domain.time_text import lasted
from bot.slack.requests.arguments import Arguments, ParseResult
from bot.slack.requests.context import Reply, Request


async def take_role(call: Request, who: str, role: str) -> Reply:
    """Give a role to somebody."""
    user = await call.resolve_member(who)
    done = await call.act("role", partial(roles.take, role=role, user=user, policy=call.services.policy))
    holder = done.before.roles.get(role, "")
    if done.incident.roles.get(role) == user:
        name = "You are" if user == call.actor.user else f"<@{user}> is"
        return Reply(f"{name} {roles.ROLES[role]} now.")
    silent = lasted(call.services.policy.offer_stands)
    return Reply(f"<@{holder}> has been asked. If they say nothing, it is done after {silent}.")


def read_role(text: str, call: Request) -> ParseResult:
    """A role's name, or nothing where only one is meant."""
    role = text.lower().replace(" ", "-")
    return Arguments({"role": role}) if not role or role in roles.ROLES else None


async def accept(call: Request, role: str = "") -> Reply:
    """The holder agrees that the role passes on."""
    role = _offered(call, role)
    done = await call.act("role", partial(roles.accept, role=role))
    return Reply(f"<@{done.incident.roles.get(role, '')}> is {roles.ROLES[role]} now.")


async def keep(call: Request, role: str = "") -> Reply:
    """The holder says not yet."""
    role = _offered(call, role)
    await call.act("role", partial(roles.decline_handover, role=role))
    return Reply(f"You are still {roles.ROLES[role]}.")


def _offered(call: Request, role: str) -> str:
    """The role that is meant: the one named, else the only one that somebody asked for."""
    offers = tuple(call.required_incident.offers)
    call.services.policy.require_right("role", call.actor)
    if role:
        return role
    if len(offers) == 1:
        return offers[0]
    if not offers:
        raise Refused("Nobody has asked for a role. Nothing changed.")
    raise Refused(f"Say which role: {' or '.join(f'`{one}`' for one in offers)}.", field="role")


async def here(call: Request) -> Reply:
    """The lead is there."""
    await call.act("here", escalation.lead_seen)
    return Reply("Noted: you still lead.")
