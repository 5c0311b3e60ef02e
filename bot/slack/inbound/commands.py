"""`/incident …` and `@incident …`: one table of verbs, and how what somebody typed finds its row.

A first word is a verb only if the rest parses as its arguments. Near a verb, or ambiguous: nothing happens and
buttons say what it may have meant. Everything else is free text.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.domain.actor import ActorKind
from bot.domain.errors import Refused
from bot.domain.policy import Severity
from bot.slack.handlers import (
    acknowledge,
    backfill,
    customer_messages,
    declare,
    ending,
    facts,
    notes,
    people,
    postmortem,
    probes,
    roles,
    runbooks,
    severity,
    status,
    steps,
    tasks,
    updates,
    waiting,
)
from bot.slack.requests import deliveries, readers, respond
from bot.slack.requests.ack import was_auto_acked
from bot.slack.requests.arguments import (
    Arguments,
    MissingArguments,
    ParseResult,
    TimeWithoutZone,
    closest_word,
    severity_like,
    split_first_word,
)
from bot.slack.requests.context import NoTriggerId, Reply, Request
from bot.slack.surfaces import block_kit, modals
from bot.slack.surfaces.text import escape, unescape
from bot.slack.workspace.services import Services

ArgumentReader = Callable[[str, Request], ParseResult]
SubcommandHandler = Callable[[Request, dict[str, Any]], Awaitable[Reply | None]]


@dataclass(frozen=True)
class Subcommand:
    """One row of the table: what it is called, how it is typed, what it does, and where it works."""

    name: str
    aliases: tuple[str, ...]
    usage: str  # what follows the verb
    description: str
    read: ArgumentReader
    handler: SubcommandHandler
    works_outside_incident: bool = False
    #: the whole text is the person's own words: outside an incident it may just as well be a title
    takes_free_text: bool = False
    group: str = "In the incident"


async def _help(call: Request, values: dict[str, Any]) -> Reply:
    return help_reply(call, values["verb"])


def _read_help(text: str, call: Request) -> ParseResult:
    word = text.lower()
    if not word:
        return Arguments({"verb": ""})
    return Arguments({"verb": word}) if word in SUBCOMMANDS_BY_WORD else None


SUBCOMMANDS: tuple[Subcommand, ...] = (
    Subcommand("declare", ("new",), "[sev1|sev2|sev3] title", "Declare an incident: a channel opens, you lead it.",
        declare.read_declare, declare.declare, works_outside_incident=True, group="Begin"),
    Subcommand("backfill", (), "", "Record this channel, made by hand, as an incident, with what is pinned in it.",
        readers.read_nothing, backfill.open_backfill_form, works_outside_incident=True, group="Begin"),
    Subcommand("ack", (), "", "Say that you answer for it.", readers.read_nothing, acknowledge.ack, group="Begin"),
    Subcommand("status", ("st",), "", "Where it stands; elsewhere: what is open.", readers.read_nothing, status.status,
        works_outside_incident=True, group="Look"),
    Subcommand("list", ("ls",), "", "What is open, worst first.", readers.read_nothing, status.listing,
        works_outside_incident=True, group="Look"),
    Subcommand("timeline", ("tl",), "", "The last lines of what happened.", readers.read_nothing, status.timeline,
        group="Look"),
    Subcommand("who", (), "", "Who leads, who is here.", readers.read_nothing, people.who, group="Look"),
    Subcommand("check", (), "horizon [endpoint]", "A reading; nothing is changed anywhere.", probes.read_check,
        probes.check, works_outside_incident=True, group="Look"),
    Subcommand("network", (), "", "A reading of the Stellar network.", probes.read_network, probes.check,
        works_outside_incident=True, group="Look"),
    Subcommand("sev", ("severity",), "1|2|3 [reason]", "Raise, lower or confirm the severity.", severity.read_sev,
        severity.sev, group="Facts"),
    Subcommand("title", (), "what is broken", "Correct the title.", readers.read_text, facts.title,
        takes_free_text=True, group="Facts"),
    Subcommand("impact", (), "who is affected", "State the impact on the card.", readers.read_text, facts.impact,
        takes_free_text=True, group="Facts"),
    Subcommand("started", (), "13:40 UTC", "Correct when it began.", facts.read_time, facts.started, group="Facts"),
    Subcommand("lead", ("ic",), "@who | me", "Hand the lead over.", readers.read_person, roles.lead, group="People"),
    Subcommand("comms-lead", (), "@who | me", "Hand customer comms over.", readers.read_person, roles.comms_lead,
        group="People"),
    Subcommand("scribe", (), "@who | me", "Hand the writing over.", readers.read_person, roles.scribe,
        group="People"),
    Subcommand("add", (), "@who", "Bring somebody into the channel.", readers.read_person, people.add, group="People"),
    Subcommand("page", (), "@who", "Bring somebody in; says whom that reaches.", readers.read_person, people.page,
        group="People"),
    Subcommand("handover", (), "@who", "Hand the lead over with what the next one has to know.", readers.read_person,
        people.handover, group="People"),
    Subcommand("escalate", (), "[reason]", "Mention the next level.", readers.read_reason, people.escalate,
        takes_free_text=True, group="People"),
    Subcommand("update", (), "[text]", "Say where it stands; a preview first.", readers.read_optional_text,
        updates.update, takes_free_text=True, group="Tell"),
    Subcommand("note", ("n",), "[at 13:40 UTC] text", "A line for the timeline.", notes.read_note, notes.note,
        takes_free_text=True, group="Tell"),
    Subcommand("task", (), "[@who] text [by day]", "An action item.", tasks.read_task, tasks.task,
        takes_free_text=True, group="Tell"),
    Subcommand("waiting", (), "for what [until 05:00 UTC] | over", "Wait for somebody else; reminders pause.",
        waiting.read_waiting, waiting.waiting, group="Tell"),
    Subcommand("comms", (), "[template] [audience] [stage]", "A customer text; a second person approves it.",
        customer_messages.read_comms, customer_messages.comms, group="Tell"),
    Subcommand("runbook", ("rb",), "[name]", "Attach a runbook, or list them.", runbooks.read_runbook, runbooks.attach,
        group="Work"),
    Subcommand("step", (), "2.3 done|undo|skip|note|ask|go|refuse|review|correct|alone [text]", "Act on a step.",
        steps.read_step, steps.step, group="Work"),
    Subcommand("mitigate", ("mit", "mitigated"), "[how]", "The harm to customers has stopped.", readers.read_reason,
        ending.mitigate, takes_free_text=True, group="End"),
    Subcommand("resolve", ("fixed", "resolved"), "[how]", "It is over; a form asks what policy asks.",
        readers.read_reason, ending.resolve, takes_free_text=True, group="End"),
    Subcommand("reopen", (), "[why]", "It is not over after all.", readers.read_reason, ending.reopen,
        takes_free_text=True, group="End"),
    Subcommand("false-alarm", (), "[why]", "There was nothing.", readers.read_reason, ending.false_alarm,
        takes_free_text=True, group="End"),
    Subcommand("duplicate", (), "INC-40", "The same as another incident.", ending.read_incident, ending.duplicate,
        group="End"),
    Subcommand("close", (), "[note]", "Resolve it, or close the record of a resolved one.", readers.read_reason,
        ending.close, takes_free_text=True, group="End"),
    Subcommand("postmortem", ("pm",), "", "A draft from the timeline, as a file in the channel.", readers.read_nothing,
        postmortem.write_postmortem, group="End"),
    Subcommand("help", (), "[verb]", "This list, or one verb.", _read_help, _help, works_outside_incident=True,
        group="Look"),
)  # fmt: skip

SUBCOMMANDS_BY_WORD: dict[str, Subcommand] = {word: verb for verb in SUBCOMMANDS for word in (verb.name, *verb.aliases)}

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
    verb = SUBCOMMANDS_BY_WORD.get(first.lower())
    # Before anything answers: a name that is not known, or a title that is offered, would be said back.
    await call.refuse_secrets(said, verb.name if verb else "text")
    if verb is None:
        return await _free(call, said, first)
    if call.incident is None and not verb.works_outside_incident:
        return await _outside_incident_channel(call, verb, said, rest)
    reading = verb.read(rest, call)
    if isinstance(reading, Arguments):
        try:
            return await verb.handler(call, dict(reading.values))
        except NoTriggerId:
            return respond.open_form_reply("Open the form", f"`{verb.name}` takes a form. Nothing was done yet.", said)
    if isinstance(reading, MissingArguments):
        raise Refused(usage(call, verb))
    if isinstance(reading, TimeWithoutZone):
        return respond.ask_time_zone(call, reading)
    return _ambiguous(call, verb, said)


def usage(call: Request, verb: Subcommand) -> str:
    """One line on how to type it."""
    return f"Type `{call.services.command} {verb.name} {verb.usage}`".rstrip("` ") + f"`. {verb.description}"


async def _bare(call: Request) -> Reply | None:
    if call.incident is None:
        if not call.trigger_id:
            return respond.open_form_reply("Declare an incident", "What is broken?", "declare")
        await call.open_view(declare.declare_view(call, ""))
        return None
    return Reply(
        "What next?",
        tuple(modals.next_actions(call.incident, call.actor.user, call.services.policy, call.services.now())),
    )


async def _free(call: Request, said: str, first: str) -> Reply | None:
    """Free text: a title, or a note. One slip away from a verb, or a severity without a verb: ask."""
    if severity_like(first):
        return await _severity_first(call, call.services.policy.severity(first), said[len(first) :].strip())
    meant = closest_word(first, SUBCOMMANDS_BY_WORD)
    if meant is not None:
        if SUBCOMMANDS_BY_WORD[meant].read(said[len(first) :].strip(), call) is None:
            return _ambiguous(call, SUBCOMMANDS_BY_WORD[meant], said)
        again = f"{meant}{said[len(first) :]}"
        label = f"{SUBCOMMANDS_BY_WORD[meant].name}: {SUBCOMMANDS_BY_WORD[meant].description}"
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


async def _outside_incident_channel(call: Request, verb: Subcommand, said: str, rest: str) -> Reply:
    """A verb of an incident's channel, said elsewhere: where it works; with words after it, perhaps a title."""
    rows = await call.services.service.store.listing(call.actor.team, open_only=True, limit=20)
    # guests and strangers are told of nothing that they were not brought into
    member = call.actor.kind is ActorKind.MEMBER
    where = [f"<#{row.channel}>" for row in rows if member and row.channel and not row.private][:5]
    places = f" Open now: {', '.join(where)}." if where else " None is open now."
    text = f"`{verb.name}` works in an incident's channel. Nothing was done.{places}"
    if not rest:
        return Reply(text)
    return respond.declare_or(said, text, [_help_choice(verb)])


