"""Values separated by commas, semicolons or tabs (RFC 4180 and its relatives)."""

from __future__ import annotations

import csv
from collections.abc import Iterator

from athenaeum.documents.formats.outline import Outline, OutlineWriter

_DELIMITERS = ",;\t|"
_SAMPLE = 8_192
_WORDS = 200
"""Of a table, after which the next one begins, with the header again: a row says nothing without it."""


def read(source: str) -> Outline:
    """One section of tables in Markdown."""
    writer = OutlineWriter()
    try:
        dialect = csv.Sniffer().sniff(source[:_SAMPLE], _DELIMITERS)
    except csv.Error:
        dialect = csv.excel
    rows = (_row(cells) for cells in csv.reader(source.splitlines(keepends=True), dialect) if any(cells))
    for table in _tables(rows):
        writer.block(table, whole=True)
    return writer.outline()


def _tables(rows: Iterator[str]) -> Iterator[str]:
    header = next(rows, "")
    table, words = [header], len(header.split())
    for row in rows:
        table.append(row)
        words += len(row.split())
        if words >= _WORDS:
            yield "\n".join(table)
            table, words = [header], 0
    if words:
        yield "\n".join(table)


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(' '.join(cell.split()) for cell in cells)} |"
