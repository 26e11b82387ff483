"""One pass through a source: what changed is read, what vanished is taken out."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

import structlog

from athenaeum.database.connection import DatabaseConnection
from athenaeum.documents import records
from athenaeum.documents.chunking import chunks
from athenaeum.documents.formats import media
from athenaeum.documents.formats.outline import Unreadable
from athenaeum.documents.leaf import Leaf, Skipped
from athenaeum.documents.records import Document
from athenaeum.documents.report import Report
from athenaeum.domain.identity import TenantId
from athenaeum.domain.passage import Origin
from athenaeum.retrieval.index import Index
from athenaeum.retrieval.passages import NewPassage

log = structlog.get_logger(__name__)

EDITION: Final = "1"
"""Of formats and chunking: when it grows, documents are read again although they have not changed."""


@dataclass(frozen=True, slots=True)
class Holdings:
    """Where a source's documents are kept: their records, and their passages in the index."""

    database: DatabaseConnection
    index: Index
    tenant: TenantId
    source_id: int
    is_open: bool = False
    """Whether guests and other organisations may read what is put in."""

    def key(self, path: str) -> str:
        """What the index knows a document by."""
        return f"document:{self.source_id}:{path}"

    async def forget(self, path: str) -> None:
        """Take a document out."""
        async with self.database.session(self.tenant) as session:
            await self.index.remove(session, self.tenant, self.key(path))
            await records.forget_document(session, self.source_id, path)


class Update:
    """Takes every leaf of a source, then finishes with what had none."""

    def __init__(self, holdings: Holdings, known: dict[str, Document], report: Report, *, base_url: str | None) -> None:
        """`known` are the documents as they were read last; a new `base_url` renews links."""
        self._holdings = holdings
        self._known = known
        self._vanished = set(known)
        self._edition = f"{EDITION}:{base_url or ''}:{'open' if holdings.is_open else 'internal'}:"
        self.report = report

    async def take(self, leaf: Leaf | Skipped) -> None:
        """Bring one document up to date."""
        if isinstance(leaf, Skipped):
            if not leaf.gone:
                self._vanished.discard(leaf.path)
            self._skip(leaf)
            return
        self._vanished.discard(leaf.path)
        before = self._known.get(leaf.path)
        if before is not None and leaf.stamp is not None and before.stamp == self._edition + leaf.stamp:
            self.report.unchanged += 1
            return
        try:
            await self._read(leaf, before)
        except Unreadable as error:
            self._skip(Skipped(leaf.path, str(error)))

    async def finish(self) -> None:
        """Take out what is no longer there."""
        for path in sorted(self._vanished):
            await self._holdings.forget(path)
            self.report.removed += 1
        async with self._holdings.database.session(self._holdings.tenant) as session:
            await records.mark_synced(session, self._holdings.source_id)

    async def _read(self, leaf: Leaf, before: Document | None) -> None:
        content = await leaf.load()
        digest = hashlib.blake2b(content, digest_size=16).hexdigest()
        stamp = self._edition + (leaf.stamp or "")
        if before is not None and before.content_hash == digest and before.stamp.startswith(self._edition):
            # touched, or a page without a stamp; an address that has changed without --base-url still opens
            await self._save(Document(leaf.path, before.title, before.url, stamp, digest, before.passages))
            self.report.unchanged += 1
            return
        title, passages = await asyncio.to_thread(_passages, leaf, content, is_open=self._holdings.is_open)
        await self._save(Document(leaf.path, title, leaf.url, stamp, digest, len(passages)), passages)
        if before is None:
            self.report.added += 1
        else:
            self.report.changed += 1

    async def _save(self, document: Document, passages: list[NewPassage] | None = None) -> None:
        kept = self._holdings
        async with kept.database.session(kept.tenant) as session:
            if passages is not None:
                key = kept.key(document.path)
                self.report.new_passages += await kept.index.put(session, kept.tenant, key, passages, embed=False)
            await records.save_document(session, kept.source_id, document)

    def _skip(self, skipped: Skipped) -> None:
        log.info("documents.skipped", path=skipped.path, reason=skipped.reason)
        self.report.skipped.append(skipped)


def _passages(leaf: Leaf, content: bytes, *, is_open: bool) -> tuple[str, list[NewPassage]]:
    outline = media.read(content, leaf.media)
    title = outline.title or PurePosixPath(leaf.path).name or leaf.path
    shown = title if leaf.url else f"{title} ({leaf.path})"
    passages = [
        NewPassage(
            Origin.DOCUMENT,
            shown,
            chunk.text,
            heading=chunk.heading,
            url=f"{leaf.url}#{chunk.anchor}" if leaf.url and chunk.anchor else leaf.url,
            is_open=is_open,
        )
        for chunk in chunks(outline)
    ]
    return title, passages
