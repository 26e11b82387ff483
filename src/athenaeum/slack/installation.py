"""Installing the app in a workspace: OAuth 2.0 (RFC 6749) as Slack speaks it, `oauth.v2.access`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urljoin

from athenaeum.slack.client import SlackClient
from athenaeum.slack.errors import failure
from athenaeum.slack.manifest import BOT_SCOPES, COMMAND_SCOPE

if TYPE_CHECKING:
    from collections.abc import Mapping

_METHOD = "oauth.v2.access"


@dataclass(frozen=True, slots=True)
class BotCredentials:
    """A bot's token; with token rotation also what it is renewed by, good for one use, and when it ends."""

    token: str
    refresh_token: str | None = None
    expires_at: datetime | None = None

    @classmethod
    def read(cls, body: Mapping[str, Any], now: datetime) -> BotCredentials:
        """Read them from an answer that came at `now`."""
        lasting = body.get("expires_in")
        return cls(
            str(body["access_token"]),
            str(body["refresh_token"]) if body.get("refresh_token") else None,
            now + timedelta(seconds=int(lasting)) if lasting else None,
        )


@dataclass(frozen=True, slots=True)
class Installation:
    """What Slack gives for a code: the credentials, and what was granted by whom."""

    credentials: BotCredentials
    scopes: tuple[str, ...]
    installer: str | None


class OAuthClient:
    """The app itself, towards Slack; each method raises a `slack.errors.SlackFailure`."""

    def __init__(self, client_id: str, client_secret: str, *, base_url: str) -> None:
        """`base_url` is the Web API's, with a slash at its end."""
        self._id = client_id
        self._secret = client_secret
        self._base_url = base_url

    def authorize_url(self, state: str) -> str:
        """Where a person lets the app into a workspace, or into a whole organisation."""
        query = urlencode({"client_id": self._id, "scope": ",".join([*BOT_SCOPES, COMMAND_SCOPE]), "state": state})
        return f"{urljoin(self._base_url, '../oauth/v2/authorize')}?{query}"

    async def exchange(self, code: str) -> Installation:
        """The installation that a code stands for; a code is good for one use and ten minutes."""
        body = await self._access({"code": code})
        if body.get("token_type") != "bot":
            raise failure(_METHOD, "no_bot_token", detail="the app has no bot scopes: `athenaeum slack manifest`")
        user: Any = body.get("authed_user") or {}
        return Installation(
            BotCredentials.read(body, datetime.now(UTC)),
            tuple(scope for scope in str(body.get("scope", "")).split(",") if scope),
            str(user["id"]) if user.get("id") else None,
        )

    async def refresh(self, refresh_token: str) -> BotCredentials:
        """New credentials; the old refresh token is spent."""
        return BotCredentials.read(
            await self._access({"grant_type": "refresh_token", "refresh_token": refresh_token}), datetime.now(UTC)
        )

    async def _access(self, grant: Mapping[str, str]) -> dict[str, Any]:
        async with SlackClient("", base_url=self._base_url) as slack:
            return await slack.oauth_access({**grant, "client_id": self._id, "client_secret": self._secret})
