"""Who leads, who speaks to customers, who writes: taking a role, and handing it over in peace."""

from __future__ import annotations

from datetime import datetime

from bot.domain import events as e
from bot.domain.actor import Actor
from bot.domain.errors import Refused
from bot.domain.incident import Incident
from bot.domain.policy import Policy
from bot.domain.preconditions import require_open
from bot.domain.sentences import Moment, Person, Sentence

#: role -> how it reads in a sentence
ROLES = {"lead": "the lead", "comms-lead": "comms lead", "scribe": "the scribe"}


def role_title(role: str) -> str:
    """As the heading of a line: "Lead", "Comms lead"; empty for a role that is not known."""
    return ROLES.get(role, "").removeprefix("the ").capitalize()


def take(incident: Incident, *, role: str, user: str, by: Actor, at: datetime, policy: Policy) -> list[e.Event]:
    """Give `role` to `user`. Somebody who holds it is asked first, and has some minutes to say not yet."""
    require_open(incident)
    if role not in ROLES:
        raise Refused("There is no such role. Nothing changed.")
    holder = incident.roles.get(role, "")
    if holder == user:
        who = "You are" if user == by.user else Sentence("{who} is", who=Person(user))
        raise Refused("{who} {roles} already. Nothing changed.", who=who, roles=ROLES[role])
    if not holder or holder == by.user:
        return [e.RoleTaken(by=by.user, at=at, role=role, user=user)]
    offer = incident.offers.get(role)
    if offer is not None and offer.to == user:
        raise Refused(
            "{holder} has been asked and has until {time}.", holder=Person(holder), time=Moment(offer.until, at)
        )
    return [e.RoleOffered(by=by.user, at=at, role=role, to=user, until=at + policy.offer_stands)]


def accept(incident: Incident, *, role: str, by: Actor, at: datetime) -> list[e.Event]:
    """The holder says fine (or, once time has run out, the bot does)."""
    require_open(incident)
    offer = incident.offers.get(role)
    if offer is None:
        raise Refused("That hand-over is settled already. Nothing changed.")
    if by.user not in (incident.roles.get(role), "bot"):
        raise Refused("Only {get}, who holds the role, can say so.", get=Person(incident.roles.get(role, "")))
    return [e.RoleTaken(by=by.user, at=at, role=role, user=offer.to)]


def decline_handover(incident: Incident, *, role: str, by: Actor, at: datetime) -> list[e.Event]:
    """The holder says not yet."""
    require_open(incident)
    if incident.offers.get(role) is None:
        raise Refused("That hand-over is settled already. Nothing changed.")
    if by.user != incident.roles.get(role):
        raise Refused("Only {get}, who holds the role, can say so.", get=Person(incident.roles.get(role, "")))
    return [e.RoleKept(by=by.user, at=at, role=role)]


def complete_expired_handovers(incident: Incident, *, by: Actor, at: datetime) -> list[e.Event]:
    """Offers that the holder left unanswered are done."""
    if not incident.open:
        return []
    return [
        e.RoleTaken(by=by.user, at=at, role=offer.role, user=offer.to)
        for offer in incident.offers.values()
        if offer.until <= at
    ]


def drop_roles(incident: Incident, *, user: str, by: Actor, at: datetime) -> list[e.Event]:
    """Somebody cannot act any more (account deactivated, out of a private incident): they hold and get no role.

    What they were about to hand over goes to whom they were handing it.
    """
    if not incident.open or incident.unknown_event_type:
        return []
    found: list[e.Event] = []
    for role, offer in incident.offers.items():
        if offer.to == user:
            found.append(e.RoleKept(by=by.user, at=at, role=role))
    for role, holder in incident.roles.items():
        if holder == user:
            to = incident.offers[role].to if role in incident.offers else ""
            found.append(e.RoleTaken(by=by.user, at=at, role=role, user="" if to == user else to))
    return found
