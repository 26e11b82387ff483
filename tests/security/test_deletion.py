"""Control 17: what was deleted or edited away is gone from that moment on, also before the indexer comes to it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from athenaeum.conversations import archive
from athenaeum.conversations.archive import read_message
from athenaeum.conversations.archive.indexing import MessageIndexer
from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.audience import Audience
from athenaeum.domain.identity import DEFAULT_TENANT, ChannelId, MessageTs
from athenaeum.retrieval.index import Index
from athenaeum.slack.incoming import moment
from support.index import Workspace

HALL, TS = ChannelId("C0000001"), MessageTs("1700000000.000100")


@pytest.fixture
async def index(database: DatabaseConnection) -> Index:
    """With one message of a public channel in it."""
    workspace = Workspace(database, DEFAULT_TENANT)
    await workspace.user("U0000001")
    await workspace.channel(HALL, "public", "U0000001")
    found = Index(database, None)
    await _tell(database, "The treasure password is canarygone.")
    await MessageIndexer(database, found).run_once()
    return found


async def _tell(database: DatabaseConnection, words: str, **more: object) -> None:
    raw = {"ts": TS, "user": "U0000001", "text": words, **more}
    async with database.session(DEFAULT_TENANT) as session:
        await archive.record(session, read_message(raw, HALL))


async def _found(database: DatabaseConnection, index: Index) -> tuple[list[str], int]:
    """What a search finds, and how many of all passages may be cited."""
    audience: Audience = Workspace(database, DEFAULT_TENANT).audience("U0000001", HALL, "public")
    async with database.session(DEFAULT_TENANT) as session:
        ids = list(await session.scalars(text("SELECT passage_id FROM passages")))
    passages = await index.search("treasure password", audience=audience)
    return [passage.text for passage in passages], len(await index.readable(ids, audience))


async def test_a_deleted_message_is_found_and_cited_no_more(database: DatabaseConnection, index: Index) -> None:
    assert await _found(database, index) == (["The treasure password is canarygone."], 1)
    async with database.session(DEFAULT_TENANT) as session:
        await archive.erase(session, HALL, TS, at=moment(TS) + timedelta(seconds=9))

    assert await _found(database, index) == ([], 0)
    await MessageIndexer(database, index).run_once()
    async with database.session(DEFAULT_TENANT) as session:
        for table in ("passages", "postings", "embeddings"):
            assert (await session.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one() == 0
        assert (await session.execute(text("SELECT text FROM slack_messages"))).scalar_one() == ""


async def test_an_old_version_of_a_message_is_found_and_cited_no_more(
    database: DatabaseConnection, index: Index
) -> None:
    await _tell(database, "The treasure password is another.", edited={"user": "U0000001", "ts": "1700000009.000000"})

    assert await _found(database, index) == ([], 0)
    await MessageIndexer(database, index).run_once()
    assert await _found(database, index) == (["The treasure password is another."], 1)
