"""The Block Kit validator: what Slack would refuse, with JSON pointers as Slack gives them.

The rules are tables in block_types.py and block_elements.py; a key that is not in a table is an "invalid additional
property". Here stand the rules about a whole message or view.
"""

from __future__ import annotations

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

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
VIEW_BYTES = 250_000
MESSAGE_TOTAL = 13_200
"""Undocumented sum of characters in a message's blocks above which Slack says msg_blocks_too_long (bolt-js#2509)."""

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
        if surface == "message" and _characters(blocks) > MESSAGE_TOTAL:
            say(out, path, _TOO_LONG)
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
                say(out, ((path, index), "block_id"), f"`block_id` `{block_id}` already exists")
            seen.add(block_id)
    actions: set[tuple[int, str]] = set()
    for block, element in words.elements(blocks):
        action_id = element.get("action_id")
        if action_id:
            key = (id(block), action_id)
            if key in actions:
                say(out, path, f"`action_id` `{action_id}` already exists")
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
    """What is wrong with a view; `kind` is modal or home where only that one is taken."""
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
