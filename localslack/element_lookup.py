"""Finding elements by what a person reads on the screen, or by their ids."""

from __future__ import annotations

from localslack import forms, plain_text
from localslack.errors import NotPossible
from localslack.records import Json


def find_element(
    blocks: list[Json], kinds: tuple[str, ...] | None, action_id: str | None, label: str | None, block_id: str | None
) -> tuple[Json, Json]:
    """The first element that fits; by label, the whole text first, then a part of it."""
    fitting = [
        (block, element)
        for block, element in plain_text.elements(blocks)
        if (kinds is None or element.get("type") in kinds) and (block_id is None or block.get("block_id") == block_id)
    ]
    if action_id is not None:
        for block, element in fitting:
            if element.get("action_id") == action_id and (label is None or plain_text.label_of(element) == label):
                return block, element
    elif label is not None:
        for block, element in fitting:
            if plain_text.label_of(element) == label:
                return block, element
    elif len(fitting) == 1 or (block_id is not None and fitting):
        return fitting[0]
    there = ", ".join(
        f"{plain_text.label_of(element) or element.get('type')} ({element.get('action_id')})" for _, element in fitting
    )
    raise NotPossible(f"no element {label or action_id or block_id or ''!r} here; there are: {there or 'none'}")


def find_box(
    blocks: list[Json], block_id: str | None, label: str | None, action_id: str | None, value: str | None
) -> tuple[Json, Json, Json]:
    """(block, checkboxes, option) by the option's words or, failing that, the words of the block beside it."""
    boxes = [
        (block, element, option)
        for block, element in plain_text.elements(blocks)
        if element.get("type") == "checkboxes"
        and (block_id is None or block.get("block_id") == block_id)
        and (action_id is None or element.get("action_id") == action_id)
        for option in element.get("options") or []
        if value is None or option.get("value") == value
    ]
    if label is None:
        if boxes:
            return boxes[0]
    else:
        for block, element, option in sorted(boxes, key=lambda box: -_likeness(box[0], box[2], label)):
            if _likeness(block, option, label):
                return block, element, option
    raise NotPossible(f"there is no checkbox {label or block_id or action_id or ''!r}")


def _likeness(block: Json, option: Json, label: str) -> int:
    """How well a checkbox fits the words: its own text, a part of it, or the sentence it stands beside."""
    own = plain_text.label_of(option)
    return 3 if own == label else 2 if label in own else 1 if label in plain_text.visible("", [block]) else 0


def find_input(blocks: list[Json], key: str) -> tuple[Json, Json]:
    """A stateful element by block_id, action_id or its label's text."""
    pairs = [pair for pair in plain_text.elements(blocks) if pair[1].get("type") in forms.STATEFUL]
    for block, element in pairs:
        if key in (block.get("block_id"), element.get("action_id")):
            return block, element
    for block, element in pairs:
        if key == plain_text.label_of({"text": block.get("label")}):
            return block, element
    there = ", ".join(plain_text.label_of({"text": b.get("label")}) or str(b.get("block_id")) for b, _ in pairs)
    raise NotPossible(f"the form has no field {key!r}; it has: {there or 'none'}")
