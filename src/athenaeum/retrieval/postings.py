"""Keyword search: BM25 over postings that PostgreSQL keeps and numpy adds up.

Robertson and Zaragoza, 2009, "The Probabilistic Relevance Framework: BM25 and Beyond". The postings of a term are
packed, one row a block of a shelf. PostgreSQL picks the shelves; adding up in SQL as well took three times as long for
a million messages. Numbers of passages and their mean length are those of the shelves that are searched, so that a
score tells nothing about what its reader may not read.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg import AsyncCursor
from psycopg.rows import TupleRow
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from athenaeum.database.connection import wire
from athenaeum.domain.identity import PassageId
from athenaeum.retrieval.catalogue import BLOCK
from athenaeum.retrieval.passages import Filed

_ENTRY = np.dtype([("slot", ">u2"), ("frequency", "u1"), ("length", ">u2")])
_PACKED = struct.Struct(">HBH")  # the same for one entry
_OFTEN, _LONG = 255, 65_535

Shelves = tuple[str, dict[str, Any]]
Block = tuple[int, str]
"""Its number, and its shelf."""


async def add(session: AsyncSession, passages: Collection[Filed]) -> None:
    """Enter passages under their terms."""
    rows: defaultdict[tuple[str, str, int], bytearray] = defaultdict(bytearray)
    for passage in passages:
        length = min(passage.length, _LONG)
        for term, count in passage.frequencies.items():
            rows[term, passage.shelf, passage.block] += _PACKED.pack(passage.slot, min(count, _OFTEN), length)
    if not rows:
        return
    terms, shelves, blocks = (list(column) for column in zip(*rows, strict=True))
    entries = [bytes(packed) for packed in rows.values()]
    await session.execute(_ADD, {"terms": terms, "shelves": shelves, "blocks": blocks, "entries": entries})


async def remove(session: AsyncSession, passages: Collection[Filed]) -> None:
    """Take passages out from under their terms."""
    places = {
        (term, passage.shelf, passage.block, passage.slot) for passage in passages for term in passage.frequencies
    }
    if not places:
        return
    terms, shelves, blocks, slots = (list(column) for column in zip(*sorted(places), strict=True))
    parameters = {"terms": terms, "shelves": shelves, "blocks": blocks, "slots": slots}
    await session.execute(_REMOVE, parameters)
    await session.execute(_REMOVE_EMPTY, parameters)


async def search(
    session: AsyncSession, terms: Sequence[str], *, shelves: Shelves, depth: int
) -> dict[PassageId, float]:
    """The `depth` best passages of the shelves with at least one of the terms, best first.

    Of equal ones the first on their shelves are taken, those with the lowest ids first.
    """
    if not terms:
        return {}
    select, parameters = shelves
    statement = str(text(_SEARCH.format(shelves=select)).compile(dialect=session.get_bind().dialect))
    driver = await wire(session)
    async with driver.cursor(binary=True) as cursor:  # as text, bytes are twice as long
        await cursor.execute(statement.encode(), {"terms": list(terms), **parameters})
        rows = await cursor.fetchall()
        if not rows:
            return {}
        packed: defaultdict[str, dict[Block, bytes]] = defaultdict(dict)
        for term, shelf, block, entries, *_ in rows:
            packed[term][block, shelf] = entries
        blocks = sorted(set().union(*packed.values()))
        found, scores = _best(_summed([packed[term] for term in sorted(packed)], blocks, *rows[0][4:]), depth)
        return await _identified(cursor, [(*blocks[at // BLOCK], at % BLOCK) for at in found.tolist()], scores.tolist())


def _summed(
    packed: Iterable[dict[Block, bytes]], blocks: Sequence[Block], corpus: float, length: float
) -> NDArray[np.float32]:
    """The scores of all slots of the blocks, in a corpus of so many passages and terms: a row a block.

    k1 is 1.2 and b 0.75. ln(1 + …) keeps the weight of a term that most passages have above zero, as in Lucene.
    """
    first = {block: number * BLOCK for number, block in enumerate(blocks)}
    mean = length / corpus
    sums = np.zeros(len(blocks) * BLOCK, np.float32)  # twice as fast as double precision
    for lists in packed:
        found = np.frombuffer(b"".join(lists.values()), _ENTRY)
        weight = np.log1p((corpus - len(found) + 0.5) / (len(found) + 0.5))
        part = found["frequency"].astype(np.float32)
        saturation = found["length"] * np.float32(1.2 * 0.75 / mean)
        saturation += np.float32(1.2 * 0.25)
        saturation += part
        part /= saturation
        part *= np.float32(weight * 2.2)
        counts = [len(entries) // _ENTRY.itemsize for entries in lists.values()]
        places = np.repeat(np.array([first[block] for block in lists], np.int32), counts)
        places += found["slot"]
        sums[places] += part  # a slot has a term once
    return sums.reshape(-1, BLOCK)


def _best(sums: NDArray[np.float32], depth: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Where the `depth` best of the scores stand, and they themselves.

    No block's best can be left out that is among the `depth` best of the blocks' bests: what is lower than all of
    those need not be sorted.
    """
    bests = sums.max(axis=1)
    bound = np.partition(bests, -depth)[-depth] if len(bests) > depth else 0
    found = np.flatnonzero(sums >= max(bound, np.finfo(np.float32).tiny))
    scores = sums.ravel()[found]
    chosen = np.lexsort((found, -scores))[:depth]
    return found[chosen], scores[chosen]


