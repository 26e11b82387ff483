"""A library on a database of the test's own."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from athenaeum.database.connection import DatabaseConnection
from athenaeum.documents.library import Library
from athenaeum.retrieval.index import Index
from support.index import LetterEmbedder


@pytest.fixture
async def database(database_url: str) -> AsyncGenerator[DatabaseConnection]:
    async with DatabaseConnection(database_url) as connection:
        yield connection


@pytest.fixture
def embedder() -> LetterEmbedder:
    return LetterEmbedder()


@pytest.fixture
def index(database: DatabaseConnection, embedder: LetterEmbedder) -> Index:
    return Index(database, embedder)


@pytest.fixture
def library(database: DatabaseConnection, index: Index, tmp_path: Path) -> Library:
    return Library(database, index, cache_dir=tmp_path / "cache")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small handbook with a bad file of each kind beside it."""
    root = tmp_path / "handbook"
    (root / "guides").mkdir(parents=True)
    (root / "index.md").write_text("# Handbook\n\nHow we work.\n\n## Holidays\n\nThirty days a year.\n")
    (root / "guides" / "retry.md").write_text("# Retrying\n\nRun `athenaeum events retry 7`.\n")
    (root / "guides" / "notes.rst").write_text(
        "Notes\n=====\n\nBackups run at night.\n\nRestore\n-------\n\nAsk Mia.\n"
    )
    (root / "page.html").write_text("<title>Map</title><main><h1>Map</h1><h2 id=x>Exit</h2><p>Left.</p></main>")
    (root / "plain.txt").write_text("The wifi password hangs on the fridge.\n")
    return root
