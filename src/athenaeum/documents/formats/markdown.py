"""Markdown (CommonMark with tables, front matter and heading ids)."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.front_matter import front_matter_plugin

from athenaeum.documents.formats.outline import Outline, OutlineWriter

_WHOLE = frozenset({"fence", "code_block", "table_open"})
_GIVEN_ID = re.compile(r"\s*\{\s*#([\w:.-]+)[^}]*\}\s*$")  # `## Install {#install}`: Hugo, MkDocs, Docusaurus
_TITLE = re.compile(r"^title:\s*(.+?)\s*$", re.MULTILINE)
_COMMENT = re.compile(r"\s*<!--.*?-->\s*", re.DOTALL)
_NOT_IN_SLUG = re.compile(r"[^\w\- ]")


def read(source: str) -> Outline:
    """Sections by headings; each block keeps its Markdown."""
    lines = source.splitlines()
    writer, slugs = OutlineWriter(), Slugs()
    tokens = _parser.parse("\n".join(lines))
    for token, following in pairwise([*tokens, None]):
        if token is None or token.level or token.map is None:
            continue
        start, end = token.map
        if token.type == "front_matter":
            if titled := _TITLE.search(token.content):
                writer.title(titled.group(1).strip("\"'"))
        elif token.type == "heading_open":
            assert following is not None
            title, given = _titled(following)
            writer.heading(int(token.tag[1]), title, slugs.next(title) if given is None else given)
        else:
            text = "\n".join(lines[start:end])
            writer.block(_COMMENT.sub("\n", text) if token.type == "html_block" else text, whole=token.type in _WHOLE)
    return writer.outline()


class Slugs:
    """GitHub's anchors: lower case, spaces to hyphens, repeated ones numbered."""

    def __init__(self) -> None:
        """Begin a page."""
        self._seen: Counter[str] = Counter()

    def next(self, heading: str) -> str:
        """The anchor of the page's next heading."""
        slug = _NOT_IN_SLUG.sub("", heading.strip().lower()).replace(" ", "-")
        count = self._seen[slug]
        self._seen[slug] += 1
        return f"{slug}-{count}" if count else slug


def _titled(inline: Token) -> tuple[str, str | None]:
    """A heading as people see it, and the id that its author gave it."""
    shown = "".join(
        child.content if child.type in {"text", "code_inline"} else " "
        for child in inline.children or []
        if child.type in {"text", "code_inline", "softbreak", "hardbreak"}
    )
    given = _GIVEN_ID.search(shown)
    return (shown[: given.start()], given.group(1)) if given else (shown, None)


_parser = MarkdownIt("commonmark").enable("table").use(front_matter_plugin)
