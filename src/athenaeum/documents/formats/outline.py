"""What every format is read into: a title and sections of blocks under paths of headings."""

from __future__ import annotations

from dataclasses import dataclass, field


class Unreadable(Exception):  # noqa: N818 - says what the file is
    """This file cannot be read; the message is the reason, for the report."""


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, list, code block or table in its source's notation."""

    text: str
    whole: bool = False
    """Loses its meaning when cut: code, a table."""


@dataclass(slots=True)
class Section:
    """The blocks between one heading and the next."""

    path: tuple[str, ...] = ()
    """The headings it stands under, outermost first, its own last; empty before the first heading."""
    anchor: str | None = None
    """What follows `#` in the address of its heading."""
    blocks: list[Block] = field(default_factory=list[Block])


@dataclass(frozen=True, slots=True)
class Outline:
    """A document as read; `title` is None where it does not name itself."""

    title: str | None
    sections: list[Section]


class OutlineWriter:
    """Collects sections while a document is walked from top to bottom."""

    def __init__(self) -> None:
        self._title: str | None = None
        self._levels: list[tuple[int, str]] = []
        self._sections = [Section()]

    def title(self, title: str | None) -> None:
        """Name the document; the first name stays."""
        title = " ".join((title or "").split())
        if title and self._title is None:
            self._title = title

    def heading(self, level: int, title: str, anchor: str | None) -> None:
        """Begin a section. A heading that repeats the document's title adds nothing to the path below it."""
        title = " ".join(title.split())
        if level == 1:
            self.title(title)
        self._levels = [(above, name) for above, name in self._levels if above < level]
        self._levels.append((level, title))
        path = tuple(name for above, name in self._levels if name and not (above == 1 and name == self._title))
        self._sections.append(Section(path, anchor))

    def block(self, text: str, *, whole: bool = False) -> None:
        """Add a block to the current section; blank ones are left out."""
        if text.strip():
            self._sections[-1].blocks.append(Block(text.strip("\n").rstrip(), whole))

    def outline(self) -> Outline:
        """What was collected; named after its first heading when nothing else named it."""
        sections = [section for section in self._sections if section.path or section.blocks]
        first = next((section.path[0] for section in sections if section.path), None)
        return Outline(self._title or first, sections)
