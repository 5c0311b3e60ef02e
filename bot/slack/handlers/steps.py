"""Runbooks' steps: ticking, skipping, asking a second person, saying what came of it; by box, button, form or word.

A step that names a probe is looked at before it counts as done, whichever way somebody says that it is done: the
reading stands beside the step for everybody.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from bot.domain import checklist, dual_control, events
from bot.domain.errors import Refused
from bot.domain.incident import Ask
from bot.domain.names import join_names
from bot.domain.steps import find_step
from bot.domain.time_text import lasted
from bot.slack.handlers import probes
from bot.slack.requests import respond
from bot.slack.requests.arguments import Arguments, MissingArguments, ParseResult
from bot.slack.requests.context import Reply, Request
from bot.slack.surfaces import modals
from bot.slack.surfaces.acts import StepAct
from bot.slack.surfaces.button_values import ReadingValue

#: what people type for an act on a step; two words that need blanks stand as one
STEP_WORDS = {
    **{one.value: one for one in StepAct},
    "tick": StepAct.DONE, "stopped": StepAct.DONE, "untick": StepAct.UNDO, "reviewed": StepAct.REVIEW,
    "notdone": StepAct.NOT_DONE,
}  # fmt: skip


def read_step(text: str, call: Request) -> ParseResult:
    """[runbook] 2.3 done | undo | skip why | note text | ask | review | alone why."""
    words = text.split()
    if not words:
        return MissingArguments()
    position = next((n for n, word in enumerate(words) if word.lower() in STEP_WORDS), None)
    if position is None or position == 0:
        last = words[-1]
        return MissingArguments() if len(words) <= 2 and any(c.isdigit() for c in last) else None
    if position > 2 or not any(c.isdigit() for c in words[position - 1]):
        return None
    return Arguments(
        {
            "which": " ".join(words[:position]),
            "what": STEP_WORDS[words[position].lower()],
            "text": " ".join(words[position + 1 :]),
        }
    )


async def step(call: Request, which: str, what: StepAct, text: str = "") -> Reply | None:
    """Act on one step, named by its number, where needed with its runbook."""
    runbook, id = checklist.resolve_step(call.required_incident, which)
    return await act_on_step(call, runbook, id, what, text)


async def act_on_step(
    call: Request, runbook: str, step: str, what: StepAct, text: str = "", reading: int = 0
) -> Reply | None:
    """What a box, a button, a form or a typed word does to a step. `runbook`: its slug or `Runbook.ref`.

    `reading`: with DONE, the seq of a reading that is not ok and that the person has read.
    """
    text = await call.refuse_secrets(text, _FIELD.get(what, "text"))
    policy = call.services.policy
    of_step: dict[str, Any] = {"runbook": runbook, "step": step}
    match what:
        case StepAct.DONE:
            return await _finish(call, runbook, step, text, reading)
        case StepAct.UNDO:
            done = await call.act("tick", partial(checklist.untick, **of_step))
            return Reply(f"Step {step} is open again." if done.events else f"Step {step} was open already.")
        case StepAct.SKIP:
            if not text and not call.is_form:
                await call.open_view(modals.skip_form(call.required_incident, runbook, step))
                return None
            await call.act("skip", partial(checklist.skip, **of_step, reason=text))
            return Reply(f"Step {step} is skipped.")
        case StepAct.NOTE:
            await call.act("note", partial(checklist.note_step, **of_step, text=text))
            return Reply(f"Noted on step {step}.")
        case StepAct.CORRECT:
            if not text and not call.is_form:
                await open_correction_form(call, runbook, step)
                return None
            await call.act("note", partial(checklist.correct, **of_step, text=text))
            return Reply(f"Corrected on step {step}; what was done stays in the timeline.")
        case StepAct.ASK:
            if call.trigger_id:
                await call.open_view(modals.ask_form(call.required_incident, runbook, step))
                return None
            return await ask(call, runbook, step, evidence=text)
        case StepAct.GO:
            return await give_go(call, _ask_of_step(call, runbook, step))
        case StepAct.REFUSE:
            return await refuse_ask(call, _ask_of_step(call, runbook, step), text)
        case StepAct.NOT_DONE:
            return await record_not_done(call, _ask_of_step(call, runbook, step), text)
        case StepAct.REVIEW:
            await call.act("review", partial(dual_control.record_review, **of_step, note=text, policy=policy))
            return Reply(f"Step {step} is reviewed.")
        case StepAct.ALONE:
            rule = partial(
                dual_control.record_done_alone, **of_step, reason=text, confirmers=call.confirmers(), policy=policy
            )
            await call.act("alone", rule)
            return Reply(f"Step {step} is recorded as done alone: an exception that a second person has to review.")


#: the field of a form that holds the words of an act; of others it is "text"
_FIELD = {StepAct.SKIP: "reason", StepAct.REFUSE: "reason", StepAct.ALONE: "reason"}


# -- done -------------------------------------------------------------------------------------------------


async def _finish(call: Request, runbook: str, step: str, text: str, reading: int) -> Reply | None:
    """Tick, stop, or record what came of a go: the rule looks the step up and decides which it is."""
    rule = partial(
        checklist.finish,
        runbook=runbook,
        step=step,
        text=text,
        reading=reading,
        despite_reading=bool(reading),
        probes=call.services.probes,
        confirmers=call.confirmers(),
        policy=call.services.policy,
    )
    try:
        done = await call.act("finish", rule)
    except checklist.ReadingNeeded as needed:
        call.after_ack(partial(_finish_after_reading, call, runbook, step, needed))
        return Reply(f"Looking at {needed.probe} before step {step} counts as done.")
    except Refused as refused:
        if refused.field != "result" or call.is_form:
            raise
        await done_form(call, _ask_of_step(call, runbook, step))
        return None
    if not done.events:
        return Reply(f"Step {step} was done already.")
    match done.events[-1]:
        case events.StoppedFirst():
            return Reply(f"Step {step} is done; a second person reviews it and has been asked.")
        case events.AskDone():
            return Reply(f"Step {step} is done, by two people.")
    return Reply(f"Step {step} is done.")


async def _finish_after_reading(call: Request, runbook: str, step: str, needed: checklist.ReadingNeeded) -> None:
    """Look, show it beside the step, then tick; a reading that is not ok is asked about first."""
    look = replace(call, idempotency_key="", after_ack_jobs=[])
    slug = find_step(call.required_incident, runbook, step)[0].runbook.slug
    try:
        seq = await probes.take_step_reading(look, needed.probe, needed.target, slug, step)
        rule = partial(
            checklist.finish, runbook=slug, step=step, reading=seq, probes=call.services.probes,
            policy=call.services.policy,
        )  # fmt: skip
        await call.act("finish", rule)
    except checklist.ReadingNotOk as not_ok:
        value = ReadingValue(incident=call.required_incident.id, runbook=runbook, step=step, reading=not_ok.reading.seq)
        await respond.respond(call, respond.done_despite_reply(call.services.say(not_ok.sentence), value))
    except Refused as refused:
        await respond.respond(call, Reply(call.services.say(refused.sentence)))


# -- two people -------------------------------------------------------------------------------------------


async def ask(
    call: Request, runbook: str, step: str, count: str = "", amount: str = "", evidence: str = "", again: bool = False
) -> Reply:
    """Ask a second person before the act."""
    rule = partial(
        dual_control.ask_second_person,
        runbook=runbook,
        step=step,
        count=await call.refuse_secrets(count, "count"),
        amount=await call.refuse_secrets(amount, "amount"),
        evidence=await call.refuse_secrets(evidence, "evidence"),
        confirmers=call.confirmers(),
        repeat=again,
        policy=call.services.policy,
    )
    done = await call.act("ask", rule)
    asked = next((one for one in done.events if isinstance(one, events.Asked)), None)
    people = join_names((f"<@{user}>" for user in asked.to), "or") if asked else ""
    return Reply(f"Asked {people}. Wait for the go-ahead; the message in the channel shows it.")


async def go_form(call: Request, ask: int) -> None:
    """The form that repeats what is asked; refused now where the go would be refused then."""
    found = _open_ask(call, ask)
    _try(call, "go", dual_control.give_go, ask=ask, policy=call.services.policy)
    await call.open_view(modals.go_form(call.required_incident, found, names=call.services.directory.names))


async def give_go(call: Request, ask: int) -> Reply:
    """A second person agrees."""
    done = await call.act("go", partial(dual_control.give_go, ask=ask, policy=call.services.policy))
    within = lasted(call.services.policy.go_stands)
    return Reply(f"Go given on step {done.incident.asks[ask].asked.step}. The one who asked does it within {within}.")


async def refuse_form(call: Request, ask: int) -> None:
    """The form that asks why not."""
    found = _open_ask(call, ask)
    _try(call, "refuse", dual_control.refuse_ask, ask=ask, reason="…")
    await call.open_view(modals.refuse_form(call.required_incident, found))


async def refuse_ask(call: Request, ask: int, reason: str = "") -> Reply:
    """A second person does not agree."""
    reason = await call.refuse_secrets(reason, "reason")
    done = await call.act("refuse", partial(dual_control.refuse_ask, ask=ask, reason=reason))
    return Reply(f"Refused on step {done.incident.asks[ask].asked.step}.")


async def done_form(call: Request, ask: int) -> None:
    """The form that asks what came of it."""
    found = _open_ask(call, ask)
    _try(call, "done", dual_control.record_done, ask=ask, result="…")
    await call.open_view(modals.done_form(call.required_incident, found))


async def record_done(call: Request, ask: int, result: str) -> Reply:
    """The asker did what two people agreed on."""
    result = await call.refuse_secrets(result, "result")
    done = await call.act("done", partial(dual_control.record_done, ask=ask, result=result))
    return Reply(f"Step {done.incident.asks[ask].asked.step} is done, by two people.")


async def record_not_done(call: Request, ask: int, reason: str = "") -> Reply:
    """The asker takes it back."""
    done = await call.act("not done", partial(dual_control.record_not_done, ask=ask, reason=reason))
    return Reply(f"Step {done.incident.asks[ask].asked.step} was not done; it is open again.")


def _open_ask(call: Request, seq: int) -> Ask:
    found = call.required_incident.asks.get(seq)
    if found is None:
        raise Refused("That request is not on this incident any more.")
    return found


def _ask_of_step(call: Request, runbook: str, step: str) -> int:
    """The seq of the latest request for a second person on this step."""
    _, _, state = find_step(call.required_incident, runbook, step)
    if not state.ask:
        raise Refused(f"Nobody asks for a second person on step {step}.")
    return state.ask


def _try(call: Request, verb: str, rule: Callable[..., object], **arguments: Any) -> None:
    """Raise now what policy and the rule would raise once the form is filled in: nobody fills in a form in vain."""
    call.services.policy.require_right(verb, call.actor)
    rule(call.required_incident, by=call.actor, at=call.services.now(), **arguments)


# -- showing and correcting -------------------------------------------------------------------------------


async def open_correction_form(call: Request, runbook: str, step: str) -> None:
    """The form that puts right what is recorded of a step."""
    slug = find_step(call.required_incident, runbook, step)[0].runbook.slug
    await call.open_view(modals.note_form(call.required_incident, slug=slug, step=step, correction=True))


def read_steps(text: str, call: Request) -> ParseResult:
    """A runbook's name, or nothing where only one is attached."""
    return None if len(text.split()) > 1 else Arguments({"runbook": text.lower()})


async def steps(call: Request, runbook: str = "") -> None:
    """The steps of a runbook as a list, of ten on a page, each with what can be pressed."""
    incident = call.required_incident
    found = checklist.resolve_runbook(incident, runbook)
    names = call.services.directory.names
    await call.open_view(
        modals.list_modal(incident, found.slug, names=names, channel=call.channel, response_url=call.response_url)
    )


async def open_section(call: Request, runbook: str, section: int) -> None:
    """Show a section in the thread, or again once it is one line."""
    await call.act("section", partial(checklist.open_section, runbook=runbook, section=section))
