"""The form of a note: a line of the timeline, a remark on a step, or its correction."""

from __future__ import annotations

from typing import Any

from bot.domain.incident import Incident
from bot.domain.notes import MAX_NOTE_CHARS
from bot.domain.runbook import runbook_ref
from bot.slack.surfaces.modals.form import ModalView, incident_modal, text_question


def note_form(
    incident: Incident, *, text: str = "", slug: str = "", step: str = "", version: int = 0, correction: bool = False,
    response_url: str = "",
) -> ModalView:  # fmt: skip
    """A line of the timeline; with `slug` and `step` a remark on that step, or its correction."""
    what = f"What is so about step {step}?" if correction else "What happened?"
    hint = "What was recorded stays; this is added beneath it." if correction else ""
    blocks = [text_question("text", what, text, multiline=True, max_length=MAX_NOTE_CHARS, hint=hint)]
    keys: dict[str, Any] = {"r": runbook_ref(slug), "s": step, "v": version} if slug else {}
    if correction:
        return incident_modal("note", f"Correct {step}", blocks, incident, submit="Correct", k="correct", **keys)
    if not slug:
        blocks.append(text_question("happened", "When?", optional=True, hint="13:40 UTC; empty is now", max_length=40))
    title = f"Note in {incident.name}"
    return incident_modal("note", title, blocks, incident, submit="Add", response_url=response_url, **keys)
