from __future__ import annotations

import pytest
from slack_sdk.models.blocks import TableBlock

from athenaeum.domain.identity import PassageId
from athenaeum.domain.turn import Answer, Citation
from athenaeum.slack.formatting import render
from athenaeum.slack.formatting.tables import MAX_CELLS_TEXT, MAX_COLUMNS, MAX_ROWS, with_table

PAGE = "https://docs.corp.dev/retry"


def table(rows: int, columns: int, cell: str = "x") -> str:
    """A table of Markdown with its head among its rows."""
    line = f"| {' | '.join([cell] * columns)} |"
    return "\n".join([line, f"| {' | '.join(['---'] * columns)} |", *[line] * (rows - 1)])


def test_a_table_stands_as_slacks_own_between_what_was_written_around_it() -> None:
    source = Citation(1, PassageId(1), "Retrying", PAGE, "words")
    rows = ["| Tool | Limit |", "| :--- | ---: |", f"| `retry` | **5** a [day]({PAGE}) [1] |", "| wait \\| stop | |"]
    (message,) = render(Answer("\n".join(["Before.", "", *rows, "", "After."]), (source,)))

    before, shown, after, sources = message.blocks
    assert (before["text"], after["text"], sources["type"]) == ("Before.", "After.", "context")
    assert [column["align"] for column in shown["column_settings"]] == ["left", "right"]
    head, first, second = shown["rows"]
    assert [cell["text"] for cell in head] == ["Tool", "Limit"]
    assert [cell["elements"][0]["elements"] for cell in first] == [
        [{"type": "text", "text": "retry", "style": {"code": True}}],
        [
            {"type": "text", "text": "5", "style": {"bold": True}},
            {"type": "text", "text": " a "},
            {"type": "link", "url": PAGE, "text": "day"},
            {"type": "text", "text": " [1]"},
        ],
    ]
    assert second == [{"type": "raw_text", "text": "wait | stop"}, {"type": "raw_text", "text": " "}]
    TableBlock(**shown).validate_json()


def test_where_slack_takes_no_table_it_stands_in_markdown_above_the_sources() -> None:
    source = Citation(1, PassageId(1), "Retrying", PAGE, "words")
    (message,) = render(Answer(f"Before.\n\n{table(2, 2)}", (source,)))
    assert message.otherwise is not None
    assert [block["type"] for block in message.otherwise.blocks] == ["markdown", "context"]
    assert message.otherwise.blocks[0]["text"] == f"Before.\n\n{table(2, 2)}"
    assert (message.otherwise.text, message.otherwise.plain) == (message.text, message.plain)


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        (table(MAX_ROWS, MAX_COLUMNS), ["table"]),
        (table(MAX_ROWS + 1, 2), ["markdown"]),
        (table(2, MAX_COLUMNS + 1), ["markdown"]),
        (table(2, 2, "x" * (MAX_CELLS_TEXT // 4)), ["table"]),
        (table(2, 2, "x" * (MAX_CELLS_TEXT // 4 + 1)), ["markdown"]),
        (table(2, 2, "😀" * (MAX_CELLS_TEXT // 8 + 1)), ["markdown"]),
        (f"{table(MAX_ROWS + 1, 2)}\n\n{table(2, 2)}", ["markdown", "table"]),
        (f"{table(2, 2)}\n\nand\n\n{table(2, 2)}", ["table", "markdown"]),
        (f"- a list\n\n  {table(1, 1)}", ["markdown"]),
        (f"```\n{table(2, 2)}\n```", ["markdown"]),
    ],
)
def test_one_table_of_a_message_is_slacks_own_where_slack_takes_it(markdown: str, shown: list[str]) -> None:
    assert [block["type"] for block in with_table(markdown)] == shown
