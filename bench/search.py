"""Search quality and latency on collections in BEIR's layout.

    python -m bench.search FOLDER... [--scale 100000] [--json FILE]

A folder has corpus.jsonl, queries.jsonl and qrels/test.tsv. Prints nDCG@10 and recall@10 of words alone, of vectors
alone and of both fused, and the time of a whole search. With --scale, slices of 100 words of the last collection are
filed until there are that many passages, two blurred vectors each, and its questions are timed again.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import random
import statistics
import tempfile
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import text

from athenaeum.config import Config
from athenaeum.database.connection import DatabaseConnection
from athenaeum.database.embedded import EmbeddedPostgres
from athenaeum.domain.audience import Audience
from athenaeum.domain.channel import ChannelKind, Place
from athenaeum.domain.identity import DEFAULT_TENANT, ChannelId, PassageId
from athenaeum.domain.passage import Origin
from athenaeum.llm.embeddings import Embedder, build_embedder
from athenaeum.retrieval import postings, vectors
from athenaeum.retrieval.audience import readable_shelves
from athenaeum.retrieval.fusion import fuse
from athenaeum.retrieval.index import Index
from athenaeum.retrieval.passages import NewPassage
from athenaeum.retrieval.terms import terms

TERMINAL = Audience(DEFAULT_TENANT, None, Place(ChannelId("terminal"), "terminal", ChannelKind.DIRECT))
DEPTH = 200
FLOOR_MS = 100  # A19: a search of 100,000 passages


@dataclass(frozen=True, slots=True)
class Collection:
    """Documents, questions, and which documents answer which question."""

    name: str
    documents: Mapping[str, NewPassage]
    questions: Mapping[str, str]
    relevant: Mapping[str, frozenset[str]]

    @classmethod
    def read(cls, folder: Path) -> Collection:
        documents = {
            row["_id"]: NewPassage(Origin.DOCUMENT, row.get("title") or "", row["text"], url=row["_id"])
            for row in _lines(folder / "corpus.jsonl")
        }
        questions = {row["_id"]: row["text"] for row in _lines(folder / "queries.jsonl")}
        relevant: dict[str, set[str]] = {}
        for line in (folder / "qrels" / "test.tsv").read_text().splitlines()[1:]:
            question, document, grade = line.split("\t")
            if int(grade) > 0:
                relevant.setdefault(question, set()).add(document)
        return cls(folder.name, documents, questions, {q: frozenset(found) for q, found in relevant.items()})


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def ndcg(ranking: Sequence[str], relevant: frozenset[str]) -> float:
    gain = sum(1 / math.log2(rank + 2) for rank, document in enumerate(ranking[:10]) if document in relevant)
    return gain / sum(1 / math.log2(rank + 2) for rank in range(min(10, len(relevant))))


def recall(ranking: Sequence[str], relevant: frozenset[str]) -> float:
    return len(set(ranking[:10]) & relevant) / len(relevant)


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    cuts = statistics.quantiles(seconds, n=100)
    return {"p50_ms": round(cuts[49] * 1000, 1), "p95_ms": round(cuts[94] * 1000, 1)}


async def file(database: DatabaseConnection, index: Index, collection: Collection) -> float:
    started = time.perf_counter()
    documents = list(collection.documents.items())
    for start in range(0, len(documents), 500):
        async with database.session(DEFAULT_TENANT) as session:
            for key, passage in documents[start : start + 500]:
                await index.put(session, DEFAULT_TENANT, f"{collection.name}:{key}", [passage], embed=False)
    await index.embed_missing(DEFAULT_TENANT)
    await analyze(database)
    return time.perf_counter() - started


async def analyze(database: DatabaseConnection) -> None:
    """What autovacuum does within a minute."""
    import psycopg  # noqa: PLC0415 - as the tables' owner, which no session is

    async with await psycopg.AsyncConnection.connect(database.url, autocommit=True) as connection:
        await connection.execute("VACUUM ANALYZE")


async def quality(database: DatabaseConnection, embedder: Embedder, collection: Collection) -> list[dict[str, Any]]:
    shelves = readable_shelves(TERMINAL)
    scores: dict[str, list[tuple[float, float]]] = {"words": [], "vectors": [], "fused": []}
    async with database.session(DEFAULT_TENANT) as session:
        rows = await session.execute(text("SELECT passage_id, url FROM passages"))
        names = {PassageId(row.passage_id): str(row.url) for row in rows}
        for question, relevant in collection.relevant.items():
            asked = collection.questions[question]
            words = await postings.search(session, sorted(set(terms(asked))), shelves=shelves, depth=DEPTH)
            vector = await embedder.embed_query(asked)
            near = await vectors.search(session, vector, embedder=embedder, shelves=shelves, depth=DEPTH)
            for system, found in (("words", words), ("vectors", near), ("fused", fuse(words, near))):
                ranking = [names[passage] for passage in found]
                scores[system].append((ndcg(ranking, relevant), recall(ranking, relevant)))
    return [
        {
            "collection": collection.name,
            "system": system,
            "ndcg@10": round(statistics.fmean(pair[0] for pair in pairs), 3),
            "recall@10": round(statistics.fmean(pair[1] for pair in pairs), 3),
        }
        for system, pairs in scores.items()
    ]


async def latency(index: Index, questions: Sequence[str]) -> dict[str, float]:
    seconds: list[float] = []
    for question in [*questions[:10], *questions]:  # the first ten warm up
        started = time.perf_counter()
        await index.search(question, audience=TERMINAL)
        seconds.append(time.perf_counter() - started)
    return percentiles(seconds[10:])


async def enlarge(database: DatabaseConnection, embedder: Embedder, collection: Collection, count: int) -> None:
    """File slices of 100 words with two blurred vectors each, until there are `count` passages."""
    dice = random.Random(1)
    noise = np.random.default_rng(1)
    index = Index(database, None)
    texts = [passage.text.split() for passage in collection.documents.values()]
    sample = await embedder.embed_passages([" ".join(words[:80]) for words in texts[:500]])
    async with database.session(DEFAULT_TENANT) as session:
        held = (await session.execute(text("SELECT count(*) FROM passages"))).scalar_one()
    for start in range(held, count, 1000):
        slices: list[NewPassage] = []
        for number in range(start, min(start + 1000, count)):
            words = dice.choice(texts)
            cut = dice.randrange(max(1, len(words) - 100))
            slices.append(NewPassage(Origin.DOCUMENT, "", " ".join([*words[cut : cut + 100], f"n{number}"])))
        async with database.session(DEFAULT_TENANT) as session:
            key = f"slices:{start}"
            await index.put(session, DEFAULT_TENANT, key, slices)
            rows = await session.execute(text("SELECT passage_id FROM passages WHERE source_key = :key"), {"key": key})
            blurred = {
                PassageId(row.passage_id): sample[noise.integers(len(sample), size=2)]
                + noise.normal(scale=0.03, size=(2, sample.shape[1])).astype(np.float32)
                for row in rows
            }
            await vectors.store(session, embedder, blurred)
    await analyze(database)


@asynccontextmanager
async def fresh() -> AsyncGenerator[DatabaseConnection]:
    with tempfile.TemporaryDirectory(prefix="athenaeum-bench-") as home:
        Path(home).chmod(0o711)  # noqa: ASYNC240 - once; root's PostgreSQL runs as another user, who must come through
        async with EmbeddedPostgres(Path(home)) as server, DatabaseConnection(server.url) as database:
            await database.create_tables()
            yield database


async def measure(folders: Sequence[Path], scale: int, embedder: Embedder) -> dict[str, Any]:
    results: dict[str, Any] = {"quality": [], "latency": []}
    for folder in folders:
        collection = Collection.read(folder)
        async with fresh() as database:
            index = Index(database, embedder)
            seconds = await file(database, index, collection)
            print(f"{collection.name}: {len(collection.documents)} documents filed and embedded in {seconds:.0f} s")
            for row in await quality(database, embedder, collection):
                results["quality"].append(row)
                print(f"  {row['system']:8} nDCG@10 {row['ndcg@10']:.3f}   recall@10 {row['recall@10']:.3f}")
            asked = [collection.questions[question] for question in collection.relevant]
            sizes = [len(collection.documents)]
            if scale > sizes[0] and folder == folders[-1]:
                sizes.append(scale)
            for size in sizes:
                if size > len(collection.documents):
                    await enlarge(database, embedder, collection, size)
                row = {"collection": collection.name, "passages": size, **await latency(index, asked)}
                results["latency"].append(row)
                print(f"  {size} passages: p50 {row['p50_ms']} ms, p95 {row['p95_ms']} ms (floor {FLOOR_MS} ms)")
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--scale", type=int, default=0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    config = Config()
    embedder = build_embedder(config.embedder, config, config.home_dir / "cache")
    if embedder is None:
        parser.error("this measures an embedder: unset ATHENAEUM_EMBEDDER, or name one")
    results = asyncio.run(measure(options.folders, options.scale, embedder))
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
