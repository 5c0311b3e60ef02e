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

HEADER = 150
SECTION = 3000
CONTEXT_ELEMENTS = 10
ACTION_ELEMENTS = 25
BUTTON_TEXT = 75
BUTTON_VALUE = 2000
OPTION_TEXT = 75
OPTION_VALUE = 150
OPTIONS = 10  # of checkboxes and radio buttons
SELECT_OPTIONS = 100
OVERFLOW_OPTIONS = 5
ID = 255
LABEL = 2000
INPUT = 3000
MODAL_TITLE = 24
MODAL_BLOCKS = 100
METADATA = 3000
MESSAGE_BLOCKS = 50
TEXT = 3900
#: Slack refuses a message whose blocks hold more than about 13,200 characters, which it does not document
MESSAGE_CHARACTERS = 12_000
#: how much of a runbook's slug stands in a value; see `ref`
SLUG = 60

NOTHING = "—"


def _words(text: str) -> str:
    return text if text.strip() else NOTHING


def plain(text: str, limit: int) -> Element:
    """Text without any markup: never parsed, so not escaped."""
    words = _words(clean(text))
    return {"type": "plain_text", "text": words if len(words) <= limit else words[: limit - 1] + "…", "emoji": False}


def mrkdwn(text: str, limit: int = SECTION) -> Element:
    """Marked-up text, escaped by whoever wrote it. `verbatim`: Slack makes no links and mentions of its own."""
    return {"type": "mrkdwn", "text": clip(_words(text), limit), "verbatim": True}


def value(**keys: Any) -> str:
    """What a button carries: compact JSON without the empty keys."""
    return json.dumps({k: v for k, v in keys.items() if v != ""}, separators=(",", ":"), ensure_ascii=False)


def parse(said: str) -> dict[str, Any]:
    """What `value` wrote; nothing where it is something else."""
    try:
        found = json.loads(said)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def ref(slug: str) -> str:
    """A slug as values and block ids carry it: itself, or, where it is very long, its beginning and a hash."""
    if len(slug) <= SLUG:
        return slug
    return f"{slug[: SLUG - 9]}~{hashlib.sha256(slug.encode()).hexdigest()[:8]}"


def block_id(id: str) -> str:
    """At most 255 characters, still different where the whole ids are."""
    return id if len(id) <= ID else f"{id[: ID - 9]}~{hashlib.sha256(id.encode()).hexdigest()[:8]}"


# -- blocks ---------------------------------------------------------------------------------------


def header(text: str) -> Block:
    """A headline; takes no markup and no dates."""
    return {"type": "header", "text": plain(" ".join(text.split()), HEADER)}


def section(text: str, accessory: Element | None = None, id: str = "") -> Block:
    """Marked-up text, with one element beside it."""
    block: Block = {"type": "section", "text": mrkdwn(text)}
    if accessory:
        block["accessory"] = accessory
    if id:
        block["block_id"] = block_id(id)
    return block


def context(*texts: str) -> Block:
    """Small print."""
    return {"type": "context", "elements": [mrkdwn(text, 2000) for text in texts[:CONTEXT_ELEMENTS]] or [mrkdwn("")]}


def divider() -> Block:
    """A line between parts of a form."""
    return {"type": "divider"}


def actions(*elements: Element | None, id: str = "") -> Block:
    """A row of elements; those that are None are left out. At least one has to stay."""
    block: Block = {"type": "actions", "elements": [one for one in elements if one][:ACTION_ELEMENTS]}
    if id:
        block["block_id"] = block_id(id)
    return block


def code(text: str) -> Block:
    """Commands, exactly as they are: rich text parses nothing."""
    return _rich("rich_text_preformatted", text)


def quotation(text: str) -> Block:
    """A text quoted exactly, with nothing in it parsed."""
    return _rich("rich_text_quote", text)


def _rich(kind: str, text: str) -> Block:
    words = _words(clean(text))
    words = words if len(words) <= SECTION * 3 else words[: SECTION * 3 - 1] + "…"
    return {"type": "rich_text", "elements": [{"type": kind, "elements": [{"type": "text", "text": words}]}]}


def fit(blocks: Iterable[Block]) -> tuple[Block, ...]:
    """As many blocks, from the first on, as one message takes."""
    kept: list[Block] = []
    left = MESSAGE_CHARACTERS
    for block in blocks:
        left -= size(block)
        if left < 0 or len(kept) == MESSAGE_BLOCKS:
            break
        kept.append(block)
    return tuple(kept)


