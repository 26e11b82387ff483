"""BM25 beside a plain reading of its formula, and postings that an earlier version has stored."""

from __future__ import annotations

import math
import random
import struct
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.identity import DEFAULT_TENANT, PassageId
from athenaeum.retrieval import catalogue, postings
from athenaeum.retrieval.audience import readable_shelves
from athenaeum.retrieval.index import Index
from athenaeum.retrieval.passages import NewPassage
from support.index import TERMINAL, Workspace, document, message
from support.migrations import downgrade

WORDS = ["soup", "noon", "kitchen", "pancak", "friday", "rollback", "tag", "train"]


def bm25(corpus: Mapping[PassageId, Counter[str]], terms: Sequence[str]) -> dict[PassageId, float]:
    mean = sum(words.total() for words in corpus.values()) / len(corpus)
    scores = defaultdict[PassageId, float](float)
    for term in terms:
        holders = [passage for passage, words in corpus.items() if term in words]
        weight = math.log(1 + (len(corpus) - len(holders) + 0.5) / (len(holders) + 0.5))
        for holder in holders:
            count, length = corpus[holder][term], corpus[holder].total()
            scores[holder] += weight * count * 2.2 / (count + 1.2 * (0.25 + 0.75 * length / mean))
    return dict(scores)


def passage(said: str, shelf: int) -> NewPassage:
    return document(said) if shelf == 0 else message(said, ("open", "closed")[shelf - 1])


async def fill(database: DatabaseConnection, dice: random.Random) -> None:
    """Documents and messages of two channels, in three writes; some of them are taken out again."""
    index = Index(database, None)
    said = [" ".join(dice.choices(WORDS, k=dice.choice((2, 2, 3, 9)))) for _ in range(120)]
    async with database.session(DEFAULT_TENANT) as session:
        for start in range(0, 120, 40):
            sources = {f"source {n}": [passage(said[n], n % 3)] for n in range(start, start + 40)}
            await index.put_all(session, DEFAULT_TENANT, sources)
        await index.put_all(session, DEFAULT_TENANT, {f"source {n}": () for n in range(0, 120, 7)})


@pytest.mark.parametrize("seed", range(3))
async def test_the_best_are_those_of_the_formula_and_of_equal_ones_the_oldest(
    database: DatabaseConnection, workspace: Workspace, seed: int
) -> None:
    await workspace.channel("open", "public")
    await workspace.channel("closed", "private", "cleo")
    await fill(database, random.Random(seed))

    async with database.session(DEFAULT_TENANT) as session:
        readable = await session.scalars(text("SELECT passage_id FROM passages WHERE shelf <> 'closed'"))
        corpus = {one.id: one.frequencies for one in await catalogue.filed(session, list(map(PassageId, readable)))}
        for terms in (["soup"], ["soup", "noon"], WORDS, ["nowhere", "tag"], ["nowhere"]):
            expected = sorted(bm25(corpus, terms).items(), key=lambda item: (-round(item[1], 9), item[0]))[:15]
            found = await postings.search(session, terms, shelves=readable_shelves(TERMINAL), depth=15)

            assert list(found) == [passage for passage, _ in expected]
            assert list(found.values()) == pytest.approx([score for _, score in expected])


async def test_postings_of_an_earlier_version_are_taken_over(database: DatabaseConnection) -> None:
    await fill(database, random.Random(0))
    async with await psycopg.AsyncConnection.connect(database.url, autocommit=True) as owner:

        async def look(columns: str) -> list[tuple[Any, ...]]:
            cursor = await owner.execute(f"SELECT {columns} FROM postings ORDER BY term, shelf, block".encode())
            return await cursor.fetchall()

        packed = [entries for (entries,) in await look("entries")]
        await downgrade(database.url, "0021")
        earlier = await look("passages, frequencies, lengths")
        await database.create_tables()

        assert [list(zip(*arrays, strict=True)) for arrays in earlier] == [
            list(struct.iter_unpack(">qhh", entries)) for entries in packed
        ]
        assert [entries for (entries,) in await look("entries")] == packed
