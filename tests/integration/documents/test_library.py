from __future__ import annotations

import os
import shutil
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text

from athenaeum.database.connection import DatabaseConnection
from athenaeum.documents.library import Library
from athenaeum.documents.report import Phase, Progress
from athenaeum.domain.identity import DEFAULT_TENANT, TenantId
from athenaeum.errors import Misconfigured
from athenaeum.retrieval.index import Index
from support.index import TERMINAL, LetterEmbedder


async def passage_ids(database: DatabaseConnection) -> set[int]:
    async with database.session(DEFAULT_TENANT) as session:
        return set((await session.execute(text("SELECT passage_id FROM passages"))).scalars())


async def test_every_format_of_a_folder_is_found(library: Library, index: Index, folder: Path) -> None:
    report = await library.add(str(folder))
    assert (report.added, report.skipped) == (5, [])
    for question, title in {
        "holidays": "Handbook (index.md)",
        "retry events": "Retrying (guides/retry.md)",
        "restore backups mia": "Notes (guides/notes.rst)",
        "exit": "Map (page.html)",
        "wifi password fridge": "plain.txt (plain.txt)",
    }.items():
        assert (await index.search(question, audience=TERMINAL))[0].title == title, question


async def test_adding_an_unchanged_folder_again_reads_and_embeds_nothing(
    library: Library, database: DatabaseConnection, embedder: LetterEmbedder, folder: Path
) -> None:
    await library.add(str(folder))
    before = await passage_ids(database)
    embedder.texts.clear()
    for name in ("index.md", "page.html", "plain.txt"):  # other words of the same size and time: nobody looks
        times = (folder / name).stat()
        (folder / name).write_bytes(b"x" * times.st_size)
        os.utime(folder / name, ns=(times.st_atime_ns, times.st_mtime_ns))
    report = await library.add(str(folder))
    assert (report.unchanged, report.added, report.changed, report.new_passages) == (5, 0, 0, 0)
    assert embedder.texts == []
    assert await passage_ids(database) == before


async def test_a_file_that_was_only_touched_is_not_parsed_again(
    library: Library, database: DatabaseConnection, folder: Path
) -> None:
    await library.add(str(folder))
    before = await passage_ids(database)
    os.utime(folder / "index.md", ns=(1, 1))
    report = await library.add(str(folder))
    assert (report.unchanged, report.changed) == (5, 0)
    assert await passage_ids(database) == before


async def test_only_the_passage_that_changed_is_embedded_again(
    library: Library, index: Index, embedder: LetterEmbedder, folder: Path
) -> None:
    await library.add(str(folder))
    embedder.texts.clear()
    (folder / "index.md").write_text("# Handbook\n\nHow we work.\n\n## Holidays\n\nThirty-one days a year.\n")
    report = await library.add(str(folder))
    assert (report.changed, report.unchanged, report.new_passages) == (1, 4, 1)
    assert len(embedder.texts) == 1
    assert "Thirty-one" in embedder.texts[0]


async def test_a_file_that_vanished_is_found_no_longer(library: Library, index: Index, folder: Path) -> None:
    await library.add(str(folder))
    (folder / "plain.txt").unlink()
    assert (await library.add(str(folder))).removed == 1
    assert all("plain.txt" not in p.title for p in await index.search("wifi fridge", audience=TERMINAL))


async def test_bad_files_are_named_and_the_rest_is_read(library: Library, folder: Path) -> None:
    (folder / "nul.md").write_bytes(b"# NUL\n\0\0")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7\nnot really")
    (folder / "empty.md").write_bytes(b"")
    (folder / "huge.txt").write_bytes(b"word " * (5 * 1024 * 1024))
    (folder / "latin.txt").write_bytes("Der Schlüssel hängt über der Tür. Größe und Maß.".encode("latin-1"))
    (folder / "loose.md").symlink_to("/nowhere/at/all.md")
    (folder / "picture.png").write_bytes(b"\x89PNG")
    report = await library.add(str(folder))
    assert report.added == 6
    assert {skipped.path: skipped.reason.split(" (")[0] for skipped in report.skipped} == {
        "nul.md": "not text: it has NUL bytes",
        "broken.pdf": "cannot be read as application/pdf",
        "empty.md": "empty",
        "huge.txt": "larger than 20 MB",
    }


async def test_a_file_that_became_unreadable_stays_as_it_was(library: Library, index: Index, folder: Path) -> None:
    await library.add(str(folder))
    (folder / "plain.txt").write_bytes(b"\0")
    report = await library.add(str(folder))
    assert [skipped.path for skipped in report.skipped] == ["plain.txt"]
    assert report.removed == 0
    assert (await index.search("wifi fridge", audience=TERMINAL))[0].title == "plain.txt (plain.txt)"


