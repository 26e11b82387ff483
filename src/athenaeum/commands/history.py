"""`athenaeum slack import` and `rebuild`: what was said before Athenaeum came, and since."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from athenaeum.commands.console import AsJson, duration, err, escaped, out, run, settings, show_json
from athenaeum.commands.tenancy import tenant_named
from athenaeum.domain.identity import DEFAULT_TENANT
from athenaeum.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Generator

    from athenaeum.conversations.export import Advance, ImportReport
    from athenaeum.conversations.export.importer import OnAdvance
    from athenaeum.conversations.sync.backfill import BackfillReport
    from athenaeum.gateway.rebuild import Rebuilt

Tenant = Annotated[str | None, typer.Option("--tenant", help="Into this tenant, by name or id; else the first one.")]


def import_(
    export: Annotated[Path, typer.Argument(metavar="EXPORT", help="The zip of a Slack export, or its folder.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read everything, keep nothing.")] = False,
    tenant: Tenant = None,
    as_json: AsJson = False,
) -> None:
    """Take a Slack export into the archive; a killed import goes on where it was, a second one changes nothing.

    Example: athenaeum slack import "Lantern Slack export.zip" --dry-run
    """
    report = run(_import(export, tenant, dry_run=dry_run))
    if as_json:
        show_json(_jsonable(report))
    else:
        _show(report)


def rebuild(
    tenant: Annotated[
        str | None, typer.Option("--tenant", help="Of this tenant, by name or id; else the first one.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make the archive again from the log of what Slack told; questions may be asked meanwhile.

    Example: athenaeum slack rebuild
    """
    rebuilt = run(_rebuild(tenant))
    if as_json:
        show_json(asdict(rebuilt))
        return
    out.print(f"{rebuilt.events} events of {rebuilt.channels} channels played again")
    if rebuilt.unreadable:
        err.print(
            f"{rebuilt.unreadable} events are not understood by this release: they stay in the log", soft_wrap=True
        )


async def _rebuild(tenant: str | None) -> Rebuilt:
    from athenaeum.gateway.rebuild import rebuild
    from athenaeum.tenants import register
    from athenaeum.wiring.database import open_database

    columns = (TextColumn("playing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    async with open_database(settings()) as database:
        of = await register.get(database, await tenant_named(database, tenant) or DEFAULT_TENANT)
        with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
            task = progress.add_task("", total=None)
            return await rebuild(database, of, lambda done, total: progress.update(task, completed=done, total=total))


def backfill(as_json: AsJson = False) -> None:
    """Read from Slack all that was said where the bot is; a killed backfill goes on where it was.

    Example: athenaeum slack backfill
    """
    report = run(_backfill())
    if as_json:
        show_json(asdict(report))
        return
    for name, reason in report.refused.items():
        err.print(f"left out {escaped(name)}: {escaped(reason)}", soft_wrap=True)
    if report.is_clamped:
        err.print("Slack gives this app 15 messages a minute: an export is far quicker, athenaeum slack import EXPORT")
    known = f", {report.known} of them before" if report.known else ""
    out.print(f"{report.channels} conversations are read to their beginning{known}, with {report.threads} threads")
    out.print(f"{report.messages} messages: {report.new} new, {report.changed} changed")


async def _backfill() -> BackfillReport:
    from athenaeum.conversations.sync.backfill import backfill
    from athenaeum.wiring.database import open_database
    from athenaeum.wiring.workspace import Workspace

    config = settings()
    if config.slack_bot_token is None:
        raise Misconfigured("SLACK_BOT_TOKEN is not set: docs/guides/slack.md tells how to get one")
    async with open_database(config) as database, Workspace(config, database) as workspace:
        await workspace.connect()
        tenant = (await workspace.tenant()).id
        columns = (TextColumn("reading"), BarColumn(), MofNCompleteColumn())
        told = TextColumn("[dim]{task.fields[messages]} messages  {task.fields[current]}")
        with Progress(*columns, told, console=err, transient=True, disable=not err.is_terminal) as progress:
            task = progress.add_task("", total=None, messages=0, current="")

            def tell(report: BackfillReport, total: int, name: str) -> None:
                done = report.channels + len(report.refused)
                progress.update(task, total=total, completed=done, messages=report.messages, current=escaped(name))

            return await backfill(database, workspace.clients[tenant], tenant, on_page=tell)


async def _import(export: Path, tenant: str | None, *, dry_run: bool) -> ImportReport:
    from athenaeum.conversations.export import import_export
    from athenaeum.tenants import register
    from athenaeum.wiring.database import open_database

    async with open_database(settings()) as database:
        into = await register.get(database, await tenant_named(database, tenant) or DEFAULT_TENANT)
        with _bar() as tell:
            return await import_export(database, into, export, dry_run=dry_run, on_advance=tell)


@contextmanager
def _bar() -> Generator[OnAdvance]:
    columns = (TextColumn("reading"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    told = TextColumn("[dim]{task.fields[messages]} messages  {task.fields[current]}")
    with Progress(*columns, told, console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task("", total=None, messages=0, current="")

        def tell(advance: Advance) -> None:
            current = escaped(advance.current[-40:])
            progress.update(
                task, total=advance.total, completed=advance.done, messages=advance.messages, current=current
            )

        yield tell


def _jsonable(report: ImportReport) -> dict[str, Any]:
    fields = asdict(report)
    for fault in fields["faults"]:
        fault["record"] = fault["record"].decode("utf-8", "replace")
    return {**fields, "messages_per_second": round(report.rate)}


def _show(report: ImportReport) -> None:
    for fault in report.faults:
        where = fault.file if fault.position < 0 else f"{fault.file}, record {fault.position}"
        err.print(f"quarantined {escaped(where)}: {escaped(fault.reason)}", soft_wrap=True)
    if (rest := report.quarantined - len(report.faults)) > 0:
        err.print(f"quarantined {rest} more: they are in the table slack_quarantine")
    for folder in report.unlisted:
        err.print(f"left out {escaped(folder)}: not one conversation of that name is listed", soft_wrap=True)
    kinds = ", ".join(f"{count} {kind}" for kind, count in report.conversations.items())
    out.print(f"{report.people} people; conversations: {kinds or 'none'}")
    known = f", {report.files_known} known already" if report.files_known else ""
    out.print(f"{report.files} files read{known}")
    counts = f"{report.messages} messages: {report.new} new, {report.changed} changed, {report.erased} deleted"
    out.print(f"{counts}; {report.quarantined} quarantined")
    spent = duration(timedelta(seconds=report.seconds))
    out.print(f"{'nothing was kept: a dry run of' if report.dry_run else 'took'} {spent}, {report.rate:.0f} a second")
