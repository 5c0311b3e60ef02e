"""The Block Kit validator: what Slack would refuse, with JSON pointers as Slack gives them.

Numbers: docs.slack.dev, reference/block-kit, and the types of @slack/types. Tables of literal rules: for each type the
required keys and a check for each allowed key; a key that is not in the table is an "invalid additional property".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bot.sandbox import words

Json = dict[str, Any]
Path = tuple[Any, ...] | None
Out = list[str]
Check = Callable[[Any, Any, Out], None]

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
VIEW_BYTES = 250_000
MARKDOWN_TOTAL = 12_000
MESSAGE_TOTAL = 13_200
"""Undocumented sum of characters in a message's blocks above which Slack says msg_blocks_too_long (bolt-js#2509)."""

_TOO_LONG = "blocks are too long"


def _say(out: Out, path: Any, problem: str) -> None:
    keys: list[str] = []
    while path is not None:
        path, key = path
        keys.append(str(key))
    out.append(f"{problem} [json-pointer:/{'/'.join(reversed(keys))}]")


# --- checks of single values -----------------------------------------------------------------------------------


def _any(value: Any, path: Any, out: Out) -> None:
    return None


def _flag(value: Any, path: Any, out: Out) -> None:
    if not isinstance(value, bool):
        _say(out, path, "must be a boolean")


def _number(value: Any, path: Any, out: Out) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        _say(out, path, "must be a number")


def _string(most: int, least: int = 1) -> Check:
    def check(value: Any, path: Any, out: Out) -> None:
        if not isinstance(value, str):
            _say(out, path, "must be a string")
        elif len(value) > most:
            _say(out, path, f"must be less than {most + 1} characters")
        elif len(value) < least:
            _say(out, path, f"must be more than {least - 1} characters")

    return check


def _one_of(*allowed: str) -> Check:
    def check(value: Any, path: Any, out: Out) -> None:
        if value not in allowed:
            _say(out, path, f"must be one of: {', '.join(allowed)}")

    return check


def _list(each: Check, most: int, least: int = 1) -> Check:
    def check(value: Any, path: Any, out: Out) -> None:
        if not isinstance(value, list):
            _say(out, path, "must be an array")
            return
        if len(value) > most:
            _say(out, path, f"no more than {most} items allowed")
        if len(value) < least:
            _say(out, path, f"must provide at least {least} items")
        for index, item in enumerate(value):
            each(item, (path, index), out)

    return check


def _text(most: int, mrkdwn: bool = False) -> Check:
    """A text object; `mrkdwn` says whether that type is allowed besides plain_text."""

    def check(value: Any, path: Any, out: Out) -> None:
        if not isinstance(value, dict):
            _say(out, path, "must be an object")
            return
        kind = value.get("type")
        if kind not in (("plain_text", "mrkdwn") if mrkdwn else ("plain_text",)):
            _say(out, (path, "type"), f"must be one of: {'plain_text, mrkdwn' if mrkdwn else 'plain_text'}")
        text = value.get("text")
        if not isinstance(text, str):
            _say(out, path, "missing required field: text")
        elif len(text) > most:
            _say(out, (path, "text"), f"must be less than {most + 1} characters")
        elif not text:
            _say(out, (path, "text"), "must be more than 0 characters")
        for key in value:
            if key not in _TEXT_KEYS.get(str(kind), _TEXT_KEYS["plain_text"]):
                _say(out, path, f"invalid additional property: {key}")

    return check


_TEXT_KEYS = {"plain_text": {"type", "text", "emoji"}, "mrkdwn": {"type", "text", "verbatim"}}


def _object(required: tuple[str, ...], keys: dict[str, Check]) -> Check:
    def check(value: Any, path: Any, out: Out) -> None:
        if not isinstance(value, dict):
            _say(out, path, "must be an object")
            return
        for key in required:
            if value.get(key) is None:
                _say(out, path, f"missing required field: {key}")
        for key, item in value.items():
            rule = keys.get(key)
            if rule is None:
                _say(out, path, f"invalid additional property: {key}")
            elif item is not None:
                rule(item, (path, key), out)

    return check


