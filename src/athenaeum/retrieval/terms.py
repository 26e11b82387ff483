"""Text to the terms it is found by: stemmed words, whole identifiers and their parts, bigrams where no spaces are."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

import snowballstemmer

_LONGEST = 64  # longer runs are digests and encoded data, which nobody types
# scripts that write words without spaces: Thai, Lao, Burmese, Khmer, kana, Han, Hangul
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
_RUN = re.compile(rf"[{_UNSPACED}]+|[^\W{_UNSPACED}]+(?:[.\-:/@+#]+[^\W{_UNSPACED}]+)*\+*")
_PART = re.compile(r"[^\W_]+")
_HUMP = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\WA-Za-z\d_]+")
_CONTRACTION = re.compile(r"['\u2019](?:s|t|re|ve|ll|d|m)\b", re.IGNORECASE)
_ACCENTS = re.compile(r"[\u0300-\u036f]")
_STOP_WORDS = frozenset(
    word
    for words in (
        "a am an and are as at be been being but by can could did do does for from had has have he her his how i if in",
        "into is it its me my no not of on or our she should so such that the their them then there these they this",
        "those to about was we were what when where which who will with would you your",
    )
    for word in words.split()
)


def terms(text: str) -> Iterator[str]:
    """The terms of `text` in its order, with repetitions.

    A word gives its English stem; `retry_failed`, `retryFailed`, `events.retry` and `docs/retry.md` give themselves
    and their parts; a run of a script without spaces gives its pairs of characters.
    """
    for match in _RUN.finditer(_CONTRACTION.sub("", _folded(text))):
        run = match.group()
        if run[0] >= "\u0e00" and re.match(rf"[{_UNSPACED}]", run):
            yield from (run[start : start + 2] for start in range(max(1, len(run) - 1)))
        else:
            yield from _word_terms(run)


@lru_cache(maxsize=100_000)
def _word_terms(run: str) -> tuple[str, ...]:
    whole = run.lower()
    if whole in _STOP_WORDS:
        return ()
    parts = [part for word in _PART.findall(run) for part in _parts(word)]
    found = [stem for part in parts if (stem := _stem(part)) is not None]
    if not run.isalnum() and len(whole) <= _LONGEST:
        found.append(whole)
    return tuple(found)


def _parts(word: str) -> list[str]:
    """The word itself; before it, when it has humps, the words it is joined from."""
    if word.islower() or word.isupper() or word.istitle() or word.isdigit():
        return [word]
    humps = _HUMP.findall(word)
    return [*humps, word] if len(humps) > 1 else [word]


def _stem(word: str) -> str | None:
    word = word.lower()
    if word in _STOP_WORDS or len(word) > _LONGEST:
        return None
    if not (word.isascii() and word.isalpha()):
        return word
    return snowballstemmer.stemmer("english").stemWord(word)  # a stemmer has state; a new one costs 0.2 µs


def _folded(text: str) -> str:
    """One form of each letter: ligatures, full-width and accented letters are found by plain ones."""
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFKD", text)
    return unicodedata.normalize("NFC", _ACCENTS.sub("", decomposed))
