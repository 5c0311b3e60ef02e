"""Block Kit's blocks: for each type its required keys and a check for each allowed key; which blocks stand where.

Numbers: docs.slack.dev, reference/block-kit/blocks, and the types of @slack/types.
"""

from __future__ import annotations

from typing import Any

from bot.sandbox.block_checks import (
    Check,
    Out,
    anything,
    flag,
    list_of,
    number,
    one_of,
    record,
    say,
    string,
    text_object,
    typed,
)
from bot.sandbox.block_elements import (
    BUTTON,
    ELEMENTS,
    ID,
    IN_ACTIONS,
    IN_INPUT,
    IN_SECTION,
    SLACK_FILE,
    TYPE,
    context_element,
)

MARKDOWN_TOTAL = 12_000

_BLOCK: dict[str, Check] = {"type": TYPE, "block_id": ID}


def _section(value: Any, path: Any, out: Out) -> None:
    _SECTION(value, path, out)
    if not value.get("text") and not value.get("fields"):
        say(out, path, "must provide at least one of: text, fields")


_SECTION = record(
    (),
    _BLOCK
    | {
        "text": text_object(3000, True),
        "fields": list_of(text_object(2000, True), 10),
        "accessory": typed(ELEMENTS, IN_SECTION),
        "expand": flag,
    },
)


def _input_block(value: Any, path: Any, out: Out) -> None:
    _INPUT_BLOCK(value, path, out)
    element = value.get("element")
    if value.get("dispatch_action") and isinstance(element, dict) and element.get("type") == "file_input":
        say(out, (path, "dispatch_action"), "not supported with file_input")


_INPUT_BLOCK = record(
    ("label", "element"),
    _BLOCK
    | {
        "label": text_object(2000),
        "hint": text_object(2000),
        "optional": flag,
        "dispatch_action": flag,
        "element": typed(ELEMENTS, IN_INPUT),
    },
)

_RICH = list_of(anything, 1000, 0)


def _child(value: Any, path: Any, out: Out) -> None:
    kind = value.get("type") if isinstance(value, dict) else None
    if kind == "container":
        say(out, (path, "type"), "unsupported type: container")
        return
    typed(BLOCKS)(value, path, out)


BLOCKS: dict[str, Check] = {
    "section": _section,
    "header": record(("text",), _BLOCK | {"text": text_object(150), "level": number}),
    "divider": record((), _BLOCK),
    "context": record(("elements",), _BLOCK | {"elements": list_of(context_element, 10)}),
    "actions": record(("elements",), _BLOCK | {"elements": list_of(typed(ELEMENTS, IN_ACTIONS), 25)}),
    "context_actions": record(
        ("elements",),
        _BLOCK | {"elements": list_of(typed(ELEMENTS, frozenset({"feedback_buttons", "icon_button"})), 5)},
    ),
    "input": _input_block,
    "image": record(
        ("alt_text",),
        _BLOCK
        | {"image_url": string(3000), "alt_text": string(2000), "title": text_object(2000), "slack_file": SLACK_FILE},
    ),
    "rich_text": record(("elements",), _BLOCK | {"elements": _RICH}),
    "markdown": record(("text",), _BLOCK | {"text": string(MARKDOWN_TOTAL)}),
    "video": record(
        ("alt_text", "title", "thumbnail_url", "video_url"),
        _BLOCK
        | {
            "alt_text": string(2000),
            "title": text_object(200),
            "thumbnail_url": string(3000),
            "video_url": string(3000),
            "author_name": string(50),
            "description": text_object(200),
            "provider_icon_url": string(3000),
            "provider_name": string(255),
            "title_url": string(3000),
        },
    ),
    "file": record(("external_id", "source"), _BLOCK | {"external_id": string(255), "source": one_of("remote")}),
    "table": record(
        ("rows",),
        _BLOCK | {"rows": list_of(list_of(anything, 20), 100), "column_settings": list_of(anything, 20, 0)},
    ),
    "data_table": record(
        ("rows", "caption"),
        _BLOCK
        | {
            "rows": list_of(list_of(anything, 20), 201, 2),
            "caption": anything,
            "page_size": number,
            "column_settings": anything,
        },
    ),
    "card": record(
        (),
        _BLOCK
        | {
            "title": text_object(150, True),
            "subtitle": text_object(150, True),
            "body": text_object(200, True),
            "subtext": text_object(200, True),
            "hero_image": anything,
            "icon": anything,
            "slack_icon": anything,
            "actions": list_of(BUTTON, 3),
        },
    ),
    "carousel": record(("elements",), _BLOCK | {"elements": list_of(lambda v, p, o: BLOCKS["card"](v, p, o), 10)}),
    "container": record(
        ("title", "child_blocks"),
        _BLOCK
        | {
            "title": text_object(150, True),
            "subtitle": anything,
            "child_blocks": list_of(_child, 10),
            "is_collapsible": flag,
            "default_collapsed": flag,
            "width": anything,
            "icon": anything,
        },
    ),
    "alert": record(
        ("text",),
        _BLOCK | {"text": text_object(200, True), "level": one_of("default", "info", "warning", "error", "success")},
    ),
    "plan": record(("title",), _BLOCK | {"title": anything, "tasks": list_of(anything, 50, 0)}),
    "task_card": record(
        ("task_id", "title"),
        _BLOCK
        | {
            "task_id": string(255),
            "title": anything,
            "status": one_of("in_progress", "complete", "error"),
            "details": anything,
            "output": anything,
            "sources": anything,
        },
    ),
}

_CLASSIC = {"section", "header", "divider", "context", "actions", "input", "image", "rich_text", "video", "card"}
SURFACES: dict[str, frozenset[str]] = {
    "message": frozenset(BLOCKS) - {"alert"},
    "modal": frozenset(_CLASSIC | {"alert"}),
    "home": frozenset(_CLASSIC | {"container", "carousel", "table", "data_table"}),
}
"""Which blocks stand where (docs: reference/block-kit/blocks, "Compatible app surfaces")."""
