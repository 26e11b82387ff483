"""Which of the sources of an answer its readers may read now."""

from __future__ import annotations

from collections.abc import Mapping

from athenaeum.conversations.archive import attachments
from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.audience import Audience
from athenaeum.domain.identity import PassageId
from athenaeum.domain.turn import Question
from athenaeum.retrieval.index import Index


async def readable(
    database: DatabaseConnection,
    index: Index,
    question: Question,
    *,
    audience: Audience,
    sources: Mapping[PassageId, str | None],
) -> set[PassageId]:
    """Those of the `sources`, which are told with their addresses, that may be read.

    A file may be while it stands in the thread: who reads the one reads the other.
    """
    allowed = set(await index.readable([source for source in sources if source > 0], audience=audience))
    files = {source: attachments.file_at(address) for source, address in sources.items() if source < 0}
    if files:
        async with database.session(question.tenant) as session:
            there = await attachments.standing(session, question.place.id, question.thread_ts)
        allowed |= {source for source, file in files.items() if file in there}
    return allowed
