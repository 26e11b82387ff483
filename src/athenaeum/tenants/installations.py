"""The tokens of the workspaces that installed the app, encrypted at rest; the tenant is the session's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from athenaeum.database.models import InstallationRow
from athenaeum.slack.installation import BotCredentials

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncSession

    from athenaeum.domain.identity import TenantId
    from athenaeum.slack.installation import Installation
    from athenaeum.tenants.vault import Vault


async def save(session: AsyncSession, vault: Vault, tenant: TenantId, installation: Installation) -> None:
    """Keep what a workspace has granted, in place of what it granted before."""
    given = {
        **_locked(vault, tenant, installation.credentials),
        "scopes": list(installation.scopes),
        "installed_by": installation.installer,
        "installed_at": func.now(),
    }
    statement = insert(InstallationRow).values(tenant_id=tenant, **given)
    await session.execute(statement.on_conflict_do_update(index_elements=["tenant_id"], set_=given))


async def load(session: AsyncSession, vault: Vault, tenant: TenantId, *, alone: bool = False) -> BotCredentials | None:
    """The tenant's credentials, if there are any; `alone` keeps all others waiting until the transaction ends."""
    statement = select(InstallationRow)
    row = await session.scalar(statement.with_for_update() if alone else statement)
    if row is None:
        return None
    refresh_token = None if row.refresh_token is None else vault.unlock(tenant, row.refresh_token)
    return BotCredentials(vault.unlock(tenant, row.bot_token), refresh_token, row.expires_at)


async def renew(session: AsyncSession, vault: Vault, tenant: TenantId, credentials: BotCredentials) -> None:
    """Keep the newer credentials of the same installation."""
    await session.execute(update(InstallationRow).values(_locked(vault, tenant, credentials)))


async def describe(session: AsyncSession) -> dict[str, Any] | None:
    """What may be shown of the tenant's installation: no token; None where there is none."""
    row = await session.scalar(select(InstallationRow))
    if row is None:
        return None
    return {
        "scopes": sorted(row.scopes),
        "installed_by": row.installed_by,
        "installed_at": row.installed_at,
        "rotates": row.refresh_token is not None,
        "ends": row.expires_at,
    }


async def installed_at(session: AsyncSession) -> datetime | None:
    """When the app was installed the last time."""
    return await session.scalar(select(InstallationRow.installed_at))


async def rekey(session: AsyncSession, vault: Vault, tenant: TenantId) -> bool:
    """Encrypt the tenant's tokens with the newest key; False when it has none."""
    credentials = await load(session, vault, tenant, alone=True)
    if credentials is not None:
        await renew(session, vault, tenant, credentials)
    return credentials is not None


def _locked(vault: Vault, tenant: TenantId, credentials: BotCredentials) -> dict[str, object]:
    spare = credentials.refresh_token
    return {
        "bot_token": vault.lock(tenant, credentials.token),
        "refresh_token": None if spare is None else vault.lock(tenant, spare),
        "expires_at": credentials.expires_at,
        "renewed_at": func.now(),
    }
