"""Forms about steps: the whole list on pages, skipping, and the two-person way."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from bot.domain.incident import Ask, Checklist, Incident
from bot.domain.policy import Policy
from bot.domain.runbook import Step
from bot.slack.surfaces import block_kit, text
from bot.slack.surfaces.messages.steps import accessory, step_blocks, step_buttons
from bot.slack.surfaces.modals.form import View, ask_text, form, remembered, step_keys
from bot.slack.surfaces.render_context import Scene, Setup
from bot.slack.surfaces.words import channel as words

PAGE = 10
_NONE: Mapping[str, str] = MappingProxyType({})
#: for an incident without entries, which has no steps to date
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def list_modal(incident: Incident, slug: str, page: int = 0, names: Mapping[str, str] = _NONE) -> View:
    """A page of ten steps, each with what can be pressed; for phones, and for runbooks of forty steps."""
    scene = Scene(incident, incident.last_at or _EPOCH, Setup(Policy(), names=names))
    one = incident.checklist(slug)
    steps = one.runbook.steps if one else ()
    pages = max(1, -(-len(steps) // PAGE))
    page = min(max(page, 0), pages - 1)
    blocks: list[block_kit.Block] = []
    if one is None or not steps:
        blocks = [block_kit.section(words.NO_STEPS)]
    else:
        ahead = one.next_step
        for step in steps[page * PAGE : (page + 1) * PAGE]:
            blocks += step_blocks(scene, one, step, accessory(scene, one, step))
            if ahead is not None and step.id == ahead.id and incident.open and (row := step_buttons(scene, one, step)):
                blocks.append(block_kit.actions(*row[-1:]))
        blocks += _turn(scene, one, page, pages)
    metadata = remembered(i=incident.id, r=block_kit.ref(slug), p=page)
    return block_kit.modal("list", one.runbook.title if one else slug, blocks, metadata=metadata, close="Close")


def _turn(scene: Scene, one: Checklist, page: int, pages: int) -> list[block_kit.Block]:
    if pages == 1:
        return []
    slug = block_kit.ref(one.runbook.slug)
    back = scene.button("Earlier steps", "page:back", r=slug, p=page - 1) if page else None
    on = scene.button("Further steps", "page:on", r=slug, p=page + 1) if page < pages - 1 else None
    return [block_kit.context(f"Page {page + 1} of {pages}"), block_kit.actions(back, on)]


def _find(incident: Incident, slug: str, id: str) -> tuple[Checklist | None, Step | None]:
    one = incident.checklist(slug)
    return one, one.runbook.step(id) if one else None


def _about(step: Step | None, id: str) -> block_kit.Block:
    return block_kit.section(f"*{text.line(id)}* {text.line(step.text) if step else ''}")


def skip_form(incident: Incident, slug: str, id: str) -> View:
    """Why a step is left out."""
    one, step = _find(incident, slug, id)
    blocks = [_about(step, id), ask_text("reason", "Why is it left out?", most=1000, lines=True)]
    keys = step_keys(slug, id, one.state(id)) if one else {}
    return form("skip", f"Skip {id}", blocks, incident, submit="Skip", **keys)


def ask_form(incident: Incident, slug: str, id: str, *, names: Mapping[str, str] = _NONE) -> View:
    """What a second person needs in order to agree; where it was done before, a box to say that one has read so."""
    one, step = _find(incident, slug, id)
    state = one.state(id) if one else None
    blocks = [
        _about(step, id),
        ask_text("count", "How many?", most=100, optional=True, placeholder="12 payouts"),
        ask_text("amount", "How much in all?", most=100, optional=True, placeholder="NGN 1,200,000"),
        ask_text("evidence", "What shows that it is right?", lines=True, most=2000, optional=True),
    ]
    if state and state.done_with:
        at, by, second, result = state.done_with[-1]
        said = words.done_with(
            len(state.done_with), text.when(at, incident.last_at or at), text.person(by, names),
            text.person(second, names), text.line(result),
        )  # fmt: skip
        again = block_kit.checkboxes("value", [block_kit.option("I have read that; ask again", "yes")])
        blocks += [block_kit.section(said), block_kit.field("again", "It was done before", again, optional=True)]
    keys = step_keys(slug, id, state) if state else {}
    return form("ask", "Ask a second person", blocks, incident, submit="Ask", **keys)


def _repeated(ask: Ask) -> list[block_kit.Block]:
    """Action, count, sum and evidence, as they were asked."""
    asked = ask.asked
    facts = [f"*{text.sentence(text.line(asked.action))}*"]
    facts += [f"Count: {text.line(asked.count)}"] if asked.count else []
    facts += [f"Sum: {text.line(asked.amount)}"] if asked.amount else []
    blocks = [block_kit.section("\n".join(facts))]
    if asked.evidence:
        blocks.append(block_kit.section(text.quoted(asked.evidence)))
    return blocks


def _over(title: str, incident: Incident) -> View:
    return block_kit.modal("over", title, [block_kit.section("That ask is over. Nothing was done.")], close="Close",
                     metadata=remembered(i=incident.id))  # fmt: skip


def go_form(incident: Incident, ask: Ask, *, names: Mapping[str, str] = _NONE) -> View:
    """Repeats what is asked; its button says what the go is for."""
    if not ask.open:
        return _over("Go", incident)
    by = text.person(ask.asked.by, names)
    note = f"{by} does it, and says what came of it. You answer for the go with them."
    submit = f"Go: {ask.asked.action}"
    return form("go", "Give the go", [*_repeated(ask), block_kit.context(note)], incident, submit=submit, a=ask.seq)


def refuse_form(incident: Incident, ask: Ask) -> View:
    """Why a second person does not agree."""
    if not ask.open:
        return _over("Refuse", incident)
    field = ask_text("reason", "Why not? What would help?", lines=True, most=1000)
    return form("refuse", "Refuse", [*_repeated(ask), field], incident, submit="Refuse", a=ask.seq)


def done_form(incident: Incident, ask: Ask) -> View:
    """What came of it: the result or the hash."""
    if not ask.open:
        return _over("Done", incident)
    field = ask_text("result", "What came of it, or the transaction's hash", lines=True, most=2000)
    return form("done", "Done", [*_repeated(ask), field], incident, submit="Done", a=ask.seq)
