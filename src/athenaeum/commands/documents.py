"""`athenaeum docs`: what the agent may quote."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from athenaeum.commands.console import AsJson, err, escaped, out, progress_bar, run, settings, show_json
from athenaeum.domain.audience import Audience
from athenaeum.domain.channel import ChannelKind, Place
from athenaeum.domain.identity import DEFAULT_TENANT, ChannelId
from athenaeum.domain.passage import Origin

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from athenaeum.documents.library import Library
    from athenaeum.documents.records import Source
    from athenaeum.documents.report import Report
    from athenaeum.domain.passage import Passage
    from athenaeum.retrieval.index import Index

app = typer.Typer(
    no_args_is_help=True,
    help="Add documents, keep them up to date, search them.\n\nExample: athenaeum docs add ./handbook",
)

Address = Annotated[str, typer.Argument(metavar="SOURCE", help="A file, a folder, a git repository or a site.")]


@app.command()
def add(
    source: Address,
    base_url: Annotated[str | None, typer.Option(help="Where a folder is published, for links to it.")] = None,
    is_open: Annotated[
        bool | None, typer.Option("--open/--internal", help="Whether guests and other organisations may read it too.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Add a file, a folder, a git repository or a site; again, it reads only what changed.

    Example: athenaeum docs add ./handbook --base-url https://handbook.example.com/
    """
    report = run(_add(source, base_url, is_open=is_open))
    _show([report], as_json=as_json)


@app.command()
def sync(as_json: AsJson = False) -> None:
    """Bring every source up to date.

    Example: athenaeum docs sync
    """
    reports = run(_sync())
    _show(reports, as_json=as_json)
    if any(report.skipped and not report.seen - len(report.skipped) for report in reports):
        raise typer.Exit(1)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the sources.

    Example: athenaeum docs list
    """
    sources = run(_list())
    if as_json:
        show_json([asdict(source) for source in sources])
        return
    if not sources:
        out.print("no documents yet: athenaeum docs add SOURCE")
        return
    for source in sources:
        published = f"  at {source.base_url}" if source.base_url else ""
        readers = "  open" if source.is_open else ""
        out.print(
            f"{source.documents:>6} documents  {source.location.text}{published}{readers}", markup=False, soft_wrap=True
        )


@app.command()
def remove(source: Address) -> None:
    """Take a source out of the index.

    Example: athenaeum docs remove ./handbook
    """
    out.print(f"removed {run(_remove(source))} documents")


@app.command()
def search(
    query: Annotated[str, typer.Argument(metavar="TEXT", help="Words or a question.")],
    limit: Annotated[int, typer.Option(min=1, max=50, help="How many passages.")] = 5,
    as_json: AsJson = False,
) -> None:
    """Search the documents as the agent does.

    Example: athenaeum docs search "parental leave"
    """
    if not query.strip():
        raise typer.BadParameter("give words to look for", param_hint="TEXT")
    passages = run(_search(query, limit))
    if as_json:
        show_json([asdict(passage) for passage in passages])
        return
    if not passages:
        out.print("nothing found")
    for passage in passages:
        place = " > ".join(part for part in (passage.title, passage.heading) if part)
        out.print(f"[bold]{escaped(place)}[/]  {passage.score:.2f}")
        if passage.url:
            out.print(f"[blue]{escaped(passage.url)}[/]", soft_wrap=True)
        out.print(f"{passage.text[:300].strip()}\n", markup=False)


@asynccontextmanager
async def _open() -> AsyncGenerator[tuple[Library, Index]]:
    from athenaeum.wiring.database import open_database
    from athenaeum.wiring.library import open_index, open_library

    config = settings()
    async with open_database(config) as database:
        index = open_index(config, database)
        yield open_library(config, database, index, DEFAULT_TENANT), index


async def _add(source: str, base_url: str | None, *, is_open: bool | None) -> Report:
    async with _open() as (library, _):
        with progress_bar() as tell:
            return await library.add(source, base_url=base_url, is_open=is_open, on_progress=tell)


async def _sync() -> list[Report]:
    async with _open() as (library, _):
        with progress_bar() as tell:
            return await library.sync(on_progress=tell)


async def _list() -> list[Source]:
    async with _open() as (library, _):
        return await library.list()


async def _remove(source: str) -> int:
    async with _open() as (library, _):
        return await library.remove(source)


async def _search(query: str, limit: int) -> list[Passage]:
    terminal = Place(ChannelId("terminal"), "terminal", ChannelKind.DIRECT)
    async with _open() as (_, index):
        audience = Audience(DEFAULT_TENANT, None, terminal)
        return await index.search(query, audience=audience, origins=frozenset({Origin.DOCUMENT}), limit=limit)


def _show(reports: list[Report], *, as_json: bool) -> None:
    if as_json:
        show_json([asdict(report) for report in reports])
        return
    for report in reports:
        for skipped in report.skipped:
            err.print(f"skipped {escaped(skipped.path)}: {escaped(skipped.reason)}", soft_wrap=True)
        if report.embedder_error:
            err.print(f"not embedded yet ({escaped(report.embedder_error)}); keyword search finds them", soft_wrap=True)
        counts = f"{report.added} added, {report.changed} changed, {report.unchanged} unchanged"
        out.print(f"{escaped(report.source)}: {counts}, {report.removed} removed, {len(report.skipped)} skipped")
