from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from athenaeum.database.connection import DatabaseConnection
from athenaeum.documents import git
from athenaeum.documents.library import Library
from athenaeum.errors import Misconfigured
from athenaeum.retrieval.index import Index
from support.index import TERMINAL


def run(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", "-C", folder, *identity, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(folder: Path) -> str:
    run(folder, "add", "-A")
    run(folder, "commit", "-qm", "write")
    return run(folder, "rev-parse", "HEAD")


@pytest.fixture
def repository(folder: Path) -> Path:
    run(folder, "init", "-q", "-b", "main")
    commit(folder)
    return folder


async def test_a_checkout_links_to_its_files_at_the_commit(library: Library, index: Index, repository: Path) -> None:
    run(repository, "remote", "add", "origin", "git@github.com:acme/handbook.git")
    head = run(repository, "rev-parse", "HEAD")
    await library.add(str(repository / "guides"))
    found = (await index.search("retry events", audience=TERMINAL))[0]
    assert found.url == f"https://github.com/acme/handbook/blob/{head}/guides/retry.md#retrying"
    assert found.title == "Retrying"


async def test_a_checkout_of_an_unknown_host_has_no_links(library: Library, index: Index, repository: Path) -> None:
    run(repository, "remote", "add", "origin", "https://git.intern.example/acme/handbook.git")
    await library.add(str(repository))
    assert (await index.search("retry events", audience=TERMINAL))[0].url is None


async def test_a_repository_is_cloned_and_only_what_a_commit_changed_is_read(
    library: Library, database: DatabaseConnection, repository: Path
) -> None:
    assert (await library.add(repository.as_uri())).added == 5
    (repository / "index.md").write_text("# Handbook\n\nHow we rest.\n")
    commit(repository)
    report = await library.add(repository.as_uri())
    assert (report.changed, report.unchanged) == (1, 4)
    assert (await Index(database, None).search("rest", audience=TERMINAL))[0].text == "How we rest."


@pytest.mark.parametrize(
    ("remote", "page"),
    [
        ("https://github.com/acme/docs.git", "https://github.com/acme/docs"),
        ("https://user:secret@github.com/acme/docs", "https://github.com/acme/docs"),
        ("git@gitlab.com:acme/team/docs.git", "https://gitlab.com/acme/team/docs"),
        ("ssh://git@github.com/acme/docs.git", "https://github.com/acme/docs"),
        ("https://git.intern.example/acme/docs", None),
        ("/srv/git/docs", None),
    ],
)
def test_a_remote_is_shown_on_the_web_without_its_credentials(remote: str, page: str | None) -> None:
    assert git._on_the_web(remote) == page


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("https://github.com/acme/docs", True),
        ("https://github.com/acme/docs/issues", False),
        ("https://git.intern.example/docs.git", True),
        ("git@github.com:acme/docs.git", True),
        ("https://docs.example/guide/", False),
        ("ext::sh -c id", False),
    ],
)
def test_a_repository_is_told_from_a_site(location: str, expected: bool) -> None:
    assert git.is_repository(location) is expected


async def test_a_repository_that_is_not_there_is_refused_in_one_line(library: Library, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="cannot be fetched: fatal") as refused:
        await library.add((tmp_path / "nowhere").as_uri())
    assert "\n" not in str(refused.value)


async def test_a_password_in_an_address_is_refused(library: Library) -> None:
    with pytest.raises(Misconfigured, match="credential helper"):
        await library.add("https://user:" + "pass" + "@127.0.0.1:9/docs.git")
