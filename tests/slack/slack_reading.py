"""Messages and forms as a person reads them: plain text, buttons in brackets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bot.domain.desired_message import DesiredMessage

Node = Mapping[str, Any]


def read(blocks: Any) -> str:
    """One line or more per block."""
    return "\n".join(line for block in blocks for line in _block(block))


def read_message(message: DesiredMessage) -> str:
    """Where it stands, what it says, and what can be pressed."""
    place = f"{message.target.kind}{':' + message.target.user if message.target.user else ''}"
    thread = f" in thread of {message.target.parent}" if message.target.parent else ""
    gone = " (gone)" if message.delete else "" if message.send_if_new else " (not sent anew)"
    return f"[{message.key}] {place}{thread}{gone}\n{read(message.blocks)}"


def read_view(view: Node) -> str:
    """The title, the questions, the button."""
    submit = f"[{view['submit']['text']}]" if "submit" in view else "(shows)"
    return f"== {view['title']['text']} == {submit}\n{read(view['blocks'])}"


def _block(block: Node) -> Iterator[str]:
    match block["type"]:
        case "header":
            yield f"# {block['text']['text']}"
        case "section":
            beside = f"   {_element(block['accessory'])}" if "accessory" in block else ""
            yield f"{words(block['text']['text'])}{beside}"
        case "context":
            yield from (f"~ {words(one['text'])}" for one in block["elements"])
        case "actions":
            yield " ".join(_element(one) for one in block["elements"])
        case "rich_text":
            kind = block["elements"][0]["type"]
            mark = "$ " if kind == "rich_text_preformatted" else "| "
            said = "".join(one["text"] for one in block["elements"][0]["elements"])
            yield from (f"{mark}{line}" for line in said.splitlines())
        case "input":
            hint = f" ({block['hint']['text']})" if "hint" in block else ""
            need = "" if block.get("optional") else " *"
            yield f"{block['label']['text']}{need}{hint}: {_element(block['element'])}"
        case "divider":
            yield "--"


def _element(element: Node) -> str:
    match element["type"]:
        case "button":
            return f"[{element['text']['text']}]"
        case "checkboxes":
            ticked = element.get("initial_options", [])
            return " ".join(f"[{'x' if one in ticked else ' '}] {one['text']['text']}" for one in element["options"])
        case "radio_buttons" | "static_select":
            chosen = element.get("initial_option")
            return " ".join(f"({'o' if one == chosen else ' '}) {one['text']['text']}" for one in element["options"])
        case "plain_text_input":
            return f"“{element.get('initial_value', '')}”"
        case kind:
            return f"<{kind}>"


def words(mrkdwn: str) -> str:
    """The reader's own time depends on the reader, so it is shown as (yours)."""
    return re.sub(r" \(<!date\^\d+\^[^|]*\|[^>]*>\)", " (yours)", mrkdwn)
