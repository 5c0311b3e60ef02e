"""`/incident check`, `network`: take a reading, answer with it, keep it in the timeline."""

from __future__ import annotations

from functools import partial

from bot.domain import notes
from bot.domain.errors import Refused
from bot.domain.probe_reading import Reading
from bot.service import ActResult
from bot.slack.requests import respond
from bot.slack.requests.arguments import Arguments, MissingArguments, ParseResult
from bot.slack.requests.context import Reply, Request
from bot.slack.surfaces.text import clip, escape


def read_check(text: str, call: Request) -> ParseResult:
    """A probe's name, and perhaps a target of one word."""
    words = text.split()
    if not words:
        return MissingArguments()
    probe = call.services.probes.get(words[0].lower())
    # Only a source's name may follow: "check horizon failures" is a title.
    if probe is None or len(words) > 2 or (len(words) == 2 and words[1].lower() not in probe.targets):
        return None
    return Arguments({"probe": words[0].lower(), "target": words[1] if len(words) > 1 else ""})


async def check(call: Request, probe: str, target: str = "") -> Reply:
    """Look, say what was seen, and keep it where there is an incident."""
    call.services.policy.require_right("reading", call.actor)
    call.after_ack(lambda: _respond_with_reading(call, probe, target))
    return Reply("Looking. The answer follows in a few seconds.")


async def network(call: Request) -> Reply:
    """The reading of the Stellar network."""
    return await check(call, "horizon")


async def _respond_with_reading(call: Request, probe: str, target: str) -> None:
    try:
        reading = await _read(call, probe, target)
        await _keep(call, reading, target)
    except Refused as refused:
        await respond.respond(call, Reply(call.services.say(refused.sentence)))
        return
    await respond.respond(call, Reply(reading_text(reading)))


async def take_step_reading(call: Request, probe: str, target: str, runbook: str, step: str) -> int:
    """Take the reading that a step names, and show it beside the step; the seq under which it is kept."""
    done = await _keep(call, await _read(call, probe, target), target, runbook, step)
    return done.incident.seq if done is not None else 0


async def _read(call: Request, probe: str, target: str) -> Reading:
    found = call.services.probes.get(probe)
    if found is None:
        raise Refused(f"There is no probe “{escape(probe[:40])}”. There is: {', '.join(sorted(call.services.probes))}.")
    return await found.read(target, call.services.now())


async def _keep(call: Request, reading: Reading, target: str, runbook: str = "", step: str = "") -> ActResult | None:
    """Into the timeline, where there is an incident."""
    if call.incident is None or not call.incident.seq:
        return None
    rule = partial(
        notes.take_reading,
        probe=reading.probe,
        target=target,
        state=reading.state.value,
        sentence=reading.sentence,
        evidence=tuple(one.sentence for one in reading.evidence),
        runbook=runbook,
        step=step,
    )
    return await call.act("reading", rule, key="")


def reading_text(reading: Reading) -> str:
    """The verdict, and the evidence beneath it."""
    evidence = "\n".join(f"• {escape(one.sentence)}" for one in reading.evidence)
    return clip(f"*{reading.probe}: {reading.state.value}.* {escape(reading.sentence)}\n{evidence}".strip(), 3800)
