"""Search by meaning: the nearest vectors, by an exact scan where that is quick, by an HNSW index above.

Malkov and Yashunin, 2018, "Efficient and robust approximate nearest neighbor search using Hierarchical Navigable
Small World graphs". The index is of the offline embedder's vectors; of others every search is an exact scan.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from athenaeum.domain.embedding import Embedder, Vectors
from athenaeum.domain.identity import PassageId
from athenaeum.retrieval.postings import Shelves

EXACT: Final = 20_000
"""Passages up to which every vector is looked at, which takes about 0.5 ms a thousand."""

_INDEXED = "all-MiniLM-L6-v2"  # the embedder that migration 0005 made an index for
_OVERLAP = 0.25  # of a window


def windows(lead: str, body: str, size: int | None) -> list[str]:
    """A passage as texts for the embedder: overlapping windows of `size` words, each under title and headings."""
    above = " > ".join(lead.split("\n"))
    words = body.split()
    if size is None or len(words) <= size:
        return [f"{above}\n{body}"]
    return [f"{above}\n{' '.join(words[start : start + size])}" for start in _starts(len(words), size)]


def _starts(length: int, size: int) -> Iterator[int]:
    stride = size - int(size * _OVERLAP)
    yield from range(0, length - size, stride)
    yield length - size


async def embed(embedder: Embedder, passages: Sequence[tuple[str, str]]) -> list[Vectors]:
    """The vectors of each (lead, text): shape (windows, dimensions).

    Raises:
        EmbedderUnavailable: The embedder does not answer.
    """
    cut = [windows(lead, body, embedder.window) for lead, body in passages]
    if not cut:
        return []
    vectors = await embedder.embed_passages([window for texts in cut for window in texts])
    return np.split(vectors, np.cumsum([len(texts) for texts in cut])[:-1])


async def store(session: AsyncSession, embedder: Embedder, vectors: Mapping[PassageId, Vectors]) -> None:
    """Give passages their vectors in place of any they have; one that is gone meanwhile is passed over."""
    rows = [
        (passage, part, _literal(vector)) for passage, parts in vectors.items() for part, vector in enumerate(parts)
    ]
    if not rows:
        return
    ids, parts, literals = (list(column) for column in zip(*rows, strict=True))
    await session.execute(_HOLD, {"ids": list(vectors)})  # two processes may embed the same passages at once
    await session.execute(_CLEAR, {"ids": list(vectors)})
    await session.execute(_STORE, {"embedder": embedder.name, "ids": ids, "parts": parts, "vectors": literals})
    await session.execute(_MARK, {"embedder": embedder.name, "ids": list(vectors)})


async def search(
    session: AsyncSession, vector: Vectors, *, embedder: Embedder, shelves: Shelves, depth: int
) -> dict[PassageId, float]:
    """The `depth` passages of the shelves nearest to the vector by their best window, with their cosines."""
    select, parameters = shelves
    values = {"vector": _literal(vector), "depth": depth, **parameters}
    passages = (await session.execute(text(_READABLE.format(shelves=select)), parameters)).scalar_one()
    if embedder.name == _INDEXED and passages > EXACT:
        await session.execute(_WIDELY)
        rows = await session.execute(text(_NEAREST.format(shelves=select)), {**values, "near": 2 * depth})
    else:
        rows = await session.execute(text(_SEARCH.format(shelves=select)), {**values, "embedder": embedder.name})
    return {PassageId(row.passage_id): row.similarity for row in rows}


def _literal(vector: Vectors) -> str:
    return f"[{','.join(f'{value:.5g}' for value in vector.tolist())}]"


_HOLD = text("SELECT passage_id FROM passages WHERE passage_id = ANY(:ids) ORDER BY passage_id FOR NO KEY UPDATE")

_CLEAR = text("DELETE FROM embeddings WHERE passage_id = ANY(:ids)")

_STORE = text("""
    INSERT INTO embeddings (tenant_id, passage_id, part, shelf, embedder, embedding)
    SELECT athenaeum_tenant(), passage_id, part, shelf, :embedder, CAST(vector AS halfvec)
    FROM unnest(CAST(:ids AS bigint[]), CAST(:parts AS smallint[]), CAST(:vectors AS text[]))
         AS new (passage_id, part, vector)
    JOIN passages USING (passage_id)
""")

_MARK = text("UPDATE passages SET embedder = :embedder WHERE passage_id = ANY(:ids)")

_SEARCH = """
    WITH readable (readable_shelf) AS MATERIALIZED ({shelves})
    SELECT passage_id, max(-(embedding <#> CAST(:vector AS halfvec))) AS similarity
    FROM embeddings
    WHERE embedder = :embedder AND shelf IN (SELECT readable_shelf FROM readable)
    GROUP BY passage_id
    ORDER BY similarity DESC, passage_id
    LIMIT :depth
"""

_READABLE = "SELECT coalesce(sum(passages), 0) FROM shelves WHERE shelf IN ({shelves})"

# the filter by shelf comes after the index: it is asked for more until enough are readable
_WIDELY = text(
    "SELECT set_config('hnsw.ef_search', '200', true), set_config('hnsw.iterative_scan', 'relaxed_order', true)"
)

# names the embedder as the index does: a parameter would not match the index's own condition in a prepared plan
_NEAREST = f"""
    WITH near AS MATERIALIZED (
        SELECT passage_id, (embedding::halfvec(384)) <#> CAST(:vector AS halfvec(384)) AS distance
        FROM embeddings
        WHERE embedder = '{_INDEXED}' AND shelf = ANY (ARRAY({{shelves}}))
        ORDER BY distance LIMIT :near)
    SELECT passage_id, max(-distance) AS similarity
    FROM near
    GROUP BY passage_id
    ORDER BY similarity DESC, passage_id
    LIMIT :depth
"""  # noqa: S608 - put together from our own words; values are parameters