def _typed(table: dict[str, Check], allowed: frozenset[str] | None = None) -> Check:
    """An object that is checked by its `type`; `allowed` narrows the table for this place."""

    def check(value: Any, path: Any, out: Out) -> None:
        kind = value.get("type") if isinstance(value, dict) else None
        rule = table.get(kind) if isinstance(kind, str) else None
        if rule is None or (allowed is not None and kind not in allowed):
            _say(out, (path, "type"), f"unsupported type: {kind}")
        else:
            rule(value, path, out)

    return check


# --- composition objects and elements --------------------------------------------------------------------------

_TYPE = _string(255)
_ID = _string(255)
_CONFIRM = _object(
    ("title", "text", "confirm", "deny"),
    {
        "title": _text(100),
        "text": _text(300, True),
        "confirm": _text(30),
        "deny": _text(30),
        "style": _one_of("primary", "danger"),
    },
)


def _option(mrkdwn: bool, url: bool = False) -> Check:
    keys: dict[str, Check] = {"text": _text(75, mrkdwn), "value": _string(150), "description": _text(75, mrkdwn)}
    if url:
        keys["url"] = _string(3000)
    return _object(("text", "value"), keys)


_GROUP = _object(("label", "options"), {"label": _text(75), "options": _list(_option(False), 100)})


def _select(kind_keys: dict[str, Check], multi: bool = False) -> dict[str, Check]:
    keys: dict[str, Check] = {
        "type": _TYPE,
        "action_id": _ID,
        "placeholder": _text(150),
        "confirm": _CONFIRM,
        "focus_on_load": _flag,
    }
    if multi:
        keys["max_selected_items"] = _number
    return keys | kind_keys


def _static(multi: bool) -> Check:
    inner: dict[str, Check] = {"options": _list(_option(False), 100), "option_groups": _list(_GROUP, 100)}
    inner["initial_options" if multi else "initial_option"] = _list(_any, 100) if multi else _any
    shape = _object((), _select(inner, multi))

    def check(value: Any, path: Any, out: Out) -> None:
        shape(value, path, out)
        if bool(value.get("options")) == bool(value.get("option_groups")):
            _say(out, path, "must provide exactly one of: options, option_groups")
        _initial_options(value, path, out)

    return check


def _offered(value: Json) -> list[Any]:
    options = list(value.get("options") or [])
    for group in value.get("option_groups") or []:
        if isinstance(group, dict):
            options.extend(group.get("options") or [])
    return options


def _initial_options(value: Json, path: Any, out: Out) -> None:
    """Initial options must equal an option exactly (python-slack-sdk#1509)."""
    one, many = value.get("initial_option"), value.get("initial_options")
    offered = [_same(option) for option in _offered(value)] if one is not None or many else []
    if one is not None and _same(one) not in offered:
        _say(out, (path, "initial_option"), "must match one of the provided options")
    for index, chosen in enumerate(many if isinstance(many, list) else []):
        if _same(chosen) not in offered:
            _say(out, ((path, "initial_options"), index), "must match one of the provided options")


def _same(option: Any) -> Any:
    """An option without what Slack adds by itself (emoji, verbatim)."""
    if not isinstance(option, dict):
        return option
    return {
        key: {k: v for k, v in part.items() if k not in ("emoji", "verbatim")} if isinstance(part, dict) else part
        for key, part in option.items()
        if part is not None
    }


def _choices(initial: str) -> Check:
    """checkboxes and radio_buttons."""
    shape = _object(
        ("options",),
        {
            "type": _TYPE,
            "action_id": _ID,
            "options": _list(_option(True), 10),
            "confirm": _CONFIRM,
            "focus_on_load": _flag,
            initial: _list(_any, 10) if initial.endswith("s") else _any,
        },
    )

    def check(value: Any, path: Any, out: Out) -> None:
        shape(value, path, out)
        _initial_options(value, path, out)

    return check


def _input(keys: dict[str, Check], required: tuple[str, ...] = ()) -> Check:
    shared: dict[str, Check] = {
        "type": _TYPE,
        "action_id": _ID,
        "placeholder": _text(150),
        "focus_on_load": _flag,
        "dispatch_action_config": _any,
    }
    return _object(required, shared | keys)


_BUTTON = _object(
    ("text",),
    {
        "type": _TYPE,
        "text": _text(75),
        "action_id": _ID,
        "url": _string(3000),
        "value": _string(2000, 0),
        "style": _one_of("primary", "danger"),
        "confirm": _CONFIRM,
        "accessibility_label": _string(75),
        "agent_prompt": _string(4000),
    },
)
_SLACK_FILE = _object((), {"id": _string(255), "url": _string(3000)})
_IMAGE = _object(
    ("alt_text",),
    {"type": _TYPE, "image_url": _string(3000), "alt_text": _string(2000), "slack_file": _SLACK_FILE},
)