async def _identified(
    cursor: AsyncCursor[TupleRow], places: Sequence[tuple[int, str, int]], scores: list[float]
) -> dict[PassageId, float]:
    blocks, shelves, slots = (list(column) for column in zip(*places, strict=True))
    await cursor.execute(_IDENTIFY, {"blocks": blocks, "shelves": shelves, "slots": slots, "scores": scores})
    return {PassageId(passage): score for passage, score in await cursor.fetchall()}


_ADD = text("""
    INSERT INTO postings AS posting (tenant_id, term, shelf, block, entries)
    SELECT athenaeum_tenant(), new.*
    FROM unnest(CAST(:terms AS text[]), CAST(:shelves AS text[]), CAST(:blocks AS integer[]),
                CAST(:entries AS bytea[])) AS new (term, shelf, block, entries)
    ON CONFLICT (tenant_id, term, shelf, block) DO UPDATE SET entries = posting.entries || excluded.entries
""")

_PLACES = """(
        SELECT term, shelf, block, array_agg(slot) AS slots
        FROM unnest(CAST(:terms AS text[]), CAST(:shelves AS text[]), CAST(:blocks AS integer[]),
                    CAST(:slots AS smallint[])) AS gone (term, shelf, block, slot)
        GROUP BY term, shelf, block) AS place
    WHERE posting.term = place.term AND posting.shelf = place.shelf AND posting.block = place.block
"""

_REMOVE = text(f"""
    UPDATE postings AS posting
    SET entries = (
        SELECT coalesce(string_agg(entry, '' ORDER BY start), '')
        FROM generate_series(1, length(posting.entries), {_ENTRY.itemsize}) AS start,
             substr(posting.entries, start, {_ENTRY.itemsize}) AS entry
        WHERE substr(entry, 1, 2) <> ALL (ARRAY(SELECT int2send(slot) FROM unnest(place.slots) AS slot)))
    FROM {_PLACES}
""")  # noqa: S608 - put together from our own words; values are parameters

_REMOVE_EMPTY = text(f"DELETE FROM postings AS posting USING {_PLACES} AND entries = ''")  # noqa: S608 - as above

_SEARCH = """
    WITH readable (readable_shelf) AS MATERIALIZED ({shelves}),
    corpus AS MATERIALIZED (
        SELECT sum(passages)::float8 AS passages, sum(length)::float8 AS length
        FROM shelves WHERE shelf IN (SELECT readable_shelf FROM readable))
    SELECT term, shelf, block, entries, corpus.passages, corpus.length FROM postings, corpus
    WHERE term = ANY(:terms) AND shelf IN (SELECT readable_shelf FROM readable)
"""

_IDENTIFY = """
    SELECT passage_id, score
    FROM unnest(%(blocks)s::integer[], %(shelves)s::text[], %(slots)s::smallint[], %(scores)s::float8[])
         AS found (block, shelf, slot, score)
    JOIN passages USING (shelf, block, slot)
    ORDER BY score DESC, passage_id
"""
