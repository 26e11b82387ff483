"""What is remembered of sources and their documents, so that only what changed is read again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from athenaeum.documents.location import Kind, Location


@dataclass(frozen=True, slots=True)
class Source:
    """A source as it is listed."""

    id: int
    location: Location
    base_url: str | None
    is_open: bool
    """Whether guests and other organisations may read it too."""
    documents: int
    passages: int
    added_at: datetime
    synced_at: datetime | None


@dataclass(frozen=True, slots=True)
class Document:
    """A document as it was read last."""

    path: str
    title: str
    url: str | None
    stamp: str
    content_hash: str
    passages: int


async def sources(session: AsyncSession) -> list[Source]:
    """All sources of the session's tenant, in the order they were added."""
    return [
        Source(
            row.source_id,
            Location(Kind(row.kind), row.location),
            row.base_url,
            row.is_open,
            row.documents,
            row.passages,
            row.added_at,
            row.synced_at,
        )
        for row in await session.execute(_SOURCES)
    ]


async def save_source(session: AsyncSession, location: Location, base_url: str | None, *, is_open: bool) -> int:
    """Remember a source, or the address it is published at and its readers from now on, and give its id."""
    row = {"kind": location.kind, "location": location.text, "base_url": base_url, "is_open": is_open}
    return (await session.execute(_SAVE_SOURCE, row)).scalar_one()


async def mark_synced(session: AsyncSession, source_id: int) -> None:
    """Note that a source has been gone through to its end."""
    await session.execute(
        text("UPDATE document_sources SET synced_at = now() WHERE source_id = :source"), {"source": source_id}
    )


async def forget_source(session: AsyncSession, source_id: int) -> None:
    """Forget a source and its documents; their passages are the index's."""
    await session.execute(text("DELETE FROM document_sources WHERE source_id = :source"), {"source": source_id})


async def documents(session: AsyncSession, source_id: int) -> dict[str, Document]:
    """The documents of a source by their paths."""
    rows = await session.execute(
        text("SELECT path, title, url, stamp, content_hash, passages FROM documents WHERE source_id = :source"),
        {"source": source_id},
    )
    return {row.path: Document(*row) for row in rows}


async def save_document(session: AsyncSession, source_id: int, document: Document) -> None:
    """Remember a document as it has just been read."""
    await session.execute(
        _SAVE_DOCUMENT,
        {
            "source": source_id,
            "path": document.path,
            "title": document.title,
            "url": document.url,
            "stamp": document.stamp,
            "content_hash": document.content_hash,
            "passages": document.passages,
        },
    )


async def forget_document(session: AsyncSession, source_id: int, path: str) -> None:
    """Forget a document that is gone."""
    await session.execute(
        text("DELETE FROM documents WHERE source_id = :source AND path = :path"), {"source": source_id, "path": path}
    )


_SOURCES = text("""
    SELECT source_id, kind, location, base_url, is_open, added_at, synced_at,
           count(document.path) AS documents, coalesce(sum(document.passages), 0) AS passages
    FROM document_sources LEFT JOIN documents AS document USING (tenant_id, source_id)
    GROUP BY tenant_id, source_id ORDER BY source_id
""")

_SAVE_SOURCE = text("""
    INSERT INTO document_sources AS source (tenant_id, kind, location, base_url, is_open)
    VALUES (athenaeum_tenant(), :kind, :location, :base_url, :is_open)
    ON CONFLICT (tenant_id, location) DO UPDATE SET
        base_url = coalesce(excluded.base_url, source.base_url), is_open = excluded.is_open
    RETURNING source_id
""")

_SAVE_DOCUMENT = text("""
    INSERT INTO documents (tenant_id, source_id, path, title, url, stamp, content_hash, passages)
    VALUES (athenaeum_tenant(), :source, :path, :title, :url, :stamp, :content_hash, :passages)
    ON CONFLICT (tenant_id, source_id, path) DO UPDATE SET
        title = excluded.title, url = excluded.url, stamp = excluded.stamp, content_hash = excluded.content_hash,
        passages = excluded.passages, changed_at = now()
""")
