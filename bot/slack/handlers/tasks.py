"""Action items: writing one down, and saying that it is done."""

from __future__ import annotations

from functools import partial

from bot.domain import notes
from bot.domain.errors import Refused
from bot.slack.requests.arguments import Arguments, MissingArguments, ParseResult, person_in
from bot.slack.requests.context import Reply, Request
from bot.slack.requests.due_day import split_due
from bot.slack.surfaces.text import clip, escape_line
from bot.slack.surfaces.words import channel as words


def read_task(text: str, call: Request) -> ParseResult:
    """[@who] text [by day]. The day is read by the handler, which can ask back."""
    if not text:
        return MissingArguments()
    found = person_in(text, call.actor.user)
    assignee, said = found if found else ("", text)
    if not said:
        return MissingArguments()
    return Arguments({"text": said, "assignee": assignee})


async def task(call: Request, text: str, assignee: str = "", due: str = "") -> Reply:
    """An action item."""
    field = "text" if call.is_form else "task"
    said = await call.refuse_secrets(f"{text} by {due}" if due else text, field)
    what, words_of_day, day = split_due(said, call.services.now().date())
    if due and not day:
        raise Refused("Write a day, such as Friday or 2026-12-04.", field="due")
    assignee = await call.resolve_member(assignee) if assignee else ""
    rule = partial(notes.add_task, text=what, assignee=assignee, due=words_of_day, due_on=day)
    await call.act("task", rule)
    who = f" for <@{assignee}>" if assignee else ""
    by = f", due {words.day(day)}" if day else ""
    return Reply(f"Task{who} written down{by}; it will be in the postmortem.")


def read_task_number(text: str, call: Request) -> ParseResult:
    """The number of an open action item, as [More] and the refusal list them."""
    if not text:
        return Arguments({})
    number = text.removeprefix("#")
    return Arguments({"number": int(number)}) if number.isdigit() and len(number) < 5 else None


async def finish_task(call: Request, task: int = 0, number: int = 0) -> Reply:
    """An action item is done: the one of this seq (`task`), of this `number` in the list, or the only open one."""
    tasks = call.required_incident.tasks
    call.services.policy.require_right("task", call.actor)
    if not task:
        task = _numbered_task(call, number)
    await call.act("task", partial(notes.finish_task, seq=task))
    done = next((one.text for one in tasks if one.seq == task), "")
    return Reply(f"Done: {clip(escape_line(done), 200)}")


def _numbered_task(call: Request, number: int) -> int:
    """The seq of the action item that is meant."""
    incident = call.required_incident
    waiting = {n: one for n, one in enumerate(incident.tasks, 1) if not one.done}
    if not waiting:
        raise Refused(f"{incident.name} has no open action item.")
    if not number and len(waiting) == 1:
        number = next(iter(waiting))
    if number not in waiting:
        listed = "; ".join(f"{n}: {clip(escape_line(one.text), 60)}" for n, one in list(waiting.items())[:10])
        raise Refused(f"Say which action item by its number. Open: {listed}.", field="task")
    return waiting[number].seq
