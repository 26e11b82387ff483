"""Who a token belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from athenaeum.domain.identity import UserId

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Identity:
    """The answer of `auth.test`; `scopes` is empty where the server doesn't tell them."""

    team_id: str
    enterprise_id: str | None
    team: str
    url: str
    """The workspace's address with a slash at its end."""
    bot_user: UserId
    bot_id: str | None
    app_id: str | None
    scopes: frozenset[str]
    answered_at: datetime | None = None
    """Slack's clock when it answered, in whole seconds; None where the server doesn't tell it."""

    @classmethod
    def read(cls, body: Mapping[str, Any], headers: Mapping[str, str]) -> Identity:
        """Read the response's JSON and its `x-oauth-scopes`."""
        told = {name.lower(): value for name, value in headers.items()}
        granted = told.get("x-oauth-scopes", "")
        return cls(
            team_id=str(body["team_id"]),
            enterprise_id=body.get("enterprise_id"),
            team=str(body.get("team", "")),
            url=str(body.get("url", "")),
            bot_user=UserId(str(body["user_id"])),
            bot_id=body.get("bot_id"),
            app_id=body.get("app_id"),
            scopes=frozenset(scope.strip() for scope in granted.split(",") if scope.strip()),
            answered_at=_moment(told.get("date")),
        )


def _moment(date: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(date) if date else None
    except ValueError:
        return None
