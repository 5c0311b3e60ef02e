"""Lines of the timeline in the card's thread: notes and tasks."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from bot.domain.desired_message import Message
from bot.domain.incident import Note, Task
from bot.slack.surfaces import block_kit, text
from bot.slack.surfaces.messages.build import in_thread, message, withdrawn
from bot.slack.surfaces.render_context import Scene
from bot.slack.surfaces.words import channel as words

#: the thread in which they stand
PLACE = in_thread("card")


def lines(scene: Scene) -> Iterator[Message]:
    """Each note and each task, in the order in which they were added."""
    for note in scene.incident.notes:
        if not note.noted.backfilled:  # those are pinned where everybody sees them
            made_from = (note, scene.name(_author(note)))
            yield scene.once(f"note:{note.seq}", made_from, partial(_note, scene, note))
    for task in scene.incident.tasks:
        yield scene.once(f"task:{task.seq}", (task, scene.name(task.assignee)), partial(_task, scene, task))


def _author(note: Note) -> str:
    return note.noted.author or note.noted.by


def _note(scene: Scene, note: Note) -> Message:
    key, noted = f"note:{note.seq}", note.noted
    if note.withdrawn:
        return withdrawn(key, PLACE)
    head = words.note(scene.when(noted.happened, noted.at), scene.who(_author(note)), "")
    said = f"{head}{text.clip(text.line(noted.text), 2500)}"
    return message(key, said, (block_kit.section(said),), place=PLACE)


def _task(scene: Scene, task: Task) -> Message:
    who = scene.who(task.assignee) if task.assignee else ""
    said = words.task(text.clip(text.line(task.text), 2500), who, text.line(task.due), task.done)
    done = None if task.done else scene.button(words.DONE, "task-done", t=task.seq)
    return message(f"task:{task.seq}", said, (block_kit.section(said, done),), place=PLACE)
