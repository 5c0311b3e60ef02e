"""Block Kit's newer blocks: rich text, tables, charts, cards, alerts, plans (docs/slack-rules.md, SR-BLK).

Numbers: docs.slack.dev, reference/block-kit/blocks, the types of @slack/types 3.2 and slack_sdk 3.47.
"""

from __future__ import annotations

from typing import Any

from localslack.block_checks import (
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
    whole,
)
from localslack.block_elements import BUTTON, ELEMENTS, ID, IMAGE, TYPE

MAX_TABLE_COLUMNS = 20
MAX_TABLE_ROWS = 100
MAX_TABLE_CHARS = 10_000
MAX_DATA_TABLE_ROWS = 201
MAX_DATA_TABLE_CHARS = 20_000
MAX_CHART_SERIES = 12
MAX_SERIES_POINTS = 20
MAX_CARDS = 10
MAX_TASKS = 50

_BLOCK: dict[str, Check] = {"type": TYPE, "block_id": ID}

# --- rich text (SR-BLK-18) ----------------------------------------------------------------------------------------

_STYLE = record(
    (),
    dict.fromkeys(
        ("bold", "italic", "strike", "code", "underline", "highlight", "client_highlight", "unlink"), flag
    ),
)  # fmt: skip


def _inline(*required: str, **keys: Check) -> Check:
    return record(required, {"type": TYPE, "style": _STYLE, **keys})


def _moment(value: Any, path: Any, out: Out) -> None:
    # Slack's own clients write the seconds as a string of digits as well.
    if not (isinstance(value, str) and value.isdecimal()):
        number(value, path, out)


_INLINE: dict[str, Check] = {
    "text": _inline("text", text=string()),
    "link": _inline("url", url=string(), text=string(least=0), unsafe=flag),
    "emoji": _inline("name", name=string(), unicode=string(), url=string(), skin_tone=number),
    "user": _inline("user_id", user_id=string()),
    "usergroup": _inline("usergroup_id", usergroup_id=string()),
    "channel": _inline("channel_id", channel_id=string()),
    "team": _inline("team_id", team_id=string()),
    "broadcast": _inline("range", range=one_of("here", "channel", "everyone")),
    "color": _inline("value", value=string()),
    "date": _inline("timestamp", "format", timestamp=_moment, format=string(), url=string(), fallback=string()),
}
# Types whose keys Slack does not document in full.
_INLINE |= dict.fromkeys(
    (
        "attachment_mention", "canvas", "canvas_user_mention", "canvas_message_unfurl", "citation", "file",
        "list_record", "message_mention", "salesforce_data_field", "tag", "work_object_mention", "workflow_mention",
    ),
    anything,
)  # fmt: skip

_PIECES = list_of(typed(_INLINE), least=0)
_CODE = list_of(typed(_INLINE, frozenset({"text", "link"})), least=0)
_PARTS: dict[str, Check] = {
    "rich_text_section": record(("elements",), {"type": TYPE, "elements": _PIECES}),
    "rich_text_preformatted": record(
        ("elements",), {"type": TYPE, "elements": _CODE, "border": whole(0, 1), "language": string()}
    ),
    "rich_text_quote": record(("elements",), {"type": TYPE, "elements": _PIECES, "border": whole(0, 1)}),
}
_PARTS["rich_text_list"] = record(
    ("elements", "style"),
    {
        "type": TYPE,
        "elements": list_of(typed(_PARTS, frozenset({"rich_text_section"}))),
        "style": one_of("bullet", "ordered"),
        "indent": whole(0, 8),
        "offset": whole(0),
        "border": whole(0, 1),
    },
)
RICH_TEXT = record(("elements",), _BLOCK | {"elements": list_of(typed(_PARTS), least=0)})

# --- tables -------------------------------------------------------------------------------------------------------

