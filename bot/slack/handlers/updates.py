"""Updates: the form, the preview, the post; and the other answers to a reminder of one."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import partial

from bot.domain import cadence
from bot.domain.errors import Refused
from bot.domain.time_text import lasted
from bot.slack.requests import respond
from bot.slack.requests.arguments import (
    Arguments,
    MissingArguments,
    ParseResult,
    Tense,
    TimeWithoutZone,
    person_in,
    time_in,
)
from bot.slack.requests.context import PushView, Reply, Request
from bot.slack.surfaces import modals
from bot.slack.surfaces.text import when


async def update(call: Request, text: str = "") -> Reply | None:
    """With text: a preview with [Post] and [Edit]; without: the form."""
    incident = call.required_incident
    call.services.policy.require_right("update", call.actor)
    text = await call.refuse_secrets(text, "text")
    if not text:
        await open_update_form(call)
        return None
    return respond.update_preview_reply(incident, text, _next_by(call), call.services.now())


async def open_update_form(call: Request, text: str = "") -> None:
    """The form for an update, with the last one's text to begin from."""
    incident = call.required_incident
    last = incident.last_update
    form = modals.update_form(
        incident,
        text=text or (last.text if last and not last.nothing_new else ""),
        next_by=_next_by(call),
        now=call.services.now(),
        response_url=call.response_url,
    )
    await call.open_view(form)


def _next_by(call: Request) -> datetime | None:
    every = cadence.interval(call.required_incident, call.services.policy)
    return call.services.now() + every if every else None


async def preview(call: Request, text: str, impact: str, next_by: datetime | None) -> PushView:
    """The form of an update is followed by its preview."""
    call.services.policy.require_right("update", call.actor)
    words = await call.refuse_secrets(text, "text")
    impact = await call.refuse_secrets(impact, "impact")
    now, incident = call.services.now(), call.required_incident
    # Tried out now, so that a refusal lands in this form and not in the preview.
    cadence.post_update(
        incident, text=words, next_by=next_by, impact=impact, by=call.actor, at=now, policy=call.services.policy
    )
    return PushView(
        modals.update_preview(
            incident, text=words, impact=impact, next_by=next_by, now=now, response_url=call.response_url
        )
    )


async def post_update(
    call: Request, text: str, next_by: datetime | None = None, impact: str = "", timeless: bool = False
) -> Reply:
    """Say it to all. A preview's button posts once, however often it is pressed."""
    words = await call.refuse_secrets(text, "text")
    impact = await call.refuse_secrets(impact, "impact")
    done = await call.act(
        "update",
        partial(
            cadence.post_update,
            text=words,
            next_by=next_by,
            timeless=timeless,
            impact=impact,
            policy=call.services.policy,
        ),
        key=call.once_per_message_key("update"),
    )
    if done.repeated:
        return Reply("That update is posted already. Nothing was sent twice.")
    last = done.incident.last_update
    due = f" The next one is due by {when(last.next_by, call.services.now())}." if last and last.next_by else ""
    return Reply(f"Posted.{due} You can undo it for {lasted(call.services.policy.undo_within)}.")


async def undo(call: Request, update: int = 0) -> Reply:
    """Withdraw one's own update; the last one where none is named."""
    last = call.required_incident.last_update
    call.services.policy.require_right("undo", call.actor)
    if not update and last is None:
        raise Refused("No update was posted yet, so there is nothing to undo.")
    seq = update or (last.seq if last else 0)
    await call.act("undo", partial(cadence.undo_update, seq=seq, policy=call.services.policy))
    return Reply("The update is withdrawn.")


async def nothing_new(call: Request, tried: str = "") -> Reply | None:
    """Say that nothing has changed; a third time in a row takes a sentence, for which a form opens."""
    tried = await call.refuse_secrets(tried, "tried")
    try:
        await call.act("update", partial(cadence.nothing_new, tried=tried, policy=call.services.policy))
    except Refused as refused:
        if refused.field != "tried" or call.is_form:
            raise
        await call.open_view(modals.tried_form(call.required_incident, response_url=call.response_url))
        return None
    return Reply("Posted: nothing new.")


async def snooze(call: Request) -> Reply:
    """Put the internal update off."""
    await call.act("snooze", partial(cadence.snooze, policy=call.services.policy))
    return Reply("The reminder comes later.")


def read_hold(text: str, call: Request) -> ParseResult:
    """until 05:00 UTC @who; nothing at all asks for the form."""
    if not text:
        return Arguments({})
    if not text.lower().startswith("until "):
        return None
    found = time_in(text[len("until ") :], call.services.now(), Tense.FUTURE)
    if isinstance(found, TimeWithoutZone):
        return replace(found, before="hold until") if person_in(found.after, call.actor.user) else None
    if found is None:
        return None
    if not found[1]:
        return MissingArguments()
    watcher = person_in(found[1], call.actor.user)
    if watcher is None or watcher[1]:
        return None
    return Arguments({"until": found[0], "watcher": watcher[0]})


async def hold(call: Request, until: datetime | None = None, watcher: str = "") -> Reply | None:
    """Once mitigated: quiet until a time, with somebody who watches; without a time, the form."""
    if until is None and not call.is_form:
        form = modals.hold_form(call.required_incident, call.services.now(), response_url=call.response_url)
        await call.open_view(form)
        return None
    if until is None:
        raise Refused("Choose until when.", field="until")
    user = await call.resolve_member(watcher)
    await call.act("hold", partial(cadence.hold, until=until, watcher=user))
    return Reply(f"Quiet until {when(until, call.services.now())}; <@{user}> watches.")
