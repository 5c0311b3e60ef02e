"""The Block Kit validator: what Slack would refuse, with JSON pointers as Slack gives them.

The rules are tables in block_types.py and block_elements.py; a key that is not in a table is an "invalid additional
property". Here stand the rules about a whole message or view.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from localslack.block_checks import Check, Json, Out, anything, flag, one_of, record, say, string, text_object
from localslack.block_elements import ELEMENTS
from localslack.block_newer import MAX_DATA_TABLE_CHARS, shown_in_cells
from localslack.block_types import BLOCKS, MAX_MARKDOWN_CHARS, SURFACES

__all__ = [
    "BLOCKS",
    "ELEMENTS",
    "MAX_MARKDOWN_CHARS",
    "SURFACES",
    "VIEW_BYTES",
    "code",
    "problems",
    "view_problems",
]

MAX_MESSAGE_BLOCKS = 50  # SR-BLK-01
MAX_VIEW_BLOCKS = 100  # SR-BLK-02
VIEW_BYTES = 250_000  # SR-VIW-05
MAX_CHARTS = 2  # SR-BLK-30
MAX_MESSAGE_CHARS = 13_200
"""SR-BLK-49: undocumented sum of characters in a message's blocks above which Slack says msg_blocks_too_long.

A data table has a limit of its own, which is higher, and is not counted.
"""

_TOO_LONG = "blocks are too long"
_TABLES = "only_one_table_allowed"


def problems(blocks: Any, surface: str, root: str = "blocks") -> Out:
    """What is wrong with a surface's blocks: sentences with JSON pointers, none where Slack would take them."""
    out: Out = []
    path: Any = (None, root)
    if not isinstance(blocks, list):
        say(out, path, "must provide an array")
        return out
    most = MAX_MESSAGE_BLOCKS if surface == "message" else MAX_VIEW_BLOCKS
    if len(blocks) > most:
        say(out, path, f"no more than {most} items allowed")
        return out
    allowed = SURFACES[surface]
    for index, block in enumerate(blocks):
        kind = block.get("type") if isinstance(block, dict) else None
        rule = BLOCKS.get(kind) if isinstance(kind, str) and kind in allowed else None
        if rule is None:
            say(out, ((path, index), "type"), f"unsupported type: {kind}")
        else:
            rule(block, (path, index), out)
    if not out:
        _identities(blocks, path, out)
        _together(blocks, path, out)
        _elsewhere(blocks, surface, path, out)
        if (
            surface == "message"
            and _characters([each for each in blocks if each["type"] != "data_table"]) > MAX_MESSAGE_CHARS
        ):
            say(out, path, _TOO_LONG)
    return out


def code(found: Out) -> str:
    """What Slack answers to a message with these problems: SR-BLK-49 and SR-BLK-56 have codes of their own."""
    if any(each.startswith(_TOO_LONG) for each in found):
        return "msg_blocks_too_long"
    return "invalid_attachments" if any(each.startswith(_TABLES) for each in found) else "invalid_blocks"


def _identities(blocks: list[Json], path: Any, out: Out) -> None:
    """SR-BLK-04, SR-BLK-06: a block_id is unique on its surface, an action_id in its block.

    SR-ELM-31: the cursor can stand in one element only.
    """
    seen: set[str] = set()
    for where, block in _with_children(blocks, path):
        block_id = block.get("block_id")
        if block_id:
            if block_id in seen:
                say(out, (where, "block_id"), f'`block_id` "{block_id}" already exists')
            seen.add(block_id)
    focused = 0
    for where, block in _with_children(blocks, path):
        actions: set[str] = set()
        for place, element in _elements(where, block):
            focused += element.get("focus_on_load") is True
            action_id = element.get("action_id")
            if action_id:
                if action_id in actions:
                    say(out, (place, "action_id"), f'`action_id` "{action_id}" already exists')
                actions.add(action_id)
    if focused > 1:
        say(out, path, "only one element can have focus_on_load")


