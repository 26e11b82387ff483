"""Choosing the words of a text that speak to a question or a claim, verbatim."""

from __future__ import annotations

import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
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
_CODE = re.compile(r"`|^(?: {4}|\t)\S", re.MULTILINE)


@lru_cache(maxsize=8192)
def _stem(word: str) -> str:
    return stemmer("english").stemWord(word)


def terms(text: str) -> frozenset[str]:
    """The stems of the words that carry meaning."""
    words = {word.lower() for word in _WORD.findall(text)}
    return frozenset(_stem(word) for word in words - _STOP)


def quote(text: str, about: AbstractSet[str], *, limit: int) -> str:
    """The run of whole sentences, list items and code blocks of at most `limit` characters that holds most of `about`.

    The result stands in `text` exactly as returned. Among equals one with code wins (what to type is what people
    ask for), then one that begins with the sentence before the code, then the shorter one. A single unit longer
    than `limit` is cut at a word.
    """
    units = _units(text)
    if not units:
        return ""
    runs = [
        units[first : last + 1]
        for first in range(len(units))
        for last in range(first, len(units))
        if first == last or units[last][1] - units[first][0] <= limit
    ]
    best = max(runs, key=lambda run: _worth([text[start:end] for start, end in run], about, limit))
    return _cut(text[best[0][0] : best[-1][1]], limit)


def _worth(run: Sequence[str], about: AbstractSet[str], limit: int) -> float:
    code = [unit for unit in run if _CODE.search(unit)]
    found = about & frozenset().union(*(terms(unit) for unit in run))
    explained = run[0] not in code or "`" in run[0]
    return 10 * len(found) + 4 * bool(code) + 2 * explained - sum(len(unit) for unit in run) / limit


def _cut(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    head = text[:limit]
    return (head[: head.rfind(" ")] if " " in head else head).rstrip()


def _units(text: str) -> list[tuple[int, int]]:
    """Spans that are not to be broken: a sentence, a line of a list or table, a block of code."""
    units: list[tuple[int, int]] = []
    for start, end, kind in _blocks(text):
        if kind != "prose":
            units.append((start, end))
            continue
        for gap in _SENTENCE_END.finditer(text, start, end):
            units.append((start, gap.start()))
            start = gap.end()  # noqa: PLW2901 - the next sentence begins here
        units.append((start, end))
    return [(start, end) for start, end in units if text[start:end].strip()]


def _blocks(text: str) -> list[tuple[int, int, str]]:
    """Runs of lines of one kind: prose, code between fences, indented code, or a line on its own."""
    blocks: list[tuple[int, int, str]] = []
    fenced = False
    offset = 0
    previous = "blank"
    for line in text.splitlines(keepends=True):
        kind = "fenced" if fenced or _FENCE.match(line) else _kind(line)
        start, end = offset, offset + len(line.rstrip())
        offset += len(line)
        if kind == "fenced" and _FENCE.match(line):
            fenced = not fenced
        if kind == previous and kind in {"prose", "fenced", "indented"}:
            blocks[-1] = (blocks[-1][0], end, kind)
        elif kind != "blank":
            blocks.append((start, end, kind))
        previous = "blank" if kind == "fenced" and not fenced else kind
    return blocks


def _kind(line: str) -> str:
    if not line.strip():
        return "blank"
    if line.startswith(("    ", "\t")):
        return "indented"
    return "line" if _OWN_LINE.match(line) else "prose"
