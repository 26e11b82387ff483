"""Choosing the words of a text that speak to a question or a claim, verbatim."""

from __future__ import annotations

import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache

from snowballstemmer import stemmer

# Function words, and the verbs of asking: they stand in every question and in no answer.
_ASKING = (
    "a about all also am an and any anyone are as at be been but by can could did do does for from get had has have he"
    " her here hi hello him his how i if in into is it its just know let me my no not of on or our out please she"
    " should so some somebody someone tell than thanks that the their them then there these they this those to up us"
    " was we were what when where which who whom whose why will with would you your"
)
_STOP = frozenset(_ASKING.split())
_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)?")
_SENTENCE_END = re.compile(r"(?<=[.!?:])[\"')\]]*\s+(?=[^\s\d])")
_OWN_LINE = re.compile(r"\s*(?:[-*+] |\d+[.)] |\||#{1,6} |>)|(?: {4}|\t)")
_FENCE = re.compile(r"\s*(?:```|~~~)")
_ENGLISH = stemmer("english")


@dataclass(frozen=True, slots=True)
class _Unit:
    """A piece of text that is not to be broken: a sentence, an item of a list, a row of a table, a block of code."""

    start: int
    end: int
    is_code: bool
    opens: bool
    """It begins a paragraph or stands by itself."""


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]


@lru_cache(maxsize=8192)
def _stem(word: str) -> str:
    return _ENGLISH.stemWord(word)


def terms(text: str) -> frozenset[str]:
    """The stems of the words that carry meaning."""
    return frozenset(_stem(word) for word in set(_words(text)) - _STOP)


def echoes(text: str, question: str) -> bool:
    """Whether the text repeats the question word by word, as examples and other askers do: that is no answer."""
    asked = _words(question)
    return len(asked) > 3 and f" {' '.join(asked)} " in f" {' '.join(_words(text))} "  # fewer are a topic


def substance(text: str, question: str) -> str:
    """The text without the sentences that repeat the question."""
    units = (text[unit.start : unit.end] for unit in _units(text))
    return "\n".join(unit for unit in units if not echoes(unit, question))


def quote(text: str, about: AbstractSet[str], *, limit: int, question: str = "") -> str:
    """The run of whole sentences, list items and code blocks of at most `limit` characters that holds most of `about`.

    The result stands in `text` exactly as returned. Among equals one with a block of code wins (what to type is what
    people ask for), then one that begins with the paragraph before the code, then the shorter one. A single unit
    longer than `limit` is cut at a word. Units that repeat `question` are quoted only where there are no others.
    """
    units = _units(text)
    if not units:
        return ""
    runs = [
        units[first : last + 1]
        for first in range(len(units))
        for last in range(first, len(units))
        if first == last or units[last].end - units[first].start <= limit
    ]
    if question:
        runs = [run for run in runs if not echoes(text[run[0].start : run[-1].end], question)] or runs
    best = max(runs, key=lambda run: _worth(text, run, about, limit))
    return cut(text[best[0].start : best[-1].end], limit)


def cut(text: str, limit: int) -> str:
    """The text, ended at a word when it is longer than `limit` characters."""
    if len(text) <= limit:
        return text
    head = text[:limit]
    return (head[: head.rfind(" ")] if " " in head else head).rstrip()


def _worth(text: str, run: Sequence[_Unit], about: AbstractSet[str], limit: int) -> float:
    found = about & frozenset().union(*(terms(text[unit.start : unit.end]) for unit in run))
    has_code = any(unit.is_code for unit in run)
    led_to = has_code and run[0].opens and not run[0].is_code
    return 10 * len(found) + 4 * has_code + 2 * led_to - (run[-1].end - run[0].start) / limit


def _units(text: str) -> list[_Unit]:
    units: list[_Unit] = []
    for start, end, kind in _blocks(text):
        gaps = list(_SENTENCE_END.finditer(text, start, end)) if kind == "prose" else []
        starts = [start, *(gap.end() for gap in gaps)]
        ends = [*(gap.start() for gap in gaps), end]
        is_code = kind in {"fenced", "indented"}
        units += [_Unit(*span, is_code, opens=span[0] == start) for span in zip(starts, ends, strict=True)]
    return [unit for unit in units if text[unit.start : unit.end].strip()]


def _blocks(text: str) -> list[tuple[int, int, str]]:
    """Spans of lines of one kind: prose, code between fences, indented code, or an item with its continuation."""
    blocks: list[tuple[int, int, str]] = []
    fenced = False
    offset = 0
    previous = "blank"
    for line in text.splitlines(keepends=True):
        kind = "fenced" if fenced or _FENCE.match(line) else _kind(line)
        if previous == "item" and kind in {"prose", "indented"} and line[0].isspace():
            kind = "continued"
        start, end = offset, offset + len(line.rstrip())
        offset += len(line)
        if kind == "fenced" and _FENCE.match(line):
            fenced = not fenced
        if kind == "continued" or (kind == previous and kind in {"prose", "fenced", "indented"}):
            blocks[-1] = (blocks[-1][0], end, blocks[-1][2])
        elif kind != "blank":
            blocks.append((start, end, kind))
        closed = kind == "fenced" and not fenced
        previous = "blank" if closed else "item" if kind == "continued" else kind
    return blocks


def _kind(line: str) -> str:
    if not line.strip():
        return "blank"
    if line.startswith(("    ", "\t")):
        return "indented"
    return "item" if _OWN_LINE.match(line) else "prose"