_FILTER = {"filter": _any, "default_to_current_conversation": _flag, "response_url_enabled": _flag}
ELEMENTS: dict[str, Check] = {
    "button": _BUTTON,
    "workflow_button": _object(
        ("text", "workflow"),
        {
            "type": _TYPE,
            "text": _text(75),
            "workflow": _any,
            "style": _one_of("primary", "danger"),
            "action_id": _ID,
            "accessibility_label": _string(75),
        },
    ),
    "image": _IMAGE,
    "overflow": _object(
        ("options",),
        {"type": _TYPE, "action_id": _ID, "options": _list(_option(False, url=True), 5), "confirm": _CONFIRM},
    ),
    "checkboxes": _choices("initial_options"),
    "radio_buttons": _choices("initial_option"),
    "static_select": _static(multi=False),
    "multi_static_select": _static(multi=True),
    "external_select": _object((), _select({"initial_option": _any, "min_query_length": _number})),
    "multi_external_select": _object(
        (), _select({"initial_options": _list(_any, 100), "min_query_length": _number}, True)
    ),
    "users_select": _object((), _select({"initial_user": _string(255)})),
    "multi_users_select": _object((), _select({"initial_users": _list(_string(255), 100)}, True)),
    "conversations_select": _object((), _select({"initial_conversation": _string(255), **_FILTER})),
    "multi_conversations_select": _object(
        (), _select({"initial_conversations": _list(_string(255), 100), **_FILTER}, True)
    ),
    "channels_select": _object((), _select({"initial_channel": _string(255), "response_url_enabled": _flag})),
    "multi_channels_select": _object((), _select({"initial_channels": _list(_string(255), 100)}, True)),
    "datepicker": _object((), _select({"initial_date": _string(10, 10)})),
    "timepicker": _object((), _select({"initial_time": _string(5, 5), "timezone": _string(255)})),
    "datetimepicker": _object(
        (), {"type": _TYPE, "action_id": _ID, "initial_date_time": _number, "confirm": _CONFIRM, "focus_on_load": _flag}
    ),
    "plain_text_input": _input(
        {"initial_value": _string(3000, 0), "multiline": _flag, "min_length": _number, "max_length": _number}
    ),
    "rich_text_input": _input({"initial_value": _any}),
    "email_text_input": _input({"initial_value": _string(3000, 0)}),
    "url_text_input": _input({"initial_value": _string(3000, 0)}),
    "number_input": _input(
        {
            "is_decimal_allowed": _flag,
            "initial_value": _string(255, 0),
            "min_value": _string(255),
            "max_value": _string(255),
        },
        ("is_decimal_allowed",),
    ),
    "file_input": _object(
        (), {"type": _TYPE, "action_id": _ID, "filetypes": _list(_string(255), 100), "max_files": _number}
    ),
    "feedback_buttons": _object(
        ("positive_button", "negative_button"),
        {"type": _TYPE, "action_id": _ID, "positive_button": _any, "negative_button": _any},
    ),
    "icon_button": _object(
        ("icon", "text"),
        {
            "type": _TYPE,
            "action_id": _ID,
            "icon": _string(255),
            "text": _text(75),
            "value": _string(2000),
            "confirm": _CONFIRM,
            "accessibility_label": _string(75),
            "visible_to_user_ids": _any,
        },
    ),
}

_SELECTS = frozenset(kind for kind in ELEMENTS if kind.endswith("_select"))
_PICKERS = frozenset({"datepicker", "timepicker", "datetimepicker"})
_BOXES = frozenset({"checkboxes", "radio_buttons"})
IN_SECTION = _SELECTS | _BOXES | {"button", "image", "overflow", "datepicker", "timepicker", "workflow_button"}
IN_ACTIONS = _SELECTS | _BOXES | _PICKERS | {"button", "overflow", "workflow_button", "rich_text_input"}
IN_INPUT = (
    _SELECTS
    | _BOXES
    | _PICKERS
    | {
        "plain_text_input",
        "rich_text_input",
        "email_text_input",
        "url_text_input",
        "number_input",
        "file_input",
    }
)


