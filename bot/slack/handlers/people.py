"""The people of an incident: bringing them in, handing over, calling the next level, following, standing down."""

from __future__ import annotations

from functools import partial

from bot.domain import escalation, events, lifecycle, notes, roles
from bot.domain.names import join_names
from bot.slack.requests.arguments import Arguments, MissingArguments, ParseResult, incident_in
from bot.slack.requests.context import Reply, Request
from bot.slack.surfaces import modals
from bot.slack.surfaces.text import escape


async def add(call: Request, who: str) -> Reply:
    """Bring somebody into the channel."""
    user = await call.resolve_member(who)
    await call.act("add", partial(notes.add_person, user=user))
    return Reply(f"<@{user}> is being invited.")


async def page(call: Request, who: str) -> Reply:
    """Bring somebody in, and be honest about what that reaches."""
    await add(call, who)
    return Reply(
        f"<@{await call.resolve_member(who)}> is being invited and mentioned. "
        "No pager is set up: nobody asleep will hear this."
    )


def read_incident(text: str, call: Request) -> ParseResult:
    """INC-40."""
    if not text:
        return MissingArguments()
    number = incident_in(text)
    return None if number is None else Arguments({"number": number})


async def join(call: Request, number: int = 0) -> Reply:
    """Bring in whoever asks: into the incident of this number, or into the one that the button is about."""
    call.services.policy.require_right("join", call.actor)
    if number:
        call.incident = await call.incident_named(number)
    incident = call.required_incident
    if call.actor.user in incident.invited:
        return Reply(f"You are in it: <#{incident.channel}>.")
    if not incident.channel:
        return Reply(f"{incident.name} has no channel yet.")
    await call.act("join", partial(notes.add_person, user=call.actor.user))
    return Reply(f"You are being invited to <#{incident.channel}>.")


async def follow(call: Request) -> Reply:
    """Tell this person directly of severity, status and lead; said again: no more."""
    done = await call.act("follow", notes.follow)
    name = done.incident.name
    if call.actor.user in done.incident.followers:
        return Reply(
            f"You follow {name}: I write to you when its severity, status or lead changes. Press again to stop."
        )
    return Reply(f"You no longer follow {name}.")


async def handover(call: Request, who: str = "") -> None:
    """Open the form with what the next lead has to know: state, tried, paused, next decision."""
    user = await call.resolve_member(who) if who else ""
    await call.open_view(modals.handover_form(call.required_incident, to=user, response_url=call.response_url))


async def hand_over(call: Request, to: str, state: str, tried: str, paused: str, next: str) -> Reply:
    """What the next lead has to know goes into the timeline; the old lead stays until the new one has it."""
    user = await call.resolve_member(to)
    parts = []
    asked = {"state": ("State", state), "tried": ("Tried", tried), "paused": ("Paused", paused),
             "next": ("Next decision", next)}  # fmt: skip
    for name, (head, said) in asked.items():
        if words := await call.refuse_secrets(said, name):
            parts.append(f"{head}: {words}")
    await call.act(
        "note", partial(notes.note, text="Hand-over. " + " ".join(parts)), key=f"{call.idempotency_key}:note"
    )
    await call.act("role", partial(roles.take, role="lead", user=user, policy=call.services.policy))
    return Reply(f"<@{user}> has the hand-over. It is in the timeline.")


async def escalate(call: Request, reason: str = "") -> Reply:
    """Mention the next level."""
    reason = await call.refuse_secrets(reason, "reason")
    done = await call.act("escalate", partial(escalation.escalate, reason=reason, policy=call.services.policy))
    people = join_names(f"<@{user}>" for user in done.incident.escalations[-1][2])
    return Reply(f"Level {done.incident.level} is mentioned in the channel: {people}. No pager is set up.")


async def stand_down(call: Request) -> Reply:
    """Tell everybody who was called that they can rest."""
    done = await call.act("stand down", lifecycle.stand_down)
    told = next((one for one in done.events if isinstance(one, events.StoodDown)), None)
    count = len(told.to) if told else 0
    return Reply(f"{'One person was' if count == 1 else f'{count} people were'} told that they can rest.")


async def who(call: Request) -> Reply:
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
