"""Messages that a question links to, as far as everyone who reads its answer may read them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from athenaeum.agent.context import told
from athenaeum.conversations.archive import directory, history
from athenaeum.slack.permalink import find_links
from athenaeum.tenants import register

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.database.connection import DatabaseConnection
    from athenaeum.domain.audience import Audience
    from athenaeum.domain.turn import Question
    from athenaeum.slack.permalink import MessageLink

_LINKS = 3  # of one question; of the others nothing is read
_LINES, _CHARACTERS = 20, 3000


@dataclass(frozen=True, slots=True)
class Linked:
    """What the linked messages say, and how many are not told: unknown here, deleted, or not for everyone's eyes."""

    told: tuple[str, ...] = ()
    withheld: int = 0


async def read_links(database: DatabaseConnection, question: Question, audience: Audience) -> Linked:
    """Read the first linked messages, each with its thread, from our own archive."""
    if "://" not in question.text:
        return Linked()
    url = (await register.get(database, question.tenant)).url
    links = find_links(question.text, url)[:_LINKS] if url else []
    async with database.session(question.tenant) as session:
        found = [await _read(session, link, audience) for link in links]
    return Linked(tuple(words for words in found if words), found.count(""))


async def _read(session: AsyncSession, link: MessageLink, audience: Audience) -> str:
    # whoever reads the answer reads the channel that it stands in
    is_here = audience.asker is not None and audience.place is not None and link.channel == audience.place.id
    if not is_here and not await directory.is_readable(session, audience, link.channel):
        return ""
    message = await history.message(session, link.channel, link.ts)
    if not message:
        return ""
    thread = await history.thread(session, link.channel, link.thread_ts, limit=_LINES)
    if len(thread) < 2:
        return told(message, _CHARACTERS)
    return f"{told(message, _CHARACTERS)}\n\nThe thread that it stands in:\n{told(thread, _CHARACTERS)}"