def _context_element(value: Any, path: Any, out: Out) -> None:
    if isinstance(value, dict) and value.get("type") == "image":
        _IMAGE(value, path, out)
    else:
        _text(3000, True)(value, path, out)


# --- blocks ----------------------------------------------------------------------------------------------------

_BLOCK: dict[str, Check] = {"type": _TYPE, "block_id": _ID}


def _section(value: Any, path: Any, out: Out) -> None:
    _SECTION(value, path, out)
    if not value.get("text") and not value.get("fields"):
        _say(out, path, "must provide at least one of: text, fields")


_SECTION = _object(
    (),
    _BLOCK
    | {
        "text": _text(3000, True),
        "fields": _list(_text(2000, True), 10),
        "accessory": _typed(ELEMENTS, IN_SECTION),
        "expand": _flag,
    },
)


def _input_block(value: Any, path: Any, out: Out) -> None:
    _INPUT_BLOCK(value, path, out)
    element = value.get("element")
    if value.get("dispatch_action") and isinstance(element, dict) and element.get("type") == "file_input":
        _say(out, (path, "dispatch_action"), "not supported with file_input")


_INPUT_BLOCK = _object(
    ("label", "element"),
    _BLOCK
    | {
        "label": _text(2000),
        "hint": _text(2000),
        "optional": _flag,
        "dispatch_action": _flag,
        "element": _typed(ELEMENTS, IN_INPUT),
    },
)

_RICH = _list(_any, 1000, 0)


def _child(value: Any, path: Any, out: Out) -> None:
    kind = value.get("type") if isinstance(value, dict) else None
    if kind == "container":
        _say(out, (path, "type"), "unsupported type: container")
        return
    _typed(BLOCKS)(value, path, out)


