"""`athenaeum budgets`: what models may cost in a day, and what they did cost."""

from __future__ import annotations

from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from athenaeum.commands.console import AsJson, escaped, out, run, settings, show_json
from athenaeum.commands.tenancy import of_each_tenant, tenant_named
from athenaeum.domain.price import in_dollars
from athenaeum.domain.spending import By
from athenaeum.errors import Refused

if TYPE_CHECKING:
    from athenaeum.database.connection import DatabaseConnection
    from athenaeum.domain.identity import TenantId
    from athenaeum.tenants.budgets import DayBudget, Scope
    from athenaeum.tenants.budgets.report import Spent

app = typer.Typer(
    no_args_is_help=True,
    help="Agree what models may cost in a day, and see what they did cost."
    "\n\nExample: athenaeum budgets set 20 --user each",
)

_EACH = "each"


def _dollars(text: str) -> Decimal:
    try:
        dollars = Decimal(text.removeprefix("$"))
    except InvalidOperation:
        dollars = Decimal(-1)
    if not dollars.is_finite() or dollars < 0:
        raise typer.BadParameter(f"{text!r} is no amount of US dollars: give 20 or 0.50")
    return dollars


Tenant = Annotated[str | None, typer.Option("--tenant", help="By name or id; needed when there are several.")]
Channel = Annotated[
    str | None, typer.Option("--channel", help="A channel's id, or `each` for those without a budget of their own.")
]
User = Annotated[
    str | None, typer.Option("--user", help="A person's id, or `each` for those without a budget of their own.")
]


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the budgets of every tenant.

    Example: athenaeum budgets list
    """
    found = run(_list())
    if as_json:
        show_json([{"tenant": tenant, **asdict(budget)} for tenant, budget in found])
        return
    if not found:
        out.print("no budgets")
        return
    table = Table("tenant", "of", box=None, pad_edge=False)
    table.add_column("a day", justify="right")
    for tenant, budget in found:
        table.add_row(escaped(tenant), escaped(_told(budget.scope, budget.subject)), in_dollars(budget.dollars))
    out.print(table)


@app.command("set")
def set_(
    dollars: Annotated[Decimal, typer.Argument(metavar="DOLLARS", parser=_dollars, help="US dollars a day, of UTC.")],
    channel: Channel = None,
    user: User = None,
    tenant: Tenant = None,
) -> None:
    """Let models cost at most so much in a day: for a tenant, or for a channel or a person of it.

    Example: athenaeum budgets set 0.50 --user each
    """
    run(_set(dollars, channel, user, tenant))
    out.print(f"{in_dollars(dollars)} a day")


@app.command()
def unset(channel: Channel = None, user: User = None, tenant: Tenant = None) -> None:
    """Remove the budget that was set for exactly these.

    Example: athenaeum budgets unset --user each
    """
    run(_unset(channel, user, tenant))
    out.print("removed")


@app.command()
def spent(
    by: Annotated[By, typer.Option("--by", metavar="BY", help="user, channel, day or model.")] = By.USER,
    days: Annotated[int, typer.Option("--days", metavar="N", min=1, help="Today and the days of UTC before.")] = 1,
    tenant: Tenant = None,
    as_json: AsJson = False,
) -> None:
    """Tell what was spent, the most expensive first.

    Example: athenaeum budgets spent --by day --days 30
    """
    found = run(_spent(by, days, tenant))
    if as_json:
        show_json([asdict(line) for line in found])
        return
    if not found:
        out.print("nothing was spent")
        return
    table = Table(by.value, box=None, pad_edge=False)
    for column in ("spent", "requests", "tokens in", "of them cached", "tokens out", "without price"):
        table.add_column(column, justify="right")
    for line in found:
        counts = (line.requests, line.input_tokens, line.cache_read_tokens, line.output_tokens, line.unpriced)
        table.add_row(escaped(line.name or line.of), in_dollars(line.dollars), *map(str, counts))
    out.print(table)


async def _list() -> list[tuple[str, DayBudget]]:
    from athenaeum.tenants.budgets.budget import budgets

    return [(name, budget) for name, found in await of_each_tenant(budgets) for budget in found]


async def _set(dollars: Decimal, channel: str | None, user: str | None, tenant: str | None) -> None:
    from athenaeum.database.audit import OPERATOR, Deed, record
    from athenaeum.tenants.budgets import DayBudget
    from athenaeum.tenants.budgets.budget import set_budget
    from athenaeum.wiring.database import open_database

    scope, subject = _whose(channel, user)
    async with open_database(settings()) as database:
        of = await _of(database, tenant)
        async with database.session(of) as session:
            await set_budget(session, of, DayBudget(scope, subject, dollars))
            whose = _told(scope, subject)
            await record(session, Deed.BUDGET_CHANGED, tenant=of, actor=OPERATOR, subject=whose, dollars=str(dollars))


async def _unset(channel: str | None, user: str | None, tenant: str | None) -> None:
    from athenaeum.database.audit import OPERATOR, Deed, record
    from athenaeum.tenants.budgets.budget import unset_budget
    from athenaeum.wiring.database import open_database

    scope, subject = _whose(channel, user)
    async with open_database(settings()) as database:
        of = await _of(database, tenant)
        async with database.session(of) as session:
            if not await unset_budget(session, scope, subject):
                raise Refused("there is no such budget: `athenaeum budgets list` shows all")
            whose = _told(scope, subject)
            await record(session, Deed.BUDGET_CHANGED, tenant=of, actor=OPERATOR, subject=whose, dollars=None)


async def _spent(by: By, days: int, tenant: str | None) -> list[Spent]:
    from athenaeum.tenants.budgets import report
    from athenaeum.wiring.database import open_database

    async with open_database(settings()) as database, database.session(await _of(database, tenant)) as session:
        return await report.spent(session, by=by, days=days)


def _whose(channel: str | None, user: str | None) -> tuple[Scope, str]:
    from athenaeum.tenants.budgets import Scope
    from athenaeum.tenants.budgets.budget import EACH

    if channel is not None and user is not None:
        raise typer.BadParameter("a budget is a channel's or a person's: give --channel or --user")
    scope = Scope.TENANT if channel is user is None else Scope.USER if channel is None else Scope.CHANNEL
    subject = channel or user or _EACH
    return scope, EACH if subject == _EACH else subject


def _told(scope: Scope, subject: str) -> str:
    return f"{scope} {subject or _EACH}" if scope != "tenant" else "all of it"


async def _of(database: DatabaseConnection, tenant: str | None) -> TenantId:
    from athenaeum.tenants import register

    named = await tenant_named(database, tenant)
    if named is not None:
        return named
    names: dict[Any, str] = dict(await register.names(database))
    if len(names) > 1:
        raise Refused(f"there are several tenants: give --tenant, one of {', '.join(sorted(set(names.values())))}")
    return next(iter(names))
