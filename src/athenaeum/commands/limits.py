"""`athenaeum events limits`: how many events run at once."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from athenaeum.commands.console import AsJson, escaped, out, run, settings, show_json
from athenaeum.commands.tenancy import tenant_named
from athenaeum.errors import Refused

if TYPE_CHECKING:
    from athenaeum.domain.identity import TenantId
    from athenaeum.events.limits import Limit

app = typer.Typer(
    no_args_is_help=True,
    help="Limit how many events of a kind or tenant run at once."
    "\n\nExample: athenaeum events limits set 2 --kind index",
)

Kind = Annotated[str | None, typer.Option("--kind", help="Of this kind; otherwise of all kinds together.")]
Tenant = Annotated[
    str | None, typer.Option("--tenant", help="Of this tenant, by name or id; otherwise of all tenants together.")
]


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the limits, and how many events run under each.

    Example: athenaeum events limits list
    """
    found, names = run(_list())
    if as_json:
        show_json([asdict(limit) for limit in found])
        return
    if not found:
        out.print("no limits")
        return
    table = Table("kind", "tenant", box=None, pad_edge=False)
    for column in ("at most", "running"):
        table.add_column(column, justify="right")
    for limit in found:
        tenant = "all" if limit.tenant is None else names.get(limit.tenant, str(limit.tenant))
        table.add_row(escaped(limit.kind or "all"), escaped(tenant), str(limit.at_most), str(limit.running))
    out.print(table)


@app.command("set")
def set_(
    at_most: Annotated[int, typer.Argument(metavar="N", min=0, help="How many; 0 pauses them.")],
    kind: Kind = None,
    tenant: Tenant = None,
) -> None:
    """Let at most N events run at once, over all workers; what runs already goes on.

    Example: athenaeum events limits set 2 --kind index
    """
    run(_set(at_most, kind, tenant))
    out.print(f"at most {at_most} at once")


@app.command()
def remove(kind: Kind = None, tenant: Tenant = None) -> None:
    """Remove the limit that was set for exactly these.

    Example: athenaeum events limits remove --kind index
    """
    run(_remove(kind, tenant))
    out.print("removed")


async def _list() -> tuple[list[Limit], dict[TenantId, str]]:
    from athenaeum.events import limits
    from athenaeum.tenants import register
    from athenaeum.wiring.database import open_database

    async with open_database(settings()) as database:
        async with database.session() as session:
            found = await limits.list_limits(session)
        return found, await register.names(database)


async def _set(at_most: int, kind: str | None, tenant: str | None) -> None:
    from athenaeum.events import limits
    from athenaeum.wiring.database import open_database

    async with open_database(settings()) as database:
        of = await tenant_named(database, tenant)
        async with database.session() as session:
            await limits.limit(session, at_most, kind=kind, tenant=of)


async def _remove(kind: str | None, tenant: str | None) -> None:
    from athenaeum.events import limits
    from athenaeum.wiring.database import open_database

    async with open_database(settings()) as database:
        of = await tenant_named(database, tenant)
        async with database.session() as session:
            removed = await limits.unlimit(session, kind=kind, tenant=of)
    if not removed:
        raise Refused("there is no such limit: `athenaeum events limits list` shows all")
