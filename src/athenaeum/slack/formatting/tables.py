"""Slack's own table for one of Markdown (docs.slack.dev, "Table block"): it scrolls, and keeps its columns' sides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from athenaeum.slack.formatting.characters import literal, size
from athenaeum.slack.formatting.parsing import parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from markdown_it.tree import SyntaxTreeNode

MAX_ROWS = 100
MAX_COLUMNS = 20
MAX_CELLS_TEXT = 10_000
"""Over all cells of a message, which takes one table."""
_STYLES = {"strong": "bold", "em": "italic", "s": "strike"}
_SIDES = ("center", "right")


def with_table(markdown: str) -> tuple[Mapping[str, Any], ...]:
    """The Markdown as blocks, the first table that Slack takes as a block of its own; it must be of our own writing."""
    for node in parse(markdown):
        if node.type == "table" and node.map is not None and (block := _table(node)) is not None:
            lines = markdown.split("\n")
            start, end = node.map
            before, after = ("\n".join(part).strip("\n") for part in (lines[:start], lines[end:]))
            texts = [({"type": "markdown", "text": text},) if text else () for text in (before, after)]
            return (*texts[0], block, *texts[1])
    return ({"type": "markdown", "text": markdown},)


def _table(node: SyntaxTreeNode) -> Mapping[str, Any] | None:
    """The block; None where the table is beyond what Slack takes."""
    rows = [[_Cell.of(cell) for cell in row.children] for section in node.children for row in section.children]
    written = sum(size(cell.text) for row in rows for cell in row)
    if len(rows) > MAX_ROWS or len(rows[0]) > MAX_COLUMNS or written > MAX_CELLS_TEXT:
        return None
    sides = [
        str(cell.attrs.get("style", "")).removeprefix("text-align:") for cell in node.children[0].children[0].children
    ]
    return {
        "type": "table",
        "rows": [[cell.shown() for cell in row] for row in rows],
        "column_settings": [{"align": side if side in _SIDES else "left", "is_wrapped": True} for side in sides],
    }


@dataclass(frozen=True, slots=True)
class _Cell:
    """A cell as the elements of rich text; Slack takes none that is empty."""

    elements: tuple[Mapping[str, Any], ...]

    @classmethod
    def of(cls, node: SyntaxTreeNode) -> _Cell:
        return cls(tuple(element for child in node.children for element in _elements(child, {})))

    @property
    def text(self) -> str:
        return "".join(str(element["text"]) for element in self.elements) or " "

    def shown(self) -> Mapping[str, Any]:
        if all(element["type"] == "text" and "style" not in element for element in self.elements):
            return {"type": "raw_text", "text": self.text}
        section = {"type": "rich_text_section", "elements": list(self.elements)}
        return {"type": "rich_text", "elements": [section]}


def _elements(node: SyntaxTreeNode, style: Mapping[str, bool]) -> Iterator[Mapping[str, Any]]:
    styled = {"style": dict(style)} if style else {}
    match node.type:
        case "inline":
            inner = style
        case "strong" | "em" | "s":
            inner = {**style, _STYLES[node.type]: True}
        case "link":
            label = "".join(str(element["text"]) for child in node.children for element in _elements(child, {}))
            yield {"type": "link", "url": str(node.attrs["href"]), "text": label, **styled}
            return
        case "code_inline":
            yield {"type": "text", "text": literal(node.content), "style": {**style, "code": True}}
            return
        case _:
            if text := literal(node.content):
                yield {"type": "text", "text": text, **styled}
            return
    for child in node.children:
        yield from _elements(child, inner)
