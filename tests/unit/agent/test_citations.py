from __future__ import annotations

import pytest

from athenaeum.agent.citations import LEFT_OUT, WITHHELD, growing, number, withhold
from athenaeum.domain.identity import PassageId
from athenaeum.domain.passage import Origin, Passage
from athenaeum.domain.turn import Answer


def passage(id_: int, text: str) -> Passage:
    return Passage(PassageId(id_), Origin.DOCUMENT, f"Title {id_}", "", f"https://docs.example/{id_}", text, 1.0)


PASSAGES = {
    "S1": passage(1, "Backups run at night. Keys rotate every ninety days."),
    "S2": passage(2, "The gateway listens on port 8001."),
    "S3": passage(3, "Nobody may read this."),
}
READABLE = {PassageId(1), PassageId(2)}


def numbered(text: str) -> str:
    return number(text, PASSAGES, READABLE)[0]


def test_sources_are_numbered_in_the_order_of_first_appearance() -> None:
    text, citations = number("Port 8001 [S2]. Keys rotate [S1]. Again [S2].", PASSAGES, READABLE)

    assert text == "Port 8001 [1]. Keys rotate [2]. Again [1]."
    assert [(each.number, each.passage) for each in citations] == [(1, 2), (2, 1)]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Both [S1, S2].", "Both [1][2]."),
        ("Both [S1][S2].", "Both [1][2]."),
        ("Both [S1; S1].", "Both [1]."),
        ("Half [S1, S99].", "Half [1]."),
        ("Unknown [S99].", "Unknown."),
        ("Not for everybody here [S3].", "Not for everybody here."),
        ("A [1] of the model's own.", "A [1] of the model's own."),
        ("In code `bucket[S1]` it is not ours [S1].", "In code `bucket[S1]` it is not ours [1]."),
        ("```\na[S1]\n```", "```\na[S1]\n```"),
    ],
)
def test_labels_become_numbers_and_unknown_ones_vanish(written: str, shown: str) -> None:
    assert numbered(written) == shown


def test_the_quote_is_what_supports_the_sentence_before_the_label() -> None:
    _, citations = number("The port is 8001 [S2]. Keys are rotated every ninety days [S1].", PASSAGES, READABLE)

    assert citations[1].quote == "Keys rotate every ninety days."


def test_the_quote_is_what_was_quoted_below_the_label() -> None:
    _, citations = number("**Backups and keys** [S1]\n> Keys rotate every ninety days.", PASSAGES, READABLE)

    assert citations[0].quote == "Keys rotate every ninety days."


def test_every_quote_stands_in_its_passage() -> None:
    _, citations = number("Anything at all [S1]. And [S2].", PASSAGES, READABLE)

    assert all(each.quote in PASSAGES[f"S{each.passage}"].text for each in citations)
    assert all(each.quote for each in citations)


@pytest.mark.parametrize("written", ["It is so [", "It is so [S", "It is so [S1", "It is so [S1,", "It is so [S1, S2"])
def test_a_label_that_is_still_being_written_is_hidden(written: str) -> None:
    assert growing(written, PASSAGES) == "It is so"


def test_a_growing_answer_is_numbered_already() -> None:
    assert growing("Port 8001 [S2] and keys [S1", PASSAGES) == "Port 8001 [1] and keys"


def withheld(text: str, *readable: int) -> Answer:
    """The answer with the sources S1 to S3, of which these may still be read."""
    shown, citations = number(text, PASSAGES, {PassageId(1), PassageId(2), PassageId(3)})
    return withhold(Answer(shown, citations=tuple(citations)), {PassageId(id_) for id_ in readable})


def test_an_answer_whose_sources_may_all_be_read_stays_as_it_is() -> None:
    assert withheld("Keys rotate [S1].", 1, 2).text == "Keys rotate [1]."


def test_what_was_said_from_a_source_that_may_not_be_read_goes_with_its_marker() -> None:
    answer = withheld("The secret is 7 [S3].\n\n> Nobody may read this.\n\nPort 8001 [S2].\n\nGood luck.", 1, 2)

    assert answer.text == f"Port 8001 [1].\n\nGood luck.\n\n{LEFT_OUT}"
    assert [(each.number, each.passage) for each in answer.citations] == [(1, 2)]


@pytest.mark.parametrize("text", ["The secret is 7 [S3].", "Hello.\n\nThe secret [S3], and port 8001 [S2]."])
def test_an_answer_that_rests_on_nothing_any_more_says_so(text: str) -> None:
    answer = withheld(text, 1, 2)

    assert (answer.text, answer.citations) == (WITHHELD, ())


def test_markers_in_code_are_no_markers() -> None:
    text = "Use `list[2]`.\n\n```\nx[1]\n\ny[2]\n```\n\nA secret [S3].\n\nPort 8001 [S2]."

    assert withheld(text, 2).text == f"Use `list[2]`.\n\n```\nx[1]\n\ny[2]\n```\n\nPort 8001 [1].\n\n{LEFT_OUT}"