_RAW_TEXT = record(("text",), {"type": TYPE, "text": string()})
_RAW_NUMBER = record(("value", "text"), {"type": TYPE, "value": number, "text": string()})
_ACTION = record(("element",), {"type": TYPE, "element": BUTTON})
_CELLS: dict[str, Check] = {"raw_text": _RAW_TEXT, "raw_number": _RAW_NUMBER, "rich_text": RICH_TEXT}
_CELL = typed(_CELLS)
_HEADER_CELL = typed(_CELLS, frozenset({"raw_text", "raw_number"}))
_COLUMN = record((), {"align": one_of("left", "center", "right"), "is_wrapped": flag})
_TABLE = record(
    ("rows",),
    _BLOCK
    | {
        "rows": list_of(list_of(_CELL, MAX_TABLE_COLUMNS), MAX_TABLE_ROWS),
        "column_settings": list_of(_COLUMN, MAX_TABLE_COLUMNS, 0),
    },
)


def TABLE(value: Any, path: Any, out: Out) -> None:  # noqa: N802  (stands in the table of blocks)
    """SR-BLK-19, SR-BLK-20, SR-BLK-21, SR-BLK-58, SR-BLK-59."""
    _TABLE(value, path, out)
    _cells(value.get("rows"), path, MAX_TABLE_CHARS, out)


def _cells(rows: Any, path: Any, most: int, out: Out) -> None:
    """Rows of the same length, with at most so many characters in all; rows that are none are refused elsewhere."""
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        return
    if len({len(row) for row in rows}) > 1:
        say(out, (path, "rows"), "all rows must have the same number of cells")
    if shown_in_cells(rows) > most:
        say(out, (path, "rows"), f"no more than {most} characters allowed in all cells")


_DATA_CELL = typed(_CELLS | {"action": _ACTION})
_DATA_TABLE = record(
    ("rows", "caption"),  # SR-BLK-26
    _BLOCK
    | {
        "rows": list_of(list_of(_DATA_CELL, MAX_TABLE_COLUMNS), MAX_DATA_TABLE_ROWS, 2),
        "caption": string(),
        "page_size": whole(1, 100),  # SR-BLK-24
        "row_header_column_index": whole(0, MAX_TABLE_COLUMNS - 1),  # SR-BLK-23
    },
)


def DATA_TABLE(value: Any, path: Any, out: Out) -> None:  # noqa: N802  (stands in the table of blocks)
    """SR-BLK-22 to SR-BLK-27."""
    _DATA_TABLE(value, path, out)
    rows = value.get("rows")
    _cells(rows, path, MAX_DATA_TABLE_CHARS, out)
    for index, cell in enumerate(rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], list) else []):
        if isinstance(cell, dict) and cell.get("type") == "rich_text":
            _HEADER_CELL(cell, (((path, "rows"), 0), index), out)


def shown_in_cells(node: Any) -> int:
    """How many characters of text stand in a cell, or in rows of cells (SR-BLK-25)."""
    if isinstance(node, list):
        return sum(shown_in_cells(each) for each in node)
    if not isinstance(node, dict):
        return 0
    text = node.get("text")
    own = len(text) if isinstance(text, str) else shown_in_cells(text)
    return own + shown_in_cells(node.get("elements")) + shown_in_cells(node.get("element"))


# --- charts (SR-BLK-28, SR-BLK-29, SR-BLK-52) ---------------------------------------------------------------------

_POINT = record(("label", "value"), {"label": string(20), "value": number})
_SERIES = record(("name", "data"), {"name": string(20), "data": list_of(_POINT, MAX_SERIES_POINTS)})
_AXES = record(
    ("categories",),
    {"categories": list_of(string(20), MAX_SERIES_POINTS), "x_label": string(50), "y_label": string(50)},
)
_PLOT = record(
    ("series", "axis_config"), {"type": TYPE, "series": list_of(_SERIES, MAX_CHART_SERIES), "axis_config": _AXES}
)  # fmt: skip


def _plot(value: Any, path: Any, out: Out) -> None:
    """Each series has a name of its own and one point for each category."""
    before = len(out)
    _PLOT(value, path, out)
    if len(out) > before:
        return
    names = [series["name"] for series in value["series"]]
    if len(set(names)) < len(names):
        say(out, (path, "series"), "series names must be unique")
    wanted = sorted(value["axis_config"]["categories"])
    for index, series in enumerate(value["series"]):
        if sorted(point["label"] for point in series["data"]) != wanted:
            say(out, (((path, "series"), index), "data"), "must have one data point for each category")


