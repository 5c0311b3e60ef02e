"""The form that resolves, by the gate of the severity."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain import events as e
from bot.domain.incident import Incident
from bot.domain.policy import Policy
from bot.slack.surfaces import block_kit, text
from bot.slack.surfaces.modals.form import VALUE_ACTION_ID, ModalView, incident_modal, text_question
from bot.slack.surfaces.words import endings as words


def resolve_form(
    incident: Incident, *, checks: Sequence[e.Check], policy: Policy, note: str = "", response_url: str = ""
) -> ModalView:
    """`checks`: the conditions as the bot sees them; those that it cannot see are boxes for people to tick."""
    gate = policy.severity(incident.severity).gate
    title = f"Resolve {incident.name}"
    if gate == "one line":
        field = text_question("note", "How did it end?", note, max_length=1000)
        return incident_modal("resolve", title, [field], incident, submit="Resolve", response_url=response_url)
    sentences = dict(policy.resolve_checks)
    seen = [_seen(check, sentences) for check in checks if check.met != "unknown"]
    blocks = [block_kit.section("\n".join(seen))] if seen else []
    asked = [check for check in checks if check.met == "unknown"]
    for start in range(0, len(asked), block_kit.MAX_CHECKBOX_OPTIONS):
        options = [
            block_kit.option(sentences.get(one.name, one.name), one.name, one.note)
            for one in asked[start:][: block_kit.MAX_CHECKBOX_OPTIONS]
        ]
        id = f"checks:{start}" if start else "checks"
        label = "Is it so? Leave open what you do not know."
        blocks.append(block_kit.input_block(id, label, block_kit.checkboxes(VALUE_ACTION_ID, options), optional=True))
    second = " A second person has to agree." if gate == "second person" else ""
    hint = f"Only if something above is open: why it is resolved all the same.{second}"
    blocks += [
        text_question("note", "How did it end?", note, multiline=True, max_length=1000, optional=True),
        text_question(
            "override", "Why with open conditions?", multiline=True, max_length=1000, optional=True, hint=hint
        ),
    ]
    return incident_modal("resolve", title, blocks, incident, submit="Resolve", response_url=response_url)


def _seen(check: e.Check, sentences: dict[str, str]) -> str:
    why = f" ({text.escape_line(check.note)})" if check.note and check.met != "yes" else ""
    return f"{text.escape_line(sentences.get(check.name, check.name))}: {words.MET.get(check.met, check.met)}{why}"
