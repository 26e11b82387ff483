"""Sections cut into passages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final

from athenaeum.documents.formats.outline import Block, Outline, Section

TARGET: Final = 200
"""Words at which a passage is full enough to end."""
LARGEST: Final = 300
"""Words of a passage, unless a single line is longer."""

_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[\"'(\[]?[A-Z0-9])")
_FENCE = re.compile(r"^\s*(`{3,}|~{3,})")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage of a document, and the heading it can be opened at."""

    heading: str
    """The path of headings, " > " between them."""
    anchor: str | None
    text: str


def chunks(outline: Outline) -> list[Chunk]:
    """Passages of about 200 words in the order of the text. None spans two headings, or cuts code or a table that fits.

    A heading with nothing below it is a passage of its own words.
    """
    found: list[Chunk] = []
    for section, following in zip_longest(outline.sections, outline.sections[1:]):
        heading = " > ".join(section.path)
        texts = list(_packed(section.blocks))
        if not texts and section.path and not _is_above(section, following):
            texts = [section.path[-1]]
        found += [Chunk(heading, section.anchor, text) for text in texts]
    return found


def _is_above(section: Section, following: Section | None) -> bool:
    return following is not None and following.path[: len(section.path)] == section.path


def _packed(blocks: Sequence[Block]) -> Iterator[str]:
    packed: list[str] = []
    words = 0
    for piece in (piece for block in blocks for piece in _pieces(block)):
        count = len(piece.split())
        if packed and (words >= TARGET or words + count > LARGEST):
            yield "\n\n".join(packed)
            packed, words = [], 0
        packed.append(piece)
        words += count
    if packed:
        yield "\n\n".join(packed)


def _pieces(block: Block) -> Iterator[str]:
    """The block, or parts of it no longer than a passage: of lines, of sentences where a line is too long."""
    if len(block.text.split()) <= LARGEST:
        yield block.text
        return
    fence = _FENCE.match(block.text)
    if block.whole and fence:
        opening, *lines = block.text.split("\n")
        closing = lines.pop() if lines and _FENCE.match(lines[-1]) else fence.group(1)
        for part in _joined(lines, "\n"):
            yield f"{opening}\n{part}\n{closing}"
        return
    parts: list[str] = []
    for line in block.text.split("\n"):
        parts += [line] if len(line.split()) <= LARGEST else _joined(_SENTENCE.split(line), " ")
    yield from _joined(parts, "\n")


def _joined(parts: Sequence[str], glue: str) -> Iterator[str]:
    joined: list[str] = []
    words = 0
    for part in (cut for whole in parts for cut in _cut(whole)):
        count = len(part.split())
        if joined and words + count > TARGET:
            yield glue.join(joined)
            joined, words = [], 0
        joined.append(part)
        words += count
    if joined:
        yield glue.join(joined)


def _cut(text: str) -> Iterator[str]:
    words = text.split()
    if len(words) <= LARGEST:
        yield text
        return
    for start in range(0, len(words), TARGET):
        yield " ".join(words[start : start + TARGET])
