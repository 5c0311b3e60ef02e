"""Block Kit in small constructors, each keeping Slack's limits: https://docs.slack.dev/reference/block-kit.

Whatever goes in, what comes out is accepted: too long is cut, empty becomes a dash, too many are left off.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any

from bot.slack.surfaces.text import clean, clip

Block = dict[str, Any]
Element = dict[str, Any]

MAX_HEADER_CHARS = 150
MAX_SECTION_CHARS = 3000
MAX_CONTEXT_ELEMENTS = 10
MAX_ACTIONS_ELEMENTS = 25
MAX_BUTTON_TEXT_CHARS = 75
MAX_BUTTON_VALUE_CHARS = 2000
MAX_OPTION_TEXT_CHARS = 75
MAX_OPTION_VALUE_CHARS = 150
MAX_CHECKBOX_OPTIONS = 10  # of checkboxes and radio buttons
MAX_SELECT_OPTIONS = 100
MAX_OVERFLOW_OPTIONS = 5
MAX_ID_CHARS = 255
MAX_LABEL_CHARS = 2000
MAX_INPUT_CHARS = 3000
MAX_MODAL_TITLE_CHARS = 24
MAX_MODAL_BLOCKS = 100
MAX_PRIVATE_METADATA_CHARS = 3000
MAX_MESSAGE_BLOCKS = 50
MAX_MESSAGE_TEXT_CHARS = 3900
#: Slack refuses a message whose blocks hold more than about 13,200 characters, which it does not document
MAX_BLOCKS_JSON_CHARS = 12_000

EMPTY_TEXT = "—"


def _words(text: str) -> str:
    return text if text.strip() else EMPTY_TEXT


def plain_text(text: str, limit: int) -> Element:
    """Text without any markup: never parsed, so not escaped."""
    words = _words(clean(text))
    return {"type": "plain_text", "text": words if len(words) <= limit else words[: limit - 1] + "…", "emoji": False}


def mrkdwn(text: str, limit: int = MAX_SECTION_CHARS) -> Element:
    """Marked-up text, escaped by whoever wrote it. `verbatim`: Slack makes no links and mentions of its own."""
    return {"type": "mrkdwn", "text": clip(_words(text), limit), "verbatim": True}


def encode_value(**keys: Any) -> str:
    """What a button carries: compact JSON without the empty keys."""
    return json.dumps({k: v for k, v in keys.items() if v != ""}, separators=(",", ":"), ensure_ascii=False)


def decode_value(said: str) -> dict[str, Any]:
    """What `encode_value` wrote; nothing where it is something else."""
    try:
        found = json.loads(said)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def block_id(id: str) -> str:
    """At most 255 characters, still different where the whole ids are."""
    return id if len(id) <= MAX_ID_CHARS else f"{id[: MAX_ID_CHARS - 9]}~{hashlib.sha256(id.encode()).hexdigest()[:8]}"


# -- blocks ---------------------------------------------------------------------------------------


def header(text: str) -> Block:
    """A headline; takes no markup and no dates."""
    return {"type": "header", "text": plain_text(" ".join(text.split()), MAX_HEADER_CHARS)}


def section(text: str, accessory: Element | None = None, id: str = "") -> Block:
    """Marked-up text, with one element beside it."""
    block: Block = {"type": "section", "text": mrkdwn(text)}
    if accessory:
        block["accessory"] = accessory
    if id:
        block["block_id"] = block_id(id)
    return block


def sections(title: str, lines: Iterable[str]) -> list[Block]:
    """A title and lines beneath it, in as many blocks as it takes: none is cut."""
    blocks, held = list[Block](), f"*{title}*"
    for line in lines:
        if len(held) + 1 + len(line) > MAX_SECTION_CHARS:
            blocks.append(section(held))
            held = line
        else:
            held = f"{held}\n{line}"
    return [*blocks, section(held)]


def context(*texts: str) -> Block:
    """Small print."""
    return {
        "type": "context",
        "elements": [mrkdwn(text, 2000) for text in texts[:MAX_CONTEXT_ELEMENTS]] or [mrkdwn("")],
    }


def divider() -> Block:
    """A line between parts of a form."""
    return {"type": "divider"}


def actions(*elements: Element | None, id: str = "") -> Block:
    """A row of elements; those that are None are left out. At least one has to stay."""
    block: Block = {"type": "actions", "elements": [one for one in elements if one][:MAX_ACTIONS_ELEMENTS]}
    if id:
        block["block_id"] = block_id(id)
    return block


def rich_text_preformatted(text: str) -> Block:
    """Commands, exactly as they are: rich text parses nothing."""
    return _rich("rich_text_preformatted", text)


def rich_text_quote(text: str) -> Block:
    """A text quoted exactly, with nothing in it parsed."""
    return _rich("rich_text_quote", text)


def _rich(kind: str, text: str) -> Block:
    words = _words(clean(text))
    words = words if len(words) <= MAX_SECTION_CHARS * 3 else words[: MAX_SECTION_CHARS * 3 - 1] + "…"
    return {"type": "rich_text", "elements": [{"type": kind, "elements": [{"type": "text", "text": words}]}]}


def fit_message(blocks: Iterable[Block]) -> tuple[Block, ...]:
    """As many blocks, from the first on, as one message takes."""
    kept: list[Block] = []
    left = MAX_BLOCKS_JSON_CHARS
    for block in blocks:
        left -= json_chars(block)
        if left < 0 or len(kept) == MAX_MESSAGE_BLOCKS:
            break
        kept.append(block)
    return tuple(kept)


def json_chars(block: Block) -> int:
    """How many characters a block takes of what a message may hold."""
    return len(json.dumps(block, ensure_ascii=False, separators=(",", ":")))


# -- elements -------------------------------------------------------------------------------------


def button(label: str, action: str, value: str, *, style: str = "", confirm: Element | None = None) -> Element:
    """A button whose label stands alone. `style`: primary or danger."""
    element: Element = {
        "type": "button",
        "text": plain_text(" ".join(label.split()), MAX_BUTTON_TEXT_CHARS),
        "action_id": action,
        "value": value[:MAX_BUTTON_VALUE_CHARS],
    }
    if style:
        element["style"] = style
    if confirm:
        element["confirm"] = confirm
    return element


def confirm(title: str, text: str, yes: str, no: str) -> Element:
    """A question before a button acts."""
    return {
        "title": plain_text(title, 100),
        "text": plain_text(text, 300),
        "confirm": plain_text(yes, 30),
        "deny": plain_text(no, 30),
    }


def option(text: str, value: str, description: str = "") -> Element:
    """One choice, in plain text."""
    one: Element = {
        "text": plain_text(" ".join(text.split()), MAX_OPTION_TEXT_CHARS),
        "value": value[:MAX_OPTION_VALUE_CHARS] or "-",
    }
    if description:
        one["description"] = plain_text(" ".join(description.split()), MAX_OPTION_TEXT_CHARS)
    return one


def checkbox(action: str, label: str, value: str, ticked: bool) -> Element:
    """One box. The initial option equals the option exactly, or is not there at all."""
    box = option(label, value)
    element: Element = {"type": "checkboxes", "action_id": action, "options": [box]}
    if ticked:
        element["initial_options"] = [box]
    return element


def checkboxes(action: str, options: Sequence[Element], ticked: Sequence[Element] = ()) -> Element:
    """Up to ten boxes."""
    shown = list(options[:MAX_CHECKBOX_OPTIONS])
    element: Element = {"type": "checkboxes", "action_id": action, "options": shown}
    if chosen := [one for one in ticked if one in shown]:
        element["initial_options"] = chosen
    return element


def radio_buttons(action: str, options: Sequence[Element], chosen: str = "") -> Element:
    """Up to ten choices of which one holds; `chosen` is a value."""
    shown = list(options[:MAX_CHECKBOX_OPTIONS])
    element: Element = {"type": "radio_buttons", "action_id": action, "options": shown}
    if first := next((one for one in shown if one["value"] == chosen), None):
        element["initial_option"] = first
    return element


def static_select(action: str, placeholder: str, options: Sequence[Element], chosen: str = "") -> Element:
    """A menu of up to a hundred options; `chosen` is a value."""
    shown = list(options[:MAX_SELECT_OPTIONS])
    element: Element = {
        "type": "static_select", "action_id": action, "placeholder": plain_text(placeholder, 150), "options": shown,
    }  # fmt: skip
    if first := next((one for one in shown if one["value"] == chosen), None):
        element["initial_option"] = first
    return element


def overflow(action: str, options: Sequence[Element]) -> Element:
    """The three dots: one to five options."""
    return {"type": "overflow", "action_id": action, "options": list(options[:MAX_OVERFLOW_OPTIONS])}


def users_select(action: str, placeholder: str, chosen: str = "") -> Element:
    """A menu of everybody in the workspace; `chosen` is a user id."""
    element: Element = {"type": "users_select", "action_id": action, "placeholder": plain_text(placeholder, 150)}
    if chosen[:1] in ("U", "W"):
        element["initial_user"] = chosen
    return element


def plain_text_input(
    action: str, initial: str = "", *, multiline: bool = False, max_length: int = MAX_INPUT_CHARS, placeholder: str = ""
) -> Element:
    """A field to type into; `max_length` characters."""
    limit = max(1, min(max_length, MAX_INPUT_CHARS))
    element: Element = {"type": "plain_text_input", "action_id": action, "multiline": multiline, "max_length": limit}
    if initial:
        element["initial_value"] = clean(initial)[:limit]
    if placeholder:
        element["placeholder"] = plain_text(placeholder, 150)
    return element


# -- forms ----------------------------------------------------------------------------------------


def input_block(id: str, label: str, element: Element, *, hint: str = "", optional: bool = False) -> Block:
    """One question of a form; errors are answered to its `id`."""
    block: Block = {
        "type": "input", "block_id": block_id(id), "label": plain_text(label, MAX_LABEL_CHARS), "element": element,
        "optional": optional,
    }  # fmt: skip
    if hint:
        block["hint"] = plain_text(hint, MAX_LABEL_CHARS)
    return block


def modal(
    name: str, title: str, blocks: Iterable[Block], *, metadata: str, submit: str = "", close: str = "Cancel"
) -> dict[str, Any]:
    """A form called `inc:<what>`; without `submit` it only shows."""
    view: dict[str, Any] = {
        "type": "modal", "callback_id": f"inc:{name}"[:MAX_ID_CHARS], "title": plain_text(title, MAX_MODAL_TITLE_CHARS),
        "close": plain_text(close, MAX_MODAL_TITLE_CHARS), "blocks": list(blocks)[:MAX_MODAL_BLOCKS],
        "private_metadata": metadata,
    }  # fmt: skip
    if submit:
        view["submit"] = plain_text(submit, MAX_MODAL_TITLE_CHARS)
    return view
