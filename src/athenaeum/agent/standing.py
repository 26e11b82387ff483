"""What an answer rests on, and whether its readers may read that now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic_ai.messages import ModelMessage, ModelRequest, ToolReturnPart

from athenaeum.conversations.archive import attachments
from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.audience import Audience
from athenaeum.domain.identity import PassageId
from athenaeum.domain.turn import Question
from athenaeum.retrieval.index import Index
from athenaeum.tools.guard import GuardedToolset
from athenaeum.tools.mcp.settings import is_foreign
from athenaeum.tools.readers import Reach, Readers

WITHHELD = (
    "I asked a tool whose answers are not for everybody who reads here now, so I keep mine to myself. Ask me again in a"
    " direct message."
)


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


async def is_for(readers: Readers, messages: Sequence[ModelMessage], toolset: GuardedToolset) -> bool:
    """Whether what other servers' tools gave in this conversation may be read by all who read along now.

    A turn can wait for days for an approval, and somebody join meanwhile. Of another server's tool that is known no
    more, nobody knows who may.
    """
    used = {
        part.tool_name
        for message in messages
        if isinstance(message, ModelRequest)
        for part in message.parts
        if isinstance(part, ToolReturnPart)
    }
    if any(is_foreign(name) and name not in toolset.tools for name in used):
        return False
    metadata = [tool.metadata or {} for name in used if (tool := toolset.tools.get(name)) is not None]
    reaches: list[Reach] = [facts["reach"] for facts in metadata if "reach" in facts]
    if not reaches:
        return True
    readership = await readers.look_again()
    return all(reach.admits(readership) for reach in reaches)
