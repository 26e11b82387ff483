"""Keyword search: BM25 in plain SQL.

Robertson and Zaragoza, 2009, "The Probabilistic Relevance Framework: BM25 and Beyond". The postings of a term are
arrays, one row a block of a shelf: a tenth of the time of one row a posting. Numbers of passages and their mean length
are those of the shelves that are searched, so that a score tells nothing about what its reader may not read.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from athenaeum.domain.identity import PassageId
from athenaeum.retrieval.passages import Filed

_LIMIT = 32_767  # of a smallint

Shelves = tuple[str, dict[str, Any]]


async def add(session: AsyncSession, passages: Collection[Filed]) -> None:
    """Enter passages under their terms."""
    rows = [
        (term, passage.shelf, passage.block, passage.id, min(count, _LIMIT), min(passage.length, _LIMIT))
        for passage in passages
        for term, count in passage.frequencies.items()
    ]
    if not rows:
        return
    names = ("terms", "shelves", "blocks", "passages", "frequencies", "lengths")
    columns = zip(*rows, strict=True)
    await session.execute(_ADD, dict(zip(names, map(list, columns), strict=True)))


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
    rows = await session.execute(
        text(_SEARCH.format(shelves=select)), {"terms": list(terms), "depth": depth, **parameters}
    )
    return {PassageId(row.passage_id): row.score for row in rows}


_ADD = text("""
    INSERT INTO postings AS posting (tenant_id, term, shelf, block, passages, frequencies, lengths)
    SELECT athenaeum_tenant(), term, shelf, block,
           array_agg(passage), array_agg(frequency), array_agg(length)
    FROM unnest(CAST(:terms AS text[]), CAST(:shelves AS text[]), CAST(:blocks AS integer[]),
                CAST(:passages AS bigint[]), CAST(:frequencies AS smallint[]), CAST(:lengths AS smallint[]))
         AS new (term, shelf, block, passage, frequency, length)
    GROUP BY term, shelf, block
    ON CONFLICT (tenant_id, term, shelf, block) DO UPDATE SET
        passages = posting.passages || excluded.passages,
        frequencies = posting.frequencies || excluded.frequencies,
        lengths = posting.lengths || excluded.lengths
""")

_PLACES = """
    unnest(CAST(:terms AS text[]), CAST(:shelves AS text[]), CAST(:blocks AS integer[])) AS place (term, shelf, block)
    WHERE posting.term = place.term AND posting.shelf = place.shelf AND posting.block = place.block
"""

_REMOVE = text(f"""
    UPDATE postings AS posting
    SET (passages, frequencies, lengths) = (
        SELECT coalesce(array_agg(passage), '{{}}'), coalesce(array_agg(frequency), '{{}}'),
               coalesce(array_agg(length), '{{}}')
        FROM unnest(posting.passages, posting.frequencies, posting.lengths) AS entry (passage, frequency, length)
        WHERE passage <> ALL (CAST(:ids AS bigint[])))
    FROM {_PLACES}
""")  # noqa: S608 - put together from our own words; values are parameters

_REMOVE_EMPTY = text(f"DELETE FROM postings AS posting USING {_PLACES} AND passages = '{{}}'")  # noqa: S608 - as above

# k1 is 1.2 and b 0.75, their constants taken together: k1 + 1, k1 * (1 - b), k1 * b.
# ln(1 + …) keeps the weight of a term that most passages have above zero, as in Lucene.
_SEARCH = """
    WITH readable (readable_shelf) AS MATERIALIZED ({shelves}),
    corpus AS MATERIALIZED (
        SELECT sum(passages)::float8 AS passages, sum(length)::float8 / nullif(sum(passages), 0)::float8 AS mean_length
        FROM shelves WHERE shelf IN (SELECT readable_shelf FROM readable)),
    list AS MATERIALIZED (
        SELECT term, passages, frequencies, lengths FROM postings
        WHERE term = ANY(:terms) AND shelf IN (SELECT readable_shelf FROM readable)),
    weight AS MATERIALIZED (
        SELECT term, 2.2::float8 * ln(1 + (corpus.passages - count + 0.5) / (count + 0.5)) AS weight,
               0.9::float8 / mean_length AS slope
        FROM (SELECT term, sum(cardinality(passages))::float8 AS count FROM list GROUP BY term) AS counts, corpus),
    posting AS (
        SELECT weight, slope, unnest(passages) AS passage_id, unnest(frequencies)::float8 AS frequency,
               unnest(lengths)::float8 AS length
        FROM list JOIN weight USING (term))
    SELECT passage_id, sum(weight * frequency / (frequency + 0.3::float8 + slope * length)) AS score
    FROM posting
    GROUP BY passage_id
    ORDER BY score DESC, passage_id
    LIMIT :depth
"""
