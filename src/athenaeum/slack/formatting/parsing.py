"""Markdown to a tree: CommonMark with tables and strikethrough, raw HTML taken as the text it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from athenaeum.slack.formatting.characters import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
_MAX = 200_000
"""Characters that are looked at; far beyond what is ever shown."""


def parse(markdown: str) -> Sequence[SyntaxTreeNode]:
    """The top-level blocks."""
    return SyntaxTreeNode(_MARKDOWN.parse(visible(markdown[:_MAX]))).children
