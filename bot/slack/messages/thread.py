"""Lines of the timeline in the card's thread: notes and tasks."""

from __future__ import annotations

from collections.abc import Iterator

from bot.domain.message import Message
from bot.slack import kit, text, words
from bot.slack.messages.build import in_thread, message, withdrawn
from bot.slack.setup import Scene


def lines(scene: Scene) -> Iterator[Message]:
    """Each note and each task, in the order in which they were added."""
    place = in_thread("card")
    for note in scene.incident.notes:
        key, noted = f"note:{note.seq}", note.noted
        if noted.backfilled:
            continue  # pinned where everybody sees it
        if note.withdrawn:
            yield withdrawn(key, place)
            continue
        head = words.note(scene.when(noted.happened, noted.at), scene.who(noted.author or noted.by), "")
        said = f"{head}{text.clip(text.line(noted.text), 2500)}"
        yield message(key, said, (kit.section(said),), place=place)
    for task in scene.incident.tasks:
        who = scene.who(task.assignee) if task.assignee else ""
        said = words.task(text.clip(text.line(task.text), 2500), who, text.line(task.due), task.done)
        done = None if task.done else scene.button(words.DONE, "task-done", t=task.seq)
        yield message(f"task:{task.seq}", said, (kit.section(said, done),), place=place)
