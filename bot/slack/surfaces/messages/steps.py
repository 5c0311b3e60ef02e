"""One step of a runbook: how it reads, and what can be pressed beside it."""

from __future__ import annotations

from bot.domain.incident import Ask, AskState, Checklist, Mark, StepState
from bot.domain.runbook import Step, TwoPeople
from bot.slack.surfaces import block_kit, text
from bot.slack.surfaces.button_values import AskValue, StepValue
from bot.slack.surfaces.render_context import RenderContext
from bot.slack.surfaces.words import checklists as words
from bot.slack.surfaces.words import labels


def block_id(one: Checklist, step: Step) -> str:
    """`step:<slug>:<id>:<version>`: changes only when the step does.

    Clients keep their own selection on an edit unless the id changes (slackapi/java-slack-sdk#762).
    """
    return f"step:{one.runbook.ref}:{step.id}:{one.state(step.id).version}"


def step_blocks(
    scene: RenderContext, one: Checklist, step: Step, beside: block_kit.Element | None
) -> list[block_kit.Block]:
    """The sentence with how it stands, and directly beneath it its own commands."""
    state = one.state(step.id)
    lines = [f"*{text.escape_line(step.id)}* {text.escape_line(step.text)}", *step_status(scene, step, state)]
    lines += [words.noted(text.escape_line(note)) for note in state.notes[-3:]]
    blocks = [block_kit.section("\n".join(lines), beside, block_id(one, step))]
    if step.commands:
        blocks.append(block_kit.rich_text_preformatted("\n".join(step.commands)))
    return blocks


def step_status(scene: RenderContext, step: Step, state: StepState) -> list[str]:
    """Who did what about it, and what is still missing."""
    when = scene.when(state.at) if state.at else ""
    ask = scene.incident.asks.get(state.ask)
    lines: list[str] = []
    if state.mark is Mark.REVIEW or (state.mark is Mark.DONE and state.reviewed_by):
        lines = [words.stopped(scene.person_name(state.by), when, reviewer(scene, state), state.alone)]
    elif state.mark is Mark.DONE and not state.done_with:
        lines = [words.by_at(scene.person_name(state.by), when)]
    elif state.mark is Mark.SKIPPED:
        lines = [words.skipped(scene.person_name(state.by), when, text.escape_line(state.reason))]
    elif ask and ask.open:
        lines = [open_ask_line(scene, ask)]
    elif step.two_people is TwoPeople.BEFORE and not state.done_with:
        lines = [words.NEEDS_SECOND]
    elif step.two_people is TwoPeople.AFTER:
        lines = [words.REVIEW_AFTER]
    if state.done_with:
        at, by, second, result = state.done_with[-1]
        times = len(state.done_with)
        lines.append(
            words.done_with(
                times, scene.when(at), scene.person_name(by), scene.person_name(second), text.escape_line(result)
            )
        )
    if seen := state.reading:
        sentence = text.clip(text.escape_line(seen.sentence), 300)
        lines.append(words.step_reading(text.escape_line(seen.probe), seen.state, sentence, scene.when(seen.at)))
    return lines


def reviewer(scene: RenderContext, state: StepState) -> str:
    """The name of who reviewed it; empty while nobody has."""
    return scene.person_name(state.reviewed_by) if state.reviewed_by and state.mark is not Mark.REVIEW else ""


def open_ask_line(scene: RenderContext, ask: Ask) -> str:
    """What an open ask waits for."""
    asker = scene.person_name(ask.asked.by)
    if ask.state is AskState.GO and ask.answered_at and ask.until:
        return words.go_line(scene.person_name(ask.second), scene.when(ask.answered_at), asker, scene.when(ask.until))
    return words.asks_since(asker, scene.when(ask.asked.at), scene.person_names(ask.asked.to, "or"))


def accessory(scene: RenderContext, one: Checklist, step: Step) -> block_kit.Element | None:
    """The one thing beside a step: a box to tick, or the button of the two-person way."""
    if not scene.incident.open:
        return None
    state, carried = one.state(step.id), StepValue.of(one, step)
    ask = scene.incident.asks.get(state.ask)
    if state.mark is Mark.REVIEW:
        return scene.button(labels.REVIEWED, "review", carried)
    if state.mark is Mark.DONE and (step.two_people or state.done_with):
        return scene.button(labels.CORRECT, "correct", carried)
    if ask and ask.open:
        return scene.button(labels.DONE_FORM, "done", AskValue(ask=ask.seq)) if ask.state is AskState.GO else None
    if step.two_people is TwoPeople.BEFORE:
        return scene.button(labels.ASK, "ask", carried)
    if step.two_people is TwoPeople.AFTER:
        return scene.button(labels.STOPPED, "stopped", carried)
    return block_kit.checkbox("inc:tick", labels.DONE, scene.value(carried), state.mark is Mark.DONE)


def step_buttons(scene: RenderContext, one: Checklist, step: Step) -> list[block_kit.Element | None]:
    """What the parent offers for the next step."""
    state, carried = one.state(step.id), StepValue.of(one, step)
    ask = scene.incident.asks.get(state.ask)
    if ask and ask.open:
        if ask.state is AskState.GO:
            return [
                scene.button(labels.DONE_FORM, "done", AskValue(ask=ask.seq)),
                scene.button(labels.NOT_DONE, "not-done", AskValue(ask=ask.seq)),
            ]
        return []
    skip = scene.button(labels.SKIP, "skip", carried)
    if step.two_people is TwoPeople.BEFORE:
        return [scene.button(labels.ASK, "ask", carried), skip]
    if step.two_people is TwoPeople.AFTER:
        return [scene.button(labels.STOPPED, "stopped", carried), skip]
    return [scene.button(labels.DONE, "step-done", carried), skip]
