"""Who will read an answer, for the tools of other servers: what these give is for those whom the operator named."""

from __future__ import annotations

from dataclasses import dataclass

from athenaeum.conversations.archive import directory
from athenaeum.database.connection import DatabaseConnection
from athenaeum.domain.audience import Audience
from athenaeum.tenants import register


@dataclass(frozen=True, slots=True)
class Readership:
    """What is known of the audience at one moment."""

    tenants: frozenset[str]
    """What the tenant may be called by in a rule: its id, its Slack team's, its organisation's. Names can be chosen."""
    is_only_tenant: bool
    is_among_us: bool
    """Whether each is a full member of the tenant, so that nobody is a guest, of another organisation, or unknown."""


@dataclass(frozen=True, slots=True)
class Reach:
    """A rule of the operator's: for whose answers a tool may be used."""

    tenants: frozenset[str] | None
    """None: the only workspace, and nobody's as soon as there is another."""
    is_for_all_tenants: bool
    is_for_everyone: bool
    """Guests and other organisations included."""

    def admits(self, readership: Readership) -> bool:
        """Whether these may read what the tool gives."""
        if not (self.is_for_everyone or readership.is_among_us):
            return False
        if self.is_for_all_tenants:
            return True
        if self.tenants is None:
            return readership.is_only_tenant
        return not self.tenants.isdisjoint(readership.tenants)


class Readers:
    """The readers of one attempt's answer: looked up when a tool first asks."""

    def __init__(self, database: DatabaseConnection, audience: Audience) -> None:
        """Nothing is looked up yet."""
        self._database = database
        self._audience = audience
        self._known: Readership | None = None

    async def known(self) -> Readership:
        """As it was when first asked for."""
        if self._known is None:
            self._known = await self.look_again()
        return self._known

    async def look_again(self) -> Readership:
        """As it is now."""
        tenant = await register.get(self._database, self._audience.tenant)
        is_among_us = True  # on the terminal there is the operator alone
        if self._audience.asker is not None:
            async with self._database.session(tenant.id) as session:
                is_among_us = await directory.are_members(session, self._audience)
        called = (str(tenant.id), tenant.team_id, tenant.enterprise_id)
        return Readership(
            frozenset(name for name in called if name),
            await register.is_only(self._database, tenant.id),
            is_among_us=is_among_us,
        )
