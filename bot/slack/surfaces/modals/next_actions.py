"""What one person sees alone: their one next thing, with what is most likely after it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from bot.domain import cadence
from bot.domain.incident import AskState, Checklist, DraftState, Incident, Mark, Status
from bot.domain.policy import Policy
from bot.domain.runbook import Step
from bot.slack.surfaces import block_kit, text
from bot.slack.surfaces.button_values import AskValue, DraftValue, RoleValue, RunbookValue, StepValue
from bot.slack.surfaces.render_context import RenderContext, RenderEnvironment
from bot.slack.surfaces.words import labels

NextAction = tuple[str, block_kit.Element]


DUE_SOON = timedelta(minutes=15)


def next_actions(
    incident: Incident, user: str, policy: Policy, now: datetime, *, more: bool = True
) -> list[block_kit.Block]:
    """Blocks of a private answer. Names are mentions here: what only one person sees notifies nobody.

    `more`: with the button that opens everything else.
    """
    scene = RenderContext(incident, now, RenderEnvironment(policy))
    blocks: list[block_kit.Block] = []
    taken: set[str] = set()
    if thing := next(_waiting_for(scene, user), None):
        sentence, button = thing
        blocks.append(block_kit.section(f"*Next for you:* {sentence}", button))
        taken.add(button["action_id"])
    rest = [one for one in _usual_buttons(scene) if one["action_id"] not in taken][:4]
    return [*blocks, block_kit.actions(*rest, scene.button(labels.MORE, "more") if more else None)]


def _waiting_for(scene: RenderContext, user: str) -> Iterator[NextAction]:
    """What waits for this person, most urgent first."""
    incident = scene.incident
    if not incident.open:
        if incident.status is not Status.CLOSED and not incident.postmortem:
            yield "it is over; begin the postmortem.", scene.button(labels.POSTMORTEM, "postmortem")
        return
    for ask in incident.open_asks:
        action = text.with_full_stop(text.clip(text.escape_line(ask.asked.action), 500))
        if ask.state is AskState.GO and ask.asked.by == user and ask.until:
            yield (
                f"you have the go-ahead until {scene.clock(ask.until)}: {action}",
                scene.button(labels.DONE_FORM, "done", AskValue(ask=ask.seq), style="primary"),
            )
        elif ask.state is AskState.ASKED and user in ask.asked.to:
            asker = scene.person_name(ask.asked.by)
            yield (
                f"{asker} asks for your go-ahead: {action}",
                scene.button(labels.GO, "go", AskValue(ask=ask.seq), style="primary"),
            )
    for one, step in _steps(incident):
        state = one.state(step.id)
        if state.mark is Mark.REVIEW and user in state.review_to:
            said = f"look at what {scene.person_name(state.by)} did: {text.clip(text.escape_line(step.text), 500)}"
            yield said, scene.button(labels.REVIEWED, "review", StepValue.of(one, step), style="primary")
    for draft in incident.drafts.values():
        if draft.state is DraftState.DRAFTED and user in draft.drafted.to:
            approve = scene.button(
                labels.APPROVE,
                "approve",
                DraftValue(draft=draft.name, text_hash=draft.drafted.text_hash),
                style="primary",
            )
            yield (
                f"{scene.person_name(draft.drafted.by)} asks you to approve a text; it is in the thread of Comms.",
                approve,
            )
    if not incident.acknowledged_by:
        yield "nobody has answered yet.", scene.button(labels.I_HAVE_IT, "ack", style="primary")
    due = cadence.next_update(incident, scene.policy)
    writes = user in (incident.comms_lead, incident.lead)
    if due and writes and due - DUE_SOON <= scene.now:
        yield f"the update is due {scene.clock(due)}.", scene.button(labels.POST_UPDATE, "update", style="primary")
    if not incident.lead:
        yield "nobody leads.", scene.button(labels.TAKE_LEAD, "take", RoleValue(role="lead"), style="primary")
    for one in incident.checklists:
        if step_ahead := one.next_step:
            said = f"step {text.escape_line(step_ahead.id)}, {text.clip(text.escape_line(step_ahead.text), 500)}"
            yield said, scene.button(labels.OPEN_LIST, "list", RunbookValue(runbook=one.runbook.ref))
    if due:
        yield f"the next update is due {scene.clock(due)}.", scene.button(labels.POST_UPDATE, "update")


def _steps(incident: Incident) -> Iterator[tuple[Checklist, Step]]:
    return ((one, step) for one in incident.checklists for step in one.runbook.steps)


def _usual_buttons(scene: RenderContext) -> list[block_kit.Element]:
    incident = scene.incident
    if not incident.open:
        return [scene.button(labels.CATCH_UP, "catch-up"), scene.button("Add a note", "note"),
                *([scene.button(labels.POSTMORTEM, "postmortem")] if incident.status is not Status.CLOSED else []),
                scene.button(labels.REOPEN, "reopen")]  # fmt: skip
    ending = ("Mitigated", "mitigate") if incident.status is Status.INVESTIGATING else (labels.RESOLVE, "resolve")
    return [
        scene.button(labels.POST_UPDATE, "update"),
        scene.button("Add a note", "note"),
        scene.button(labels.CATCH_UP, "catch-up"),
        scene.button(labels.NEW_TEXT, "comms"),
        scene.button(*ending),
    ]
