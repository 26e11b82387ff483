from __future__ import annotations

import io
from pathlib import Path

import pytest
from pypdf import PdfWriter

from athenaeum.documents.formats import html, markdown, media, restructuredtext, separated
from athenaeum.documents.formats.outline import Outline, Unreadable


def shape(outline: Outline) -> list[tuple[tuple[str, ...], str | None, list[str]]]:
    return [(section.path, section.anchor, [block.text for block in section.blocks]) for section in outline.sections]


def test_markdown_keeps_the_notation_of_its_blocks() -> None:
    source = "# T\n\nSome *emphasis*.\n\n- one\n- two\n\n```sh\nls\n```\n\n| a |\n| - |\n| b |\n"
    (section,) = markdown.read(source).sections
    assert [block.text for block in section.blocks] == [
        "Some *emphasis*.",
        "- one\n- two",
        "```sh\nls\n```",
        "| a |\n| - |\n| b |",
    ]
    assert [block.whole for block in section.blocks] == [False, False, True, True]


def test_each_table_of_separated_values_begins_with_their_header() -> None:
    source = "name;days\n" + "".join(f"person {number};{number}\n" for number in range(90))
    (section,) = separated.read(source).sections
    tables = [block.text.split("\n") for block in section.blocks]
    assert [table[0] for table in tables] == ["| name | days |"] * len(tables)
    assert [row for table in tables for row in table[1:]] == [f"| person {n} | {n} |" for n in range(90)]
    assert len(tables) == 3


def test_markdown_anchors_are_githubs() -> None:
    source = (
        "# T\n\n## What's *new* in `v1.2`?\n\n## Set-up & go\n\n## Set-up & go\n\n## Über uns\n\n## Given {#my-id}\n"
    )
    assert [section.anchor for section in markdown.read(source).sections] == [
        "whats-new-in-v12",
        "set-up--go",
        "set-up--go-1",
        "über-uns",
        "my-id",
    ]


def test_a_hash_in_code_is_no_heading() -> None:
    assert len(markdown.read("# T\n\n```sh\n# not a heading\n```\n").sections) == 1


@pytest.mark.parametrize(
    ("source", "title"),
    [
        ("---\ntitle: 'From front matter'\n---\n# Heading\n", "From front matter"),
        ("text first\n\n# Heading\n", "Heading"),
        ("## Only a second level\n\ntext\n", "Only a second level"),
        ("Setext\n======\n", "Setext"),
        ("no heading at all\n", None),
    ],
)
def test_a_markdown_document_is_named_by_its_first_heading(source: str, title: str | None) -> None:
    assert markdown.read(source).title == title


def test_restructuredtext_sections_have_sphinx_anchors() -> None:
    source = (
        "Guide\n=====\n\nIntro with :class:`Pool <x.Pool>` and ``code``.\n\nFirst steps\n-----------\n\n"
        ".. code-block:: python\n\n   run()\n\n.. note::\n\n   Mind the gap.\n\n.. versionadded:: 3.1\n   Since then.\n"
    )
    outline = restructuredtext.read(source)
    assert outline.title == "Guide"
    assert shape(outline)[0] == ((), "guide", ["Intro with Pool and code."])
    path, anchor, blocks = shape(outline)[1]
    assert (path, anchor) == (("First steps",), "first-steps")
    assert blocks[0] == "```\nrun()\n```"
    assert any("Mind the gap." in block for block in blocks)
    assert any("Since then." in block for block in blocks)


def test_restructuredtext_reads_no_other_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("canary")
    source = (
        f"T\n=\n\ntext\n\n.. include:: {secret}\n\n.. raw:: html\n   :file: {secret}\n\n"
        f".. csv-table::\n   :file: {secret}\n\n.. literalinclude:: {secret}\n"
    )
    assert "canary" not in str(restructuredtext.read(source))


def test_html_is_read_without_what_surrounds_it() -> None:
    source = """<html><head><title>Install | Site</title><style>p{}</style></head><body>
      <nav>Home Docs</nav><header>Menu</header>
      <main><h1>Install</h1><p>Get <b>it</b>.<script>alert(1)</script></p>
        <h2 id="linux">Linux <a class="headerlink" href="#linux">¶</a></h2>
        <ul><li>one</li><li>two</li></ul><pre><code>pip install
  it</code></pre>
        <section id="mac"><h2>macOS</h2><table><tr><th>v</th><td>14</td></tr></table></section>
      </main><footer>Imprint</footer></body></html>"""
    outline = html.read(source)
    assert outline.title == "Install"
    assert shape(outline) == [
        ((), None, ["Get it."]),
        (("Linux",), "linux", ["- one\n- two", "```\npip install\n  it\n```"]),
        (("macOS",), "mac", ["| v | 14 |"]),
    ]


def test_html_without_main_part_or_heading_is_named_by_its_title() -> None:
    assert html.read("<title>Note</title><p>Hello").title == "Note"


def pdf(*pages: str) -> bytes:
    """A PDF with one line of Helvetica a page, written by hand."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>"]
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(pages)))
    objects += [f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>"]
    objects += ["<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    for number, line in enumerate(pages):
        stream = f"BT /F1 12 Tf 72 720 Td ({line}) Tj ET"
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {5 + 2 * number} 0 R"
            " /Resources << /Font << /F1 3 0 R >> >> >>"
        )
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    out, offsets = "%PDF-1.4\n", list[int]()
    for number, content in enumerate(objects, 1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{content}\nendobj\n"
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    size = len(objects) + 1
    start = len(out)
    out += f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n<< /Size {size} /Root 1 0 R >>\n"
    return f"{out}startxref\n{start}\n%%EOF\n".encode("latin-1")


def test_a_pdf_opens_at_the_page() -> None:
    outline = media.read(pdf("Annual report", "Costs fell."), "application/pdf")
    assert shape(outline) == [
        (("Page 1",), "page=1", ["Annual report"]),
        (("Page 2",), "page=2", ["Costs fell."]),
    ]
    assert outline.title is None


def test_a_locked_pdf_is_refused() -> None:
    writer, locked = PdfWriter(), io.BytesIO()
    writer.add_blank_page(100, 100)
    writer.encrypt("secret")
    writer.write(locked)
    with pytest.raises(Unreadable, match="password"):
        media.read(locked.getvalue(), "application/pdf")


def test_a_pdf_of_pictures_is_refused() -> None:
    writer, blank = PdfWriter(), io.BytesIO()
    writer.add_blank_page(100, 100)
    writer.write(blank)
    with pytest.raises(Unreadable, match="no text"):
        media.read(blank.getvalue(), "application/pdf")


@pytest.mark.parametrize(
    "data",
    ["Größe über alles".encode(), "Größe über alles".encode("utf-8-sig"), "Größe über alles".encode("utf-16")],
    ids=["utf-8", "with a mark", "utf-16"],
)
def test_text_is_read_in_its_encoding(data: bytes) -> None:
    assert media.decoded(data) == "Größe über alles"


def test_text_in_an_old_encoding_is_guessed() -> None:
    text = "Der Schlüssel hängt über der Tür. Größe und Maß der Öffnung sind außen angegeben. " * 3
    assert "Schlüssel" in media.decoded(text.encode("latin-1"))


@pytest.mark.parametrize("data", [b"\0\1\2", b"text\0text", bytes(range(256))])
def test_what_is_no_text_is_refused(data: bytes) -> None:
    with pytest.raises(Unreadable, match="not text"):
        media.decoded(data)