def size(block: Block) -> int:
    """How many characters a block takes of what a message may hold."""
    return len(json.dumps(block, ensure_ascii=False, separators=(",", ":")))


# -- elements -------------------------------------------------------------------------------------


def button(label: str, action: str, value: str, *, style: str = "", confirm: Element | None = None) -> Element:
    """A button whose label stands alone. `style`: primary or danger."""
    element: Element = {
        "type": "button",
        "text": plain(" ".join(label.split()), BUTTON_TEXT),
        "action_id": action,
        "value": value[:BUTTON_VALUE],
    }
    if style:
        element["style"] = style
    if confirm:
        element["confirm"] = confirm
    return element


def confirm(title: str, text: str, yes: str, no: str) -> Element:
    """A question before a button acts."""
    return {"title": plain(title, 100), "text": plain(text, 300), "confirm": plain(yes, 30), "deny": plain(no, 30)}


def option(text: str, value: str, description: str = "") -> Element:
    """One choice, in plain text."""
    one: Element = {"text": plain(" ".join(text.split()), OPTION_TEXT), "value": value[:OPTION_VALUE] or "-"}
    if description:
        one["description"] = plain(" ".join(description.split()), OPTION_TEXT)
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
    shown = list(options[:OPTIONS])
    element: Element = {"type": "checkboxes", "action_id": action, "options": shown}
    if chosen := [one for one in ticked if one in shown]:
        element["initial_options"] = chosen
    return element


def radio(action: str, options: Sequence[Element], chosen: str = "") -> Element:
    """Up to ten choices of which one holds; `chosen` is a value."""
    shown = list(options[:OPTIONS])
    element: Element = {"type": "radio_buttons", "action_id": action, "options": shown}
    if first := next((one for one in shown if one["value"] == chosen), None):
        element["initial_option"] = first
    return element


def select(action: str, placeholder: str, options: Sequence[Element], chosen: str = "") -> Element:
    """A menu of up to a hundred options; `chosen` is a value."""
    shown = list(options[:SELECT_OPTIONS])
    element: Element = {
        "type": "static_select", "action_id": action, "placeholder": plain(placeholder, 150), "options": shown,
    }  # fmt: skip
    if first := next((one for one in shown if one["value"] == chosen), None):
        element["initial_option"] = first
    return element


def overflow(action: str, options: Sequence[Element]) -> Element:
    """The three dots: one to five options."""
    return {"type": "overflow", "action_id": action, "options": list(options[:OVERFLOW_OPTIONS])}


def people(action: str, placeholder: str, chosen: str = "") -> Element:
    """A menu of everybody in the workspace; `chosen` is a user id."""
    element: Element = {"type": "users_select", "action_id": action, "placeholder": plain(placeholder, 150)}
    if chosen[:1] in ("U", "W"):
        element["initial_user"] = chosen
    return element


def text_input(
    action: str, initial: str = "", *, lines: bool = False, most: int = INPUT, placeholder: str = ""
) -> Element:
    """A field to type into; `most` characters."""
    limit = max(1, min(most, INPUT))
    element: Element = {"type": "plain_text_input", "action_id": action, "multiline": lines, "max_length": limit}
    if initial:
        element["initial_value"] = clean(initial)[:limit]
    if placeholder:
        element["placeholder"] = plain(placeholder, 150)
    return element


# -- forms ----------------------------------------------------------------------------------------


def field(id: str, label: str, element: Element, *, hint: str = "", optional: bool = False) -> Block:
    """One question of a form; errors are answered to its `id`."""
    block: Block = {
        "type": "input", "block_id": block_id(id), "label": plain(label, LABEL), "element": element,
        "optional": optional,
    }  # fmt: skip
    if hint:
        block["hint"] = plain(hint, LABEL)
    return block


def modal(
    what: str, title: str, blocks: Iterable[Block], *, metadata: str, submit: str = "", close: str = "Cancel"
) -> dict[str, Any]:
    """A form called `inc:<what>`; without `submit` it only shows."""
    view: dict[str, Any] = {
        "type": "modal", "callback_id": f"inc:{what}"[:ID], "title": plain(title, MODAL_TITLE),
        "close": plain(close, MODAL_TITLE), "blocks": list(blocks)[:MODAL_BLOCKS], "private_metadata": metadata,
    }  # fmt: skip
    if submit:
        view["submit"] = plain(submit, MODAL_TITLE)
    return view
