from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.identity import DEFAULT_TENANT
from athenaeum.llm.embeddings import Vectors
from athenaeum.retrieval import vectors
from athenaeum.retrieval.index import Index
from athenaeum.retrieval.vectors import windows
from support.index import LetterEmbedder, Workspace, message


class WideEmbedder(LetterEmbedder):
    """Has the name and the length of the offline embedder, whose vectors the database has an index of."""

    def __init__(self) -> None:
        super().__init__("all-MiniLM-L6-v2")
        self.dimensions = 384

    def _vectors(self, texts: Sequence[str]) -> Vectors:
        return np.pad(super()._vectors(texts), ((0, 0), (0, 384 - 26)))


@pytest.mark.parametrize("exact", [20_000, 0], ids=["exact scan", "index"])
async def test_the_nearest_readable_passage_comes_first(
    database: DatabaseConnection, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, exact: int
) -> None:
    monkeypatch.setattr(vectors, "EXACT", exact)
    index = Index(database, WideEmbedder())
    await workspace.user("ann")
    await workspace.channel("open", "public")
    await workspace.channel("closed", "private", "cleo")
    async with database.session(DEFAULT_TENANT) as session:
        for number, channel in enumerate(["open", "closed"] * 10):
            body = f"{'zzz ' * (number + 1)} {'qqq ' * (20 - number)}"
            await index.put(session, DEFAULT_TENANT, f"m{number}", [message(body, channel)])
    found = await index.search("qz" * 3 + "z" * 40, audience=workspace.audience("ann", "open", "public"), limit=50)
    assert len(found) == 10
    assert found[0].text.count("zzz") == 19


def test_a_long_passage_is_cut_into_overlapping_windows_under_its_headings() -> None:
    words = [f"w{number}" for number in range(150)]
    cut = windows("Title\nHeading", " ".join(words), 80)
    assert [window.split("\n")[0] for window in cut] == ["Title > Heading"] * len(cut)
    bodies = [window.split("\n")[1].split() for window in cut]
    assert all(len(body) == 80 for body in bodies)
    assert bodies[0][0] == "w0"
    assert bodies[-1][-1] == "w149"
    assert set(words) == {word for body in bodies for word in body}


def test_a_short_passage_is_one_window() -> None:
    assert windows("Title", "a  few\nwords", 80) == ["Title\na  few\nwords"]
    assert windows("Title", "word " * 500, None) == [f"Title\n{'word ' * 500}"]
