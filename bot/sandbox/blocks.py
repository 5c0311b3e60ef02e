"""The Block Kit validator: what Slack would refuse, with JSON pointers as Slack gives them.

The rules are tables in block_types.py and block_elements.py; a key that is not in a table is an "invalid additional
property". Here stand the rules about a whole message or view.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bot.sandbox import words
from bot.sandbox.block_checks import Check, Json, Out, anything, flag, one_of, record, say, string, text_object
from bot.sandbox.block_elements import ELEMENTS
from bot.sandbox.block_types import BLOCKS, MARKDOWN_TOTAL, SURFACES

__all__ = [
    "BLOCKS",
    "ELEMENTS",
    "MARKDOWN_TOTAL",
    "SURFACES",
    "VIEW_BYTES",
    "problems",
    "too_long",
    "view_problems",
]

MESSAGE_BLOCKS = 50  # SR-BLK-01
VIEW_BLOCKS = 100  # SR-BLK-02
VIEW_BYTES = 250_000  # SR-VIW-05
CHARTS = 2  # SR-BLK-30
MESSAGE_TOTAL = 13_200
"""SR-BLK-49: undocumented sum of characters in a message's blocks above which Slack says msg_blocks_too_long.

A data table has a limit of its own, which is higher, and is not counted.
"""

_TOO_LONG = "blocks are too long"


def problems(blocks: Any, surface: str, root: str = "blocks") -> Out:
    """What is wrong with a surface's blocks: sentences with JSON pointers, none where Slack would take them."""
    out: Out = []
    path: Any = (None, root)
    if not isinstance(blocks, list):
        say(out, path, "must be an array")
        return out
    most = MESSAGE_BLOCKS if surface == "message" else VIEW_BLOCKS
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
        if (
            surface == "message"
            and _characters([each for each in blocks if each["type"] != "data_table"]) > MESSAGE_TOTAL
        ):
            say(out, path, _TOO_LONG)
    return out


def too_long(found: Out) -> bool:
    return any(each.startswith(_TOO_LONG) for each in found)


def _identities(blocks: list[Json], path: Any, out: Out) -> None:
    """SR-BLK-04, SR-BLK-06: a block_id is unique on its surface, an action_id in its block.

    SR-ELM-31: the cursor can stand in one element only.
    """
    seen: set[str] = set()
    for where, block in _with_children(blocks, path):
        block_id = block.get("block_id")
        if block_id:
            if block_id in seen:
                say(out, (where, "block_id"), f"`block_id` `{block_id}` already exists")
            seen.add(block_id)
    actions: set[tuple[int, str]] = set()
    focused = 0
    for block, element in words.elements(blocks):
        focused += element.get("focus_on_load") is True
        action_id = element.get("action_id")
        if action_id:
            key = (id(block), action_id)
            if key in actions:
                say(out, path, f"`action_id` `{action_id}` already exists")
            actions.add(key)
    if focused > 1:
        say(out, path, "only one element can have focus_on_load")


def _with_children(blocks: list[Json], path: Any) -> Iterator[tuple[Any, Json]]:
    for index, block in enumerate(blocks):
        yield (path, index), block
        children = block.get("child_blocks")
        if children:
            yield from _with_children(children, ((path, index), "child_blocks"))


def _together(blocks: list[Json], path: Any, out: Out) -> None:
    """What a message may hold of a kind in all: SR-BLK-17 and SR-BLK-30."""
    markdown = charts = 0
    for block in blocks:
        kind = block["type"]
        if kind == "markdown":
            markdown += len(block["text"])
        elif kind == "data_visualization":
            charts += 1
    if markdown > MARKDOWN_TOTAL:
        say(out, path, f"no more than {MARKDOWN_TOTAL} characters allowed in all markdown blocks")
    if charts > CHARTS:
        say(out, path, f"no more than {CHARTS} data_visualization blocks allowed")


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
        say(out, path, "must be an object")
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
    inputs = isinstance(blocks, list) and any(isinstance(b, dict) and b.get("type") == "input" for b in blocks)
    if given == "modal" and inputs and not view.get("submit"):
        say(out, path, "missing required field: submit")
    return out
