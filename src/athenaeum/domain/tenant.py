"""A tenant and the face it gives the agent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from athenaeum.domain.identity import TenantId, UserId


@dataclass(frozen=True, slots=True)
class Tenant:
    """A workspace as the register knows it; the Slack fields are None until one is connected."""

    id: TenantId
    name: str
    team_id: str | None
    enterprise_id: str | None
    app_id: str | None
    url: str | None
    """The workspace's address with a slash at its end; permalinks begin with it."""
    bot_user: UserId | None
    bot_id: str | None
    company_name: str
    domain_areas: tuple[str, ...]
    native: bool = False
    """Whether its answers are shown by Slack's own means for agents: status and streams."""
    disabled_because: str | None = None
    """Why it is not served; None while it is."""

    @property
    def is_connected(self) -> bool:
        """Whether it has, or had, a workspace."""
        return self.team_id is not None or self.enterprise_id is not None


@dataclass(frozen=True, slots=True)
class Persona:
    """Who the agent is for one person in one place: the tenant's persona, overridden by the channel's and theirs."""

    name: str = "Athenaeum"
    role: str = "the team's librarian"
    instructions: str = ""
    model: str | None = None
    """A model string that is tried before the configured ones."""
    tools: tuple[str, ...] | None = None
    """The tools that may be used; None for all."""
    system_template: str | None = None
    """Jinja2, in place of the packaged template; so is the other."""
    context_template: str | None = None
