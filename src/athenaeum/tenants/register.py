"""Tenants by the Slack workspace they are connected to."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from sqlalchemy import ColumnElement, and_, case, exists, func, null, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from athenaeum.database import models
from athenaeum.database.audit import ITSELF, OPERATOR, Deed, record
from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.identity import DEFAULT_TENANT, TenantId, UserId
from athenaeum.domain.tenant import Tenant
from athenaeum.errors import Refused
from athenaeum.slack.identity import Identity

log = structlog.get_logger(__name__)

_ROW = models.Tenant


async def resolve(database: DatabaseConnection, team_id: str | None, enterprise_id: str | None) -> Tenant | None:
    """The active tenant of a workspace: by its team, or by its enterprise for an organisation-wide installation."""
    async with database.session() as session:
        row = await _find(session, team_id, enterprise_id)
        return _read(row) if row is not None and row.status == "active" else None


async def is_connected(database: DatabaseConnection) -> bool:
    """Whether any workspace was ever connected."""
    connected = _ROW.slack_team_id.is_not(None) | _ROW.slack_enterprise_id.is_not(None)
    async with database.session() as session:
        return bool(await session.scalar(select(exists().where(connected))))


async def is_only(database: DatabaseConnection, tenant: TenantId) -> bool:
    """Whether no workspace is, or was, connected but this tenant's."""
    connected = _ROW.slack_team_id.is_not(None) | _ROW.slack_enterprise_id.is_not(None)
    async with database.session() as session:
        return not await session.scalar(select(exists().where(connected, _ROW.tenant_id != tenant)))


async def get(database: DatabaseConnection, tenant: TenantId) -> Tenant:
    """The tenant with this id.

    Raises:
        Refused: there is none.
    """
    async with database.session() as session:
        row = await session.get(_ROW, tenant)
        if row is None:
            raise Refused(f"tenant {tenant} does not exist: see `athenaeum doctor`")
        return _read(row)


async def every(database: DatabaseConnection) -> list[Tenant]:
    """All tenants, the oldest first."""
    async with database.session() as session:
        return [_read(row) for row in await session.scalars(select(_ROW).order_by(_ROW.created_at))]


async def names(database: DatabaseConnection) -> dict[TenantId, str]:
    """What the tenants are called; two may have the same name."""
    async with database.session() as session:
        return {TenantId(row.tenant_id): row.name for row in await session.scalars(select(_ROW))}


async def bind(database: DatabaseConnection, identity: Identity) -> Tenant:
    """Connect the workspace that a bot token belongs to, and give its tenant, active from now on.

    The workspace keeps the tenant it has; a new one takes the default tenant while that has no
    workspace, and a tenant of its own afterwards.
    """
    # for an organisation-wide installation auth.test names the organisation in the team's place
    team = identity.team_id if identity.team_id != identity.enterprise_id else None
    connected = {
        "name": identity.team or "Slack",
        "slack_team_id": team,
        "slack_enterprise_id": identity.enterprise_id,
        "slack_url": identity.url,
        "bot_user_id": identity.bot_user,
        "bot_id": identity.bot_id,
        "slack_app_id": identity.app_id,
        "status": "active",
        "disabled_at": null(),
        "disabled_because": null(),
    }
    async with database.session() as session:
        # two processes that start at once see the same free default tenant: the row's lock lets one in
        await session.execute(select(_ROW.tenant_id).where(_ROW.tenant_id == DEFAULT_TENANT).with_for_update())
        known = await _find(session, team, None if team else identity.enterprise_id)
        default = await session.get(_ROW, DEFAULT_TENANT)
        free = default is not None and default.slack_team_id is None and default.slack_enterprise_id is None
        tenant = known.tenant_id if known is not None else DEFAULT_TENANT if free else None
        if tenant is None:
            statement = insert(_ROW).values(connected).returning(_ROW)
        else:
            statement = update(_ROW).where(_ROW.tenant_id == tenant).values(connected).returning(_ROW)
        bound = (await session.execute(statement.execution_options(populate_existing=True))).scalar_one()
        log.info("tenant.bound", tenant=str(bound.tenant_id), team=identity.team_id)
        return _read(bound)


async def served(session: AsyncSession) -> bool:
    """Whether the session's tenant is active; one that is not is answered and told nothing."""
    return bool(await session.scalar(select(func.tenant_served())))


