"""Messages that a question links to, as far as everyone who reads its answer may read them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import text

from athenaeum.agent.context import told
from athenaeum.conversations.archive import history
from athenaeum.domain.identity import ChannelId, MessageTs
from athenaeum.domain.passage import Origin
from athenaeum.retrieval.audience import readable_shelves
from athenaeum.tenants import register

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.database.connection import DatabaseConnection
    from athenaeum.domain.audience import Audience
    from athenaeum.domain.turn import Question

_LINKS = 3  # of one question; of the others nothing is read
_LINES, _CHARACTERS = 20, 3000
_PATH = re.compile(r"archives/(?P<channel>[A-Z][A-Z0-9]{1,63})/p(?P<seconds>\d{10})(?P<micros>\d{6})")
_ADDRESS = re.compile(r"https?://[^\s<>|]+")
_TS = re.compile(r"\d{10}\.\d{6}")


@dataclass(frozen=True, slots=True)
class MessageLink:
    """A message, and the thread that its address names."""

    channel: ChannelId
    ts: MessageTs
    thread_ts: MessageTs


@dataclass(frozen=True, slots=True)
class Linked:
    """What the linked messages say, and how many are not told: unknown here, deleted, or not for everyone's eyes."""

    told: tuple[str, ...] = ()
    withheld: int = 0


def find_links(words: str, url: str) -> list[MessageLink]:
    """The messages of the workspace at `url` that the words link to, each once."""
    return list(dict.fromkeys(_links(words, url)))


async def read_links(database: DatabaseConnection, question: Question, audience: Audience) -> Linked:
    """Read the first linked messages, each with its thread, from our own archive."""
    if not _ADDRESS.search(question.text):
        return Linked()
    url = (await register.get(database, question.tenant)).url
    links = find_links(question.text, url)[:_LINKS] if url else []
    async with database.session(question.tenant) as session:
        found = [await _read(session, link, audience) for link in links]
    return Linked(tuple(words for words in found if words), found.count(""))


def _links(words: str, url: str) -> Iterator[MessageLink]:
    for address in _ADDRESS.findall(words):
        found = _PATH.fullmatch(address.partition("?")[0].removeprefix(url))
        if found:
            ts = f"{found['seconds']}.{found['micros']}"
            root = parse_qs(urlsplit(address).query).get("thread_ts", [ts])[0]
            thread_ts = root if _TS.fullmatch(root) else ts
            yield MessageLink(ChannelId(found["channel"]), MessageTs(ts), MessageTs(thread_ts))


async def _read(session: AsyncSession, link: MessageLink, audience: Audience) -> str:
    select, parameters = readable_shelves(audience, frozenset({Origin.MESSAGE}))
    readable = text(f"SELECT CAST(:linked AS text) IN ({select})")
    # whoever reads the answer reads the channel that it stands in
    is_here = audience.asker is not None and audience.place is not None and link.channel == audience.place.id
    if not is_here and not await session.scalar(readable, {"linked": link.channel, **parameters}):
        return ""
    message = await history.message(session, link.channel, link.ts)
    if not message:
        return ""
    thread = await history.thread(session, link.channel, link.thread_ts, limit=_LINES)
    if len(thread) < 2:
        return told(message, _CHARACTERS)
    return f"{told(message, _CHARACTERS)}\n\nThe thread that it stands in:\n{told(thread, _CHARACTERS)}"
