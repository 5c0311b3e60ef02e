"""Forms about steps: the whole list on pages, skipping, and the two-person way."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from bot.domain.incident import Ask, Checklist, Incident
from bot.domain.policy import Policy
from bot.domain.runbook import Step
from bot.slack.surfaces import block_kit, text
from bot.slack.surfaces.button_values import PageValue
from bot.slack.surfaces.messages.steps import accessory, step_blocks, step_buttons
from bot.slack.surfaces.modals.form import ModalView, incident_modal, private_metadata, step_metadata, text_question
from bot.slack.surfaces.render_context import RenderContext, RenderEnvironment
from bot.slack.surfaces.words import checklists as words

STEPS_PER_PAGE = 10
_NONE: Mapping[str, str] = MappingProxyType({})
#: for an incident without entries, which has no steps to date
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def list_modal(
    incident: Incident, slug: str, page: int = 0, names: Mapping[str, str] = _NONE, *, notice: str = "",
    channel: str = "", response_url: str = "",
) -> ModalView:  # fmt: skip
    """A page of ten steps, each with what can be pressed; for phones, and for runbooks of forty steps.

    `notice`: what came of the last thing that was pressed in it.
    """
    scene = RenderContext(incident, incident.last_at or _EPOCH, RenderEnvironment(Policy(), names=names))
    one = incident.checklist(slug)
    steps = one.runbook.steps if one else ()
    pages = max(1, -(-len(steps) // STEPS_PER_PAGE))
    page = min(max(page, 0), pages - 1)
    blocks: list[block_kit.Block] = [block_kit.section(notice)] if notice else []
    if one is None or not steps:
        blocks.append(block_kit.section(words.NO_STEPS))
    else:
        ahead = one.next_step
        for step in steps[page * STEPS_PER_PAGE : (page + 1) * STEPS_PER_PAGE]:
            blocks += step_blocks(scene, one, step, accessory(scene, one, step))
            if ahead is not None and step.id == ahead.id and incident.open and (row := step_buttons(scene, one, step)):
                blocks.append(block_kit.actions(*row[-1:]))
        blocks += _page_buttons(scene, one, page, pages)
    metadata = private_metadata(i=incident.id, r=one.runbook.ref if one else slug, p=page, c=channel, u=response_url)
    return block_kit.modal("list", one.runbook.title if one else slug, blocks, metadata=metadata, close="Close")


def _page_buttons(scene: RenderContext, one: Checklist, page: int, pages: int) -> list[block_kit.Block]:
    if pages == 1:
        return []
    slug = one.runbook.ref
    back = scene.button("Earlier steps", "page:back", PageValue(runbook=slug, page=page - 1)) if page else None
    on = scene.button("Further steps", "page:on", PageValue(runbook=slug, page=page + 1)) if page < pages - 1 else None
    return [block_kit.context(f"Page {page + 1} of {pages}"), block_kit.actions(back, on)]


def _find(incident: Incident, slug: str, id: str) -> tuple[Checklist | None, Step | None]:
    one = incident.checklist(slug)
    return one, one.runbook.step(id) if one else None


def _about(step: Step | None, id: str) -> block_kit.Block:
    return block_kit.section(f"*{text.escape_line(id)}* {text.escape_line(step.text) if step else ''}")


def skip_form(incident: Incident, slug: str, id: str) -> ModalView:
    """Why a step is left out."""
    one, step = _find(incident, slug, id)
    blocks = [_about(step, id), text_question("reason", "Why is it left out?", max_length=1000, multiline=True)]
    keys = step_metadata(slug, id, one.state(id)) if one else {}
    return incident_modal("skip", f"Skip {id}", blocks, incident, submit="Skip", **keys)


def ask_form(incident: Incident, slug: str, id: str, *, names: Mapping[str, str] = _NONE) -> ModalView:
    """What a second person needs in order to agree; where it was done before, a box to say that one has read so."""
    one, step = _find(incident, slug, id)
    state = one.state(id) if one else None
    blocks = [
        _about(step, id),
        text_question("count", "How many?", max_length=100, optional=True, placeholder="12 payouts"),
        text_question("amount", "How much in all?", max_length=100, optional=True, placeholder="NGN 1,200,000"),
        text_question("evidence", "What shows that it is right?", multiline=True, max_length=2000, optional=True),
    ]
    if state and state.done_with:
        at, by, second, result = state.done_with[-1]
        said = words.done_with(
            len(state.done_with), text.when(at, incident.last_at or at), text.person_name(by, names),
            text.person_name(second, names), text.escape_line(result),
        )  # fmt: skip
        again = block_kit.checkboxes("value", [block_kit.option("I have read that; ask again", "yes")])
        blocks += [block_kit.section(said), block_kit.input_block("again", "It was done before", again, optional=True)]
    keys = step_metadata(slug, id, state) if state else {}
    return incident_modal("ask", "Ask a second person", blocks, incident, submit="Ask", **keys)


def _ask_summary(ask: Ask) -> list[block_kit.Block]:
    """Action, count, sum and evidence, as they were asked."""
    asked = ask.asked
    facts = [f"*{text.with_full_stop(text.escape_line(asked.action))}*"]
    facts += [f"Count: {text.escape_line(asked.count)}"] if asked.count else []
    facts += [f"Sum: {text.escape_line(asked.amount)}"] if asked.amount else []
    blocks = [block_kit.section("\n".join(facts))]
    if asked.evidence:
        blocks.append(block_kit.section(text.quoted(asked.evidence)))
    return blocks


def _ask_closed(title: str, incident: Incident) -> ModalView:
    blocks = [block_kit.section("That ask is over. Nothing was done.")]
    return block_kit.modal("over", title, blocks, close="Close", metadata=private_metadata(i=incident.id))


def go_form(incident: Incident, ask: Ask, *, names: Mapping[str, str] = _NONE) -> ModalView:
    """Repeats what is asked; its button says what the go is for."""
    if not ask.open:
        return _ask_closed("Go", incident)
    by = text.person_name(ask.asked.by, names)
    note = f"{by} does it, and says what came of it. You answer for the go with them."
    submit = f"Go: {ask.asked.action}"
    return incident_modal(
        "go", "Give the go", [*_ask_summary(ask), block_kit.context(note)], incident, submit=submit, a=ask.seq
    )


def refuse_form(incident: Incident, ask: Ask) -> ModalView:
    """Why a second person does not agree."""
    if not ask.open:
        return _ask_closed("Refuse", incident)
    field = text_question("reason", "Why not? What would help?", multiline=True, max_length=1000)
    return incident_modal("refuse", "Refuse", [*_ask_summary(ask), field], incident, submit="Refuse", a=ask.seq)


def done_form(incident: Incident, ask: Ask) -> ModalView:
    """What came of it: the result or the hash."""
    if not ask.open:
        return _ask_closed("Done", incident)
    field = text_question("result", "What came of it, or the transaction's hash", multiline=True, max_length=2000)
    return incident_modal("done", "Done", [*_ask_summary(ask), field], incident, submit="Done", a=ask.seq)