async def test_nothing_outside_the_folder_or_hidden_in_it_is_read(
    library: Library, index: Index, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "outside.md").write_text("canary")
    (folder / "link.md").symlink_to(tmp_path / "outside.md")
    for hidden in (".git", "node_modules"):
        (folder / hidden).mkdir()
        (folder / hidden / "inside.md").write_text("canary")
    assert (await library.add(str(folder))).added == 5
    assert await Index(index._database, None).search("canary", audience=TERMINAL) == []


async def test_a_published_folder_links_to_its_headings(library: Library, index: Index, folder: Path) -> None:
    await library.add(str(folder))
    report = await library.add(str(folder), base_url="https://docs.example/handbook")
    assert report.changed + report.unchanged == 5
    assert report.new_passages > 0  # the path left the titles
    found = (await index.search("holidays", audience=TERMINAL))[0]
    assert (found.title, found.url) == ("Handbook", "https://docs.example/handbook/index.md#holidays")
    assert (await library.add(str(folder))).unchanged == 5  # the address is remembered


async def test_progress_goes_through_reading_and_embedding(library: Library, folder: Path) -> None:
    heard: list[Progress] = []
    await library.add(str(folder), on_progress=heard.append)
    reading = [progress for progress in heard if progress.phase is Phase.READING]
    assert [(progress.done, progress.total) for progress in reading] == [(n, 5) for n in range(1, 6)]
    assert heard[-1].phase is Phase.EMBEDDING
    assert heard[-1].done == heard[-1].total


async def test_documents_are_found_by_words_while_the_embedder_is_away(
    library: Library, index: Index, embedder: LetterEmbedder, folder: Path
) -> None:
    embedder.answers = False
    report = await library.add(str(folder))
    assert report.embedder_error is not None
    assert (await index.search("wifi", audience=TERMINAL))[0].title == "plain.txt (plain.txt)"
    embedder.answers = True
    assert (await library.add(str(folder))).unchanged == 5
    assert len(embedder.texts) == report.new_passages


async def test_a_single_file_of_any_name_can_be_added(library: Library, index: Index, tmp_path: Path) -> None:
    (tmp_path / "runbook").write_text("Turn it off and on again.")
    await library.add(str(tmp_path / "runbook"))
    assert (await index.search("turn off", audience=TERMINAL))[0].title == "runbook (runbook)"


async def test_sources_are_listed_synced_and_removed(library: Library, index: Index, folder: Path) -> None:
    await library.add(str(folder))
    (source,) = await library.list()
    assert (source.location.text, source.documents) == (str(folder), 5)
    assert source.synced_at is not None
    (folder / "new.md").write_text("# New\n\nA new page.\n")
    (report,) = await library.sync()
    assert (report.added, report.unchanged) == (1, 5)
    assert await library.remove(str(folder)) == 6
    assert await library.list() == []
    assert await index.search("holidays", audience=TERMINAL) == []


async def test_a_source_that_is_gone_is_reported_and_keeps_its_documents(
    library: Library, index: Index, folder: Path
) -> None:
    await library.add(str(folder))
    shutil.rmtree(folder)
    (report,) = await library.sync()
    assert "remove" in report.skipped[0].reason
    assert report.removed == 0
    assert await index.search("holidays", audience=TERMINAL) != []


@pytest.mark.parametrize("location", ["", "no/such/path", "ftp://example.com/x", "-x", "http://", "mailto:a@b"])
async def test_what_is_no_source_is_refused_in_one_line(library: Library, location: str) -> None:
    with pytest.raises(Misconfigured, match="neither an existing path") as refused:
        await library.add(location)
    assert "\n" not in str(refused.value)


async def test_a_folder_without_documents_is_refused_and_not_remembered(library: Library, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(Misconfigured, match="no documents"):
        await library.add(str(tmp_path / "empty"))
    assert await library.list() == []


async def test_another_tenant_sees_neither_sources_nor_documents(
    library: Library, database: DatabaseConnection, index: Index, folder: Path, tmp_path: Path
) -> None:
    await library.add(str(folder))
    other = TenantId(uuid4())
    async with database.session() as session:
        await session.execute(text("INSERT INTO tenants (tenant_id, name) VALUES (:id, 'other')"), {"id": other})
    theirs = Library(database, index, cache_dir=tmp_path, tenant=other)
    assert await theirs.list() == []
    async with database.session(other) as session:
        for table in ("document_sources", "documents", "passages", "postings", "shelves", "embeddings"):
            assert (await session.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one() == 0, table
