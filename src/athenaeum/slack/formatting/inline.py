"""Inline Markdown: a paragraph's nodes as pieces of text that may be cut between, never within."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from athenaeum.slack.formatting.characters import escape, literal, size, visible
from athenaeum.slack.formatting.links import addresses, defanged

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from markdown_it.tree import SyntaxTreeNode

    from athenaeum.slack.formatting.links import LinkPolicy

_MARKS = {"strong": "**", "em": "*", "s": "~~"}
_LONGEST = 800
"""Characters of an atom: longer ones are cut, or lose their mark."""


@dataclass(frozen=True, slots=True)
class Inline:
    """Writes inline nodes anew under a policy."""

    policy: LinkPolicy
    in_table: bool = False

    def atoms(self, nodes: Iterable[SyntaxTreeNode]) -> list[str]:
        """The nodes as atoms whose concatenation is the Markdown of all of them."""
        return [atom for node in nodes for atom in self._node(node)]

    def text(self, nodes: Iterable[SyntaxTreeNode]) -> str:
        """The nodes as one Markdown text."""
        return "".join(self.atoms(nodes))

    def code(self, content: str) -> Iterator[str]:
        """Code spans, several when the content is long."""
        shown = literal(self.policy.tame(visible(content))).replace("\n", " ")
        for start in range(0, len(shown), _LONGEST):
            piece = shown[start : start + _LONGEST]
            if self.in_table:
                piece = piece.replace("|", "\\|")
            ticks = "`" * (1 + max((len(run) for run in re.findall(r"`+", piece)), default=0))
            pad = " " if piece[0] in "` " or piece[-1] in "` " else ""
            if piece.strip():
                yield f"{ticks}{pad}{piece}{pad}{ticks}"

    def _node(self, node: SyntaxTreeNode) -> Iterator[str]:
        match node.type:
            case "text":
                yield from self._written(node.content)
            case "code_inline":
                yield from self.code(node.content)
            case "softbreak" | "hardbreak":
                yield " " if self.in_table else "\n"
            case "strong" | "em" | "s":
                yield from self._marked(node, _MARKS[node.type])
            case "link":
                yield from self._link(str(node.attrs.get("href", "")), _plain(node))
            case "image":
                yield from self._link(str(node.attrs.get("src", "")), _plain(node) or "image")
            case _:
                yield from self._written(node.content)

    def _written(self, text: str) -> Iterator[str]:
        text = visible(text)
        end = 0
        for found in addresses(text):
            yield from self._words(text[end : found.start])
            yield from self._address(found.url)
            end = found.end
        yield from self._words(text[end:])

    def _words(self, text: str) -> Iterator[str]:
        while len(text) > _LONGEST:
            cut = text.rfind(" ", 1, _LONGEST) + 1 or _LONGEST
            yield escape(text[:cut], in_table=self.in_table)
            text = text[cut:]
        if text:
            yield escape(text, in_table=self.in_table)

    def _address(self, url: str) -> Iterator[str]:
        if self.policy.allows(url) and size(url) <= _LONGEST:
            yield f"<{_destination(url)}>"
        elif self.policy.shows(url):
            yield from self.code(url)
        else:
            yield from self._words(defanged(url))

    def _marked(self, node: SyntaxTreeNode, mark: str) -> Iterator[str]:
        inner = self.atoms(node.children)
        text = "".join(inner)
        if size(text) > _LONGEST or not text.strip() or text != text.strip():
            yield from inner
        else:
            yield f"{mark}{text}{mark}"

    def _link(self, url: str, label: str) -> Iterator[str]:
        label = " ".join(visible(label).split())[:_LONGEST]
        if not self.policy.allows(url) or size(url) > _LONGEST:
            if label and label != url:
                yield from self._written(f"{label} ")
                yield from self._words("(")
                yield from self._address(url)
                yield from self._words(")")
            else:
                yield from self._address(url)
        elif not label or label == url:
            yield f"<{_destination(url)}>"
        else:
            shown = escape(self.policy.tame(label), in_table=self.in_table, in_label=True)
            yield f"[{shown}]({_destination(url)})"


def _plain(node: SyntaxTreeNode) -> str:
    if node.type == "image":
        return node.content
    if node.type in {"softbreak", "hardbreak"}:
        return " "
    return node.content if not node.children else "".join(_plain(child) for child in node.children)


def _destination(url: str) -> str:
    """The address as a link's target: with nothing in it that could end it early."""
    return re.sub(r"[()<>|\\\s]", lambda match: "".join(f"%{byte:02X}" for byte in match.group().encode()), url)
