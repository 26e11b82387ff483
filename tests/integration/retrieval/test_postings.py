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

_SLOTS = "shelf, block, slot"
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
async def test_the_best_are_those_of_the_formula_and_of_equal_ones_the_first_on_their_shelves(
    database: DatabaseConnection, workspace: Workspace, seed: int
) -> None:
    await workspace.channel("open", "public")
    await workspace.channel("closed", "private", "cleo")
    await fill(database, random.Random(seed))

    async with database.session(DEFAULT_TENANT) as session:
        readable = await session.scalars(text("SELECT passage_id FROM passages WHERE shelf <> 'closed'"))
        filed = await catalogue.filed(session, list(map(PassageId, readable)))
        corpus = {one.id: one.frequencies for one in filed}
        places = {one.id: (one.block, one.shelf, one.slot) for one in filed}
        for terms in (["soup"], ["soup", "noon"], WORDS, ["nowhere", "tag"], ["nowhere"]):
            scores = {passage: round(score, 5) for passage, score in bm25(corpus, terms).items()}
            best = sorted(scores, key=lambda passage: (-scores[passage], places[passage]))[:15]
            expected = sorted(best, key=lambda passage: (-scores[passage], passage))
            found = await postings.search(session, terms, shelves=readable_shelves(TERMINAL), depth=15)

            assert list(found) == expected
            assert list(found.values()) == pytest.approx([scores[passage] for passage in expected], abs=1e-4)


async def test_a_shelf_of_several_blocks_is_searched_in_all_of_them(database: DatabaseConnection) -> None:
    index = Index(database, None)
    async with database.session(DEFAULT_TENANT) as session:
        for start in range(0, 2100, 700):
            sources = {f"source {n}": [document(f"soup number {n}")] for n in range(start, start + 700)}
            await index.put_all(session, DEFAULT_TENANT, sources)
        for number in (3, 1030, 2070):
            (found,) = await postings.search(session, [str(number)], shelves=readable_shelves(TERMINAL), depth=5)
            expected = await session.scalar(
                text("SELECT passage_id FROM passages WHERE text LIKE :said"), {"said": f"% {number}"}
            )
            assert found == expected
        assert len(await postings.search(session, ["soup"], shelves=readable_shelves(TERMINAL), depth=2200)) == 2100


async def test_postings_of_earlier_versions_are_taken_over(database: DatabaseConnection) -> None:
    await fill(database, random.Random(0))
    async with await psycopg.AsyncConnection.connect(database.url, autocommit=True) as owner:

        async def look(statement: str) -> list[tuple[Any, ...]]:
            return await (await owner.execute(statement.encode())).fetchall()

        async def packed(layout: str, key: str) -> set[tuple[Any, ...]]:
            ids = {tuple(place): passage for passage, *place in await look(f"SELECT passage_id, {key} FROM passages")}
            return {
                (term, ids[shelf, block, name] if key == _SLOTS else name, count, length)
                for term, shelf, block, entries in await look("SELECT term, shelf, block, entries FROM postings")
                for name, count, length in struct.iter_unpack(layout, entries)
            }

        entered = await packed(">HBH", _SLOTS)
        await downgrade(database.url, "0022")
        assert await packed(">qhh", "passage_id") == entered
        await downgrade(database.url, "0021")
        arrays = await look("SELECT term, unnest(passages), unnest(frequencies), unnest(lengths) FROM postings")
        assert set(arrays) == entered
        await database.create_tables()
        assert await packed(">HBH", _SLOTS) == entered
    await fill(database, random.Random(1))  # what comes after finds free slots
