"""The form of a customer text, by its template's typed blanks, and the approval of one exact text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.domain.customer_template import Slot, Template
from bot.domain.incident import Draft, Incident
from bot.slack.surfaces import block_kit, text
from bot.slack.surfaces.modals.form import VALUE_ACTION_ID, ModalView, incident_modal, text_question
from bot.slack.surfaces.render_context import RenderContext, RenderEnvironment
from bot.slack.surfaces.words import customer_messages as words

#: kind -> (hint, longest answer); the kinds are those of bot.domain.customer_template.Slot
SLOT_KINDS: dict[str, tuple[str, int]] = {
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
) -> ModalView:
    """Opens with what was said last. `promised`: what the next update's time begins with."""
    blocks: list[block_kit.Block] = []
    if last_said:
        blocks += [
            block_kit.context("Said last:"),
            block_kit.rich_text_quote(text.clip(last_said, 1500)),
            block_kit.divider(),
        ]
    if len(stages) > 1:
        options = [block_kit.option(stage.capitalize(), stage) for stage in stages]
        menu = block_kit.static_select("inc:stage", "Stage", options, template.stage)
        blocks.append(
            block_kit.section(
                f"*{text.escape_line(template.title)}* for {words.audience(template.audience).lower()}", menu
            )
        )
    else:
        head = (
            f"*{text.escape_line(template.title)}* for {words.audience(template.audience).lower()}, stage "
            f"{text.escape_line(template.stage)}"
        )
        blocks.append(block_kit.section(head))
    blocks += [_slot(slot, _initial(slot, values, promised)) for slot in template.slots]
    return incident_modal(
        "comms", "Write to customers", blocks, incident, submit="Draft", response_url=response_url,
        n=template.name, g=template.audience, t=template.stage, p=replaces,
    )  # fmt: skip


def _initial(slot: Slot, values: Mapping[str, str], promised: datetime | None) -> str:
    """The next update's time is always proposed anew: an old promise would be in the past."""
    if slot.kind == "time" and slot.name == "next_update" and promised is not None:
        return f"{promised:%H:%M} UTC"
    return values.get(slot.name, "")


def _slot(slot: Slot, initial: str) -> block_kit.Block:
    hint, most = SLOT_KINDS.get(slot.kind, SLOT_KINDS["text"])
    hint = slot.hint or hint
    if slot.choices:
        options = [block_kit.option(one, one) for one in slot.choices]
        menu = block_kit.static_select(VALUE_ACTION_ID, "Choose", options, initial)
        return block_kit.input_block(slot.name, slot.label, menu, hint=hint, optional=not slot.required)
    most = slot.max_length if slot.kind == "text" else most
    return text_question(
        slot.name,
        slot.label,
        initial,
        multiline=slot.kind == "text",
        max_length=most,
        hint=hint,
        optional=not slot.required,
    )


def approve_form(
    incident: Incident, draft: Draft, *, now: datetime, setup: RenderEnvironment, response_url: str = ""
) -> ModalView:
    """The exact text once more, with what is promised by it."""
    scene, drafted = RenderContext(incident, now, setup), draft.drafted
    notes = [
        f"By {scene.person_name(drafted.by)}",
        *([words.removed_by_scrubber(text.escape_line(drafted.removed))] if drafted.removed else []),
    ]
    notes += [words.promised(scene.when(drafted.promised))] if drafted.promised else []
    audience = words.audience(drafted.audience).lower()
    where = f"This becomes public for {audience} as it stands here and cannot be taken back."
    blocks = [block_kit.section(where), block_kit.rich_text_quote(drafted.text), block_kit.context(*notes)]
    return incident_modal(
        "approve", "Approve this text", blocks, incident, submit="Approve and send", response_url=response_url,
        d=draft.name, h=drafted.text_hash,
    )  # fmt: skip
