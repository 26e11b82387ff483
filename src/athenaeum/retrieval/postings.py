"""Keyword search: BM25 over postings that PostgreSQL keeps and numpy adds up.

Robertson and Zaragoza, 2009, "The Probabilistic Relevance Framework: BM25 and Beyond". The postings of a term are
packed, one row a block of a shelf. PostgreSQL picks the shelves; adding up in SQL as well took three times as long for
a million messages. Numbers of passages and their mean length are those of the shelves that are searched, so that a
score tells nothing about what its reader may not read.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from athenaeum.database.connection import wire
from athenaeum.domain.identity import PassageId
from athenaeum.retrieval.passages import Filed

_ENTRY = np.dtype([("passage", ">i8"), ("frequency", ">i2"), ("length", ">i2")])
_PACKED = struct.Struct(">qhh")  # the same for one entry
_LIMIT = 32_767

Shelves = tuple[str, dict[str, Any]]


async def add(session: AsyncSession, passages: Collection[Filed]) -> None:
    """Enter passages under their terms."""
    rows: defaultdict[tuple[str, str, int], bytearray] = defaultdict(bytearray)
    for passage in passages:
        length = min(passage.length, _LIMIT)
        for term, count in passage.frequencies.items():
            rows[term, passage.shelf, passage.block] += _PACKED.pack(passage.id, min(count, _LIMIT), length)
    if not rows:
        return
    terms, shelves, blocks = (list(column) for column in zip(*rows, strict=True))
    entries = [bytes(packed) for packed in rows.values()]
    await session.execute(_ADD, {"terms": terms, "shelves": shelves, "blocks": blocks, "entries": entries})


async def remove(session: AsyncSession, passages: Collection[Filed]) -> None:
    """Take passages out from under their terms."""
    places = {(term, passage.shelf, passage.block) for passage in passages for term in passage.frequencies}
    if not places:
        return
    terms, shelves, blocks = (list(column) for column in zip(*sorted(places), strict=True))
    parameters = {"terms": terms, "shelves": shelves, "blocks": blocks, "ids": [passage.id for passage in passages]}
    await session.execute(_REMOVE, parameters)
    await session.execute(_REMOVE_EMPTY, parameters)


async def search(
    session: AsyncSession, terms: Sequence[str], *, shelves: Shelves, depth: int
) -> dict[PassageId, float]:
    """The `depth` best passages of the shelves with at least one of the terms, best first."""
    if not terms:
        return {}
    select, parameters = shelves
    statement = str(text(_SEARCH.format(shelves=select)).compile(dialect=session.get_bind().dialect))
    driver = await wire(session)
    async with driver.cursor(binary=True) as cursor:  # as text, bytes are twice as long
        await cursor.execute(statement.encode(), {"terms": list(terms), **parameters})
        rows = await cursor.fetchall()
    packed: defaultdict[str, list[bytes]] = defaultdict(list)
    for term, entries, *_ in rows:
        packed[term].append(entries)
    scored = [_scored(b"".join(lists), *rows[0][2:]) for _, lists in sorted(packed.items())]
    return _best(scored, depth) if scored else {}


def _scored(entries: bytes, corpus: float, length: float) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The passages that have a term, and its part of their scores, in a corpus of so many passages and terms.

    k1 is 1.2 and b 0.75. ln(1 + …) keeps the weight of a term that most passages have above zero, as in Lucene.
    """
    found = np.frombuffer(entries, _ENTRY)
    weight = np.log1p((corpus - len(found) + 0.5) / (len(found) + 0.5))
    frequency = found["frequency"].astype(np.float64)
    saturation = 1.2 * (0.25 + 0.75 * corpus / length * found["length"])
    return found["passage"].astype(np.int64), weight * 2.2 * frequency / (frequency + saturation)


def _best(scored: Sequence[tuple[NDArray[np.int64], NDArray[np.float64]]], depth: int) -> dict[PassageId, float]:
    """The sums of the passages' scores, the best `depth` of them, of equal ones those with the lowest ids."""
    ids, parts = (np.concatenate(column) for column in zip(*scored, strict=True))
    order = np.argsort(ids, kind="stable")  # of sorted runs, as most are: a merge
    ids, parts = ids[order], parts[order]
    starts = np.flatnonzero(np.diff(ids, prepend=-1))
    ids, sums = ids[starts], np.add.reduceat(parts, starts)
    if len(ids) > depth:
        last = np.partition(sums, -depth)[-depth]
        better = np.flatnonzero(sums > last)
        chosen = np.concatenate([better, np.flatnonzero(sums == last)[: depth - len(better)]])
        ids, sums = ids[chosen], sums[chosen]
    ranking = np.lexsort((ids, -sums))
    return {
        PassageId(passage): score for passage, score in zip(ids[ranking].tolist(), sums[ranking].tolist(), strict=True)
    }


_ADD = text("""
    INSERT INTO postings AS posting (tenant_id, term, shelf, block, entries)
    SELECT athenaeum_tenant(), new.*
    FROM unnest(CAST(:terms AS text[]), CAST(:shelves AS text[]), CAST(:blocks AS integer[]),
                CAST(:entries AS bytea[])) AS new (term, shelf, block, entries)
    ON CONFLICT (tenant_id, term, shelf, block) DO UPDATE SET entries = posting.entries || excluded.entries
""")

_PLACES = """
    unnest(CAST(:terms AS text[]), CAST(:shelves AS text[]), CAST(:blocks AS integer[])) AS place (term, shelf, block)
    WHERE posting.term = place.term AND posting.shelf = place.shelf AND posting.block = place.block
"""

_REMOVE = text(f"""
    UPDATE postings AS posting
    SET entries = (
        SELECT coalesce(string_agg(entry, '' ORDER BY start), '')
        FROM generate_series(1, length(posting.entries), {_ENTRY.itemsize}) AS start,
             substr(posting.entries, start, {_ENTRY.itemsize}) AS entry
        WHERE substr(entry, 1, 8) <> ALL (ARRAY(SELECT int8send(id) FROM unnest(CAST(:ids AS bigint[])) AS id)))
    FROM {_PLACES}
""")  # noqa: S608 - put together from our own words; values are parameters

_REMOVE_EMPTY = text(f"DELETE FROM postings AS posting USING {_PLACES} AND entries = ''")  # noqa: S608 - as above

_SEARCH = """
    WITH readable (readable_shelf) AS MATERIALIZED ({shelves}),
    corpus AS MATERIALIZED (
        SELECT sum(passages)::float8 AS passages, sum(length)::float8 AS length
        FROM shelves WHERE shelf IN (SELECT readable_shelf FROM readable))
    SELECT term, entries, corpus.passages, corpus.length FROM postings, corpus
    WHERE term = ANY(:terms) AND shelf IN (SELECT readable_shelf FROM readable)
"""
