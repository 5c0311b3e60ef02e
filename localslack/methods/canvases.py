"""canvases.* and conversations.canvases.create: documents of Markdown, cut into sections that can be edited.

docs: surfaces/canvases. A section is what stands between two blank lines. Nothing of it is shown on the page.
"""

from __future__ import annotations

from typing import Any

from localslack.errors import SlackError, invalid_arguments
from localslack.interactivity import Canvas
from localslack.methods.request import Method, Request
from localslack.records import Json

MAX_CONTENT_CHARS = 1_048_576  # SR-CNV-01
_TYPES = {"any_header": ("#", "##", "###"), "h1": ("#",), "h2": ("##",), "h3": ("###",)}
_WITH_CONTENT = ("insert_at_start", "insert_at_end", "insert_before", "insert_after", "replace")
_AT_A_SECTION = ("insert_before", "insert_after", "delete")


def _markdown(given: Any, failed: str) -> str:
    """The Markdown of a `document_content`. Raises SlackError `failed` (SR-CNV-01)."""
    if not isinstance(given, dict) or given.get("type") != "markdown" or not isinstance(given.get("markdown"), str):
        raise SlackError(failed, detail="document_content: type markdown and its markdown are wanted")
    if len(given["markdown"]) > MAX_CONTENT_CHARS:
        raise SlackError(failed, detail="document_content is too large")
    return str(given["markdown"])


def _sections(request: Request, markdown: str) -> list[tuple[str, str]]:
    parts = [part.strip("\n") for part in markdown.split("\n\n")]
    return [(f"temp:C:{request.world.hex(28)}", part) for part in parts if part.strip()]


def _made(request: Request, channel: str | None) -> Json:
    content = request.json("document_content", "invalid_arguments")
    markdown = "" if content is None else _markdown(content, "canvas_creation_failed")
    canvas = Canvas(request.world.new_id("F"), request.text("title"), channel, _sections(request, markdown))
    request.interactivity.canvases[canvas.id] = canvas
    return {"canvas_id": canvas.id}


def create(request: Request) -> Json:
    """A canvas that stands alone, or with `channel_id` the tab of a channel."""
    return create_in_channel(request) if request.text("channel_id") else _made(request, None)


def create_in_channel(request: Request) -> Json:
    """SR-CNV-02."""
    channel = request.channel("channel_id", live=True, member=True)
    if any(canvas.channel == channel.id for canvas in request.interactivity.canvases.values()):
        raise SlackError("channel_canvas_already_exists")
    return _made(request, channel.id)


def _canvas(request: Request) -> Canvas:
    """SR-CNV-04."""
    canvas = request.interactivity.canvases.get(request.text("canvas_id"))
    if canvas is None:
        raise SlackError("canvas_not_found")
    return canvas


def edit(request: Request) -> Json:
    """SR-CNV-03: changes one after another, all of them or none."""
    canvas = _canvas(request)
    changes = request.json("changes", "invalid_arguments")
    if not isinstance(changes, list) or not changes or not all(isinstance(each, dict) for each in changes):
        raise invalid_arguments("must provide an array of objects [json-pointer:/changes]")
    title, sections = canvas.title, list(canvas.sections)
    for change in changes:
        if change.get("operation") == "rename":
            title = _markdown(change.get("title_content"), "canvas_editing_failed")
        else:
            sections = _changed(request, sections, change)
    if sum(len(part) for _, part in sections) > MAX_CONTENT_CHARS:
        raise SlackError("canvas_editing_failed", detail="the canvas would be too large")
    canvas.title, canvas.sections = title, sections
    return {}


def _changed(request: Request, sections: list[tuple[str, str]], change: Json) -> list[tuple[str, str]]:
    operation, section = change.get("operation"), change.get("section_id")
    if operation not in (*_WITH_CONTENT, "delete"):
        raise SlackError("canvas_editing_failed", detail=f"unknown operation: {operation}")
    new: list[tuple[str, str]] = []
    if operation in _WITH_CONTENT:
        new = _sections(request, _markdown(change.get("document_content"), "canvas_editing_failed"))
    if operation in _AT_A_SECTION or section:
        where = next((index for index, (each, _) in enumerate(sections) if each == section), None)
        if where is None:
            raise SlackError("canvas_editing_failed", detail=f"section not found: {section}")
        before, after = {"insert_before": (where, where), "insert_after": (where + 1, where + 1)}.get(
            str(operation), (where, where + 1)
        )
        return [*sections[:before], *new, *sections[after:]]
    return new if operation == "replace" else [*new, *sections] if operation == "insert_at_start" else [*sections, *new]


def lookup(request: Request) -> Json:
    """The sections that are headers of a level, or that contain a text (`criteria`)."""
    canvas = _canvas(request)
    criteria = request.json("criteria", "invalid_arguments")
    if not isinstance(criteria, dict) or not criteria:
        raise invalid_arguments("must provide an object [json-pointer:/criteria]")
    kinds, words = criteria.get("section_types") or [], str(criteria.get("contains_text") or "")
    marks = {mark for kind in kinds if isinstance(kind, str) for mark in _TYPES.get(kind, ())}
    found = [
        {"id": section}
        for section, part in canvas.sections
        if (not kinds or part.split(" ")[0] in marks) and words.lower() in part.lower()
    ]
    return {"sections": found}


def delete(request: Request) -> Json:
    """SR-CNV-04."""
    del request.interactivity.canvases[_canvas(request).id]
    return {}


METHODS = {
    "canvases.create": Method(create, ("canvases:write",), 2),
    "canvases.edit": Method(edit, ("canvases:write",), 3, required=("canvas_id", "changes")),
    "canvases.delete": Method(delete, ("canvases:write",), 3, required=("canvas_id",)),
    "canvases.sections.lookup": Method(lookup, ("canvases:read",), 3, required=("canvas_id", "criteria")),
    "conversations.canvases.create": Method(create_in_channel, ("canvases:write",), 2, required=("channel_id",)),
}
