"""Which tenants a command is about: one by its name, or each in turn."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, TypeVar
from uuid import UUID

import typer

from athenaeum.commands.console import settings
from athenaeum.domain.identity import DEFAULT_TENANT, TenantId
from athenaeum.errors import Refused

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.database.connection import DatabaseConnection

T = TypeVar("T")

Tenant = Annotated[str | None, typer.Option("--tenant", help="The workspace, by name or id; otherwise the first.")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="How many of each tenant.")]


async def of_each_tenant(read: Callable[[AsyncSession], Awaitable[T]]) -> list[tuple[str, T]]:
    """What `read` finds in a session of each tenant, beside the tenant's name."""
    from athenaeum.tenants import register
    from athenaeum.wiring.database import open_database

    found: list[tuple[str, T]] = []
    async with open_database(settings()) as database:
        for tenant, name in (await register.names(database)).items():
            async with database.session(tenant) as session:
                found.append((name, await read(session)))
    return found


@asynccontextmanager
async def session_of(tenant: str | None) -> AsyncGenerator[tuple[AsyncSession, TenantId]]:
    """A session of the tenant with this name or id, or of the first one, and which that is."""
    from athenaeum.wiring.database import open_database

    async with open_database(settings()) as database:
        of = await tenant_named(database, tenant) or DEFAULT_TENANT
        async with database.session(of) as session:
            yield session, of


async def tenant_named(database: DatabaseConnection, tenant: str | None) -> TenantId | None:
    """The tenant with this name or id; None for None."""
    from athenaeum.tenants import register

    if tenant is None:
        return None
    try:
        return TenantId(UUID(tenant))
    except ValueError:
        pass
    names = await register.names(database)
    found = [known for known, name in names.items() if name == tenant]
    if not found:
        raise Refused(f"no tenant is called {tenant!r}: there are {', '.join(sorted(set(names.values())))}")
    if len(found) > 1:
        raise Refused(f"{len(found)} tenants are called {tenant!r}: give the id, {' or '.join(map(str, found))}")
    return found[0]
