"""`/incident …` and `@incident …`: how what somebody typed finds its act.

A first word is a verb only if the rest parses as its arguments. Near a verb, or ambiguous: nothing happens and
buttons say what it may have meant. Everything else is free text.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from bot.domain.actor import ActorKind
from bot.domain.errors import Refused
from bot.domain.policy import Severity
from bot.slack.handlers import declare, more
from bot.slack.handlers.help import usage
from bot.slack.inbound.dispatch import BINDINGS
from bot.slack.requests import deliveries, respond
from bot.slack.requests.ack import was_auto_acked
from bot.slack.requests.arguments import (
    Arguments,
    MissingArguments,
    TimeWithoutZone,
    closest_word,
    severity_like,
    split_first_word,
)
from bot.slack.requests.context import NoTriggerId, Reply, Request
from bot.slack.surfaces.acts import ACT_OF_WORD, ACTS, Act
from bot.slack.surfaces.text import escape, unescape
from bot.slack.workspace.services import Services

#: longest that a text after the command is looked at; Slack's own limit for a message is 40,000
MAX_COMMAND_CHARS = 4000


async def run_command_text(call: Request, text: str) -> Reply | None:
    """Do what somebody said. The answer is for them alone; None where a form was opened. Raises Refused."""
    said = " ".join(text.split()) if "\n" not in text else text.strip()
    call.command_text = said
    if not said:
        return await _bare(call)
    if len(said) > MAX_COMMAND_CHARS:
        raise Refused(f"That is {len(said)} characters; at most {MAX_COMMAND_CHARS} fit. Nothing was done.")
    first, rest = split_first_word(said)
    act = ACT_OF_WORD.get(first.lower())
    # Before anything answers: a name that is not known, or a title that is offered, would be said back.
    await call.refuse_secrets(said, act.value if act else "text")
    if act is None:
        return await _free(call, said, first)
    if call.incident is None and not ACTS[act].works_outside_incident:
        return await _outside_incident_channel(call, act, said, rest)
    if first.lower() in _BEGINS_TITLES and rest:
        return respond.declare_or(
            said,
            "Is that the whole title? Nothing was done.",
            [(f"Declare “{rest[:45]}”", f"{Act.DECLARE} {rest}")],
        )
    reading = BINDINGS[act].read(rest, call)
    if isinstance(reading, Arguments):
        try:
            outcome = await BINDINGS[act].handler(call, **reading.values)
            return outcome if isinstance(outcome, Reply) else None
        except NoTriggerId:
            return respond.open_form_reply("Open the form", f"`{act}` takes a form. Nothing was done yet.", said)
    if isinstance(reading, MissingArguments):
        raise Refused(usage(call, act))
    if isinstance(reading, TimeWithoutZone):
        return respond.ask_time_zone(call, reading)
    return _ambiguous(call, act, said)


#: another word for "declare" that begins titles, too: "new customers cannot sign up"
_BEGINS_TITLES = frozenset({"new"})


async def _bare(call: Request) -> Reply | None:
    if call.incident is None:
        if not call.trigger_id:
            return respond.open_form_reply("Declare an incident", "What is broken?", "declare")
        await call.open_view(declare.declare_view(call, ""))
        return None
    return more.what_next(call)


async def _free(call: Request, said: str, first: str) -> Reply | None:
    """Free text: a title, or a note. One slip away from a verb, or a severity without a verb: ask."""
    if severity_like(first):
        return await _severity_first(call, call.services.policy.severity(first), said[len(first) :].strip())
    meant = closest_word(first, ACT_OF_WORD)
    if meant is not None:
        act = ACT_OF_WORD[meant]
        if BINDINGS[act].read(said[len(first) :].strip(), call) is None:
            return _ambiguous(call, act, said)
        again = f"{meant}{said[len(first) :]}"
        label = f"{act}: {ACTS[act].description}"
        return respond.declare_or(
            said, f"Did you mean `{call.services.command} {escape(again[:80])}`? Nothing was done.", [(label, again)]
        )
    if call.incident is not None:
        return respond.note_or_declare(call.incident, said)
    if not call.trigger_id:
        return respond.declare_or(said, "Shall that be an incident? Nothing was done yet.", ())
    await call.open_view(declare.declare_view(call, said))
    return None


async def _severity_first(call: Request, severity: Severity, rest: str) -> Reply | None:
    """ "sev1 withdrawals stuck": a declaration; in an incident's channel perhaps a change of its severity."""
    if call.incident is None and call.trigger_id:
        await call.open_view(declare.declare_view(call, rest, severity.key))
        return None
    choices = [(f"Declare {severity.name} “{rest[:45]}”", f"declare {severity.key} {rest}")] if rest else []
    if call.incident is not None:
        choices.append((f"Make {call.incident.name} {severity.name}", f"sev {severity.key} {rest}".strip()))
    elif not rest:
        return respond.open_form_reply("Declare an incident", "What is broken?", f"declare {severity.key}")
    return respond.choices_reply("Which of these? Nothing was done yet.", choices)


async def _outside_incident_channel(call: Request, act: Act, said: str, rest: str) -> Reply:
    """A verb of an incident's channel, said elsewhere: where it works; with words after it, perhaps a title."""
    rows = await call.services.service.store.listing(call.actor.team, open_only=True, limit=20)
    # guests and strangers are told of nothing that they were not brought into
    member = call.actor.kind is ActorKind.MEMBER
    where = [f"<#{row.channel}>" for row in rows if member and row.channel and not row.private][:5]
    places = f" Open now: {', '.join(where)}." if where else " None is open now."
    text = f"`{act}` works in an incident's channel. Nothing was done.{places}"
    if not rest:
        return Reply(text)
    return respond.declare_or(said, text, [_help_choice(act)])


def _ambiguous(call: Request, act: Act, said: str) -> Reply:
    """The first word is a verb, the rest is not its arguments: nothing happens."""
    others: list[tuple[str, str]] = []
    if act is Act.NETWORK:
        others.append(("Network reading", "network"))
    elif act is Act.CHECK:
        others += [(f"{name.capitalize()} reading", f"check {name}") for name in sorted(call.services.probes)][:3]
    else:
        others.append(_help_choice(act))
    return respond.declare_or(said, f"That may be a title or `{act}`. Nothing was done.", others)


def _help_choice(act: Act) -> tuple[str, str]:
    return f"How to type {act}", f"help {act}"


async def run_button_text(call: Request, said: str) -> Reply | None:
    """Something said by a button, as if it had been typed."""
    act = ACT_OF_WORD.get(split_first_word(said)[0].lower())
    # Words are written down once, however often the button is pressed; a reading may be taken again and again.
    key = call.once_per_message_key(said) if act is not None and ACTS[act].takes_free_text else call.idempotency_key
    return await run_command_text(replace(call, command_text=said, idempotency_key=key), said)


async def on_command(services: Services, body: Mapping[str, Any], ack: Callable[..., Awaitable[Any]]) -> None:
    """A slash command, from its delivery to its answer: the acknowledgement carries it. Never raises."""
    answer: Reply | None
    call: Request | None = None
    try:
        call = await deliveries.command_request(services, body)
        answer = deliveries.with_channel_lost_warning(
            call, await run_command_text(call, unescape(str(body.get("text") or "")))
        )
    except Exception as error:
        answer = deliveries.error_reply(error, services.say, call)
    if answer is None:
        await ack()
    else:
        await ack(response_type="ephemeral", **respond.reply_payload(answer))
    if call is not None:
        await respond.respond_after_ack(call, answer if was_auto_acked(ack) else None)
