"""`/incident runbook`: attach a runbook, or list them."""

from __future__ import annotations

from functools import partial

from bot.domain import checklist
from bot.domain.errors import Refused
from bot.slack.requests.arguments import Arguments, ParseResult
from bot.slack.requests.context import Reply, Request
from bot.slack.surfaces.text import escape

#: what is said for "none of those that are offered"
NO_RUNBOOK = "none"


def read_runbook(text: str, call: Request) -> ParseResult:
    """A runbook's name, or nothing for the list. More than one word is not a name."""
    return None if len(text.split()) > 1 else Arguments({"name": text})


async def attach(call: Request, name: str = "", how: str = "choice") -> Reply:
    """Attach a runbook, or say which there are; "none": those that the bot offers do not fit.

    `how`: choice, or guess where the bot had offered it.
    """
    services = call.services
    if name == NO_RUNBOOK:
        done = await call.act("runbook", checklist.decline)
        return Reply("Noted: no runbook." if done.events else "No runbook is offered. Nothing changed.")
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
    await call.act("runbook", partial(checklist.attach, runbook=found, how=how))
    return Reply(f"“{escape(found.title)}” is attached: {len(found.steps)} steps, revision {found.revision}.")
