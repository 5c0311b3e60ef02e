"""Block Kit's blocks: for each type its required keys and a check for each allowed key; which blocks stand where.

Numbers: docs.slack.dev, reference/block-kit/blocks, and the types of @slack/types; docs/slack-rules.md, SR-BLK.
"""

from __future__ import annotations

from typing import Any

from localslack import block_newer as newer
from localslack.block_checks import (
    Check,
    Out,
    flag,
    https,
    list_of,
    one_of,
    record,
    say,
    string,
    text_object,
    typed,
    whole,
)
from localslack.block_elements import (
    ELEMENTS,
    ID,
    IMAGE,
    IN_ACTIONS,
    IN_INPUT,
    IN_SECTION,
    SLACK_FILE,
    TYPE,
    context_element,
    one_picture,
)

MAX_MARKDOWN_CHARS = 12_000  # SR-BLK-17

_BLOCK: dict[str, Check] = {"type": TYPE, "block_id": ID}


def _section(value: Any, path: Any, out: Out) -> None:
    """SR-BLK-10."""
    _SECTION(value, path, out)
    if not value.get("text") and not value.get("fields"):
        say(out, (path, "type"), "must define either `text` or `fields`")


# SR-BLK-07, SR-BLK-08, SR-BLK-09
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
    """SR-ELM-30."""
    _INPUT_BLOCK(value, path, out)
    element = value.get("element")
    if value.get("dispatch_action") and isinstance(element, dict) and element.get("type") == "file_input":
        say(out, (path, "dispatch_action"), "not supported with file_input")
    if isinstance(element, dict) and element.get("type") == "rich_text_input" and "initial_value" in element:
        typed({"rich_text": newer.RICH_TEXT})(element["initial_value"], ((path, "element"), "initial_value"), out)


# SR-BLK-15
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

_IN_CONTAINER = frozenset(
    {
        "actions", "context", "divider", "file", "header", "image", "input", "rich_text", "section", "table", "video",
    }
)  # fmt: skip
"""SR-BLK-38: what stands in a container; not another container."""


def _child(value: Any, path: Any, out: Out) -> None:
    typed(BLOCKS, _IN_CONTAINER)(value, path, out)


_CONTAINER = record(
    ("child_blocks",),
    _BLOCK
    | {
        "title": text_object(150),  # SR-BLK-36
        "rich_text_title": typed({"rich_text": newer.RICH_TEXT}),
        "subtitle": text_object(150, True),  # SR-BLK-36
        "child_blocks": list_of(_child, 10),  # SR-BLK-37
        "is_collapsible": flag,
        "default_collapsed": flag,
        "has_header_divider": flag,
        "width": one_of("narrow", "standard", "wide", "full"),
        "icon": IMAGE,
    },
)


def _container(value: Any, path: Any, out: Out) -> None:
    """SR-BLK-39."""
    _CONTAINER(value, path, out)
    if not value.get("title") and not value.get("rich_text_title"):
        say(out, path, "must provide at least one of: title, rich_text_title")
    if value.get("default_collapsed") and not value.get("is_collapsible"):
        say(out, (path, "default_collapsed"), "requires is_collapsible")
    if value.get("has_header_divider") and value.get("is_collapsible"):
        say(out, (path, "has_header_divider"), "not supported with is_collapsible")


def _any_block(value: Any, path: Any, out: Out) -> None:
    typed(BLOCKS)(value, path, out)


# SR-BLK-60
_AUTH_PROVIDER = record(
    ("value", "name", "is_connected"),
    _BLOCK
    | {
        "value": string(150),
        "name": text_object(75),
        "is_connected": flag,
        "description": text_object(150),
        "icon_url": https(3000),
        "auth_url": https(3000),
        "disconnect_url": https(3000),
        "connected_identity": text_object(75),
        "connected_context": text_object(75),
        "accessory": typed(ELEMENTS, frozenset({"overflow"})),
        "fallback": list_of(_any_block, least=0),
    },
)


def _image(value: Any, path: Any, out: Out) -> None:
    _IMAGE_BLOCK(value, path, out)
    one_picture(value, path, out)


# SR-BLK-16
_IMAGE_BLOCK = record(
    ("alt_text",),
    _BLOCK
    | {"image_url": string(3000), "alt_text": string(2000), "title": text_object(2000), "slack_file": SLACK_FILE},
)

BLOCKS: dict[str, Check] = {
    "section": _section,
    # SR-BLK-11
    "header": record(("text",), _BLOCK | {"text": text_object(150), "level": whole(1, 4)}),
    "auth_provider": _AUTH_PROVIDER,
    "divider": record((), _BLOCK),
    # SR-BLK-12
    "context": record(("elements",), _BLOCK | {"elements": list_of(context_element, 10)}),
    # SR-BLK-13
    "actions": record(("elements",), _BLOCK | {"elements": list_of(typed(ELEMENTS, IN_ACTIONS), 25)}),
    # SR-BLK-14
    "context_actions": record(
        ("elements",),
        _BLOCK | {"elements": list_of(typed(ELEMENTS, frozenset({"feedback_buttons", "icon_button"})), 5)},
    ),
    "input": _input_block,
    "image": _image,
    "rich_text": newer.RICH_TEXT,
    "markdown": record(("text",), _BLOCK | {"text": string(MAX_MARKDOWN_CHARS)}),
    # SR-BLK-50
    "video": record(
        ("alt_text", "title", "thumbnail_url", "video_url"),
        _BLOCK
        | {
            "alt_text": string(200),
            "title": text_object(200),
            "thumbnail_url": string(),
            "video_url": https(),
            "author_name": string(50),
            "description": text_object(200),
            "provider_icon_url": string(),
            "provider_name": string(50),
            "title_url": https(),
        },
    ),
    # SR-BLK-51
    "file": record(("external_id", "source"), _BLOCK | {"external_id": string(), "source": one_of("remote")}),
    "table": newer.TABLE,
    "data_table": newer.DATA_TABLE,
    "data_visualization": newer.DATA_VISUALIZATION,
    "card": newer.CARD,
    "carousel": newer.CAROUSEL,
    "container": _container,
    "alert": newer.ALERT,
    "plan": newer.PLAN,
    "task_card": newer.TASK_CARD,
}

_CLASSIC = {
    "section", "header", "divider", "context", "actions", "input", "image", "rich_text", "video", "card",
    "auth_provider",
}  # fmt: skip
SURFACES: dict[str, frozenset[str]] = {
    "message": frozenset(BLOCKS) - {"alert"},
    "modal": frozenset(_CLASSIC | {"alert"}),
    "home": frozenset(_CLASSIC | {"container", "carousel", "table", "data_table"}),
}
"""SR-BLK-44, SR-BLK-45, SR-BLK-46: which blocks stand where (docs: reference/block-kit/blocks)."""
