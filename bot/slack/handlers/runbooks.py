"""`/incident runbook`: attach a runbook, or list them."""

from __future__ import annotations

from functools import partial
from typing import Any

from bot.domain import checklist
from bot.domain.errors import Refused
from bot.slack.requests.arguments import Arguments, ParseResult
from bot.slack.requests.context import Reply, Request
from bot.slack.surfaces.text import escape

Values = dict[str, Any]


def read_runbook(text: str, call: Request) -> ParseResult:
    """A runbook's name, or nothing for the list. More than one word is not a name."""
    if len(text.split()) > 1:
        return None
    return Arguments({"name": text})


async def attach(call: Request, values: Values) -> Reply:
    """Attach a runbook by choice, or say which there are."""
    services, name = call.services, values["name"]
    if not name:
        attached = [one.runbook for one in call.incident.checklists] if call.incident else []
        have = f"Attached: {', '.join(escape(one.title) for one in attached)}. " if attached else ""
        known = (
            ", ".join(f"`{slug}`" for slug in sorted(services.runbooks.runbooks))
            or "none: the folder of runbooks is empty"
        )
        return Reply(f"{have}Runbooks: {known}. Attach one: `{services.command} runbook NAME`.")
    found = services.runbooks.find(name)
    if found is None:
        nearest = " or ".join(f"`{slug}`" for slug in services.runbooks.close_matches(name))
        hint = f" Did you mean {nearest}?" if nearest else f" `{services.command} runbook` lists them."
        raise Refused(f"There is no runbook “{escape(name[:60])}”.{hint}")
    await attach_slug(call, found.slug, "choice")
    return Reply(f"“{escape(found.title)}” is attached: {len(found.steps)} steps, revision {found.revision}.")


async def attach_slug(call: Request, slug: str, how: str) -> None:
    """Attach the runbook of that name."""
    found = call.services.runbooks.find(slug)
    if found is None:
        raise Refused("That runbook is not on the shelf any more.")
    await call.act("runbook", partial(checklist.attach, runbook=found, how=how))
