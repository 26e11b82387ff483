"""Workbooks of Excel (.xlsx): the values of each sheet, with those of formulas as they were saved."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from athenaeum.documents.formats import package
from athenaeum.documents.formats.outline import Outline, OutlineWriter
from athenaeum.documents.formats.separated import tables

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def read(data: bytes) -> Outline:
    """A section a sheet, of tables in Markdown."""
    import openpyxl  # noqa: PLC0415 - 0.5 s, for what few processes read

    writer = OutlineWriter()
    book: Any = openpyxl.load_workbook(package.opened(data), read_only=True, data_only=True)
    try:
        writer.title(book.properties.title)
        for sheet in book.worksheets:
            if sheet.sheet_state != "visible":
                continue
            sheet.reset_dimensions()  # what the file says of its size may be false
            writer.heading(2, str(sheet.title), None)
            for table in tables(_rows(sheet.iter_rows(values_only=True))):
                writer.block(table, whole=True)
    finally:
        book.close()
    outline = writer.outline()
    return Outline(outline.title, [section for section in outline.sections if section.blocks])


def _rows(rows: Iterator[Sequence[object]]) -> Iterator[list[str]]:
    """The rows that say something, without the empty cells at their ends."""
    for row in rows:
        cells = [_shown(value) for value in row]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            yield cells


def _shown(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.15g}"  # what Excel keeps of a number
    if isinstance(value, datetime) and value.time() == datetime.min.time():
        return str(value.date())
    return str(value)