def _elements(where: Any, block: Json) -> Iterator[tuple[Any, Json]]:
    """The elements of one block that people use, each with its path."""
    kind = block["type"]
    if kind in ("section", "auth_provider") and "accessory" in block:
        yield (where, "accessory"), block["accessory"]
    elif kind == "input":
        yield (where, "element"), block["element"]
    elif kind in ("actions", "context_actions", "card"):
        key = "actions" if kind == "card" else "elements"
        for index, element in enumerate(block.get(key) or []):
            yield ((where, key), index), element


_ELSEWHERE = {
    "message": frozenset({"file_input"}),
    "modal": frozenset({"workflow_button"}),
    "home": frozenset({"file_input", "workflow_button", "datetimepicker"}),
}
"""SR-ELM-38: elements that a surface does not have."""


def _elsewhere(blocks: list[Json], surface: str, path: Any, out: Out) -> None:
    for where, block in _with_children(blocks, path):
        for place, element in _elements(where, block):
            if element["type"] in _ELSEWHERE[surface]:
                say(out, (place, "type"), f"unsupported type: {element['type']}")


_CHILDREN = {"container": "child_blocks", "carousel": "elements"}


def _with_children(blocks: list[Json], path: Any) -> Iterator[tuple[Any, Json]]:
    for index, block in enumerate(blocks):
        yield (path, index), block
        key = _CHILDREN.get(block["type"], "")
        if block.get(key):
            yield from _with_children(block[key], ((path, index), key))


def _together(blocks: list[Json], path: Any, out: Out) -> None:
    """What a message may hold of a kind in all: SR-BLK-17, SR-BLK-25, SR-BLK-30, SR-BLK-56 and SR-BLK-57."""
    markdown = cells = charts = plans = tables = 0
    for _, block in _with_children(blocks, path):
        kind = block["type"]
        markdown += len(block["text"]) if kind == "markdown" else 0
        cells += shown_in_cells(block["rows"]) if kind == "data_table" else 0
        charts += kind == "data_visualization"
        plans += kind == "plan"
        tables += kind == "table"
    if tables > 1:
        say(out, path, _TABLES)
    if plans > 1:
        say(out, path, "Cannot have more than 1 plan block")
    if cells > MAX_DATA_TABLE_CHARS:
        say(out, path, f"no more than {MAX_DATA_TABLE_CHARS} characters allowed in all data tables")
    if markdown > MAX_MARKDOWN_CHARS:
        say(out, path, f"no more than {MAX_MARKDOWN_CHARS} characters allowed in all markdown blocks")
    if charts > MAX_CHARTS:
        say(out, path, f"no more than {MAX_CHARTS} data_visualization blocks allowed")


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


# SR-VIW-01 to SR-VIW-04
_VIEW_KEYS: dict[str, Check] = {
    "type": one_of("modal", "home"),
    "title": text_object(24),
    "blocks": anything,
    "submit": text_object(24),
    "close": text_object(24),
    "private_metadata": string(3000, 0),
    "callback_id": string(255, 0),
    "external_id": string(255, 0),
    "clear_on_close": flag,
    "notify_on_close": flag,
    "submit_disabled": flag,
}


def view_problems(view: Any, kind: str | None) -> Out:
    """What is wrong with a view; `kind` is modal or home where only that one is taken (SR-VIW-06, SR-VIW-12)."""
    out: Out = []
    path: Any = (None, "view")
    if not isinstance(view, dict):
        say(out, path, "must provide an object")
        return out
    given = view.get("type")
    if given not in ("modal", "home") or (kind is not None and given != kind):
        say(out, (path, "type"), f"unsupported type: {given}")
        return out
    required = ("title", "blocks") if given == "modal" else ("blocks",)
    record(required, _VIEW_KEYS)(view, path, out)
    blocks = view.get("blocks")
    if blocks is not None:
        out += problems(blocks, given, "view/blocks")
    for index, block in enumerate(blocks if isinstance(blocks, list) else []):
        if given == "modal" and not view.get("submit") and isinstance(block, dict) and block.get("type") == "input":
            where = (((path, "blocks"), index), "input")
            say(out, where, "must define `submit` to use an `input` block in modals")
    return out
