from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from athenaeum.documents.chunking import LARGEST, TARGET, chunks
from athenaeum.documents.formats import markdown
from athenaeum.documents.formats.outline import Block, Outline, Section

_WORDS = st.lists(st.sampled_from(["alpha", "beta.", "Gamma", "delta,", "42"]), min_size=1, max_size=700).map(" ".join)
_LINES = st.lists(_WORDS, min_size=1, max_size=4).map("\n".join)
_BLOCKS = st.lists(st.builds(Block, _LINES), max_size=6)
_OUTLINES = st.lists(st.builds(Section, st.just(("Heading",)), st.none(), _BLOCKS), max_size=4).map(
    lambda sections: Outline("Title", sections)
)


@given(_OUTLINES)
def test_every_word_is_in_a_passage_in_its_order(outline: Outline) -> None:
    written = [w for section in outline.sections for block in section.blocks for w in block.text.split()]
    cut = [w for chunk in chunks(outline) for w in chunk.text.split() if w != "Heading"]
    assert cut == written


@given(_OUTLINES)
def test_no_passage_is_longer_than_the_largest(outline: Outline) -> None:
    assert all(len(chunk.text.split()) <= LARGEST for chunk in chunks(outline))


def fence(lines: int) -> str:
    return "\n".join(["```python", *(f"value_{n} = call(first, second, {n})" for n in range(lines)), "```"])


def test_code_that_fits_is_never_cut() -> None:
    code = fence(40)
    source = f"# A\n\n{'word ' * (TARGET - 10)}\n\n{code}\n\n{'word ' * 50}"
    assert [code in chunk.text for chunk in chunks(markdown.read(source))].count(True) == 1


def test_code_that_does_not_fit_stays_fenced_in_every_part() -> None:
    parts = [chunk.text for chunk in chunks(markdown.read(fence(200)))]
    assert len(parts) > 1
    assert all(part.startswith("```python\n") and part.endswith("\n```") for part in parts)


def test_a_table_that_fits_is_never_cut() -> None:
    table = "| a | b |\n| - | - |\n" + "\n".join(f"| {n} | cell |" for n in range(40))
    source = f"{'word ' * (TARGET - 5)}\n\n{table}\n"
    assert any(table in chunk.text for chunk in chunks(markdown.read(source)))


def test_no_passage_spans_two_headings() -> None:
    found = chunks(markdown.read("# Title\n\nintro\n\n## One\n\nfirst\n\n### Deep\n\nsecond\n\n## Two\n\nthird\n"))
    assert [(chunk.heading, chunk.anchor, chunk.text) for chunk in found] == [
        ("", "title", "intro"),
        ("One", "one", "first"),
        ("One > Deep", "deep", "second"),
        ("Two", "two", "third"),
    ]


def test_a_heading_with_nothing_below_it_can_still_be_found() -> None:
    assert [chunk.text for chunk in chunks(markdown.read("# T\n\n## Parent\n\n### Child\n\n## Lonely\n"))] == [
        "Child",
        "Lonely",
    ]


def test_an_empty_document_has_no_passages() -> None:
    assert chunks(markdown.read("")) == []
