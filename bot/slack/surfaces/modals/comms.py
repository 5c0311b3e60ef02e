"""The form of a customer text, by its template's typed blanks, and the approval of one exact text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.domain.comms import Slot, Template
from bot.domain.incident import Draft, Incident
from bot.slack.surfaces import block_kit, text
from bot.slack.surfaces.modals.form import VALUE, View, ask_text, form
from bot.slack.surfaces.render_context import Scene, Setup
from bot.slack.surfaces.words import channel as words

#: kind -> (hint, longest answer); the kinds are those of bot.domain.comms.Slot
KINDS: dict[str, tuple[str, int]] = {
    "count": ("A whole number, such as 1,240.", 20),
    "share": ("A share, such as 12%.", 10),
    "money": ("A sum with its currency, such as NGN 1,200,000.", 40),
    "time": ("A time of day in UTC, such as 14:32 UTC.", 20),
    "state": ("", 40),
    "region": ("A country or region, such as Nigeria and Kenya.", 80),
    "url": ("A public https address.", 300),
    "choice": ("", 280),
    "text": ("One or two sentences. No names, accounts or promises of when it will be fixed.", 1000),
    "incident": ("Such as INC-42.", 12),
}


def comms_form(
    incident: Incident,
    template: Template,
    *,
    values: Mapping[str, str],
    last_said: str = "",
    stages: Sequence[str] = (),
    promised: datetime | None = None,
    replaces: str = "",
    response_url: str = "",
) -> View:
    """Opens with what was said last. `promised`: what the next update's time begins with."""
    blocks: list[block_kit.Block] = []
    if last_said:
        blocks += [
            block_kit.context("Said last:"),
            block_kit.quotation(text.clip(last_said, 1500)),
            block_kit.divider(),
        ]
    if len(stages) > 1:
        options = [block_kit.option(stage.capitalize(), stage) for stage in stages]
        menu = block_kit.select("inc:stage", "Stage", options, template.stage)
        blocks.append(block_kit.section(f"*{text.line(template.title)}* for {_audience(template.audience)}", menu))
    else:
        head = f"*{text.line(template.title)}* for {_audience(template.audience)}, stage {text.line(template.stage)}"
        blocks.append(block_kit.section(head))
    blocks += [_slot(slot, _initial(slot, values, promised)) for slot in template.slots]
    return form(
        "comms", "Write to customers", blocks, incident, submit="Draft", response_url=response_url,
        n=template.name, g=template.audience, t=template.stage, p=replaces,
    )  # fmt: skip


def _audience(audience: str) -> str:
    return words.AUDIENCE.get(audience, text.line(audience)).lower()


def _initial(slot: Slot, values: Mapping[str, str], promised: datetime | None) -> str:
    """The next update's time is always proposed anew: an old promise would be in the past."""
    if slot.kind == "time" and slot.name == "next_update" and promised is not None:
        return f"{promised:%H:%M} UTC"
    return values.get(slot.name, "")


def _slot(slot: Slot, initial: str) -> block_kit.Block:
    hint, most = KINDS.get(slot.kind, KINDS["text"])
    hint = slot.hint or hint
    if slot.choices:
        options = [block_kit.option(one, one) for one in slot.choices]
        menu = block_kit.select(VALUE, "Choose", options, initial)
        return block_kit.field(slot.name, slot.label, menu, hint=hint, optional=not slot.required)
    most = slot.max_length if slot.kind == "text" else most
    return ask_text(
        slot.name, slot.label, initial, lines=slot.kind == "text", most=most, hint=hint, optional=not slot.required
    )


def approve_form(incident: Incident, draft: Draft, *, now: datetime, setup: Setup, response_url: str = "") -> View:
    """The exact text once more, with what is promised by it."""
    scene, drafted = Scene(incident, now, setup), draft.drafted
    notes = [f"By {scene.who(drafted.by)}", *([words.removed(text.line(drafted.removed))] if drafted.removed else [])]
    notes += [words.promised(scene.when(drafted.promised))] if drafted.promised else []
    where = f"This becomes public for {_audience(drafted.audience)} as it stands here and cannot be taken back."
    blocks = [block_kit.section(where), block_kit.quotation(drafted.text), block_kit.context(*notes)]
    return form(
        "approve", "Approve this text", blocks, incident, submit="Approve and send", response_url=response_url,
        d=draft.name, h=drafted.text_hash,
    )  # fmt: skip
