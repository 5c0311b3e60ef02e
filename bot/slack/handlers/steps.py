"""`/incident step`: act on one step of an attached runbook."""

from __future__ import annotations

from functools import partial
from typing import Any

from bot.domain import checklist, dual_control
from bot.domain.errors import Refused
from bot.domain.incident import Mark
from bot.domain.runbook import TwoPeople
from bot.domain.steps import find_step, open_ask
from bot.slack.requests.arguments import Arguments, MissingArguments, ParseResult
from bot.slack.requests.context import Reply, Request
from bot.slack.surfaces import modals

Values = dict[str, Any]


def read_step(text: str, call: Request) -> ParseResult:
    """[runbook] 2.3 done | undo | skip why | note text | ask | review | alone why."""
    words = text.split()
    if not words:
        return MissingArguments()
    position = next((n for n, word in enumerate(words) if word.lower() in _STEP_WORDS), None)
    if position is None or position == 0:
        last = words[-1]
        return MissingArguments() if len(words) <= 2 and any(c.isdigit() for c in last) else None
    if position > 2 or not any(c.isdigit() for c in words[position - 1]):
        return None
    return Arguments(
        {
            "which": " ".join(words[:position]),
            "what": _STEP_WORDS[words[position].lower()],
            "rest": " ".join(words[position + 1 :]),
        }
    )


_STEP_WORDS = {
    "done": "done", "tick": "done", "undo": "undo", "untick": "undo", "skip": "skip", "note": "note", "ask": "ask",
    "review": "review", "reviewed": "review", "alone": "alone", "go": "go", "refuse": "refuse", "notdone": "not-done",
    "not-done": "not-done", "correct": "correct", "stopped": "done",
}  # fmt: skip


async def step(call: Request, values: Values) -> Reply | None:
    """Act on one step, by its id."""
    incident = call.required_incident
    slug, id = checklist.resolve_step(incident, values["which"])
    rest = await call.refuse_secrets(values["rest"], "text")
    return await act_on_step(call, slug, id, values["what"], rest)


async def act_on_step(call: Request, slug: str, id: str, what: str, rest: str = "") -> Reply | None:
    """What a tick box, a button or a typed word does to a step; the answer says what came of it."""
    incident, policy = call.required_incident, call.services.policy
    _, one, state = find_step(incident, slug, id)
    match what:
        case "done" if one.two_people is TwoPeople.AFTER:
            await call.act(
                "stop",
                partial(
                    dual_control.record_stopped,
                    runbook=slug,
                    step=id,
                    note=rest,
                    confirmers=call.confirmers(),
                    policy=policy,
                ),
            )
            return Reply(f"Step {id} is done; a second person reviews it. Say who, if nobody does: they were asked.")
        case "done" if one.two_people is TwoPeople.BEFORE and state.mark is Mark.GO:
            ask = open_ask(incident, state)
            if ask is not None and not rest:
                await call.open_view(modals.done_form(incident, ask))
                return None
            await call.act("done", partial(dual_control.record_done, ask=state.ask, result=rest))
            return Reply(f"Step {id} is done, by two people.")
        case "done":
            done = await call.act("tick", partial(checklist.tick, runbook=slug, step=id))
            return Reply(f"Step {id} is done." if done.events else f"Step {id} was done already.")
        case "undo":
            done = await call.act("tick", partial(checklist.untick, runbook=slug, step=id))
            return Reply(f"Step {id} is open again." if done.events else f"Step {id} was open already.")
        case "skip":
            if not rest:
                await call.open_view(modals.skip_form(incident, slug, id))
                return None
            await call.act("skip", partial(checklist.skip, runbook=slug, step=id, reason=rest))
            return Reply(f"Step {id} is skipped.")
        case "note":
            await call.act("note", partial(checklist.note_step, runbook=slug, step=id, text=rest))
            return Reply(f"Noted on step {id}.")
        case "correct":
            await call.act("note", partial(checklist.correct, runbook=slug, step=id, text=rest))
            return Reply(f"Corrected on step {id}; what was done stays in the timeline.")
        case "ask":
            if call.trigger_id:
                await call.open_view(modals.ask_form(incident, slug, id))
                return None
            await call.act(
                "ask",
                partial(
                    dual_control.ask_second_person,
                    runbook=slug,
                    step=id,
                    evidence=rest,
                    confirmers=call.confirmers(),
                    policy=policy,
                ),
            )
            return Reply(f"Asked for a second person on step {id}. They have a message of their own.")
        case "go":
            done = await call.act("go", partial(dual_control.give_go, ask=_ask(state.ask, id), policy=policy))
            return Reply(f"Go given on step {id}. The one who asked does it within 10 minutes.")
        case "refuse":
            await call.act("refuse", partial(dual_control.refuse_ask, ask=_ask(state.ask, id), reason=rest))
            return Reply(f"Refused on step {id}.")
        case "not-done":
            await call.act("not done", partial(dual_control.record_not_done, ask=_ask(state.ask, id), reason=rest))
            return Reply(f"Step {id} was not done; it is open again.")
        case "review":
            await call.act(
                "review", partial(dual_control.record_review, runbook=slug, step=id, note=rest, policy=policy)
            )
            return Reply(f"Step {id} is reviewed.")
        case "alone":
            await call.act(
                "alone",
                partial(
                    dual_control.record_done_alone,
                    runbook=slug,
                    step=id,
                    reason=rest,
                    confirmers=call.confirmers(),
                    policy=policy,
                ),
            )
            return Reply(f"Step {id} is recorded as done alone: an exception that a second person has to review.")
    raise Refused(f"A step can be: done, undo, skip, note, ask, go, refuse, review, correct, alone. Not “{what[:20]}”.")


def _ask(seq: int, id: str) -> int:
    if not seq:
        raise Refused(f"Nobody asks for a second person on step {id}.")
    return seq
