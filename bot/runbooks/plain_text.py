"""Markdown nodes -> the plain words that are shown: `code` keeps its ticks, everything else loses its markup."""

from __future__ import annotations

from collections.abc import Iterable

from markdown_it.tree import SyntaxTreeNode


def inline(nodes: Iterable[SyntaxTreeNode]) -> str:
    """One line of text. A link keeps its address in brackets, an image its description; comments vanish."""
    return " ".join("".join(_one(node) for node in nodes).split())


def _one(node: SyntaxTreeNode) -> str:
    match node.type:
        case "text":
            return node.content
        case "code_inline":
            return f"`{node.content}`"
        case "softbreak" | "hardbreak":
            return " "
        case "link":
            text, address = inline(node.children), str(node.attrs.get("href", ""))
            return text if text == address else f"{text} ({address})"
        case "image":
            return node.content
        case "html_inline":
            # <HASH> is a placeholder in a sentence, though Markdown takes it for a tag
            return "" if node.content.startswith("<!--") else node.content
        case _:
            return "".join(_one(child) for child in node.children)


def prose(node: SyntaxTreeNode) -> str:
    """A paragraph, list, quote or code block as lines of plain text; "" for what shows nothing."""
    match node.type:
        case "paragraph" | "heading":
            return inline(node.children[0].children) if node.children else ""
        case "fence" | "code_block":
            return f"```\n{node.content.rstrip()}\n```"
        case "bullet_list":
            return "\n".join(f"• {_indented(item)}" for item in node.children)
        case "ordered_list":
            first = int(str(node.attrs.get("start", 1)))
            return "\n".join(f"{n}. {_indented(item)}" for n, item in enumerate(node.children, first))
        case "blockquote":
            lines = "\n".join(filter(None, map(prose, node.children))).split("\n")
            return "\n".join(f"> {line}" for line in lines)
        case _:
            return ""


def _indented(item: SyntaxTreeNode) -> str:
    return "\n".join(filter(None, map(prose, item.children))).replace("\n", "\n   ")