BLOCKS: dict[str, Check] = {
    "section": _section,
    "header": _object(("text",), _BLOCK | {"text": _text(150), "level": _number}),
    "divider": _object((), _BLOCK),
    "context": _object(("elements",), _BLOCK | {"elements": _list(_context_element, 10)}),
    "actions": _object(("elements",), _BLOCK | {"elements": _list(_typed(ELEMENTS, IN_ACTIONS), 25)}),
    "context_actions": _object(
        ("elements",),
        _BLOCK | {"elements": _list(_typed(ELEMENTS, frozenset({"feedback_buttons", "icon_button"})), 5)},
    ),
    "input": _input_block,
    "image": _object(
        ("alt_text",),
        _BLOCK
        | {"image_url": _string(3000), "alt_text": _string(2000), "title": _text(2000), "slack_file": _SLACK_FILE},
    ),
    "rich_text": _object(("elements",), _BLOCK | {"elements": _RICH}),
    "markdown": _object(("text",), _BLOCK | {"text": _string(MARKDOWN_TOTAL)}),
    "video": _object(
        ("alt_text", "title", "thumbnail_url", "video_url"),
        _BLOCK
        | {
            "alt_text": _string(2000),
            "title": _text(200),
            "thumbnail_url": _string(3000),
            "video_url": _string(3000),
            "author_name": _string(50),
            "description": _text(200),
            "provider_icon_url": _string(3000),
            "provider_name": _string(255),
            "title_url": _string(3000),
        },
    ),
    "file": _object(("external_id", "source"), _BLOCK | {"external_id": _string(255), "source": _one_of("remote")}),
    "table": _object(
        ("rows",),
        _BLOCK | {"rows": _list(_list(_any, 20), 100), "column_settings": _list(_any, 20, 0)},
    ),
    "data_table": _object(
        ("rows", "caption"),
        _BLOCK
        | {"rows": _list(_list(_any, 20), 201, 2), "caption": _any, "page_size": _number, "column_settings": _any},
    ),
    "card": _object(
        (),
        _BLOCK
        | {
            "title": _text(150, True),
            "subtitle": _text(150, True),
            "body": _text(200, True),
            "subtext": _text(200, True),
            "hero_image": _any,
            "icon": _any,
            "slack_icon": _any,
            "actions": _list(_BUTTON, 3),
        },
    ),
    "carousel": _object(("elements",), _BLOCK | {"elements": _list(lambda v, p, o: BLOCKS["card"](v, p, o), 10)}),
    "container": _object(
        ("title", "child_blocks"),
        _BLOCK
        | {
            "title": _text(150, True),
            "subtitle": _any,
            "child_blocks": _list(_child, 10),
            "is_collapsible": _flag,
            "default_collapsed": _flag,
            "width": _any,
            "icon": _any,
        },
    ),
    "alert": _object(
        ("text",),
        _BLOCK | {"text": _text(200, True), "level": _one_of("default", "info", "warning", "error", "success")},
    ),
    "plan": _object(("title",), _BLOCK | {"title": _any, "tasks": _list(_any, 50, 0)}),
    "task_card": _object(
        ("task_id", "title"),
        _BLOCK
        | {
            "task_id": _string(255),
            "title": _any,
            "status": _one_of("in_progress", "complete", "error"),
            "details": _any,
            "output": _any,
            "sources": _any,
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


def problems(blocks: Any, surface: str, root: str = "blocks") -> Out:
    """What is wrong with a surface's blocks: sentences with JSON pointers, none where Slack would take them."""
    out: Out = []
    path: Any = (None, root)
    if not isinstance(blocks, list):
        _say(out, path, "must be an array")
        return out
    most = MESSAGE_BLOCKS if surface == "message" else VIEW_BLOCKS
    if len(blocks) > most:
        _say(out, path, f"no more than {most} items allowed")
        return out
    allowed = SURFACES[surface]
    for index, block in enumerate(blocks):
        kind = block.get("type") if isinstance(block, dict) else None
        rule = BLOCKS.get(kind) if isinstance(kind, str) and kind in allowed else None
        if rule is None:
            _say(out, ((path, index), "type"), f"unsupported type: {kind}")
        else:
            rule(block, (path, index), out)
    if not out:
        _identities(blocks, path, out)
        if surface == "message" and _characters(blocks) > MESSAGE_TOTAL:
            _say(out, path, _TOO_LONG)
    return out


def too_long(found: Out) -> bool:
    return any(each.startswith(_TOO_LONG) for each in found)


def _identities(blocks: list[Json], path: Any, out: Out) -> None:
    """A block_id is unique on its surface, an action_id in its block."""
    seen: set[str] = set()
    for index, block in enumerate(blocks):
        block_id = block.get("block_id")
        if block_id:
            if block_id in seen:
                _say(out, ((path, index), "block_id"), f"`block_id` `{block_id}` already exists")
            seen.add(block_id)
    actions: set[tuple[int, str]] = set()
    for block, element in words.elements(blocks):
        action_id = element.get("action_id")
        if action_id:
            key = (id(block), action_id)
            if key in actions:
                _say(out, path, f"`action_id` `{action_id}` already exists")
            actions.add(key)


def _characters(node: Any) -> int:
    if isinstance(node, list):
        return sum(_characters(item) for item in node)
    if isinstance(node, dict):
        total = 0
        for key, value in node.items():
            if isinstance(value, str):
                total += len(value) if key == "text" else 0
            elif isinstance(value, (dict, list)):
                total += _characters(value)
        return total
    return 0


_VIEW_KEYS: dict[str, Check] = {
    "type": _one_of("modal", "home"),
    "title": _text(24),
    "blocks": _any,
    "submit": _text(24),
    "close": _text(24),
    "private_metadata": _string(3000, 0),
    "callback_id": _string(255, 0),
    "external_id": _string(255, 0),
    "clear_on_close": _flag,
    "notify_on_close": _flag,
    "submit_disabled": _flag,
}


def view_problems(view: Any, kind: str | None) -> Out:
    """What is wrong with a view; `kind` is modal or home where only that one is taken."""
    out: Out = []
    path: Any = (None, "view")
    if not isinstance(view, dict):
        _say(out, path, "must be an object")
        return out
    given = view.get("type")
    if given not in ("modal", "home") or (kind is not None and given != kind):
        _say(out, (path, "type"), f"unsupported type: {given}")
        return out
    required = ("title", "blocks") if given == "modal" else ("blocks",)
    _object(required, _VIEW_KEYS)(view, path, out)
    blocks = view.get("blocks")
    if blocks is not None:
        out += problems(blocks, given, "view/blocks")
    inputs = isinstance(blocks, list) and any(isinstance(b, dict) and b.get("type") == "input" for b in blocks)
    if given == "modal" and inputs and not view.get("submit"):
        _say(out, path, "missing required field: submit")
    return out