async def native_team(session: AsyncSession) -> str | None:
    """The workspace to stream to, when the session's tenant is shown its answers by Slack's own means for agents.

    An organisation's installation has no workspace of its own, and so no streams.
    """
    return await session.scalar(select(func.tenant_native()))


async def disable(
    session: AsyncSession, tenant: TenantId, reason: str, *, is_gone: bool = False, actor: str = ITSELF
) -> bool:
    """Serve a tenant no more; False when it was disabled before. The session is the tenant's, or nobody's.

    `is_gone` says that Slack has taken our token back: it is forgotten, and open questions end as cancelled at once.
    Otherwise workers withdraw them, with their placeholders.
    """
    disabled = bool(await session.scalar(select(func.tenant_disable(tenant, reason, is_gone))))
    if disabled:
        deed = Deed.UNINSTALLED if is_gone else Deed.TENANT_CHANGED
        await record(session, deed, tenant=tenant, actor=actor, subject=str(tenant), served=False, reason=reason)
        log.warning("tenant.disabled", tenant=str(tenant), reason=reason)
    return disabled


async def enable(session: AsyncSession, tenant: TenantId, *, actor: str = ITSELF) -> bool:
    """Serve a tenant again; False when it was not disabled. The session is nobody's."""
    values = {"status": "active", "disabled_at": null(), "disabled_because": null()}
    disabled = update(_ROW).where(_ROW.tenant_id == tenant, _ROW.status == "disabled")
    enabled = await session.scalar(disabled.values(values).returning(_ROW.tenant_id)) is not None
    if enabled:
        await record(session, Deed.TENANT_CHANGED, tenant=tenant, actor=actor, subject=str(tenant), served=True)
        log.info("tenant.enabled", tenant=str(tenant))
    return enabled


async def describe(
    session: AsyncSession,
    tenant: TenantId,
    *,
    company_name: str | None,
    domain_areas: Sequence[str] | None,
    native: bool | None = None,
) -> None:
    """Say what a prompt may tell of the tenant, and how its answers are shown; None leaves it as it is.

    The session is nobody's.
    """
    areas = None if domain_areas is None else list(domain_areas)
    given = {"company_name": company_name, "domain_areas": areas, "native": native}
    values = {name: value for name, value in given.items() if value is not None}
    if values:
        await session.execute(update(_ROW).where(_ROW.tenant_id == tenant).values(values))
        await record(
            session, Deed.TENANT_CHANGED, tenant=tenant, actor=OPERATOR, subject=str(tenant), changed=sorted(values)
        )


async def purge(database: DatabaseConnection, tenant: TenantId) -> int:
    """Delete everything of a disabled tenant but its name and its audit log; the number of rows.

    Raises:
        Refused: it is not disabled.
    """
    async with database.session() as session:
        deleted: int | None = await session.scalar(select(func.tenant_purge(tenant)))
        if deleted is not None:
            await record(session, Deed.ERASED, tenant=tenant, actor=OPERATOR, subject=str(tenant), rows=deleted)
    if deleted is None:
        raise Refused(f"tenant {tenant} is served: first `athenaeum tenants disable {tenant}`")
    log.warning("tenant.purged", tenant=str(tenant), rows=deleted)
    return deleted


async def _find(session: AsyncSession, team_id: str | None, enterprise_id: str | None) -> models.Tenant | None:
    by_team: ColumnElement[bool] = _ROW.slack_team_id == team_id
    organisation: ColumnElement[bool] = and_(_ROW.slack_team_id.is_(None), _ROW.slack_enterprise_id == enterprise_id)
    if team_id is None and enterprise_id is None:
        return None
    found = by_team if enterprise_id is None else organisation if team_id is None else by_team | organisation
    return await session.scalar(select(_ROW).where(found).order_by(case((by_team, 0), else_=1)).limit(1))


def _read(row: models.Tenant) -> Tenant:
    return Tenant(
        id=TenantId(row.tenant_id),
        name=row.name,
        team_id=row.slack_team_id,
        enterprise_id=row.slack_enterprise_id,
        app_id=row.slack_app_id,
        url=row.slack_url,
        bot_user=UserId(row.bot_user_id) if row.bot_user_id else None,
        bot_id=row.bot_id,
        company_name=row.company_name,
        domain_areas=tuple(row.domain_areas),
        native=row.native,
        disabled_because=None if row.status == "active" else row.disabled_because or "disabled",
    )
