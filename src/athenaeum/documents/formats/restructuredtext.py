"""reStructuredText, by docutils, with nothing that reads files or passes raw text through."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from docutils.core import publish_doctree

from athenaeum.documents.formats.outline import Outline, OutlineWriter

_SETTINGS: dict[str, Any] = {
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "_disable_config": True,
    "halt_level": 5,
    "report_level": 5,
    "smart_quotes": False,
    "syntax_highlight": "none",
    "warning_stream": None,
    "doctitle_xform": False,
    "line_length_limit": 1_000_000,
}
# Sphinx's roles and directives are unknown to docutils
_ROLE = re.compile(r":[\w:+-]+:`(?:[~!])?([^`<]+?)(?:\s*<[^`>]*>)?`")
_NOISE = re.compile(r"^\.\. (?:toctree|auto\w+|currentmodule|module|index|highlight|contents|include|raw)::")

_NESTING: tuple[type, ...] = (nodes.Admonition, nodes.block_quote, nodes.topic, nodes.sidebar, nodes.container)


def read(source: str) -> Outline:
    """Sections by headings, with the ids that docutils and Sphinx give them."""
    document = publish_doctree(_ROLE.sub(r"``\1``", source), settings_overrides=_SETTINGS)
    writer = OutlineWriter()
    _walk(document, writer, level=0)
    return writer.outline()


def _walk(node: nodes.Element, writer: OutlineWriter, *, level: int) -> None:
    for child in (child for child in node.children if isinstance(child, nodes.Element)):
        match child:
            case nodes.section():
                _section(child, writer, level=level + 1)
            case nodes.system_message():
                _unknown(child, writer)
            case nodes.title() | nodes.subtitle() | nodes.comment() | nodes.target() | nodes.substitution_definition():
                pass
            case nodes.literal_block() | nodes.doctest_block():
                writer.block(f"```\n{child.astext()}\n```", whole=True)
            case nodes.table():
                writer.block(_table(child), whole=True)
            case _ if isinstance(child, _NESTING):
                _walk(child, writer, level=level)
            case _:
                writer.block(_text(child))


def _section(section: nodes.section, writer: OutlineWriter, *, level: int) -> None:
    title = section.next_node(nodes.title)
    ids: list[str] = section["ids"]
    writer.heading(level, title.astext() if title is not None else "", ids[0] if ids else None)
    _walk(section, writer, level=level)


def _unknown(message: nodes.system_message, writer: OutlineWriter) -> None:
    """The content of a directive that docutils does not know."""
    for block in message.findall(nodes.literal_block):
        text = block.astext()
        if not _NOISE.match(text):
            writer.block("\n".join(line for line in text.splitlines() if not line.strip().startswith(":")))


def _text(node: nodes.Element) -> str:
    match node:
        case nodes.bullet_list() | nodes.enumerated_list():
            return "\n".join(f"- {_text(item)}" for item in node.children if isinstance(item, nodes.Element))
        case nodes.list_item() | nodes.definition_list() | nodes.definition_list_item() | nodes.definition():
            return "\n".join(_text(item) for item in node.children if isinstance(item, nodes.Element))
        case nodes.literal_block():
            return f"```\n{node.astext()}\n```"
        case nodes.system_message():
            return ""
        case _:
            return node.astext()


def _table(table: nodes.table) -> str:
    rows = [
        " | ".join(" ".join(entry.astext().split()) for entry in row.findall(nodes.entry))
        for row in table.findall(nodes.row)
    ]
    return "\n".join(f"| {row} |" for row in rows)
