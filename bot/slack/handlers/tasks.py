"""`/incident task`: an action item."""

from __future__ import annotations

from functools import partial
from typing import Any

from bot.domain import notes
from bot.slack.requests.arguments import Arguments, MissingArguments, ParseResult, person_in
from bot.slack.requests.context import Reply, Request

Values = dict[str, Any]


def read_task(text: str, call: Request) -> ParseResult:
    """[@who] text [by date]."""
    if not text:
        return MissingArguments()
    found = person_in(text, call.actor.user)
    assignee, words = found if found else ("", text)
    if not words:
        return MissingArguments()
    body, sep, due = words.rpartition(" by ")
    if sep and body and len(due.split()) <= 3:
        return Arguments({"text": body, "assignee": assignee, "due": due})
    return Arguments({"text": words, "assignee": assignee, "due": ""})


async def task(call: Request, values: Values) -> Reply:
    """An action item."""
    text = await call.refuse_secrets(values["text"], "task")
    assignee = await call.resolve_member(values["assignee"]) if values["assignee"] else ""
    await call.act("task", partial(notes.add_task, text=text, assignee=assignee, due=values["due"]))
    who = f" for <@{assignee}>" if assignee else ""
    return Reply(f"Task{who} written down; it will be in the postmortem.")
