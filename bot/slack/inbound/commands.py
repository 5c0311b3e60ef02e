"""`/incident …` and `@incident …`: one table of verbs, and how what somebody typed finds its row.

A first word is a verb only if the rest parses as its arguments. Near a verb, or ambiguous: nothing happens and
buttons say what it may have meant. Everything else is free text.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot.domain.actor import Kind
from bot.domain.errors import Refused
from bot.domain.policy import Severity
from bot.slack.handlers import backfill, customer_messages, ending, looking, opening, steps, updates
from bot.slack.requests import deliveries, respond
from bot.slack.requests.ack import is_late
from bot.slack.requests.arguments import Missing, Parsed, Reading, Zoneless, near, severity_like, split
from bot.slack.requests.context import Answer, Call, FormNeeded
from bot.slack.surfaces import modals
from bot.slack.surfaces.text import escape, typed
from bot.slack.workspace.services import Desk

Read = Callable[[str, Call], Reading]
Run = Callable[[Call, dict[str, Any]], Awaitable[Answer | None]]


@dataclass(frozen=True)
class Verb:
    """One row of the table: what it is called, how it is typed, what it does, and where it works."""

    name: str
    aliases: tuple[str, ...]
    usage: str  # what follows the verb
    does: str
    read: Read
    run: Run
    anywhere: bool = False
    #: the whole text is the person's own words: outside an incident it may just as well be a title
    wordy: bool = False
    group: str = "In the incident"


async def _help(call: Call, values: dict[str, Any]) -> Answer:
    return help_answer(call, values["verb"])


def _read_help(text: str, call: Call) -> Reading:
    word = text.lower()
    if not word:
        return Parsed({"verb": ""})
    return Parsed({"verb": word}) if word in WORDS else None


SUBCOMMANDS: tuple[Verb, ...] = (
    Verb("declare", ("new",), "[sev1|sev2|sev3] title", "Declare an incident: a channel opens, you lead it.",
         opening.read_declare, opening.declare, anywhere=True, group="Begin"),
    Verb("backfill", (), "", "Record this channel, made by hand, as an incident, with what is pinned in it.",
         looking.read_nothing, backfill.ask, anywhere=True, group="Begin"),
    Verb("ack", (), "", "Say that you answer for it.", looking.read_nothing, opening.ack, group="Begin"),
    Verb("status", ("st",), "", "Where it stands; elsewhere: what is open.", looking.read_nothing, looking.status,
         anywhere=True, group="Look"),
    Verb("list", ("ls",), "", "What is open, worst first.", looking.read_nothing, looking.listing, anywhere=True,
         group="Look"),
    Verb("timeline", ("tl",), "", "The last lines of what happened.", looking.read_nothing, looking.timeline,
         group="Look"),
    Verb("who", (), "", "Who leads, who is here.", looking.read_nothing, opening.who, group="Look"),
    Verb("check", (), "horizon [endpoint]", "A reading; nothing is changed anywhere.", looking.read_check,
         looking.check, anywhere=True, group="Look"),
    Verb("network", (), "", "A reading of the Stellar network.", looking.read_network, looking.check, anywhere=True,
         group="Look"),
    Verb("sev", ("severity",), "1|2|3 [reason]", "Raise, lower or confirm the severity.", opening.read_sev,
         opening.sev, group="Facts"),
    Verb("title", (), "what is broken", "Correct the title.", updates.read_text, updates.title, wordy=True,
         group="Facts"),
    Verb("impact", (), "who is affected", "State the impact on the card.", updates.read_text, updates.impact,
         wordy=True, group="Facts"),
    Verb("started", (), "13:40 UTC", "Correct when it began.", updates.read_time, updates.started, group="Facts"),
    Verb("lead", ("ic",), "@who | me", "Hand the lead over.", opening.read_person, opening.lead, group="People"),
    Verb("comms-lead", (), "@who | me", "Hand customer comms over.", opening.read_person, opening.comms_lead,
         group="People"),
    Verb("scribe", (), "@who | me", "Hand the writing over.", opening.read_person, opening.scribe, group="People"),
    Verb("add", (), "@who", "Bring somebody into the channel.", opening.read_person, opening.add, group="People"),
    Verb("page", (), "@who", "Bring somebody in; says whom that reaches.", opening.read_person, opening.page,
         group="People"),
    Verb("handover", (), "@who", "Hand the lead over with what the next one has to know.", opening.read_person,
         opening.handover, group="People"),
    Verb("escalate", (), "[reason]", "Mention the next level.", opening.read_reason, opening.escalate, wordy=True,
         group="People"),
    Verb("update", (), "[text]", "Say where it stands; a preview first.", updates.read_maybe_text, updates.update,
         wordy=True, group="Tell"),
    Verb("note", ("n",), "[at 13:40 UTC] text", "A line for the timeline.", updates.read_note, updates.note,
         wordy=True, group="Tell"),
    Verb("task", (), "[@who] text [by day]", "An action item.", updates.read_task, updates.task, wordy=True,
         group="Tell"),
    Verb("waiting", (), "for what [until 05:00 UTC] | over", "Wait for somebody else; reminders pause.",
         updates.read_waiting, updates.waiting, group="Tell"),
    Verb("comms", (), "[template] [audience] [stage]", "A customer text; a second person approves it.",
         customer_messages.read_comms, customer_messages.comms, group="Tell"),
    Verb("runbook", ("rb",), "[name]", "Attach a runbook, or list them.", steps.read_runbook, steps.attach,
         group="Work"),
    Verb("step", (), "2.3 done|undo|skip|note|ask|go|refuse|review|correct|alone [text]", "Act on a step.",
         steps.read_step, steps.step, group="Work"),
    Verb("mitigate", ("mit", "mitigated"), "[how]", "The harm to customers has stopped.", opening.read_reason,
         ending.mitigate, wordy=True, group="End"),
    Verb("resolve", ("fixed", "resolved"), "[how]", "It is over; a form asks what policy asks.", opening.read_reason,
         ending.resolve, wordy=True, group="End"),
    Verb("reopen", (), "[why]", "It is not over after all.", opening.read_reason, ending.reopen, wordy=True,
         group="End"),
    Verb("false-alarm", (), "[why]", "There was nothing.", opening.read_reason, ending.false_alarm, wordy=True,
         group="End"),
    Verb("duplicate", (), "INC-40", "The same as another incident.", ending.read_incident, ending.duplicate,
         group="End"),
    Verb("close", (), "[note]", "Resolve it, or close the record of a resolved one.", opening.read_reason,
         ending.close, wordy=True, group="End"),
    Verb("postmortem", ("pm",), "", "A draft from the timeline, as a file in the channel.", looking.read_nothing,
         looking.write_postmortem, group="End"),
    Verb("help", (), "[verb]", "This list, or one verb.", _read_help, _help, anywhere=True, group="Look"),
)  # fmt: skip

WORDS: dict[str, Verb] = {word: verb for verb in SUBCOMMANDS for word in (verb.name, *verb.aliases)}

#: longest that a text after the command is looked at; Slack's own limit for a message is 40,000
TEXT_LIMIT = 4000


async def run(call: Call, text: str) -> Answer | None:
    """Do what somebody said. The answer is for them alone; None where a form was opened. Raises Refused."""
    said = " ".join(text.split()) if "\n" not in text else text.strip()
    call.said = said
    if not said:
        return await _bare(call)
    if len(said) > TEXT_LIMIT:
        raise Refused(f"That is {len(said)} characters; at most {TEXT_LIMIT} fit. Nothing was done.")
    first, rest = split(said)
    verb = WORDS.get(first.lower())
    # Before anything answers: a name that is not known, or a title that is offered, would be said back.
    await call.guard(said, verb.name if verb else "text")
    if verb is None:
        return await _free(call, said, first)
    if call.incident is None and not verb.anywhere:
        return await _elsewhere(call, verb, said, rest)
    reading = verb.read(rest, call)
    if isinstance(reading, Parsed):
        try:
            return await verb.run(call, dict(reading.values))
        except FormNeeded:
            return respond.open_form("Open the form", f"`{verb.name}` takes a form. Nothing was done yet.", said)
    if isinstance(reading, Missing):
        raise Refused(usage(call, verb))
    if isinstance(reading, Zoneless):
        return updates.rerun_zones(call, reading)
    return _ambiguous(call, verb, said)


def usage(call: Call, verb: Verb) -> str:
    """One line on how to type it."""
    return f"Type `{call.desk.command} {verb.name} {verb.usage}`".rstrip("` ") + f"`. {verb.does}"


async def _bare(call: Call) -> Answer | None:
    if call.incident is None:
        if not call.trigger:
            return respond.open_form("Declare an incident", "What is broken?", "declare")
        await call.open(opening.declare_view(call, ""))
        return None
    return Answer("What next?", tuple(modals.tray(call.incident, call.actor.user, call.desk.policy, call.desk.now())))


async def _free(call: Call, said: str, first: str) -> Answer | None:
    """Free text: a title, or a note. One slip away from a verb, or a severity without a verb: ask."""
    if severity_like(first):
        return await _severity_first(call, call.desk.policy.severity(first), said[len(first) :].strip())
    meant = near(first, WORDS)
    if meant is not None:
        if WORDS[meant].read(said[len(first) :].strip(), call) is None:
            return _ambiguous(call, WORDS[meant], said)
        again = f"{meant}{said[len(first) :]}"
        label = f"{WORDS[meant].name}: {WORDS[meant].does}"
        return respond.declare_or(
            said, f"Did you mean `{call.desk.command} {escape(again[:80])}`? Nothing was done.", [(label, again)]
        )
    if call.incident is not None:
        return respond.note_or_declare(call.incident, said)
    if not call.trigger:
        return respond.declare_or(said, "Shall that be an incident? Nothing was done yet.", ())
    await call.open(opening.declare_view(call, said))
    return None


async def _severity_first(call: Call, severity: Severity, rest: str) -> Answer | None:
    """ "sev1 withdrawals stuck": a declaration; in an incident's channel perhaps a change of its severity."""
    if call.incident is None and call.trigger:
        await call.open(opening.declare_view(call, rest, severity.key))
        return None
    choices = [(f"Declare {severity.name} “{rest[:45]}”", f"declare {severity.key} {rest}")] if rest else []
    if call.incident is not None:
        choices.append((f"Make {call.incident.name} {severity.name}", f"sev {severity.key} {rest}".strip()))
    elif not rest:
        return respond.open_form("Declare an incident", "What is broken?", f"declare {severity.key}")
    return respond.say_again("Which of these? Nothing was done yet.", choices)


