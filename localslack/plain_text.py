"""Reading Block Kit: which words a reader sees, who is mentioned, which buttons there are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

Json = dict[str, Any]
Lookup = Callable[[str], str | None]

_ENTITY = re.compile(r"<([@#!]?)([^>|]+)(?:\|([^>]*))?>")


def escape(text: str) -> str:
    """SR-MSG-17: the three characters that Slack asks to be escaped."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescape(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def elements(blocks: list[Json]) -> Iterator[tuple[Json, Json]]:
    """Every interactive element with its block: (block, element)."""
    for block in blocks:
        kind = block.get("type")
        if kind in ("section", "auth_provider") and isinstance(block.get("accessory"), dict):
            yield block, block["accessory"]
        elif kind in ("actions", "context_actions", "card"):
            for element in block.get("elements") or block.get("actions") or []:
                yield block, element
        elif kind == "input" and isinstance(block.get("element"), dict):
            yield block, block["element"]
        elif kind == "data_table":
            for cell in (cell for row in block.get("rows") or [] for cell in row):
                if cell.get("type") == "action":
                    yield block, cell["element"]
        else:
            yield from elements(inside(block))


def inside(block: Json) -> list[Json]:
    """The blocks that stand in a block."""
    found: list[Json] = block.get("child_blocks") or block.get("elements") or []
    return found if block.get("type") in ("container", "carousel") else []


def button_labels(blocks: list[Json]) -> list[str]:
    return [
        label_of(element) for _, element in elements(blocks) if element.get("type") in ("button", "workflow_button")
    ]


def label_of(element: Json) -> str:
    text = element.get("text")
    return str(text.get("text", "")) if isinstance(text, dict) else str(text or "")


def visible(text: str, blocks: list[Json], attachments: list[Json] | None = None) -> str:
    """What a reader sees: the blocks where there are any, the text otherwise; entities left as sent."""
    lines = list(_words(blocks)) if blocks else ([text] if text else [])
    for attachment in attachments or []:
        for key in ("pretext", "title", "text", "footer"):
            if attachment.get(key):
                lines.append(str(attachment[key]))
        lines.extend(_words(attachment.get("blocks") or []))
        for pair in attachment.get("fields") or []:
            lines.append(f"{pair.get('title', '')} {pair.get('value', '')}".strip())
    return "\n".join(line for line in lines if line)


# Keys that hold words for people, in reading order, and keys to walk into.
_WORDY = (
    "title", "label", "text", "subtitle", "body", "subtext", "caption", "hint", "placeholder", "alt_text",
    "description",
)  # fmt: skip
_NESTED = (
    "fields", "elements", "options", "accessory", "element", "rows", "child_blocks", "blocks", "tasks", "details",
    "output", "actions",
)  # fmt: skip


def _words(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _words(item)
        return
    if not isinstance(node, dict):
        return
    kind = node.get("type")
    if kind in ("rich_text_section", "rich_text_preformatted", "rich_text_quote"):
        yield "".join(_rich(part) for part in node.get("elements") or [])
        return
    for key in _WORDY:
        value = node.get(key)
        if isinstance(value, str) and value:
            yield value
        elif isinstance(value, dict):
            yield from _words(value)
    for key in _NESTED:
        value = node.get(key)
        if isinstance(value, (list, dict)):
            yield from _words(value)


def _rich(part: Json) -> str:
    kind = part.get("type")
    if kind == "user":
        return f"<@{part.get('user_id')}>"
    if kind == "usergroup":
        return f"<!subteam^{part.get('usergroup_id')}>"
    if kind == "channel":
        return f"<#{part.get('channel_id')}>"
    if kind == "broadcast":
        return f"<!{part.get('range')}>"
    if kind == "emoji":
        return f":{part.get('name')}:"
    if kind == "date":
        return str(part.get("fallback") or part.get("format") or "")
    return str(part.get("text") or part.get("url") or "")


def mention_sources(text: str, blocks: list[Json]) -> Iterator[str]:
    """Strings in which Slack parses mentions: the mrkdwn and rich text of blocks, or the text where there are none."""
    if not blocks:
        yield text
        return
    yield from _parsed(blocks)


def _parsed(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _parsed(item)
    elif isinstance(node, dict):
        kind = node.get("type")
        if kind == "mrkdwn" or kind == "markdown":
            yield str(node.get("text") or "")
        elif kind in ("user", "usergroup", "broadcast"):
            yield _rich(node)
        else:
            for value in node.values():
                if isinstance(value, (list, dict)):
                    yield from _parsed(value)


def mentions(text: str, blocks: list[Json]) -> tuple[set[str], set[str], bool]:
    """Who is mentioned: (user ids, user group ids, whether all of the channel)."""
    users: set[str] = set()
    groups: set[str] = set()
    everybody = False
    for source in mention_sources(text, blocks):
        if "<" not in source:
            continue
        for mark, target, _ in _ENTITY.findall(source):
            if mark == "@":
                users.add(target)
            elif mark == "!":
                if target.startswith("subteam^"):
                    groups.add(target.removeprefix("subteam^"))
                elif target in ("here", "channel", "everyone"):
                    everybody = True
    return users, groups, everybody


_WHOLE = re.compile(r"(<(?:[@#][A-Z0-9]+|![a-z]+(?:\^[^>|]+)?|https?://[^>|\s]+|mailto:[^>|\s]+)(?:\|[^>]*)?>)")
_NAME = re.compile(r"(?<![\w.@#/])([@#])([a-z0-9][a-z0-9._-]*)", re.IGNORECASE)


def split_entities(text: str) -> list[tuple[str, bool]]:
    """The text cut into pieces: (piece, whether it is an entity in Slack's form)."""
    return [(piece, index % 2 == 1) for index, piece in enumerate(_WHOLE.split(text)) if piece]


def link_names(text: str, at: Lookup, channel: Lookup) -> str:
    """Replace @name and #name by what the look-ups give for the longest name that they know."""

    def replace(match: re.Match[str]) -> str:
        mark, name = match.groups()
        look = at if mark == "@" else channel
        tail = ""
        while name:
            found = look(name)
            if found is not None:
                return found + tail
            # "@ben." and "@ben-" end a sentence: try again without the last sign.
            if name[-1].isalnum():
                break
            name, tail = name[:-1], name[-1] + tail
        return match.group(0)

    return _NAME.sub(replace, text)