def _slice(value: Any, path: Any, out: Out) -> None:
    """SR-BLK-52: a part of the whole is more than nothing."""
    before = len(out)
    _POINT(value, path, out)
    if len(out) == before and value["value"] <= 0:
        say(out, (path, "value"), "must be more than 0")


_CHARTS: dict[str, Check] = {
    "pie": record(("segments",), {"type": TYPE, "segments": list_of(_slice, MAX_CHART_SERIES)}),
    "bar": _plot,
    "area": _plot,
    "line": _plot,
}
DATA_VISUALIZATION = record(("title", "chart"), _BLOCK | {"title": string(50), "chart": typed(_CHARTS)})

_ICONS = (
    "archive", "book", "bookmark", "bot", "bug", "calendar", "call", "caret-left", "caret-right", "check", "clipboard",
    "code", "comment", "compass", "copy", "cube", "download", "edit", "email", "eye-closed", "eye-open", "file", "flag",
    "folder", "gear", "globe", "heart", "help", "image", "info", "key", "lightbulb", "link", "map", "mobile",
    "new-window", "pin", "plus", "refine", "refresh", "rocket", "save", "screen", "share", "sparkle", "star",
    "star-filled", "tag", "thumbs-down", "thumbs-up", "trash", "upload", "user", "warning",
)  # fmt: skip

# --- cards --------------------------------------------------------------------------------------------------------

# SR-BLK-31, SR-BLK-32, SR-BLK-33
_CARD = record(
    (),
    _BLOCK
    | {
        "title": text_object(150, True),
        "subtitle": text_object(150, True),
        "body": text_object(200, True),
        "subtext": text_object(200, True),
        "hero_image": IMAGE,
        "icon": IMAGE,
        "slack_icon": record(("type", "name"), {"type": one_of("icon"), "name": one_of(*_ICONS)}),  # SR-BLK-55
        "actions": list_of(typed(ELEMENTS, frozenset({"button", "workflow_button"})), 3),
    },
)


def CARD(value: Any, path: Any, out: Out) -> None:  # noqa: N802  (stands in the table of blocks)
    """SR-BLK-34: something has to be on it."""
    _CARD(value, path, out)
    if not any(value.get(key) for key in ("hero_image", "title", "actions", "body")):
        say(out, path, "must provide at least one of: hero_image, title, actions, body")


# SR-BLK-35
CAROUSEL = record(("elements",), _BLOCK | {"elements": list_of(typed({"card": CARD}), MAX_CARDS)})

# SR-BLK-40, SR-BLK-41
ALERT = record(
    ("text",),
    _BLOCK | {"text": text_object(200, True), "level": one_of("default", "info", "warning", "error", "success")},
)

# --- plans and tasks (SR-BLK-42, SR-BLK-43, SR-BLK-61) --------------------------------------------------------------

_SOURCE = record(("url", "text"), {"type": TYPE, "url": string(3000), "text": string(), "icon_url": string()})


def _task(*status: str) -> Check:
    return record(
        ("task_id", "title"),
        _BLOCK
        | {
            "task_id": string(),
            "title": string(),
            "icon": anything,
            "hide_title": flag,
            "status": one_of(*status),
            "details": typed({"rich_text": RICH_TEXT}),
            "output": typed({"rich_text": RICH_TEXT}),
            "sources": list_of(typed({"url": _SOURCE}), least=0),
        },
    )


TASK_CARD = _task("in_progress", "complete", "error")
_TASK_IN_PLAN = _task("pending", "in_progress", "complete", "error")


def _planned(value: Any, path: Any, out: Out) -> None:
    """A plan's task need not say that it is one (docs: reference/block-kit/blocks/plan-block, the example)."""
    kind = value.get("type", "task_card") if isinstance(value, dict) else None
    if kind == "task_card":
        _TASK_IN_PLAN(value, path, out)
    else:
        say(out, (path, "type"), f"unsupported type: {kind}")


PLAN = record(("title",), _BLOCK | {"title": string(), "plan_id": string(), "tasks": list_of(_planned, MAX_TASKS, 0)})
