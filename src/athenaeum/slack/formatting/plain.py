"""Markdown as plain text: for notifications, screen readers, and when Slack refuses blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from athenaeum.slack.formatting.characters import entities
from athenaeum.slack.formatting.parsing import parse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from markdown_it.tree import SyntaxTreeNode


def plain(markdown: str) -> str:
    """The text without its marks, in Slack's own format; `markdown` must be of our own writing."""
    return entities("\n\n".join(_blocks(parse(markdown))))


def _blocks(nodes: Iterable[SyntaxTreeNode]) -> list[str]:
    return [text for node in nodes if (text := _block(node))]


def _block(node: SyntaxTreeNode) -> str:
    match node.type:
        case "fence" | "code_block":
            return node.content.rstrip("\n")
        case "hr":
            return "———"
        case "bullet_list" | "ordered_list":
            return "\n".join(_items(node))
        case "blockquote":
            return "\n".join(f"| {line}" for line in "\n\n".join(_blocks(node.children)).split("\n"))
        case "table":
            rows = [row for section in node.children for row in section.children]
            return "\n".join(" | ".join(_inline(cell) for cell in row.children) for row in rows)
        case _:
            return _inline(node)


def _items(node: SyntaxTreeNode) -> Iterable[str]:
    number = int(node.attrs.get("start", 1)) if node.type == "ordered_list" else None
    for item in node.children:
        marker = "• " if number is None else f"{number}. "
        text = "\n".join(_blocks(item.children)).replace("\n", "\n" + " " * len(marker))
        yield f"{marker}{text}"
        number = None if number is None else number + 1


def _inline(node: SyntaxTreeNode) -> str:
    if node.type in {"softbreak", "hardbreak"}:
        return "\n"
    if not node.children:
        return node.content
    shown = "".join(_inline(child) for child in node.children)
    if node.type == "link" and (address := str(node.attrs.get("href", ""))) != shown:
        return f"{shown} ({address})"
    return shown
