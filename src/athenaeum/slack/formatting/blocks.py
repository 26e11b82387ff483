"""Block-level Markdown written anew, in pieces that can each stand in a message of its own.

A block that fits is one piece. One that doesn't is cut where it can be: code between lines, with the fence closed and
opened again; tables between rows, with the header repeated; lists between items; paragraphs between words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from athenaeum.slack.formatting.characters import literal, size
from athenaeum.slack.formatting.inline import Inline

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from markdown_it.tree import SyntaxTreeNode

    from athenaeum.slack.formatting.links import LinkPolicy

_CLOSE = frozenset({"paragraph", "bullet_list", "ordered_list"})
_SIDES = {"text-align:left": ":---", "text-align:center": ":---:", "text-align:right": "---:"}
_DEEPEST = 4
"""Containers within containers; what is nested deeper is shown at this depth."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """Writes block nodes anew. `limit` is a piece's, `width` what the containers around put before each line."""

    policy: LinkPolicy
    limit: int
    width: int = 0
    depth: int = 0

    def pieces(self, node: SyntaxTreeNode) -> list[str]:
        """One block as pieces of at most `limit`."""
        match node.type:
            case "heading":
                shown = self._heading(node)
            case "fence" | "code_block":
                shown = self._code(node)
            case "table":
                shown = self._table(node)
            case "bullet_list" | "ordered_list":
                shown = self._list(node)
            case "blockquote":
                shown = self._contained(node.children, "> ", "> ")
            case "hr":
                shown = ["---"]
            case _:
                shown = self.fitting(Inline(self.policy).atoms(_inline(node)))
        return shown

    def _heading(self, node: SyntaxTreeNode) -> list[str]:
        mark = "#" * int(node.tag[1:])
        atoms = [atom.replace("\n", " ") for atom in Inline(self.policy).atoms(_inline(node))]
        pieces = replace(self, limit=self.limit - len(mark) - 1).fitting(atoms)
        return [f"{mark} {piece}" for piece in pieces[:1]] + pieces[1:]

    def cost(self, text: str) -> int:
        return size(text) + self.width * (text.count("\n") + 1)

    def fitting(self, atoms: Iterable[str], joint: str = "") -> list[str]:
        """Atoms joined to as few pieces as hold them; an atom too long for one is cut hard."""
        pieces: list[str] = []
        current = ""
        for atom in self._bounded(atoms):
            joined = f"{current}{joint}{atom}" if current else atom
            if current and self.cost(joined) > self.limit:
                pieces.append(current)
                joined = atom
            current = joined
        shown = (_tidy(piece) for piece in [*pieces, current])
        return [piece for piece in shown if piece]

    def _bounded(self, atoms: Iterable[str]) -> Iterator[str]:
        longest = max(1, (self.limit - self.width) // 2)
        for atom in atoms:
            if self.cost(atom) <= self.limit:
                yield atom
                continue
            for start in range(0, len(atom), longest):
                yield atom[start : start + longest]

    def _code(self, node: SyntaxTreeNode) -> list[str]:
        content = literal(self.policy.tame(node.content)).strip("\n")
        info = re.sub(r"[^\w+#-]", "", (node.info or "").split(" ")[0])[:40]
        ticks = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", content)), default=0))
        frame = size(f"{ticks}{info}\n\n{ticks}") + 2 * self.width
        inner = replace(self, limit=max(1, self.limit - frame))
        lines = inner.lines(content)
        return [f"{ticks}{info}\n{piece}\n{ticks}" for piece in lines]

    def lines(self, content: str) -> list[str]:
        pieces: list[str] = []
        current: list[str] = []
        spent = 0
        for line in self._bounded(content.split("\n")):
            cost = self.cost(line) + 1
            if current and spent + cost > self.limit:
                pieces.append("\n".join(current))
                current, spent = [], 0
            current.append(line)
            spent += cost
        return [*pieces, "\n".join(current)]

    def _table(self, node: SyntaxTreeNode) -> list[str]:
        inline = Inline(self.policy, in_table=True)
        rows = [
            [inline.text(_inline(cell)).replace("\n", " ").strip() for cell in row.children]
            for section in node.children
            for row in section.children
        ]
        if not rows:
            return []
        sides = [_SIDES.get(str(cell.attrs.get("style")), "---") for cell in node.children[0].children[0].children]
        head = f"{_row(rows[0])}\n{_row(sides)}\n"
        inner = replace(self, limit=self.limit - self.cost(head))
        body = [_row(row) for row in rows[1:]]
        if inner.limit < self.limit // 2 or any(inner.cost(row) > inner.limit for row in body):
            return [piece for row in rows for piece in self.fitting([cell.replace("\\|", "|") for cell in row], " — ")]
        if not body:
            return [head.rstrip("\n")]
        return [head + piece for piece in inner.fitting(body, "\n")]

    def _list(self, node: SyntaxTreeNode) -> list[str]:
        number = int(node.attrs.get("start", 1)) if node.type == "ordered_list" else None
        tight = all(child.type != "paragraph" or child.hidden for item in node.children for child in item.children)
        items: list[str] = []
        for item in node.children:
            marker = "- " if number is None else f"{number}. "
            shown = self._contained(item.children, marker, " " * len(marker), tight=tight)
            tight = tight and len(shown) == 1
            items += shown
            number = None if number is None else number + 1
        return self.fitting(items, "\n" if tight else "\n\n")

    def _contained(self, nodes: Sequence[SyntaxTreeNode], first: str, rest: str, *, tight: bool = False) -> list[str]:
        """The blocks of a container; `first` stands before its first line, `rest` before the others."""
        deeper = replace(self, width=self.width + len(first), depth=self.depth + 1)
        inner = self if self.depth >= _DEEPEST or deeper.width * 4 > self.limit else deeper
        close = tight and all(node.type in _CLOSE for node in nodes)
        pieces = inner.fitting([piece for node in nodes for piece in inner.pieces(node)], "\n" if close else "\n\n")
        if inner is self:
            return pieces
        if first == rest:
            return [_prefixed(piece, first, rest) for piece in pieces]
        # The rest of an item that is cut stands without indent: it may begin a message.
        return [_prefixed(piece, first, rest) for piece in pieces[:1] or [""]] + pieces[1:]


def _inline(node: SyntaxTreeNode) -> Sequence[SyntaxTreeNode]:
    return [leaf for child in node.children for leaf in (child.children if child.type == "inline" else [child])]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _prefixed(piece: str, first: str, rest: str) -> str:
    lines = piece.split("\n")
    blank = rest.rstrip()
    return "\n".join([f"{first}{lines[0]}".rstrip(), *(f"{rest}{line}" if line else blank for line in lines[1:])])


def _tidy(piece: str) -> str:
    return piece.strip("\n")
