"""The passages' own rows, and how many stand on each shelf."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from athenaeum.domain.identity import PassageId, TenantId
from athenaeum.domain.passage import Origin, Passage, Period
from athenaeum.retrieval.passages import Filed, NewPassage, frequencies, lead

BLOCK: Final = 1024
"""Passages of a shelf whose postings share a row: fewer are slower to read, more are slower to change."""

Place = tuple[str, int]
"""Where a passage stands: its source's key, and its position there."""


async def lock(session: AsyncSession, tenant: TenantId) -> None:
    """Let one transaction at a time change a tenant's index: writers of one block's postings would deadlock."""
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": f"index:{tenant}"})


async def digests(session: AsyncSession, sources: Collection[str]) -> list[tuple[PassageId, str, str]]:
    """The stored passages of sources, each with its source's key and its digest, in their order."""
    rows = await session.execute(
        text(
            "SELECT passage_id, source_key, content_hash FROM passages WHERE source_key = ANY(:sources)"
            " ORDER BY source_key, position"
        ),
        {"sources": list(sources)},
    )
    return [(PassageId(row.passage_id), row.source_key, row.content_hash) for row in rows]


async def insert(session: AsyncSession, passages: Mapping[Place, NewPassage]) -> list[tuple[Place, Filed]]:
    """Add passages, and put them on their shelves."""
    words = {place: frequencies(passage.lead, passage.text) for place, passage in passages.items()}
    shelves: defaultdict[str, list[Place]] = defaultdict(list)
    for place, passage in passages.items():
        shelves[passage.shelf].append(place)
    slots: dict[Place, tuple[int, int]] = {}
    for shelf, places in sorted(shelves.items()):
        length = sum(words[place].total() for place in places)
        last = (await session.execute(_FILE, {"shelf": shelf, "count": len(places), "length": length})).scalar_one()
        slots |= {place: divmod(last - len(places) + index, BLOCK) for index, place in enumerate(places)}
    rows = [
        {
            "source_key": place[0],
            "position": place[1],
            "origin": passage.origin,
            "shelf": passage.shelf,
            "block": slots[place][0],
            "slot": slots[place][1],
            "channel_id": passage.channel_id,
            "title": passage.title,
            "heading": passage.heading,
            "url": passage.url,
            "text": passage.text,
            "content_hash": passage.digest,
            "length": words[place].total(),
            "written_at": passage.written_at.isoformat() if passage.written_at else None,
            "author": passage.author,
        }
        for place, passage in passages.items()
    ]
    inserted = [
        (Place((row.source_key, row.position)), row)
        for row in await session.execute(_INSERT, {"rows": json.dumps(rows)})
    ]
    return [
        (place, Filed(PassageId(row.passage_id), row.shelf, row.block, row.slot, words[place]))
        for place, row in inserted
    ]


async def renew(session: AsyncSession, passages: Mapping[PassageId, tuple[int, NewPassage]]) -> None:
    """Bring what is not searched by up to date for passages that stay: position, address, time."""
    rows = [
        {
            "passage_id": identity,
            "position": position,
            "url": passage.url,
            "written_at": passage.written_at.isoformat() if passage.written_at else None,
        }
        for identity, (position, passage) in passages.items()
    ]
    await session.execute(_RENEW, {"rows": json.dumps(rows)})


async def filed(session: AsyncSession, ids: Collection[PassageId]) -> list[Filed]:
    """Passages at their places; their terms are taken from their text again."""
    rows = await session.execute(
        text(
            "SELECT passage_id, shelf, block, slot, title, heading, author, text FROM passages"
            " WHERE passage_id = ANY(:ids)"
        ),
        {"ids": list(ids)},
    )
    return [
        Filed(
            PassageId(row.passage_id),
            row.shelf,
            row.block,
            row.slot,
            frequencies(lead(row.title, row.heading, row.author), row.text),
        )
        for row in rows
    ]


async def delete(session: AsyncSession, ids: Collection[PassageId]) -> None:
    """Delete passages with their vectors."""
    await session.execute(_DELETE, {"ids": list(ids)})


async def fetch(session: AsyncSession, scores: Mapping[PassageId, float]) -> list[Passage]:
    """The passages in the order of `scores`, as far as what they say still stands."""
    rows = (await session.execute(_FETCH, {"ids": list(scores)})).all()
    found = {PassageId(row.passage_id): row for row in await _standing(session, rows)}
    return [_passage(found[identity], score) for identity, score in scores.items() if identity in found]


async def said(
    session: AsyncSession, period: Period, shelves: tuple[str, dict[str, Any]], *, limit: int
) -> list[Passage]:
    """The last messages of a channel's period that stand on one of the shelves, in their order."""
    select, parameters = shelves
    values = {"channel": period.channel, "since": period.since, "until": period.until, "limit": limit}
    rows = await session.execute(
        text(f"SELECT * FROM ({_SAID} AND shelf IN ({select}) {_NEWEST}) AS newest ORDER BY written_at"),  # noqa: S608 - our own words
        {**values, **parameters},
    )
    return [_passage(row, 0) for row in rows]


async def holds(session: AsyncSession, period: Period) -> bool:
    """Whether anything of a channel's period can be found."""
    values = {"channel": period.channel, "since": period.since, "until": period.until}
    return bool(await session.scalar(text(f"SELECT EXISTS ({_SAID})"), values))


