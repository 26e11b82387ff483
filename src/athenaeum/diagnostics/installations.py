"""Whether the workspaces that installed the app can be served."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from athenaeum.database.connection import DatabaseConnection
from athenaeum.diagnostics.finding import Finding, fault, ok, warning
from athenaeum.errors import Misconfigured
from athenaeum.tenants import installations, register
from athenaeum.tenants.tokens import REFUSED
from athenaeum.tenants.vault import Vault
from athenaeum.wiring.database import locate_database

if TYPE_CHECKING:
    from athenaeum.config import Config

SUBJECT = "installations"
_PAGE = "/slack/install"


async def look(config: Config) -> list[Finding]:
    """Read every stored token; Slack is not asked. Nothing is said where tokens are not stored."""
    try:
        config.validate()
        if not config.secret_keys:
            return []
        async with (
            locate_database(config) as url,
            DatabaseConnection(url, pool_size=1, max_overflow=1) as database,
        ):
            return await _look_inside(database, Vault(config.secret_keys))
    except (Misconfigured, SQLAlchemyError, OSError):
        return []  # of the settings, or of the database: their own findings say what


async def _look_inside(database: DatabaseConnection, vault: Vault) -> list[Finding]:
    found: list[Finding] = []
    served = 0
    for tenant in await register.every(database):
        if tenant.disabled_because and REFUSED in tenant.disabled_because:
            found.append(fault(SUBJECT, f"{tenant.name}: {tenant.disabled_because}", f"install it again at {_PAGE}"))
        if not tenant.is_connected or tenant.disabled_because:
            continue
        try:
            async with database.session(tenant.id) as session:
                served += await installations.load(session, vault, tenant.id) is not None
        except Misconfigured:
            mend = "put the key that it was stored with into ATHENAEUM_SECRET_KEY, behind a comma"
            found.append(fault(SUBJECT, f"the token of {tenant.name} cannot be decrypted", mend))
    if found:
        return found
    if not served:
        return [warning(SUBJECT, "no workspace has installed the app", f"open {_PAGE} on the gateway's address")]
    return [ok(SUBJECT, f"workspaces that are served: {served}")]
