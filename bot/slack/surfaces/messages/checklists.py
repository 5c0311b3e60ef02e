"""Runbooks as checklists: a parent with the next step in the channel, the sections in its thread."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from bot.domain.desired_message import DesiredMessage, Surface
from bot.domain.incident import Ask, Checklist, StepState
from bot.domain.runbook import Section
from bot.slack.surfaces import block_kit, text
from bot.slack.surfaces.button_values import RunbookValue, SectionValue
from bot.slack.surfaces.messages.build import Treatment, build_message, in_thread, mention_prefix
from bot.slack.surfaces.messages.steps import accessory, step_blocks, step_buttons, step_status
from bot.slack.surfaces.render_context import RenderContext
from bot.slack.surfaces.words import card, labels
from bot.slack.surfaces.words import checklists as words


def checklists(scene: RenderContext) -> Iterator[DesiredMessage]:
    """Every attached runbook, with all of its sections: those not due yet are not sent (standing False)."""
    for one in scene.incident.checklists:
        yield _parent(scene, one)
        for position, section in enumerate(one.runbook.sections):
            yield _section(scene, one, section, position)


def _key(one: Checklist) -> str:
    return f"runbook:{one.runbook.slug}"


def _parent(scene: RenderContext, one: Checklist) -> DesiredMessage:
    runbook, step = one.runbook, one.next_step
    title = text.escape_line(runbook.title)
    phase = text.escape_line(one.section_of(step.id).title) if step else ""
    head = words.runbook(title, one.done, len(runbook.steps), phase)
    sections = [
        block_kit.option(f"{s.number}. {s.title}", scene.value(SectionValue(runbook=runbook.ref, section=s.number)))
        for s in runbook.sections
    ]
    menu = block_kit.static_select("inc:section", labels.SHOW_SECTION, sections) if sections else None
    blocks = [block_kit.section(head, menu)]
    if step:
        ahead = words.next_step(step.id, text.escape_line(step.text))
        blocks.append(block_kit.section("\n".join([ahead, *step_status(scene, step, one.state(step.id))])))
    else:
        ahead = words.ALL_DONE if runbook.steps else words.NO_STEPS
        blocks.append(block_kit.section(ahead))
    open_list = scene.button(labels.OPEN_LIST, "list", RunbookValue(runbook=runbook.ref)) if runbook.steps else None
    buttons = [*(step_buttons(scene, one, step) if step and scene.incident.open else []), open_list]
    if any(buttons):
        blocks.append(block_kit.actions(*buttons))
    reviewed = f"{runbook.reviewed:%Y-%m-%d}" if runbook.reviewed else ""
    blocks.append(
        block_kit.context(words.revision(text.escape_line(runbook.revision), reviewed, text.escape_line(runbook.owner)))
    )
    sentence = f"{text.capitalized(card.progress(title, one.done, len(runbook.steps)))}. {ahead.replace('*', '')}"
    return build_message(_key(one), sentence, blocks, lasting=True, surface=Surface.RUNBOOK)


def section_due(one: Checklist, position: int) -> bool:
    """Whether the section at `position` is due in the thread: asked for, or all before it are complete."""
    sections = one.runbook.sections
    if sections[position].number in one.opened:
        return True
    return all(one.finished(step.id) for section in sections[:position] for step in section.steps)


def section_collapsed(scene: RenderContext, one: Checklist, section: Section) -> bool:
    """Whether a complete section is one line by now."""
    completed = one.completed_at.get(section.number)
    if completed is None or scene.now < completed + scene.policy.section_folds_after:
        return False
    asked = one.opened_at.get(section.number)
    return asked is None or asked <= completed


def _section(scene: RenderContext, one: Checklist, section: Section, position: int) -> DesiredMessage:
    incident, states = scene.incident, [one.state(step.id) for step in section.steps]
    asks = [incident.asks.get(state.ask) for state in states]
    due, fold = incident.open and section_due(one, position), section_collapsed(scene, one, section)
    lead = incident.lead if position == 0 else ""
    people = [scene.known_name(user) for user in (lead, *_people(states, asks))]
    made_from = (
        section, states, asks, one.completed_at.get(section.number), incident.open, due, fold, lead, people,
        scene.reference_time.date(),
    )  # fmt: skip
    make = partial(_render_section, scene, one, section, due, fold, lead)
    return scene.cached(f"section:{one.runbook.slug}:{section.number}", made_from, make)


def _people(states: list[StepState], asks: list[Ask | None]) -> Iterator[str]:
    """Everybody whom these name."""
    for state in states:
        yield from (state.by, state.reviewed_by)
        yield from (user for _, by, second, _ in state.done_with for user in (by, second))
    for ask in asks:
        yield from (ask.asked.by, *ask.asked.to, ask.second) if ask else ()


def _render_section(
    scene: RenderContext, one: Checklist, section: Section, due: bool, fold: bool, lead: str
) -> DesiredMessage:
    key = f"section:{one.runbook.slug}:{section.number}"
    stays: Treatment = {"lasting": True, "moves_down": True, "surface": Surface.SECTION}
    place = in_thread(_key(one))
    title, count = text.escape_line(section.title), len(section.steps)
    completed = one.completed_at.get(section.number)
    if completed and fold:
        line = words.section_folded(section.number, title, count, scene.when(completed))
        show = scene.button(labels.SHOW, "section", SectionValue(runbook=one.runbook.ref, section=section.number))
        return build_message(key, line, (block_kit.section(line, show),), place=place, standing=due, **stays)
    done = sum(one.finished(step.id) for step in section.steps)
    head = words.section_title(section.number, title, done, count)
    sentence = head.replace("*", "")
    if lead:
        sentence = words.steps_in_thread(mention_prefix(scene, lead).removesuffix(": "))
        head = f"{sentence}\n{head}"
    blocks = [block_kit.section(f"{head}\n{text.clip(text.escape(section.text), 1500)}" if section.text else head)]
    blocks += _steps(scene, one, section, blocks[0])
    return build_message(key, sentence, blocks, place=place, standing=due, **stays)


def _steps(scene: RenderContext, one: Checklist, section: Section, head: block_kit.Block) -> list[block_kit.Block]:
    """As many steps as one message takes; the rest is told of, and stands in the list."""
    rest_takes = 400
    left = block_kit.MAX_BLOCKS_JSON_CHARS - block_kit.json_chars(head) - rest_takes
    blocks: list[block_kit.Block] = []
    for number, step in enumerate(section.steps):
        some = step_blocks(scene, one, step, accessory(scene, one, step))
        left -= sum(block_kit.json_chars(block) for block in some)
        if left < 0 or len(blocks) + len(some) > block_kit.MAX_MESSAGE_BLOCKS - 2:
            open_list = scene.button(labels.OPEN_LIST, "list", RunbookValue(runbook=one.runbook.ref))
            blocks.append(block_kit.section(words.more_steps(len(section.steps) - number), open_list))
            break
        blocks += some
    return blocks
