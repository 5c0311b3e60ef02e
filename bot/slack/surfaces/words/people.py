"""The sentences to people: who is called, who holds a role, who follows an incident."""

from __future__ import annotations

from bot.domain.roles import ROLES
from bot.slack.surfaces.text import with_full_stop

NOBODY = "nobody"


def followed(name: str, title: str, what: str, where: str) -> str:
    return f"{name}, {title}: {what} {where}".rstrip()


def lead_is(who: str) -> str:
    return f"{who} leads now."


def responders_called(who: str, severity: str, title: str, lead: str) -> str:
    return f"{who}: {severity}, {title}. {lead}. The pinned card says what is known; say here what you take on."


def nobody_answered(name: str, severity: str, title: str, since: str, to: str) -> str:
    return f"{to}: {name}, {severity}, {title}. Nobody has answered since {since}. Please take it."


NO_PAGER = "No pager is set up: nobody asleep will hear this."


def answered(who: str, when: str) -> str:
    return f"{who} answered {when}."


def escalated(who: str, to: str, reason: str) -> str:
    return with_full_stop(f"{to}: {who} asks for your help" + (f": {reason}" if reason else ""))


def offer(holder: str, taker: str, role: str, until: str) -> str:
    return f"{holder}: {taker} is taking over as {role.removeprefix('the ')} {until}, or as soon as you say fine."


def offer_taken(who: str, role: str, when: str) -> str:
    return f"{who} is {role} since {when}."


def offer_kept(who: str, role: str) -> str:
    return f"{who} stays {role} for now."


OFFER_OVER = "That hand-over is settled."


def vacant(who: str, role: str) -> str:
    gone = f"{who} cannot act here any more" if who else "The holder cannot act here any more"
    return f"{gone}, so nobody is {role} now. Somebody take it."


def take_role(role: str) -> str:
    return f"Be {role}"


_ROLE_BRIEFINGS = {
    "lead": (
        "You decide and hand out the work. Others fix it.",
        "Next: read the card, say in the channel that you lead, then give the next step a name.",
        "Say where it stands by the time on the card{before}.",
    ),
    "comms-lead": (
        "You write what customers read; somebody else approves each text before it is public.",
        "Next: `{command} comms` opens the form; it shows what was said last.",
        "Keep a time that was promised to customers, or promise another one in public{before}.",
    ),
    "scribe": (
        "You keep the timeline: what was seen, what was decided, and why.",
        "Next: `{command} note` adds a line; a pushpin on any message adds that message.",
        "Times count: `{command} note at 13:40 UTC …` for what happened earlier.",
    ),
}


def role_briefing(name: str, role: str, command: str, before: str) -> tuple[str, str, str]:
    """`before`: how long before its time somebody is reminded; empty where nobody is."""
    first, second, third = _ROLE_BRIEFINGS.get(role, _ROLE_BRIEFINGS["scribe"])
    return (
        f"You are {ROLES.get(role, role)} of {name}. {first}",
        second.format(command=command),
        third.format(command=command, before=f"; I remind you {before} before" if before else ""),
    )


def silent(lead: str, name: str, since: str) -> str:
    return f"{lead}: nothing from you in {name} since {since}. Do you still lead?"


SOMEBODY = "Somebody else"