async def _elsewhere(call: Call, verb: Verb, said: str, rest: str) -> Answer:
    """A verb of an incident's channel, said elsewhere: where it works; with words after it, perhaps a title."""
    rows = await call.desk.service.store.listing(call.actor.team, open_only=True, limit=20)
    member = call.actor.kind is Kind.MEMBER  # guests and strangers are told of nothing that they were not brought into
    where = [f"<#{row.channel}>" for row in rows if member and row.channel and not row.private][:5]
    places = f" Open now: {', '.join(where)}." if where else " None is open now."
    text = f"`{verb.name}` works in an incident's channel. Nothing was done.{places}"
    if not rest:
        return Answer(text)
    return respond.declare_or(said, text, [_how(verb)])


def _ambiguous(call: Call, verb: Verb, said: str) -> Answer:
    """The first word is a verb, the rest is not its arguments: nothing happens."""
    others: list[tuple[str, str]] = []
    if verb.name == "network":
        others.append(("Network reading", "network"))
    elif verb.name == "check":
        others += [(f"{name.capitalize()} reading", f"check {name}") for name in sorted(call.desk.probes)][:3]
    else:
        others.append(_how(verb))
    return respond.declare_or(said, f"That may be a title or `{verb.name}`. Nothing was done.", others)


def _how(verb: Verb) -> tuple[str, str]:
    return f"How to type {verb.name}", f"help {verb.name}"


