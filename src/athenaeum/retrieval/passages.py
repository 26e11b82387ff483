"""Passages on their way into the index."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Self

from athenaeum.domain.identity import ChannelId, PassageId
from athenaeum.domain.passage import Origin
from athenaeum.retrieval.audience import DOCUMENTS, OPEN_DOCUMENTS
from athenaeum.retrieval.terms import terms

LEAD_WEIGHT: Final = 2
"""A term of title or heading counts as often as this many of the text, as in BM25F; measured by bench/search.py."""

_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")  # PostgreSQL's text has no NUL, UTF-8 no lone surrogates


@dataclass(frozen=True, slots=True)
class NewPassage:
    """A piece of a source to be found by.

    A message's passage has the `channel_id` whose readers may read it; a document's has none, and may be `is_open` to
    guests and other organisations.
    `text` is the passage itself, `heading` the path of headings above it, `title` the document's or the channel's.
    """

    origin: Origin
    title: str
    text: str
    heading: str = ""
    url: str | None = None
    channel_id: ChannelId | None = None
    written_at: datetime | None = None
    author: str | None = None
    is_open: bool = False

    def __post_init__(self) -> None:
        """Refuse a passage that would stand on the wrong shelf."""
        if (self.origin is Origin.MESSAGE) != (self.channel_id is not None):
            raise ValueError("a message's passage has a channel_id, a document's has none")
        if self.origin is Origin.MESSAGE and self.is_open:
            raise ValueError("a message has the readers of its channel: only a document can be open")

    @property
    def shelf(self) -> str:
        """Where it stands: among the documents, or in its channel."""
        return self.channel_id or (OPEN_DOCUMENTS if self.is_open else DOCUMENTS)

    @property
    def lead(self) -> str:
        """What stands above the text: title, headings, author."""
        return lead(self.title, self.heading, self.author)

    @property
    def digest(self) -> str:
        """Equal for passages that the same readers find by the same words."""
        fields = (self.shelf, self.title, self.heading, self.author or "", self.text)
        return hashlib.blake2b("\0".join(fields).encode(), digest_size=16).hexdigest()

    def storable(self) -> Self:
        """The same without characters that PostgreSQL cannot keep."""
        return replace(
            self,
            title=_UNSTORABLE.sub("", self.title),
            heading=_UNSTORABLE.sub("", self.heading),
            text=_UNSTORABLE.sub("", self.text),
            author=_UNSTORABLE.sub("", self.author) if self.author else None,
        )


@dataclass(frozen=True, slots=True)
class Filed:
    """A passage at its place in the index, with how often each of its terms counts."""

    id: PassageId
    shelf: str
    block: int
    slot: int
    frequencies: Counter[str]

    @property
    def length(self) -> int:
        """In terms, those of the lead by their weight."""
        return self.frequencies.total()


def lead(title: str, heading: str, author: str | None) -> str:
    """What stands above a passage's text, a line each."""
    return "\n".join(filter(None, (title, heading, author)))


def frequencies(above: str, body: str) -> Counter[str]:
    """How often each term counts in a passage with that lead and text."""
    counted = Counter(terms(body))
    for term, count in Counter(terms(above)).items():
        counted[term] += LEAD_WEIGHT * count
    return counted
