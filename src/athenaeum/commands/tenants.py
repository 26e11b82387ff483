"""`athenaeum tenants`: the workspaces, which of them are served, and what is left of them."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.table import Table

from athenaeum.commands.console import AsJson, ask, escaped, out, run, settings, show_json
from athenaeum.commands.tenancy import tenant_named
from athenaeum.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from athenaeum.database.connection import DatabaseConnection
    from athenaeum.domain.identity import TenantId
    from athenaeum.domain.tenant import Tenant

app = typer.Typer(
    no_args_is_help=True,
    help="Look after the workspaces that are served.\n\nExample: athenaeum tenants list",
)

Named = Annotated[str, typer.Argument(metavar="TENANT", help="Its name or id.")]


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the workspaces, and why some are not served.

    Example: athenaeum tenants list
    """
    found = run(_list())
    if as_json:
        show_json([_described(tenant) for tenant in found])
        return
    table = Table("name", "id", "workspace", "served", box=None, pad_edge=False)
    for tenant in found:
        place = tenant.team_id or tenant.enterprise_id or "none"
        table.add_row(escaped(tenant.name), str(tenant.id), place, escaped(tenant.disabled_because or "yes"))
    out.print(table)


@app.command()
def show(tenant: Named, as_json: AsJson = False) -> None:
    """Show all that is known of a workspace, but no token.

    Example: athenaeum tenants show Northwind
    """
    shown = run(_show(tenant))
    if as_json:
        show_json(shown)
        return
    table = Table.grid(padding=(0, 2))
    for name, value in shown.items():
        told = ", ".join(value) if isinstance(value, list) else "" if value is None else str(value)
        table.add_row(name.replace("_", " "), escaped(told))
    out.print(table)


@app.command("set")
def set_(
    tenant: Named,
    company_name: Annotated[str | None, typer.Option(help="What prompts call the company.")] = None,
    domain_area: Annotated[
        list[str] | None, typer.Option(help="A field that people here work in; may be given again.")
    ] = None,
    delivery: Annotated[
        Literal["edits", "native"] | None,
        typer.Option(help="How answers grow: by edits of their message, or by Slack's own status and streams."),
    ] = None,
) -> None:
    """Say what prompts may tell of a workspace, and how answers are shown; the next question is answered so.

    Example: athenaeum tenants set Northwind --company-name "Northwind Traders" --domain-area logistics
    """
    if company_name is None and domain_area is None and delivery is None:
        raise typer.BadParameter("give --company-name, --domain-area or --delivery", param_hint="TENANT")
    native = None if delivery is None else delivery == "native"
    run(_set(tenant, company_name=company_name, domain_areas=domain_area, native=native))
    out.print("set")


@app.command()
def disable(
    tenant: Named, reason: Annotated[str, typer.Option(help="Kept in the audit log.")] = "by an operator"
) -> None:
    """Serve a workspace no more: its events are ignored, and questions that wait are withdrawn.

    Example: athenaeum tenants disable Northwind --reason "contract ended"
    """
    out.print("disabled" if run(_disable(tenant, reason)) else "was disabled already")


@app.command()
def enable(tenant: Named) -> None:
    """Serve a workspace again.

    Example: athenaeum tenants enable Northwind
    """
    out.print("enabled" if run(_enable(tenant)) else "is served already")


@app.command()
def purge(
    tenant: Named, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False, as_json: AsJson = False
) -> None:
    """Delete everything of a disabled workspace, its documents too; the audit log stays.

    Example: athenaeum tenants purge Northwind
    """
    if not yes:
        ask(f"Delete every message, document and answer of {tenant}? This cannot be undone.")
    deleted = run(_purge(tenant))
    if as_json:
        show_json({"deleted": deleted})
    else:
        out.print(f"{deleted} rows deleted")


@app.command()
def rekey() -> None:
    """Encrypt all stored tokens with the first key of ATHENAEUM_SECRET_KEY.

    Example: athenaeum tenants rekey
    """
    out.print(f"{run(_rekey())} tokens encrypted anew")


async def _list() -> list[Tenant]:
    from athenaeum.tenants import register
    from athenaeum.wiring.database import open_database

    async with open_database(settings()) as database:
        return await register.every(database)


async def _show(name: str) -> dict[str, Any]:
    from athenaeum.tenants import installations, register

    async with _chosen(name) as (database, chosen):
        tenant = await register.get(database, chosen)
        async with database.session(chosen) as session:
            installed = await installations.describe(session)
        return _described(tenant) | {"token": installed}


async def _set(name: str, *, company_name: str | None, domain_areas: list[str] | None, native: bool | None) -> None:
    from athenaeum.tenants import register

    async with _chosen(name) as (database, chosen), database.session() as session:
        await register.describe(session, chosen, company_name=company_name, domain_areas=domain_areas, native=native)


async def _disable(name: str, reason: str) -> bool:
    from athenaeum.database.audit import OPERATOR
    from athenaeum.tenants import register

    async with _chosen(name) as (database, chosen), database.session() as session:
        return await register.disable(session, chosen, reason, actor=OPERATOR)


async def _enable(name: str) -> bool:
    from athenaeum.database.audit import OPERATOR
    from athenaeum.tenants import register

    async with _chosen(name) as (database, chosen), database.session() as session:
        return await register.enable(session, chosen, actor=OPERATOR)


async def _purge(name: str) -> int:
    from athenaeum.tenants import register

    async with _chosen(name) as (database, chosen):
        return await register.purge(database, chosen)


async def _rekey() -> int:
    from athenaeum.tenants import installations, register
    from athenaeum.tenants.vault import Vault
    from athenaeum.wiring.database import open_database

    config = settings()
    if not config.secret_keys:
        raise Misconfigured("ATHENAEUM_SECRET_KEY is not set: there are no stored tokens without it")
    vault, count = Vault(config.secret_keys), 0
    async with open_database(config) as database:
        for tenant in await register.every(database):
            async with database.session(tenant.id) as session:
                count += await installations.rekey(session, vault, tenant.id)
    return count


@asynccontextmanager
async def _chosen(name: str) -> AsyncGenerator[tuple[DatabaseConnection, TenantId]]:
    from athenaeum.tenants import register
    from athenaeum.wiring.database import open_database

    async with open_database(settings()) as database:
        chosen = await tenant_named(database, name)
        assert chosen is not None  # of a name that is given
        await register.get(database, chosen)  # an id may be nobody's
        yield database, chosen


def _described(tenant: Tenant) -> dict[str, Any]:
    shown = asdict(tenant)
    return shown | {"domain_areas": list(tenant.domain_areas), "served": tenant.disabled_because is None}
