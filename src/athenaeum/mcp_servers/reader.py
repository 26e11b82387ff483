"""On whose behalf a client asks: one person of one workspace, who must be a full member at every call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self
from uuid import UUID

from athenaeum.conversations.archive import directory
from athenaeum.domain.audience import Audience
from athenaeum.domain.identity import TenantId, UserId
from athenaeum.tenants import access, register

if TYPE_CHECKING:
    from athenaeum.database.connection import DatabaseConnection

NOT_ADMITTED: Final = (
    "Only full members of a workspace that is served are answered here: no guests, and nobody who has left."
)


@dataclass(frozen=True, slots=True)
class Reader:
    """A person of a workspace."""

    tenant: TenantId
    user: UserId

    @classmethod
    def named(cls, subject: str) -> Self | None:
        """The person whom a token's subject names; None when it names nobody."""
        tenant, _, user = subject.partition("/")
        try:
            return cls(TenantId(UUID(tenant)), UserId(user)) if user else None
        except ValueError:
            return None

    @property
    def subject(self) -> str:
        """The person as the subject of a token: two workspaces may have people with the same id."""
        return f"{self.tenant}/{self.user}"

    @property
    def audience(self) -> Audience:
        """What is answered is seen by the person alone."""
        return Audience(self.tenant, self.user, place=None)


async def is_admitted(database: DatabaseConnection, reader: Reader, token: UUID | None = None) -> bool:
    """Whether the person is a full member now, of a workspace that is served; guests and strangers are not let in.

    With the id of a token also whether that is still in force.
    """
    async with database.session(reader.tenant) as session:
        return (
            await register.served(session)
            and await directory.are_members(session, reader.audience)
            and (token is None or await access.is_in_force(session, token, reader.user))
        )
