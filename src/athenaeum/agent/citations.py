"""From labels that a model wrote to numbered sources, each with words that stand in it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from athenaeum.domain.identity import PassageId
from athenaeum.domain.passage import LABEL, LABELS, Passage
from athenaeum.domain.turn import Answer, Citation
from athenaeum.llm import quoting

WITHHELD = (
    "What I had found for this can no longer be read by everyone here, so I cannot answer from it. Ask me again, and I"
    " look with what everyone may read now."
)
LEFT_OUT = "_I left out what can no longer be read by everyone here._"

_QUOTE_LIMIT = 240  # characters

# Code is skipped: `[S3]` in it is somebody's bucket, not our label.
_LABELS = re.compile(rf"(?P<code>```.*?(?:```|\Z)|`[^`\n]*`)|(?P<gap>[ \t]*)\[(?P<labels>{LABELS})\]", re.DOTALL)
_MARKERS = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|\[(?P<number>\d{1,4})\](?!\()", re.DOTALL)
_PARAGRAPH = re.compile(r"(?:```.*?(?:```|\Z)|(?!\n[ \t]*\n).)+", re.DOTALL)
_LABEL = re.compile(LABEL)
_UNFINISHED = re.compile(r"[ \t]*\[(?:[SF][\dSF,; ]*)?\Z")
_QUOTATION = re.compile(r"[.:]?[ \t]*\n(?P<quotation>(?:>.*(?:\n|\Z))+)")
_SENTENCE_BREAK = re.compile(r"[.!?]\s|\n")


def cited(text: str, passages: Mapping[str, Passage]) -> list[Passage]:
    """The known passages that the text cites, in the order of first appearance."""
    labels = [label for match in _LABELS.finditer(text) for label in _LABEL.findall(match["labels"] or "")]
    return [passages[label] for label in dict.fromkeys(labels) if label in passages]


def number(text: str, passages: Mapping[str, Passage], readable: Collection[PassageId]) -> tuple[str, list[Citation]]:
    """The text with `[1]`, `[2]` in place of labels, and the citations they refer to.

    Labels that are unknown or whose passage is not in `readable` are dropped.
    """
    known = {passage.label: passage for passage in cited(text, passages) if passage.id in readable}
    numbers = {label: number for number, label in enumerate(known, start=1)}
    claims: dict[str, str] = {}
    for match in _LABELS.finditer(text):
        for label in _LABEL.findall(match["labels"] or ""):
            claims.setdefault(label, _claim(text, match))
    citations = [
        Citation(
            number=numbers[label],
            passage=passage.id,
            title=passage.source,
            url=passage.url,
            quote=quoting.quote(passage.text, quoting.terms(claims[label]), limit=_QUOTE_LIMIT).strip(),
        )
        for label, passage in known.items()
    ]
    return _replaced(text, numbers), citations


def withhold(answer: Answer, readable: Collection[PassageId]) -> Answer:
    """The answer without citations of passages that are not in `readable`, and without what was said from them.

    A paragraph goes with the marker that it carries, and so does the quotation below it; where nothing is left that
    has a source, a sentence that says so takes the answer's place.
    """
    kept = [citation for citation in answer.citations if citation.passage in readable]
    if len(kept) == len(answer.citations):
        return answer
    numbers = {citation.number: number for number, citation in enumerate(kept, start=1)}
    paragraphs = list(_standing(answer.text, {citation.number for citation in answer.citations} - set(numbers)))
    text = "\n\n".join([*paragraphs, LEFT_OUT])
    shown = {int(found["number"]) for found in _MARKERS.finditer(text) if found["number"]}
    if shown.isdisjoint(numbers):
        return replace(answer, text=WITHHELD, citations=())
    renumbered = _MARKERS.sub(
        lambda found: f"[{numbers.get(int(found['number']), found['number'])}]" if found["number"] else found.group(),
        text,
    )
    return replace(
        answer,
        text=renumbered,
        citations=tuple(replace(citation, number=numbers[citation.number]) for citation in kept),
    )


def growing(text: str, passages: Mapping[str, Passage]) -> str:
    """The beginning of an answer as people may see it: numbered already, a label that is still being written hidden."""
    text = _UNFINISHED.sub("", text)
    labels = [passage.label for passage in cited(text, passages)]
    return _replaced(text, {label: number for number, label in enumerate(labels, start=1)})


def _standing(text: str, gone: Collection[int]) -> Iterator[str]:
    """The paragraphs that carry none of these markers."""
    removed = False
    for match in _PARAGRAPH.finditer(text):
        paragraph = match.group().strip("\n")
        if not paragraph.strip():
            continue
        numbers = {int(found["number"]) for found in _MARKERS.finditer(paragraph) if found["number"]}
        quotes_on = removed and paragraph.startswith(">")
        removed = quotes_on or not numbers.isdisjoint(gone)
        if not removed:
            yield paragraph


def _replaced(text: str, numbers: Mapping[str, int]) -> str:
    def replacement(match: re.Match[str]) -> str:
        if match["code"]:
            return match.group()
        known = dict.fromkeys(numbers[label] for label in _LABEL.findall(match["labels"]) if label in numbers)
        return match["gap"] + "".join(f"[{number}]" for number in known) if known else ""

    return _LABELS.sub(replacement, text)


def _claim(text: str, label: re.Match[str]) -> str:
    """What the label vouches for: the quotation below it, else the sentence before it."""
    if quotation := _QUOTATION.match(text, label.end()):
        return quotation["quotation"]
    before = text[: label.start()].rstrip()
    breaks = [found.end() for found in _SENTENCE_BREAK.finditer(before)]
    return before[breaks[-1] if breaks else 0 :]
