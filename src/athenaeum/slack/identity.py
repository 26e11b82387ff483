"""Who a token belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from athenaeum.domain.identity import UserId

if TYPE_CHECKING:
    from collections.abc import Mapping


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

    @classmethod
    def read(cls, body: Mapping[str, Any], headers: Mapping[str, str]) -> Identity:
        """Read the response's JSON and its `x-oauth-scopes`."""
        granted = next((value for name, value in headers.items() if name.lower() == "x-oauth-scopes"), "")
        return cls(
            team_id=str(body["team_id"]),
            enterprise_id=body.get("enterprise_id"),
            team=str(body.get("team", "")),
            url=str(body.get("url", "")),
            bot_user=UserId(str(body["user_id"])),
            bot_id=body.get("bot_id"),
            app_id=body.get("app_id"),
            scopes=frozenset(scope.strip() for scope in granted.split(",") if scope.strip()),
        )