def help_answer(call: Call, word: str) -> Answer:
    """The list of verbs, or one of them."""
    command = call.desk.command
    if word:
        verb = WORDS[word]
        also = f" Also: {', '.join(verb.aliases)}." if verb.aliases else ""
        return Answer(f"{usage(call, verb)}{also}")
    groups: dict[str, list[str]] = {}
    for verb in SUBCOMMANDS:
        also = f" ({', '.join(verb.aliases)})" if verb.aliases else ""
        groups.setdefault(verb.group, []).append(
            f"`{command} {verb.name} {verb.usage}".rstrip() + f"`{also} {verb.does}"
        )
    head = f"`{command}` alone opens what fits here. In threads, mention me instead: `@incident note …`."
    parts = [head, *(f"*{group}*\n" + "\n".join(lines) for group, lines in groups.items())]
    return Answer("\n\n".join(parts)[:3800], looking.help_blocks("\n\n".join(parts)))


async def again(call: Call, said: str) -> Answer | None:
    """Something said by a button, as if it had been typed."""
    verb = WORDS.get(split(said)[0].lower())
    # Words are written down once, however often the button is pressed; a reading may be taken again and again.
    key = call.once(said) if verb is not None and verb.wordy else call.key
    return await run(replace(call, said=said, key=key), said)


async def on_command(desk: Desk, body: Mapping[str, Any], ack: Callable[..., Awaitable[Any]]) -> None:
    """A slash command, from its delivery to its answer: the acknowledgement carries it. Never raises."""
    answer: Answer | None
    call: Call | None = None
    try:
        call = await deliveries.command_call(desk, body)
        answer = deliveries.warned(call, await run(call, typed(str(body.get("text") or ""))))
    except Exception as error:
        answer = deliveries.trouble(error, call)
    if answer is None:
        await ack()
    else:
        await ack(response_type="ephemeral", **respond.shown(answer))
    if call is not None:
        await respond.finish(call, answer if is_late(ack) else None)
