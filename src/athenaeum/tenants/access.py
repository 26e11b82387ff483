"""Which tokens for our MCP servers are in force; they themselves are kept nowhere. The tenant is the session's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert

from athenaeum.database.audit import OPERATOR, Deed, record
from athenaeum.database.models import AccessTokenRow
from athenaeum.domain.identity import TenantId, UserId

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncSession

_ROW = AccessTokenRow


@dataclass(frozen=True, slots=True)
class Access:
    """One token: whose it is, for which server, and until when."""

    id: UUID
    user: UserId
    server: str
    expires_at: datetime


async def grant(session: AsyncSession, tenant: TenantId, access: Access) -> None:
    """Put a token in force that an operator issues, and forget those that have ended."""
    await session.execute(delete(_ROW).where(_ROW.expires_at < func.now()))
    row = {"user_id": access.user, "server": access.server, "expires_at": access.expires_at}
    await session.execute(insert(_ROW).values(tenant_id=tenant, token_id=access.id, **row))
    detail = {"id": str(access.id), "server": access.server, "expires_at": access.expires_at.isoformat()}
    await record(session, Deed.TOKEN_ISSUED, tenant=tenant, actor=OPERATOR, subject=access.user, **detail)


async def is_in_force(session: AsyncSession, token: UUID, user: UserId) -> bool:
    """Whether the person's token was issued here, and not taken back."""
    standing = (_ROW.token_id == token, _ROW.user_id == user, _ROW.revoked_at.is_(None))
    return bool(await session.scalar(select(exists().where(*standing))))


async def in_force(session: AsyncSession) -> list[Access]:
    """The tokens that are good now, those that end first before the others."""
    standing = select(_ROW).where(_ROW.revoked_at.is_(None), _ROW.expires_at > func.now())
    rows = await session.scalars(standing.order_by(_ROW.expires_at, _ROW.token_id))
    return [Access(row.token_id, UserId(row.user_id), row.server, row.expires_at) for row in rows]


async def revoke(session: AsyncSession, tenant: TenantId, token: UUID) -> UserId | None:
    """Take a token back; whose it was, or None when there is none in force with this id."""
    standing = update(_ROW).where(_ROW.token_id == token, _ROW.revoked_at.is_(None))
    user = await session.scalar(standing.values(revoked_at=func.now()).returning(_ROW.user_id))
    if user is not None:
        await record(session, Deed.TOKEN_REVOKED, tenant=tenant, actor=OPERATOR, subject=user, id=str(token))
    return None if user is None else UserId(user)
