"""What signs the tokens of people, apart from the servers: those take seconds to import."""

from __future__ import annotations

from typing import TYPE_CHECKING

from athenaeum.errors import Misconfigured
from athenaeum.mcp_servers.tokens import Tokens

if TYPE_CHECKING:
    from athenaeum.config import Config

_ANYWHERE = {"0.0.0.0", "::"}  # noqa: S104 - what is bound to, not by us


def open_tokens(config: Config) -> Tokens:
    """What signs and reads bearer tokens.

    Raises:
        Misconfigured: there is no key, or no address that tokens could be for.
    """
    if not config.secret_keys:
        raise Misconfigured(
            "ATHENAEUM_SECRET_KEY is not set: it signs the tokens of people; `openssl rand -base64 32` prints one"
        )
    if config.mcp_url is None and (config.port == 0 or config.host in _ANYWHERE):
        raise Misconfigured(
            "ATHENAEUM_MCP_URL is not set, and host and port are no address that tokens could be for: set it, or those"
        )
    return Tokens(config.secret_keys, issuer=config.mcp_address)