async def among(
    session: AsyncSession, ids: Collection[PassageId], shelves: tuple[str, dict[str, Any]]
) -> set[PassageId]:
    """Those of `ids` that stand on one of the shelves and still stand as they were said."""
    select, parameters = shelves
    rows = await session.execute(
        text(f"SELECT passage_id, {_MESSAGE} FROM passages WHERE passage_id = ANY(:ids) AND shelf IN ({select})"),  # noqa: S608 - our own SELECT
        {"ids": list(ids), **parameters},
    )
    return {PassageId(row.passage_id) for row in await _standing(session, rows.all())}


async def _standing(session: AsyncSession, rows: Sequence[Row[Any]]) -> Sequence[Row[Any]]:
    """Those that say what their messages say: one that was deleted or edited since is shown no more.

    That holds also before the indexer comes to it. It is asked in a second statement, which knows when the messages
    were sent and so leads TimescaleDB to their weeks: in the first it would plan for all there are.
    """
    places = [(row.channel_id, row.ts, row.written_at) for row in rows if row.channel_id is not None]
    if not places:
        return rows
    channels, stamps, moments = (list(column) for column in zip(*places, strict=True))
    said = {"channels": channels, "stamps": stamps, "moments": moments}
    fallen = {(row.channel_id, row.ts) for row in await session.execute(_FALLEN, said)}
    return [row for row in rows if (row.channel_id, row.ts) not in fallen]


def _passage(row: Any, score: float) -> Passage:
    return Passage(
        id=PassageId(row.passage_id),
        origin=Origin(row.origin),
        title=row.title,
        heading=row.heading,
        url=row.url,
        text=row.text,
        score=score,
        written_at=row.written_at,
        author=row.author,
    )


_MESSAGE = "channel_id, split_part(source_key, ':', 3) AS ts, written_at"

_FETCH = text(
    f"SELECT passage_id, origin, title, heading, url, text, author, {_MESSAGE}"  # noqa: S608 - our own words
    " FROM passages WHERE passage_id = ANY(:ids)"
)

_STANDS = "deleted_at IS NULL AND (edited_at IS NULL OR indexed_at IS NOT NULL)"

# OFFSET 0 keeps this a look into the index for each message: as a join it read the whole archive for eight of them
# (47 ms of 100,000 messages).
_FALLEN = text(f"""
    SELECT said.channel_id, said.ts
    FROM unnest(CAST(:channels AS text[]), CAST(:stamps AS text[]), CAST(:moments AS timestamptz[]))
         AS said (channel_id, ts, sent_at),
    LATERAL (
        SELECT FROM slack_messages AS message
        WHERE message.channel_id = said.channel_id AND message.ts = said.ts AND message.sent_at = said.sent_at
          AND message.sent_at = ANY (CAST(:moments AS timestamptz[])) AND NOT ({_STANDS})
        OFFSET 0) AS fallen
""")  # noqa: S608 - our own words

# The archive is sorted by time, the index by source: it need not be sorted by time too for the few who ask for that.
_SAID = f"""
    SELECT passage_id, origin, title, heading, url, passages.text, written_at, author
    FROM slack_messages AS spoken
    JOIN passages ON passages.tenant_id = spoken.tenant_id
        AND passages.source_key = 'slack:' || spoken.channel_id || ':' || spoken.ts
    WHERE spoken.channel_id = :channel AND spoken.sent_at > :since AND spoken.sent_at <= :until AND {_STANDS}
"""  # noqa: S608 - our own words
_NEWEST = "ORDER BY spoken.sent_at DESC LIMIT :limit"

_FILE = text("""
    INSERT INTO shelves AS shelf (tenant_id, shelf, filed, passages, length)
    VALUES (athenaeum_tenant(), :shelf, :count, :count, :length)
    ON CONFLICT (tenant_id, shelf) DO UPDATE SET
        filed = shelf.filed + excluded.filed,
        passages = shelf.passages + excluded.passages,
        length = shelf.length + excluded.length
    RETURNING filed
""")

_INSERT = text("""
    INSERT INTO passages (tenant_id, source_key, position, origin, shelf, block, slot, channel_id, title, heading,
                          url, text, content_hash, length, written_at, author)
    SELECT athenaeum_tenant(), new.*
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS new (
        source_key text, position integer, origin text, shelf text, block integer, slot smallint, channel_id text,
        title text, heading text, url text, text text, content_hash text, length integer, written_at timestamptz,
        author text)
    RETURNING passage_id, source_key, position, shelf, block, slot
""")

_RENEW = text("""
    UPDATE passages AS passage
    SET position = new.position, url = new.url, written_at = new.written_at
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS new (
        passage_id bigint, position integer, url text, written_at timestamptz)
    WHERE passage.passage_id = new.passage_id
      AND (passage.position, passage.url, passage.written_at)
          IS DISTINCT FROM (new.position, new.url, new.written_at)
""")

_DELETE = text("""
    WITH gone AS (DELETE FROM passages WHERE passage_id = ANY(:ids) RETURNING shelf, length),
         sums AS (SELECT shelf, count(*) AS passages, sum(length) AS length FROM gone GROUP BY shelf)
    UPDATE shelves AS shelf
    SET passages = shelf.passages - sums.passages, length = shelf.length - sums.length
    FROM sums WHERE sums.shelf = shelf.shelf
""")