def _ambiguous(call: Request, verb: Subcommand, said: str) -> Reply:
    """The first word is a verb, the rest is not its arguments: nothing happens."""
    others: list[tuple[str, str]] = []
    if verb.name == "network":
        others.append(("Network reading", "network"))
    elif verb.name == "check":
        others += [(f"{name.capitalize()} reading", f"check {name}") for name in sorted(call.services.probes)][:3]
    else:
        others.append(_help_choice(verb))
    return respond.declare_or(said, f"That may be a title or `{verb.name}`. Nothing was done.", others)


def _help_choice(verb: Subcommand) -> tuple[str, str]:
    return f"How to type {verb.name}", f"help {verb.name}"


def help_reply(call: Request, word: str) -> Reply:
    """The list of verbs, or one of them."""
    command = call.services.command
    if word:
        verb = SUBCOMMANDS_BY_WORD[word]
        also = f" Also: {', '.join(verb.aliases)}." if verb.aliases else ""
        return Reply(f"{usage(call, verb)}{also}")
    groups: dict[str, list[str]] = {}
    for verb in SUBCOMMANDS:
        also = f" ({', '.join(verb.aliases)})" if verb.aliases else ""
        groups.setdefault(verb.group, []).append(
            f"`{command} {verb.name} {verb.usage}".rstrip() + f"`{also} {verb.description}"
        )
    head = f"`{command}` alone opens what fits here. In threads, mention me instead: `@incident note …`."
    parts = [head, *(f"*{group}*\n" + "\n".join(lines) for group, lines in groups.items())]
    return Reply("\n\n".join(parts)[:3800], _help_blocks(parts))


def _help_blocks(parts: Sequence[str]) -> tuple[dict[str, Any], ...]:
    """Help in sections that Slack takes."""
    return block_kit.fit_message([block_kit.section(part) for part in parts])


async def run_button_text(call: Request, said: str) -> Reply | None:
    """Something said by a button, as if it had been typed."""
    verb = SUBCOMMANDS_BY_WORD.get(split_first_word(said)[0].lower())
    # Words are written down once, however often the button is pressed; a reading may be taken again and again.
    key = call.once_per_message_key(said) if verb is not None and verb.takes_free_text else call.idempotency_key
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
        answer = deliveries.error_reply(error, call)
    if answer is None:
        await ack()
    else:
        await ack(response_type="ephemeral", **respond.reply_payload(answer))
    if call is not None:
        await respond.respond_after_ack(call, answer if was_auto_acked(ack) else None)
