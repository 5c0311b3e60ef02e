"""`/incident update`: the form, the preview, the post."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from bot.domain import cadence
from bot.slack.requests import respond
from bot.slack.requests.context import Reply, Request
from bot.slack.surfaces import modals
from bot.slack.surfaces.text import when

Values = dict[str, Any]


async def update(call: Request, values: Values) -> Reply | None:
    """With text: a preview with [Post] and [Edit]; without: the form."""
    incident = call.required_incident
    call.services.policy.require_right("update", call.actor)
    text = await call.refuse_secrets(values["text"], "text")
    if not text:
        await call.open_view(update_view(call, ""))
        return None
    return respond.update_preview_reply(incident, text, _next_by(call), call.services.now())


def update_view(call: Request, text: str) -> modals.ModalView:
    """The form for an update, with the last one's text to begin from."""
    incident = call.required_incident
    last = incident.last_update
    return modals.update_form(
        incident,
        text=text or (last.text if last and not last.nothing_new else ""),
        next_by=_next_by(call),
        now=call.services.now(),
        response_url=call.response_url,
    )


def _next_by(call: Request) -> datetime | None:
    every = cadence.interval(call.required_incident, call.services.policy)
    return call.services.now() + every if every else None


async def post_update(
    call: Request, text: str, next_by: datetime | None, impact: str = "", *, timeless: bool = False
) -> Reply:
    """Say it to all."""
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
    )
    if done.repeated:
        return Reply("That update is posted already. Nothing was sent twice.")
    last = done.incident.last_update
    due = f" The next one is due by {when(last.next_by, call.services.now())}." if last and last.next_by else ""
    return Reply(f"Posted.{due} You can undo it for 30 seconds.")
