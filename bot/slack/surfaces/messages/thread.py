"""Lines of the timeline in the card's thread: notes and tasks."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from bot.domain.desired_message import DesiredMessage
from bot.domain.incident import Note, Task
from bot.slack.surfaces import block_kit, text
from bot.slack.surfaces.button_values import TaskValue
from bot.slack.surfaces.messages.build import build_message, in_thread, withdrawn_message
from bot.slack.surfaces.render_context import RenderContext
from bot.slack.surfaces.words import channel as words
from bot.slack.surfaces.words import labels

#: the thread in which they stand
CARD_THREAD = in_thread("card")


def notes_and_tasks(scene: RenderContext) -> Iterator[DesiredMessage]:
    """Each note and each task, in the order in which they were added."""
    for note in scene.incident.notes:
        if not note.noted.backfilled:  # those are pinned where everybody sees them
            made_from = (note, scene.known_name(_author(note)))
            yield scene.cached(f"note:{note.seq}", made_from, partial(_note, scene, note))
    for task in scene.incident.tasks:
        yield scene.cached(f"task:{task.seq}", (task, scene.known_name(task.assignee)), partial(_task, scene, task))


def _author(note: Note) -> str:
    return note.noted.author or note.noted.by


def _note(scene: RenderContext, note: Note) -> DesiredMessage:
    key, noted = f"note:{note.seq}", note.noted
    if note.withdrawn:
        return withdrawn_message(key, CARD_THREAD)
    head = words.note(scene.when(noted.happened, noted.at), scene.person_name(_author(note)), "")
    said = f"{head}{text.clip(text.escape_line(noted.text), 2500)}"
    return build_message(key, said, (block_kit.section(said),), place=CARD_THREAD, numbered=note.seq, final=True)


def _task(scene: RenderContext, task: Task) -> DesiredMessage:
    who = scene.person_name(task.assignee) if task.assignee else ""
    due = words.day(task.due_on) if task.due_on else text.escape_line(task.due)
    said = words.task(text.clip(text.escape_line(task.text), 2500), who, due, task.done)
    done = None if task.done else scene.button(labels.DONE, "task-done", TaskValue(task=task.seq))
    blocks = (block_kit.section(said, done),)
    return build_message(f"task:{task.seq}", said, blocks, place=CARD_THREAD, numbered=task.seq)
