"""Text documents, workbooks and slides."""

from __future__ import annotations

import io
import zipfile
from datetime import datetime
from typing import Any

import openpyxl
import pytest
from pptx import Presentation
from pptx.util import Inches

from athenaeum.documents import sandbox
from athenaeum.documents.formats import media, slides, word, workbook
from athenaeum.documents.formats.outline import Outline, Unreadable
from support.office import docx, paragraph, saved, zipped

NAMES = ("plan.docx", "plan.xlsx", "plan.pptx")
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
LAUGHTER = f'<!DOCTYPE w [<!ENTITY l0 "ha">{LAUGHS}]>'


def shape(outline: Outline) -> list[tuple[tuple[str, ...], list[str]]]:
    return [(section.path, [block.text for block in section.blocks]) for section in outline.sections]


def test_a_text_document_has_sections_lists_tables_and_what_was_inserted() -> None:
    cell = "<w:tc>{}</w:tc>".format
    rows = [f"<w:tr>{cell(paragraph(a))}{cell(paragraph(b))}</w:tr>" for a, b in (("Day", "Who"), ("Monday", "Ana"))]
    tracked = (
        "<w:p><w:r><w:t>We ship on </w:t></w:r><w:del><w:r><w:delText>Monday</w:delText></w:r></w:del>"
        "<w:ins><w:r><w:t>Friday</w:t></w:r></w:ins></w:p>"
    )
    body = [
        paragraph("Release plan", "Heading1"),
        tracked,
        paragraph("Rota", "Heading2"),
        f"<w:tbl>{''.join(rows)}</w:tbl>",
    ]
    outline = word.read(docx("".join(body)))

    assert outline.title == "Release plan"
    assert shape(outline) == [
        ((), ["We ship on Friday"]),
        (("Rota",), ["| Day | Who |\n| Monday | Ana |"]),
    ]


def test_a_workbook_has_a_section_for_each_sheet_that_is_shown() -> None:
    book: Any = openpyxl.Workbook()
    book.active.title = "Prices"
    for row in (["Plan", "Price", "Since"], ["Team", 0.1 + 0.2, datetime(2026, 3, 1)], [], ["Solo", None, None]):  # noqa: DTZ001
        book.active.append(row)
    hidden = book.create_sheet("Hidden")
    hidden.append(["secret"])
    hidden.sheet_state = "hidden"
    book.create_sheet("Empty")
    outline = workbook.read(saved(book))

    assert shape(outline) == [
        (("Prices",), ["| Plan | Price | Since |\n| Team | 0.3 | 2026-03-01 |\n| Solo |"]),
    ]


def test_slides_have_their_title_points_tables_and_notes() -> None:
    deck: Any = Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    slide.shapes.title.text = "Roadmap"
    slide.placeholders[1].text = "Tables"
    slide.placeholders[1].text_frame.add_paragraph().text = "Pictures"
    slide.placeholders[1].text_frame.paragraphs[1].level = 1
    slide.shapes.add_group_shape().shapes.add_textbox(0, 0, 9, 9).text_frame.text = "In a group"
    table = slide.shapes.add_table(2, 2, 0, 0, Inches(4), Inches(1)).table
    for row, cells in enumerate((("Q", "Goal"), ("3", "Search"))):
        for column, text in enumerate(cells):
            table.cell(row, column).text = text
    slide.notes_slide.notes_text_frame.text = "Say why."
    deck.slides.add_slide(deck.slide_layouts[6])
    outline = slides.read(saved(deck))

    assert shape(outline) == [
        (("Slide 1: Roadmap",), ["- Tables\n  - Pictures", "- In a group", "| Q | Goal |\n| 3 | Search |", "Say why."]),
        (("Slide 2",), []),
    ]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "locked with a password, or of a format before 2007"),
        (b"PK\x03\x04 and nothing else", "cannot be read as"),
        (zipped({"readme.txt": "not Office's"}), "cannot be read as"),
        (zipped({"word/a.xml": bytes(12_345)}).replace(b"\x39\x30\0\0", b"\0\0\0\x0f"), "unpacks to too much"),
        (zipped({f"{n}.xml": "" for n in range(10_001)}), "unpacks to too much"),
    ],
)
def test_what_cannot_be_read_says_why(name: str, content: bytes, reason: str) -> None:
    kind = media.media_type(name)
    assert kind is not None
    with pytest.raises(Unreadable, match=reason):
        media.read(content, kind)


async def test_entities_that_laugh_are_given_up() -> None:
    kind = media.media_type("plan.docx")
    assert kind is not None
    with pytest.raises(Unreadable, match=r"cannot be read|takes too much"):
        await sandbox.read(docx(paragraph("&l11;"), prolog=LAUGHTER), kind)


def test_slides_that_lack_what_they_must_have_are_damaged() -> None:
    deck: Any = Presentation()
    deck.slides.add_slide(deck.slide_layouts[6])
    with zipfile.ZipFile(io.BytesIO(saved(deck))) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["ppt/slides/slide1.xml"] = parts["ppt/slides/slide1.xml"].replace(b"p:cSld>", b"p:other>")
    with pytest.raises(Unreadable, match="the slides are damaged"):
        slides.read(zipped(parts))
