"""`/incident check`, `network`: take a reading, answer with it, keep it in the timeline."""

from __future__ import annotations

from functools import partial
from typing import Any

from bot.domain import notes
from bot.domain.errors import Refused
from bot.domain.probe_reading import Reading
from bot.slack.requests import respond
from bot.slack.requests.arguments import Arguments, MissingArguments, ParseResult
from bot.slack.requests.context import Reply, Request
from bot.slack.surfaces.text import clip, escape

Values = dict[str, Any]


def read_check(text: str, call: Request) -> ParseResult:
    """A probe's name, and perhaps a target of one word."""
    words = text.split()
    if not words:
        return MissingArguments()
    if words[0].lower() not in call.services.probes or len(words) > 2:
        return None
    return Arguments({"probe": words[0].lower(), "target": words[1] if len(words) > 1 else ""})


def read_network(text: str, call: Request) -> ParseResult:
    """The reading of the Stellar network, with nothing after it."""
    return None if text else Arguments({"probe": "horizon", "target": ""})


async def check(call: Request, values: Values) -> Reply:
    """Look, say what was seen, and keep it where there is an incident."""
    call.services.policy.require_right("reading", call.actor)
    call.after_ack(lambda: _respond_with_reading(call, values["probe"], values["target"], ""))
    return Reply("Looking. The answer follows in a few seconds.")


async def _respond_with_reading(call: Request, probe: str, target: str, step: str) -> None:
    try:
        reading = await take_reading(call, probe, target, step)
    except Refused as refused:
        await respond.respond(call, Reply(refused.sentence))
        return
    await respond.respond(call, Reply(reading_text(reading)))


async def take_reading(call: Request, probe: str, target: str, step: str) -> Reading:
    """Take a reading; with an open incident it goes into the timeline."""
    read = call.services.probes.get(probe)
    if read is None:
        raise Refused(f"There is no probe “{escape(probe[:40])}”. There is: {', '.join(sorted(call.services.probes))}.")
    reading = await read(target, call.services.now())
    if call.incident is not None and call.incident.seq:
        await call.act(
            "reading",
            partial(
                notes.take_reading,
                probe=probe,
                target=target,
                state=reading.state.value,
                sentence=reading.sentence,
                evidence=tuple(one.sentence for one in reading.evidence),
                step=step,
            ),
            key="",
        )
    return reading


def reading_text(reading: Reading) -> str:
    """The verdict, and the evidence beneath it."""
    evidence = "\n".join(f"• {escape(one.sentence)}" for one in reading.evidence)
    return clip(f"*{reading.probe}: {reading.state.value}.* {escape(reading.sentence)}\n{evidence}".strip(), 3800)
