"""The entrance: sources of documents, kept in step with the index."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path

from athenaeum.database.connection import DatabaseConnection
from athenaeum.documents import records
from athenaeum.documents.leaf import Listing, Skipped
from athenaeum.documents.location import Location
from athenaeum.documents.records import Source
from athenaeum.documents.report import Phase, Progress, Report
from athenaeum.documents.update import Holdings, Update
from athenaeum.domain.embedding import EmbedderUnavailable
from athenaeum.domain.identity import DEFAULT_TENANT, TenantId
from athenaeum.errors import Misconfigured
from athenaeum.retrieval.index import Index

OnProgress = Callable[[Progress], None]


class Library:
    """The documents of one tenant."""

    def __init__(
        self, database: DatabaseConnection, index: Index, *, cache_dir: Path, tenant: TenantId = DEFAULT_TENANT
    ) -> None:
        """Repositories are cloned into `cache_dir`."""
        self._database = database
        self._index = index
        self._cache_dir = cache_dir
        self._tenant = tenant

    async def add(
        self,
        location: str,
        *,
        base_url: str | None = None,
        is_open: bool | None = None,
        on_progress: OnProgress | None = None,
    ) -> Report:
        """Add a folder, file, repository or site, or bring one that was added before up to date.

        Only documents that changed are read, and of these only passages that changed are embedded. Each document is a
        transaction of its own: what was done stays when the rest is not.

        Args:
            location: A path, a git address, or the address of a site's first page.
            base_url: Where a folder is published, for the links of its passages; None leaves what was given before.
            is_open: Whether guests and other organisations may read it too; None leaves it as it is, at first no.
            on_progress: Is told after each document and each batch of embedded passages.

        Raises:
            Misconfigured: There is nothing to read at the location; the message is one line.
        """
        where = await asyncio.to_thread(Location.parse, location)
        known = next((source for source in await self.list() if source.location == where), None)
        if known is not None:
            base_url = known.base_url if base_url is None else base_url
            is_open = known.is_open if is_open is None else is_open
        return await self._update(where, base_url, on_progress, is_open=bool(is_open))

    async def list(self) -> list[Source]:
        """All sources, in the order they were added."""
        async with self._database.session(self._tenant) as session:
            return await records.sources(session)

    async def sync(self, on_progress: OnProgress | None = None) -> list[Report]:
        """Bring every source up to date; one that cannot be reached is reported and stays as it was."""
        reports: list[Report] = []
        for source in await self.list():
            try:
                reports.append(
                    await self._update(source.location, source.base_url, on_progress, is_open=source.is_open)
                )
            except Misconfigured as error:
                reports.append(Report(source.location.text, skipped=[Skipped(source.location.text, str(error))]))
        return reports

    async def remove(self, location: str) -> int:
        """Take a source out of the index, and give the number of its documents.

        Raises:
            Misconfigured: It was never added.
        """
        resolved = str(await asyncio.to_thread(lambda: Path(location).expanduser().resolve()))
        found = next((s for s in await self.list() if s.location.text in {location, resolved}), None)
        if found is None:
            raise Misconfigured(f'"{location}" was never added: `athenaeum docs list` shows what was')
        holdings = Holdings(self._database, self._index, self._tenant, found.id)
        async with self._database.session(self._tenant) as session:
            documents = await records.documents(session, found.id)
        for path in documents:
            await holdings.forget(path)
        async with self._database.session(self._tenant) as session:
            await records.forget_source(session, found.id)
        return len(documents)

    async def _update(
        self, where: Location, base_url: str | None, on_progress: OnProgress | None, *, is_open: bool
    ) -> Report:
        shelf = await where.open(self._cache_dir, base_url=base_url)
        async with aclosing(shelf.leaves()) as leaves:
            first = await anext(leaves, None)
            if first is None:
                raise Misconfigured(f"{where.text} has no documents")
            async with self._database.session(self._tenant) as session:
                source_id = await records.save_source(session, where, base_url, is_open=is_open)
                known = await records.documents(session, source_id)
            holdings = Holdings(self._database, self._index, self._tenant, source_id, is_open=is_open)
            update = Update(holdings, known, Report(where.text), base_url=base_url)
            listing: Listing | None = first
            while listing is not None:
                await update.take(listing.leaf)
                _tell(on_progress, update.report, listing.leaf.path, listing.total)
                listing = await anext(leaves, None)
        await update.finish()
        await self._embed(update.report, on_progress)
        return update.report

    async def _embed(self, report: Report, on_progress: OnProgress | None) -> None:
        def embedded(done: int, total: int) -> None:
            if on_progress is not None:
                on_progress(Progress(Phase.EMBEDDING, done, total, report.source, len(report.skipped)))

        try:
            await self._index.embed_missing(self._tenant, embedded)
        except EmbedderUnavailable as error:
            report.embedder_error = str(error)


def _tell(on_progress: OnProgress | None, report: Report, current: str, total: int) -> None:
    if on_progress is not None:
        on_progress(Progress(Phase.READING, report.seen, max(total, report.seen), current, len(report.skipped)))
