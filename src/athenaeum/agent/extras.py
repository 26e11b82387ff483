"""What the asker alone may read about a question. It is quoted, never told to a model, and never part of the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from athenaeum.agent import citations
from athenaeum.domain.audience import Audience
from athenaeum.domain.turn import Answer
from athenaeum.llm import evidence
from athenaeum.llm.offline import quote_from

if TYPE_CHECKING:
    from athenaeum.domain.turn import Question
    from athenaeum.retrieval.index import Index

_DEPTH = 8  # passages; as many as a model asks for in one search


class Extras:
    """Finds what a thread may not be told."""

    def __init__(self, index: Index) -> None:
        """`index` knows who may read what, at the moment of each search."""
        self._index = index

    async def find(self, question: Question) -> Answer | None:
        """At most three quotations, each with its source, for the eyes of the asker alone.

        None unless they hold more of the question's words than anything that the thread may read.
        """
        there = Audience(question.tenant, question.asker, question.place)
        alone = Audience(question.tenant, question.asker, None)
        found = await self._index.search(question.text, audience=alone, limit=_DEPTH)
        readable = await self._index.readable([passage.id for passage in found], audience=there)
        hidden = [passage for passage in found if passage.id not in readable]
        if not hidden:
            return None
        told = await self._index.search(question.text, audience=there, limit=_DEPTH)
        enough = max((evidence.coverage(passage, question.text) for passage in told), default=0)
        better = [passage for passage in hidden if evidence.coverage(passage, question.text) > enough]
        quotes = quote_from(question.text, [better])
        passages = {passage.label: passage for passage in better}
        text, sources = citations.number("\n\n".join(quotes), passages, {passage.id for passage in better})
        return Answer(text, citations=tuple(sources)) if sources else None
