"""The index and the documents, with the embedder that the configuration asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from athenaeum.documents.library import Library
from athenaeum.llm.embeddings import build_embedder
from athenaeum.retrieval.index import Index

if TYPE_CHECKING:
    from athenaeum.config import Config
    from athenaeum.database.connection import DatabaseConnection
    from athenaeum.domain.identity import TenantId


def open_index(config: Config, database: DatabaseConnection) -> Index:
    """The index with the configured embedder.

    Raises:
        Misconfigured: the embedder is unknown or lacks its key.
    """
    return Index(database, build_embedder(config.embedder, config, config.home_dir / "cache"))


def open_library(config: Config, database: DatabaseConnection, index: Index, tenant: TenantId) -> Library:
    """The documents of a tenant."""
    return Library(database, index, cache_dir=config.home_dir / "cache", tenant=tenant)
