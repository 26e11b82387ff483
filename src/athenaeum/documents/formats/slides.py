"""Slides of PowerPoint (.pptx): what stands on each, and what its speaker wanted to say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from athenaeum.documents.formats import package
from athenaeum.documents.formats.outline import Outline, OutlineWriter, Unreadable
from athenaeum.documents.formats.separated import row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def read(data: bytes) -> Outline:
    """A section a slide, its title in the heading.

    Raises:
        Unreadable: They are locked or damaged. What is no archive raises what `zipfile` does.
    """
    from pptx import Presentation  # noqa: PLC0415 - 0.2 s, for what few processes read
    from pptx.exc import PythonPptxError  # noqa: PLC0415

    try:
        return _outline(Presentation(package.opened(data)))
    except PythonPptxError as error:
        raise Unreadable(f"the slides are damaged ({type(error).__name__})") from error


def _outline(deck: Any) -> Outline:
    writer = OutlineWriter()
    writer.title(deck.core_properties.title)
    for number, slide in enumerate(deck.slides, 1):
        title: Any = slide.shapes.title
        named = " ".join(title.text_frame.text.split()) if title is not None else ""
        writer.heading(2, f"Slide {number}: {named}" if named else f"Slide {number}", None)
        for text, whole in _texts(shape for shape in slide.shapes if title is None or shape.shape_id != title.shape_id):
            writer.block(text, whole=whole)
        if slide.has_notes_slide and (notes := slide.notes_slide.notes_text_frame) is not None:
            writer.block(notes.text)
    outline = writer.outline()
    return Outline(outline.title, [section for section in outline.sections if section.blocks or section.path])


def _texts(shapes: Iterable[Any]) -> Iterator[tuple[str, bool]]:
    """The text of each shape, and whether it is a table."""
    for shape in shapes:
        if hasattr(shape, "shapes"):  # a group of them
            yield from _texts(shape.shapes)
        elif shape.has_text_frame:
            yield "\n".join(_paragraphs(shape.text_frame.paragraphs)), False
        elif getattr(shape, "has_table", False):
            yield "\n".join(row(cell.text for cell in cells.cells) for cells in shape.table.rows), True


def _paragraphs(paragraphs: Iterable[Any]) -> Iterator[str]:
    for paragraph in paragraphs:
        if text := " ".join(str(paragraph.text).split()):
            yield f"{'  ' * paragraph.level}- {text}"
