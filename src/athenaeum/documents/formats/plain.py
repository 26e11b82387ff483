"""Plain text: paragraphs between blank lines."""

from __future__ import annotations

import re

from athenaeum.documents.formats.outline import Outline, OutlineWriter


def read(source: str) -> Outline:
    """One section without headings."""
    writer = OutlineWriter()
    for paragraph in re.split(r"\n\s*\n", "\n".join(source.splitlines())):
        writer.block(paragraph)
    return writer.outline()
