"""Whose eyes an answer is for: the input of the audience rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from athenaeum.domain.channel import Place
    from athenaeum.domain.identity import TenantId, UserId


@dataclass(frozen=True, slots=True)
class Audience:
    """The asker and everyone at the destination; `retrieval.audience` turns it into SQL.

    `asker` None is the terminal's operator: documents and public channels only.
    """

    tenant: TenantId
    asker: UserId | None
    place: Place | None
    """None where it is shown to the asker alone, as Slack's ephemeral messages are."""
