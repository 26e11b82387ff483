"""`athenaeum events`: the queue."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from athenaeum.commands.console import escaped, out, run, settings, show_json
from athenaeum.domain.event import EventStatus
from athenaeum.domain.identity import EventId

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.events.admin import EventRecord

app = typer.Typer(
    no_args_is_help=True,
    help="Look at the queue; retry or drop what failed.\n\nExample: athenaeum events list --status failed",
)

Number = Annotated[int, typer.Argument(metavar="ID", help="The event's number, from `events list`.", min=1)]
AsJson = Annotated[bool, typer.Option("--json", help="For scripts.")]


@app.command()
def stats(as_json: AsJson = False) -> None:
    """Count the events by status, and say how long the oldest has waited.

    Example: athenaeum events stats
    """
    counts, oldest = run(_stats())
    if as_json:
        show_json({**counts, "oldest_seconds": oldest})
        return
    for status, count in counts.items():
        out.print(f"{status:<12}{count:>8}")
    out.print(f"oldest due  {oldest:>7.1f}s")


@app.command("list")
def list_(
    status: Annotated[EventStatus | None, typer.Option(help="Only events in this status.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List the latest events, newest first.

    Example: athenaeum events list --status failed
    """
    records = run(_list(status, limit))
    if as_json:
        show_json([_plain(record) for record in records])
        return
    if not records:
        out.print("no events")
        return
    table = Table("id", "type", "status", "tries", "created", "error", box=None, pad_edge=False)
    for record in records:
        created = f"{record.created_at.astimezone():%Y-%m-%d %H:%M:%S}"
        error = (record.error_message or "").splitlines()[:1]
        table.add_row(
            str(record.id),
            record.event_type,
            record.status.value,
            str(record.retry_count),
            created,
            *map(escaped, error or [""]),
        )
    out.print(table)


@app.command()
def show(event: Number, as_json: AsJson = False) -> None:
    """Show everything that is known of one event.

    Example: athenaeum events show 42
    """
    record = _plain(run(_show(event)))
    if as_json:
        show_json(record)
        return
    for name, value in record.items():
        out.print(f"{name:<20}{'' if value is None else value}", markup=False)


@app.command()
def retry(
    event: Annotated[int | None, typer.Argument(metavar="ID", help="The event's number.", min=1)] = None,
    every: Annotated[bool, typer.Option("--all", help="Every failed event.")] = False,
) -> None:
    """Put a failed event back into the queue, its attempts counted anew.

    Example: athenaeum events retry 42
    """
    if (event is None) == (not every):
        raise typer.BadParameter("give the number of one event, or --all", param_hint="ID")
    out.print(f"retried {run(_retry(event))}")


@app.command()
def drop(event: Number) -> None:
    """Delete a failed event for good.

    Example: athenaeum events drop 42
    """
    run(_drop(event))
    out.print(f"dropped {event}")


@asynccontextmanager
async def _queue() -> AsyncGenerator[AsyncSession]:
    from athenaeum.wiring.database import open_database

    async with open_database(settings()) as database, database.session() as session:
        yield session


async def _stats() -> tuple[dict[str, int], float]:
    from athenaeum.events import admin

    async with _queue() as session:
        counts = await admin.stats(session)
        backlog = await admin.backlog(session)
    return {status.value: count for status, count in counts.items()}, backlog.oldest.total_seconds()


async def _list(status: EventStatus | None, limit: int) -> list[EventRecord]:
    from athenaeum.events import admin

    async with _queue() as session:
        return await admin.list_events(session, status, limit)


async def _show(event: int) -> EventRecord:
    from athenaeum.events import admin

    async with _queue() as session:
        return await admin.show(session, EventId(event))


async def _retry(event: int | None) -> int:
    from athenaeum.events import admin

    async with _queue() as session:
        if event is not None:
            await admin.retry(session, EventId(event))
            return 1
        failed = await admin.list_events(session, EventStatus.FAILED, 100_000)
        for record in failed:
            await admin.retry(session, record.id)
        return len(failed)


async def _drop(event: int) -> None:
    from athenaeum.events import admin

    async with _queue() as session:
        await admin.drop(session, EventId(event))


def _plain(record: EventRecord) -> dict[str, Any]:
    return {**asdict(record), "status": record.status.value}
