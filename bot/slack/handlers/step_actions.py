"""Block actions on runbooks and their steps: attach, show, tick, ask for a second person, say what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from bot.domain import checklist, dual_control
from bot.domain.errors import Refused
from bot.domain.incident import Ask, Mark
from bot.domain.steps import find_step
from bot.slack.handlers import probes, runbooks, steps
from bot.slack.requests import respond
from bot.slack.requests.context import Reply, Request
from bot.slack.requests.deliveries import int_value
from bot.slack.surfaces import block_kit, modals

ActionValues = Mapping[str, Any]


def attached_slug(call: Request, v: ActionValues) -> str:
    """The attached runbook that a value means (long slugs are shortened there)."""
    wanted = str(v.get("r", ""))
    for one in call.required_incident.checklists:
        if block_kit.slug_ref(one.runbook.slug) == wanted:
            return one.runbook.slug
    raise Refused("That runbook is not attached to this incident any more.")


async def attach(call: Request, v: ActionValues) -> Reply | None:
    await runbooks.attach_slug(call, str(v.get("r", "")), "guess")
    return None


async def decline(call: Request, v: ActionValues) -> Reply | None:
    await call.act("runbook", checklist.decline)
    return None


async def section(call: Request, v: ActionValues) -> Reply | None:
    await call.act(
        "section", partial(checklist.open_section, runbook=attached_slug(call, v), section=int_value(v, "n"))
    )
    return None


async def list_steps(call: Request, v: ActionValues) -> Reply | None:
    await call.open_view(
        modals.list_modal(call.required_incident, attached_slug(call, v), 0, call.services.directory.names)
    )
    return None


async def step(call: Request, v: ActionValues, what: str) -> Reply | None:
    slug, step = attached_slug(call, v), str(v.get("s", ""))
    if what == "done" and await _take_reading_on_tick(call, slug, step):
        return None
    answer = await steps.act_on_step(call, slug, step, what)
    return None if what in ("done", "undo") else answer


async def _take_reading_on_tick(call: Request, slug: str, step: str) -> bool:
    """A step that names a probe takes a reading when it is ticked: the evidence stands beside the tick."""
    _, one, state = find_step(call.required_incident, slug, step)
    if one.probe and one.probe in call.services.probes and state.mark is not Mark.DONE and one.two_people is None:
        call.after_ack(lambda: _respond_with_reading(call, one.probe or "", one.target, f"{slug} {step}"))
    return False


async def _respond_with_reading(call: Request, probe: str, target: str, step: str) -> None:
    reading = await probes.take_reading(replace(call, idempotency_key="", after_ack_jobs=[]), probe, target, step)
    await respond.respond(call, Reply(probes.reading_text(reading)))


async def tick(call: Request, v: ActionValues) -> Reply | None:
    return await step(call, v, "done" if v.get("on") else "undo")


def _ask_of(call: Request, v: ActionValues) -> Ask:
    ask = call.required_incident.asks.get(int_value(v, "a"))
    if ask is None:
        raise Refused("That request is not on this incident any more.")
    return ask


def _try(call: Request, verb: str, rule: Callable[..., object], **arguments: Any) -> None:
    """Raise now what policy and the rule would raise once the form is filled in: nobody fills in a form in vain."""
    call.services.policy.require_right(verb, call.actor)
    rule(call.required_incident, by=call.actor, at=call.services.now(), **arguments)


async def go(call: Request, v: ActionValues) -> Reply | None:
    ask = _ask_of(call, v)
    _try(call, "go", dual_control.give_go, ask=ask.seq, policy=call.services.policy)
    await call.open_view(modals.go_form(call.required_incident, ask, names=call.services.directory.names))
    return None


async def refuse(call: Request, v: ActionValues) -> Reply | None:
    ask = _ask_of(call, v)
    _try(call, "refuse", dual_control.refuse_ask, ask=ask.seq, reason="…")
    await call.open_view(modals.refuse_form(call.required_incident, ask))
    return None


async def done(call: Request, v: ActionValues) -> Reply | None:
    ask = _ask_of(call, v)
    _try(call, "done", dual_control.record_done, ask=ask.seq, result="…")
    await call.open_view(modals.done_form(call.required_incident, ask))
    return None


async def not_done(call: Request, v: ActionValues) -> Reply | None:
    await call.act("not done", partial(dual_control.record_not_done, ask=int_value(v, "a")))
    return None


async def correct(call: Request, v: ActionValues) -> Reply | None:
    await call.open_view(
        modals.note_form(call.required_incident, slug=attached_slug(call, v), step=str(v.get("s", "")), correction=True)
    )
    return None
