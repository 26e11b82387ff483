"""`athenaeum events`: the queue."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from athenaeum.commands import limits
from athenaeum.commands.console import AsJson, ask, duration, escaped, out, run, settings, show_json
from athenaeum.domain.event import EventStatus
from athenaeum.domain.identity import EventId

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.domain.identity import TenantId
    from athenaeum.events.admin import EventRecord
    from athenaeum.events.backlog import Backlog
    from athenaeum.events.schedules import Schedule

app = typer.Typer(
    no_args_is_help=True,
    help="Look at the queue; cancel events, retry or drop what failed, limit what runs at once."
    "\n\nExample: athenaeum events list --status failed",
)
app.add_typer(limits.app, name="limits")

Number = Annotated[int, typer.Argument(metavar="ID", help="The event's number, from `events list`.", min=1)]
OneNumber = Annotated[int | None, typer.Argument(metavar="ID", help="The event's number, from `events list`.", min=1)]
Every = Annotated[bool, typer.Option("--all", help="Every failed event.")]
Kind = Annotated[str | None, typer.Option("--kind", help="Every failed event of this kind.")]


@app.command()
def stats(as_json: AsJson = False) -> None:
    """Show how much there is by kind and tenant, and for how long the first in line has been due.

    Completed events are history, and not counted.

    Example: athenaeum events stats
    """
    from athenaeum.events.backlog import State

    backlogs, names = run(_measure())
    if as_json:
        show_json(_summary(backlogs, names))
        return
    if not backlogs:
        out.print("nothing waits, runs or has failed")
        return
    table = Table("kind", "tenant", box=None, pad_edge=False)
    for column in (*State, "oldest"):
        table.add_column(column, justify="right", no_wrap=True)
    for backlog in backlogs:
        depth = [str(count) for count in backlog.depth.values()]
        name = names.get(backlog.tenant, str(backlog.tenant))
        table.add_row(escaped(backlog.kind), escaped(name), *depth, duration(backlog.oldest) if backlog.oldest else "-")
    out.print(table)


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
def cancel(event: Number) -> None:
    """End an event that is not finished, also one that runs; it is kept as failed and may be retried.

    Example: athenaeum events cancel 42
    """
    run(_cancel(event))
    out.print(f"cancelled {event}")


@app.command()
def retry(event: OneNumber = None, every: Every = False, kind: Kind = None) -> None:
    """Put failed events back into the queue, their attempts counted anew.

    Example: athenaeum events retry 42
    """
    _require_choice(event, every=every, kind=kind)
    out.print(f"retried {run(_retry(event, kind))}")


@app.command()
def drop(
    event: OneNumber = None,
    every: Every = False,
    kind: Kind = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing.")] = False,
) -> None:
    """Delete failed events for good; asks first when they are many.

    Example: athenaeum events drop --kind index
    """
    _require_choice(event, every=every, kind=kind)
    if event is not None:
        run(_drop(event))
        out.print(f"dropped {event}")
        return
    if not yes:
        count = run(_count_failed(kind))
        which = "" if kind is None else f" of kind {kind}"
        ask(f"Delete {count} failed event{'' if count == 1 else 's'}{which} for good?")
    out.print(f"dropped {run(_drop_all(kind))}")


@app.command()
def schedules(as_json: AsJson = False) -> None:
    """List periodic work: what is enqueued, how often, and when next.

    Example: athenaeum events schedules
    """
    found, names = run(_schedules())
    if as_json:
        show_json([asdict(schedule) for schedule in found])
        return
    if not found:
        out.print("no schedules")
        return
    table = Table("name", "kind", "tenant", "every", "next", box=None, pad_edge=False)
    for schedule in found:
        next_at = f"{schedule.next_at.astimezone():%Y-%m-%d %H:%M:%S}" if schedule.next_at else ""
        tenant = names.get(schedule.tenant, str(schedule.tenant))
        table.add_row(*map(escaped, (schedule.name, schedule.kind, tenant)), duration(schedule.every), next_at)
    out.print(table)


def _require_choice(event: int | None, *, every: bool, kind: str | None) -> None:
    if sum((event is not None, every, kind is not None)) != 1:
        raise typer.BadParameter("give the number of one event, or --kind, or --all", param_hint="ID")


@asynccontextmanager
async def _queue() -> AsyncGenerator[AsyncSession]:
    from athenaeum.wiring.database import open_database

    async with open_database(settings()) as database, database.session() as session:
        yield session


async def _measure() -> tuple[list[Backlog], dict[TenantId, str]]:
    from athenaeum.events import backlog
    from athenaeum.tenants import register
    from athenaeum.wiring.database import open_database

    async with open_database(settings()) as database:
        async with database.session() as session:
            found = await backlog.measure(session)
        return found, await register.names(database)


async def _schedules() -> tuple[list[Schedule], dict[TenantId, str]]:
    from athenaeum.events import schedules as periodic
    from athenaeum.tenants import register
    from athenaeum.wiring.database import open_database

    async with open_database(settings()) as database:
        async with database.session() as session:
            found = await periodic.list_schedules(session)
        return found, await register.names(database)


async def _list(status: EventStatus | None, limit: int) -> list[EventRecord]:
    from athenaeum.events import admin

    async with _queue() as session:
        return await admin.list_events(session, status, limit)


async def _show(event: int) -> EventRecord:
    from athenaeum.events import admin

    async with _queue() as session:
        return await admin.show(session, EventId(event))


async def _cancel(event: int) -> None:
    from athenaeum.events import admin

    async with _queue() as session:
        await admin.cancel(session, EventId(event))


async def _retry(event: int | None, kind: str | None) -> int:
    from athenaeum.events import admin

    async with _queue() as session:
        if event is None:
            return await admin.retry_all(session, kind)
        await admin.retry(session, EventId(event))
        return 1


async def _drop(event: int) -> None:
    from athenaeum.events import admin

    async with _queue() as session:
        await admin.drop(session, EventId(event))


async def _count_failed(kind: str | None) -> int:
    from athenaeum.events import admin

    async with _queue() as session:
        return await admin.count_failed(session, kind)


async def _drop_all(kind: str | None) -> int:
    from athenaeum.events import admin

    async with _queue() as session:
        return await admin.drop_all(session, kind)


def _plain(record: EventRecord) -> dict[str, Any]:
    return {**asdict(record), "status": record.status.value}


def _summary(backlogs: list[Backlog], names: dict[TenantId, str]) -> dict[str, Any]:
    """Totals by the statuses that users know, and what they are made of."""
    from athenaeum.events.backlog import State, oldest

    def count(state: State) -> int:
        return sum(backlog.depth[state] for backlog in backlogs)

    return {
        EventStatus.PENDING.value: sum(backlog.pending for backlog in backlogs),
        EventStatus.PROCESSING.value: count(State.RUNNING),
        EventStatus.FAILED.value: count(State.FAILED),
        "oldest_seconds": oldest(backlogs).total_seconds(),
        "backlogs": [
            {
                "kind": backlog.kind,
                "tenant": str(backlog.tenant),
                "tenant_name": names.get(backlog.tenant),
                **{state.value: backlog.depth[state] for state in State},
                "oldest_seconds": backlog.oldest.total_seconds(),
            }
            for backlog in backlogs
        ],
    }
