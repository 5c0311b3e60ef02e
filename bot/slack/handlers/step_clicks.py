"""Clicks on runbooks and their steps: attach, show, tick, ask for a second person, agree, say what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from bot.domain import checklist, dual_control
from bot.domain.errors import Refused
from bot.domain.incident import Ask, Mark
from bot.domain.steps import locate
from bot.slack.handlers import looking, steps
from bot.slack.requests import respond
from bot.slack.requests.context import Answer, Call
from bot.slack.requests.deliveries import number
from bot.slack.surfaces import block_kit, modals

Values = Mapping[str, Any]


def slug_of(call: Call, v: Values) -> str:
    """The attached runbook that a value means (long slugs are shortened there)."""
    wanted = str(v.get("r", ""))
    for one in call.known.checklists:
        if block_kit.ref(one.runbook.slug) == wanted:
            return one.runbook.slug
    raise Refused("That runbook is not attached to this incident any more.")


async def attach(call: Call, v: Values) -> Answer | None:
    await steps.attach_slug(call, str(v.get("r", "")), "guess")
    return None


async def decline(call: Call, v: Values) -> Answer | None:
    await call.act("runbook", checklist.decline)
    return None


async def section(call: Call, v: Values) -> Answer | None:
    await call.act("section", partial(checklist.open_section, runbook=slug_of(call, v), section=number(v, "n")))
    return None


async def list_steps(call: Call, v: Values) -> Answer | None:
    await call.open(modals.list_modal(call.known, slug_of(call, v), 0, call.desk.directory.names))
    return None


async def step(call: Call, v: Values, what: str) -> Answer | None:
    slug, step = slug_of(call, v), str(v.get("s", ""))
    if what == "done" and await _probe_first(call, slug, step):
        return None
    answer = await steps.act_on_step(call, slug, step, what)
    return None if what in ("done", "undo") else answer


async def _probe_first(call: Call, slug: str, step: str) -> bool:
    """A step that names a probe takes a reading when it is ticked: the evidence stands beside the tick."""
    _, one, state = locate(call.known, slug, step)
    if one.probe and one.probe in call.desk.probes and state.mark is not Mark.DONE and one.two_people is None:
        call.after(lambda: _read_beside(call, one.probe or "", one.target, f"{slug} {step}"))
    return False


async def _read_beside(call: Call, probe: str, target: str, step: str) -> None:
    reading = await looking.look(replace(call, key="", later=[]), probe, target, step)
    await respond.respond(call, Answer(looking.reading_text(reading)))


async def tick(call: Call, v: Values) -> Answer | None:
    return await step(call, v, "done" if v.get("on") else "undo")


def _ask_of(call: Call, v: Values) -> Ask:
    ask = call.known.asks.get(number(v, "a"))
    if ask is None:
        raise Refused("That request is not on this incident any more.")
    return ask


def _try(call: Call, verb: str, rule: Callable[..., object], **arguments: Any) -> None:
    """Raise now what policy and the rule would raise once the form is filled in: nobody fills in a form in vain."""
    call.desk.policy.allow(verb, call.actor)
    rule(call.known, by=call.actor, at=call.desk.now(), **arguments)


async def go(call: Call, v: Values) -> Answer | None:
    ask = _ask_of(call, v)
    _try(call, "go", dual_control.go, ask=ask.seq, policy=call.desk.policy)
    await call.open(modals.go_form(call.known, ask, names=call.desk.directory.names))
    return None


async def refuse(call: Call, v: Values) -> Answer | None:
    ask = _ask_of(call, v)
    _try(call, "refuse", dual_control.refuse, ask=ask.seq, reason="…")
    await call.open(modals.refuse_form(call.known, ask))
    return None


async def done(call: Call, v: Values) -> Answer | None:
    ask = _ask_of(call, v)
    _try(call, "done", dual_control.done, ask=ask.seq, result="…")
    await call.open(modals.done_form(call.known, ask))
    return None


async def not_done(call: Call, v: Values) -> Answer | None:
    await call.act("not done", partial(dual_control.not_done, ask=number(v, "a")))
    return None


async def correct(call: Call, v: Values) -> Answer | None:
    await call.open(modals.note_form(call.known, slug=slug_of(call, v), step=str(v.get("s", "")), correction=True))
    return None
