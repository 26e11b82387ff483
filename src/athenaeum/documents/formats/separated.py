"""Values separated by commas, semicolons or tabs (RFC 4180 and its relatives)."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence

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
    for table in tables(cells for cells in csv.reader(source.splitlines(keepends=True), dialect) if any(cells)):
        writer.block(table, whole=True)
    return writer.outline()


def tables(rows: Iterator[Sequence[str]]) -> Iterator[str]:
    """Rows of cells as tables in Markdown, each of a length that is found and read well, under the first row."""
    first = next(rows, None)
    if first is None:
        return
    header = row(first)
    table, words = [header], len(header.split())
    for line in map(row, rows):
        table.append(line)
        words += len(line.split())
        if words >= _WORDS:
            yield "\n".join(table)
            table, words = [header], 0
    if words:
        yield "\n".join(table)


def row(cells: Iterable[str]) -> str:
    """One row of a table in Markdown, each cell on one line."""
    return f"| {' | '.join(' '.join(cell.split()) for cell in cells)} |"
