"""The entrance: one index for messages and documents."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import islice

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.audience import Audience
from athenaeum.domain.embedding import Embedder, EmbedderUnavailable, Vectors
from athenaeum.domain.identity import PassageId, TenantId
from athenaeum.domain.passage import Origin, Passage, Period
from athenaeum.observability.metrics import SEARCH_SECONDS
from athenaeum.retrieval import catalogue, postings, vectors
from athenaeum.retrieval.audience import readable_shelves
from athenaeum.retrieval.fusion import fuse
from athenaeum.retrieval.passages import NewPassage, lead
from athenaeum.retrieval.terms import terms

log = structlog.get_logger(__name__)

_DEPTH = 200  # candidates of each kind that are fused
_TERMS = 100  # of a question; whoever pastes a log file is answered as fast as everybody
_BATCH = 64  # passages embedded at a time, about two seconds offline


class Index:
    """Passages of a tenant, found by their words and by their meaning, by those who may read them.

    Without an embedder, or while it does not answer, search goes by words alone.
    """

    def __init__(self, database: DatabaseConnection, embedder: Embedder | None) -> None:
        """None for `embedder` means keyword search."""
        self._database = database
        self._embedder = embedder

    @property
    def embedder(self) -> Embedder | None:
        """What passages are embedded by."""
        return self._embedder

    async def search(
        self, query: str, *, audience: Audience, origins: frozenset[Origin] | None = None, limit: int = 8
    ) -> list[Passage]:
        """The best passages that everyone in the audience may read, best first, with scores between 0 and 1."""
        with SEARCH_SECONDS.time():
            vector = await self._query_vector(query)
            shelves = readable_shelves(audience, origins)
            wanted = list(dict.fromkeys(terms(query)))[:_TERMS]
            async with self._database.session(audience.tenant) as session:
                await session.execute(_PLAIN_PLANS)
                lexical = await postings.search(session, wanted, shelves=shelves, depth=_DEPTH)
                similar: dict[PassageId, float] = {}
                if self._embedder is not None and vector is not None:
                    similar = await vectors.search(
                        session, vector, embedder=self._embedder, shelves=shelves, depth=_DEPTH
                    )
                best = dict(islice(fuse(lexical, similar).items(), limit))
                return await catalogue.fetch(session, best)

    async def said(self, period: Period, *, audience: Audience, limit: int) -> list[Passage]:
        """The last messages of a period that everyone in the audience may read, in their order."""
        async with self._database.session(audience.tenant) as session:
            return await catalogue.said(
                session, period, readable_shelves(audience, frozenset({Origin.MESSAGE})), limit=limit
            )

    async def readable(self, ids: Collection[PassageId], audience: Audience) -> set[PassageId]:
        """Those of `ids` that everyone in the audience may read now: for citations, before they are shown."""
        async with self._database.session(audience.tenant) as session:
            return await catalogue.among(session, ids, readable_shelves(audience))

    async def put(
        self,
        session: AsyncSession,
        tenant: TenantId,
        source_key: str,
        passages: Sequence[NewPassage],
        *,
        embed: bool = True,
    ) -> int:
        """Make `passages` all that the index holds of a source, and give the number of new ones.

        `session` is the tenant's; the caller commits. What has not changed keeps its id and its vectors. With `embed`
        False, or when the embedder does not answer, new passages are found by their words until `embed_missing`.
        """
        return await self.put_all(session, tenant, {source_key: passages}, embed=embed)

    async def put_all(
        self,
        session: AsyncSession,
        tenant: TenantId,
        sources: Mapping[str, Sequence[NewPassage]],
        *,
        embed: bool = True,
    ) -> int:
        """As `put`, for many sources at once; one without passages is taken out."""
        wanted: dict[catalogue.Place, NewPassage] = {
            (key, position): passage.storable()
            for key, passages in sources.items()
            for position, passage in enumerate(passages)
        }
        embedded = await self._embed(await _unknown(session, wanted)) if embed else {}

        await catalogue.lock(session, tenant)
        stored: defaultdict[tuple[str, str], list[PassageId]] = defaultdict(list)
        for identity, key, digest in await catalogue.digests(session, sources):
            stored[key, digest].append(identity)
        kept: dict[PassageId, tuple[int, NewPassage]] = {}
        new: dict[catalogue.Place, NewPassage] = {}
        for (key, position), passage in wanted.items():
            if ids := stored[key, passage.digest]:
                kept[ids.pop(0)] = position, passage
            else:
                new[key, position] = passage
        await self._take_out(session, [identity for ids in stored.values() for identity in ids])
        if kept:
            await catalogue.renew(session, kept)
        if new:
            await self._file(session, new, embedded)
        return len(new)

    async def remove(self, session: AsyncSession, tenant: TenantId, source_key: str) -> None:
        """Take a source out of the index; the caller commits."""
        await self.put_all(session, tenant, {source_key: ()})

    async def embed_missing(self, tenant: TenantId, progress: Callable[[int, int], None] | None = None) -> int:
        """Embed all passages that have no vectors of this embedder, and give their number.

        `progress` is told the number so far, and of all, after each batch, which is a transaction of its own.

        Raises:
            EmbedderUnavailable: The embedder does not answer; what was done stays.
        """
        done = total = 0
        while self._embedder is not None:
            async with self._database.session(tenant) as session:
                if not total:
                    total = (await session.execute(_COUNT_MISSING, {"embedder": self._embedder.name})).scalar_one()
                rows = (await session.execute(_MISSING, {"embedder": self._embedder.name, "batch": _BATCH})).all()
            if not rows:
                break
            leads = [(lead(row.title, row.heading, row.author), row.text) for row in rows]
            embedded = await vectors.embed(self._embedder, leads)
            async with self._database.session(tenant) as session:
                await vectors.store(
                    session,
                    self._embedder,
                    {PassageId(row.passage_id): parts for row, parts in zip(rows, embedded, strict=True)},
                )
            done += len(rows)
            if progress is not None:
                progress(done, max(done, total))
        return done

    async def _file(
        self, session: AsyncSession, new: Mapping[catalogue.Place, NewPassage], embedded: Mapping[str, Vectors]
    ) -> None:
        filed = await catalogue.insert(session, new)
        await postings.add(session, [passage for _, passage in filed])
        if self._embedder is not None:
            await vectors.store(
                session,
                self._embedder,
                {passage.id: embedded[new[place].digest] for place, passage in filed if new[place].digest in embedded},
            )

    async def _take_out(self, session: AsyncSession, ids: Collection[PassageId]) -> None:
        if ids:
            await postings.remove(session, await catalogue.filed(session, ids))
            await catalogue.delete(session, ids)

    async def _embed(self, passages: Sequence[NewPassage]) -> dict[str, Vectors]:
        if self._embedder is None or not passages:
            return {}
        try:
            embedded = await vectors.embed(self._embedder, [(passage.lead, passage.text) for passage in passages])
        except EmbedderUnavailable as error:
            log.warning("index.embedding_postponed", passages=len(passages), error=str(error))
            return {}
        return {passage.digest: parts for passage, parts in zip(passages, embedded, strict=True)}

    async def _query_vector(self, query: str) -> Vectors | None:
        if self._embedder is None or not query.strip():
            return None
        try:
            return await self._embedder.embed_query(query)
        except EmbedderUnavailable as error:
            log.warning("index.searching_by_words", error=str(error))
            return None


async def _unknown(session: AsyncSession, wanted: Mapping[catalogue.Place, NewPassage]) -> list[NewPassage]:
    """Those that their sources do not hold yet, each once."""
    known = {(key, digest) for _, key, digest in await catalogue.digests(session, {key for key, _ in wanted})}
    fresh = {passage.digest: passage for (key, _), passage in wanted.items() if (key, passage.digest) not in known}
    return list(fresh.values())


_PLAIN_PLANS = text("SET LOCAL jit = off")  # compiling a query takes longer than running it

_LACKS_VECTORS = "embedder IS NULL OR embedder < :embedder OR embedder > :embedder"  # an index finds these three
_COUNT_MISSING = text(f"SELECT count(*) FROM passages WHERE {_LACKS_VECTORS}")  # noqa: S608 - our own words
_MISSING = text(
    f"SELECT passage_id, title, heading, author, text FROM passages WHERE {_LACKS_VECTORS}"  # noqa: S608 - as above
    " ORDER BY passage_id DESC LIMIT :batch"
)
