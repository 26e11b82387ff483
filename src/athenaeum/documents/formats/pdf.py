"""PDF: the text of each page."""

from __future__ import annotations

import io
import re

from pypdf import PdfReader

from athenaeum.documents.formats.outline import Outline, OutlineWriter, Unreadable


def read(data: bytes) -> Outline:
    """A section a page, with the anchor that viewers open it at.

    Raises:
        Unreadable: It is locked, or has pictures of text only. A damaged one raises what pypdf does.
    """
    writer = OutlineWriter()
    reader = PdfReader(io.BytesIO(data))
    if reader.is_encrypted and not reader.decrypt(""):
        raise Unreadable("the PDF is locked with a password")
    writer.title(reader.metadata.title if reader.metadata else None)
    for number, page in enumerate(reader.pages, 1):
        writer.heading(2, f"Page {number}", f"page={number}")
        for paragraph in re.split(r"\n\s*\n", page.extract_text()):
            writer.block(paragraph)
    outline = writer.outline()
    if not any(section.blocks for section in outline.sections):
        raise Unreadable("the PDF has no text, only pictures of it")
    title = outline.title if outline.title and not outline.title.startswith("Page ") else None
    return Outline(title, [section for section in outline.sections if section.blocks])
