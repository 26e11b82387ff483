"""The project's pages as their readers meet them: headings, links, code and tables."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
FRONT = [ROOT / f"{name}.md" for name in ("README", "ARCHITECTURE", "CONTRIBUTING", "SECURITY", "CHANGELOG")]
PAGES = [*FRONT, *sorted((ROOT / "docs").rglob("*.md"))]

_MARKDOWN = MarkdownIt("gfm-like", {"linkify": False})


@dataclass(frozen=True, slots=True)
class Table:
    """A table's head, and its rows of cells."""

    head: list[str]
    rows: list[list[Token]]


@dataclass(frozen=True)
class Page:
    """One Markdown file of the project."""

    path: Path

    @property
    def text(self) -> str:
        """Its source."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tokens(self) -> list[Token]:
        """Its blocks."""
        return _MARKDOWN.parse(self.text)

    @property
    def inline(self) -> Iterator[Token]:
        """Its spans: text, code, links, images."""
        for token in self.tokens:
            yield from token.children or []

    @property
    def anchors(self) -> set[str]:
        """What `#…` may name here, in GitHub's way."""
        seen: Counter[str] = Counter()
        anchors: set[str] = set()
        for heading, content in zip(self.tokens, self.tokens[1:], strict=False):
            if heading.type == "heading_open":
                slug = _slug(content)
                anchors.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
                seen[slug] += 1
        return anchors

    @property
    def links(self) -> list[str]:
        """Where its links and images lead, those in HTML too."""
        of = {"link_open": "href", "image": "src"}
        targets = [str(token.attrGet(of[token.type])) for token in self.inline if token.type in of]
        html = "".join(token.content for token in (*self.tokens, *self.inline) if token.type.startswith("html"))
        return [*targets, *re.findall(r'(?:href|src|srcset)="([^"]+)"', html)]

    @property
    def code(self) -> list[str]:
        """Code within its sentences and tables."""
        return [token.content for token in self.inline if token.type == "code_inline"]

    def blocks(self, language: str | None = None) -> list[str]:
        """Its code blocks, all of them or those of a language."""
        found = [token for token in self.tokens if token.type in {"fence", "code_block"}]
        return [token.content for token in found if language is None or token.info.strip() == language]

    @property
    def tables(self) -> list[Table]:
        """Its tables."""
        tables: list[Table] = []
        for token, content in zip(self.tokens, self.tokens[1:], strict=False):
            match token.type:
                case "table_open":
                    tables.append(Table([], []))
                case "th_open":
                    tables[-1].head.append(content.content)
                case "tr_open" if content.type == "td_open":
                    tables[-1].rows.append([])
                case "td_open":
                    tables[-1].rows[-1].append(content)
                case _:
                    pass
        return tables

    def table(self, head: str) -> list[list[Token]]:
        """The rows of the table whose first column is called `head`."""
        return next(table.rows for table in self.tables if table.head[0] == head)

    def __str__(self) -> str:
        """Its path from the root, for the names of tests."""
        return str(self.path.relative_to(ROOT))


def spans(cell: Token) -> list[str]:
    """The code in a cell."""
    return [token.content for token in cell.children or [] if token.type == "code_inline"]


def _slug(heading: Token) -> str:
    shown = "".join(token.content for token in heading.children or [] if token.type in {"text", "code_inline"})
    return re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")


def is_test(name: str) -> bool:
    """Whether `path::function` is a test of ours."""
    path, _, test = name.partition("::")
    return test in _tests(path)


@cache
def _tests(path: str) -> set[str]:
    """The tests of a file, by the names pytest finds them under; none when there is no such file."""
    file = ROOT / path
    if not path.startswith("tests/") or not file.is_file():
        return set()
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = ast.parse(file.read_text(encoding="utf-8")).body
    return {node.name for node in nodes if isinstance(node, functions) and node.name.startswith("test_")}
